//! Where every Wh of a slot goes.
//!
//! Whatever is pushed into the grid is drawn from it or lost in it:
//! `exports = imports + losses` with losses >= 0, to the last Wh, in every slot.

use crate::equipment::{BATTERY_KEEPS_PERMILLE, Equipment};
use crate::profile::HomeEnergy;

/// What one home's meter counts in one slot, Wh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomeFlow {
    /// Generated, after curtailment.
    pub generation_wh: u64,
    /// Drawn from the grid.
    pub import_wh: u64,
    /// Pushed into the grid.
    pub export_wh: u64,
}

/// What every meter counts in one slot, Wh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// One entry per home, in order.
    pub homes: Vec<HomeFlow>,
    /// Given by the generator.
    pub generator_export_wh: u64,
    /// Taken by the battery.
    pub battery_import_wh: u64,
    /// Given by the battery.
    pub battery_export_wh: u64,
    /// Lost in the wires.
    pub losses_wh: u64,
    /// Sun that nobody could take.
    pub curtailed_wh: u64,
    /// Load that nobody could serve.
    pub unserved_wh: u64,
}

/// Balances one slot of `slot_s` seconds; `stored_wh` is what the battery holds.
pub fn balance(equipment: &Equipment, stored_wh: &mut u64, homes: &[HomeEnergy], slot_s: u32) -> Flows {
    let mut flows = Flows { homes: homes.iter().map(|home| net(*home)).collect(), ..Flows::default() };
    let exports: u64 = flows.homes.iter().map(|home| home.export_wh).sum();
    let imports: u64 = flows.homes.iter().map(|home| home.import_wh).sum();
    let in_slot = |watts: u32| u64::from(watts) * u64::from(slot_s) / 3_600;
    let with_losses = |drawn: u64| drawn + losses(equipment, drawn);
    if exports >= with_losses(imports) {
        let room = equipment.battery_wh.saturating_sub(*stored_wh) * 1_000 / BATTERY_KEEPS_PERMILLE;
        let surplus = most_drawn(equipment, exports) - imports;
        let charge = surplus.min(room).min(in_slot(equipment.battery_w));
        *stored_wh += charge * BATTERY_KEEPS_PERMILLE / 1_000;
        flows.battery_import_wh = charge;
        flows.losses_wh = losses(equipment, imports + charge);
        flows.curtailed_wh = exports - with_losses(imports + charge);
        curtail(&mut flows.homes, exports, flows.curtailed_wh);
    } else {
        let lacking = with_losses(imports) - exports;
        let discharge = lacking.min(*stored_wh).min(in_slot(equipment.battery_w));
        let generated = (lacking - discharge).min(in_slot(equipment.generator_w));
        let served = imports.min(most_drawn(equipment, exports + discharge + generated));
        flows.unserved_wh = imports - served;
        shed(&mut flows.homes, imports, flows.unserved_wh);
        // Rounding of the losses may leave a Wh that the generator need not give.
        let supply = with_losses(served);
        flows.battery_export_wh = discharge.min(supply.saturating_sub(exports));
        flows.generator_export_wh = supply.saturating_sub(exports + flows.battery_export_wh);
        *stored_wh -= flows.battery_export_wh;
        flows.losses_wh = losses(equipment, served);
        let over = exports.saturating_sub(supply);
        flows.curtailed_wh = over;
        curtail(&mut flows.homes, exports, over);
    }
    flows
}

/// A home whose relay is open: no more sun than it uses, no more light than its sun.
pub fn on_its_own(home: HomeEnergy) -> HomeEnergy {
    let own = home.pv_wh.min(home.load_wh);
    HomeEnergy { pv_wh: own, load_wh: own }
}

fn net(home: HomeEnergy) -> HomeFlow {
    HomeFlow {
        generation_wh: home.pv_wh,
        import_wh: home.load_wh.saturating_sub(home.pv_wh),
        export_wh: home.pv_wh.saturating_sub(home.load_wh),
    }
}

fn losses(equipment: &Equipment, drawn: u64) -> u64 {
    drawn * u64::from(equipment.loss_permille) / 1_000
}

/// The most that can be drawn from `pushed` once the losses are taken off.
fn most_drawn(equipment: &Equipment, pushed: u64) -> u64 {
    let mut drawn = pushed * 1_000 / (1_000 + u64::from(equipment.loss_permille));
    while drawn < pushed && drawn + 1 + losses(equipment, drawn + 1) <= pushed {
        drawn += 1;
    }
    drawn
}

/// Takes `cut` off the exporters, each by its share of `exports`.
fn curtail(homes: &mut [HomeFlow], exports: u64, cut: u64) {
    let parts: Vec<u64> = homes.iter().map(|home| home.export_wh).collect();
    for (home, part) in homes.iter_mut().zip(shares(&parts, exports, cut)) {
        home.export_wh -= part;
        home.generation_wh -= part;
    }
}

/// Takes `cut` off the importers, each by its share of `imports`.
fn shed(homes: &mut [HomeFlow], imports: u64, cut: u64) {
    let parts: Vec<u64> = homes.iter().map(|home| home.import_wh).collect();
    for (home, part) in homes.iter_mut().zip(shares(&parts, imports, cut)) {
        home.import_wh -= part;
    }
}

/// Splits `cut` (at most `total`, the sum of `parts`) in proportion, to the last Wh.
fn shares(parts: &[u64], total: u64, cut: u64) -> Vec<u64> {
    let mut seen = 0u64;
    let mut given = 0u64;
    parts
        .iter()
        .map(|part| {
            seen += part;
            let so_far = if total == 0 { 0 } else { u128::from(cut) * u128::from(seen) / u128::from(total) };
            let so_far = u64::try_from(so_far).unwrap_or(u64::MAX);
            let share = so_far - given;
            given = so_far;
            share
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn equipment() -> impl Strategy<Value = Equipment> {
        (0u32..50_000, 0u32..20_000, 0u64..50_000, 0u32..150).prop_map(
            |(generator_w, battery_w, battery_wh, loss_permille)| Equipment {
                generator_w,
                battery_w,
                battery_wh,
                loss_permille,
            },
        )
    }

    fn homes() -> impl Strategy<Value = Vec<HomeEnergy>> {
        proptest::collection::vec(
            (0u64..5_000, 0u64..5_000).prop_map(|(pv_wh, load_wh)| HomeEnergy { pv_wh, load_wh }),
            0..30,
        )
    }

    proptest! {
        #[test]
        fn every_slot_balances_to_the_last_wh(equipment in equipment(), homes in homes(), stored in 0u64..50_000) {
            let before = stored.min(equipment.battery_wh);
            let mut after = before;
            let flows = balance(&equipment, &mut after, &homes, 900);
            let sum = |of: fn(&HomeFlow) -> u64| -> u64 { flows.homes.iter().map(of).sum() };
            let exports = sum(|h| h.export_wh) + flows.generator_export_wh + flows.battery_export_wh;
            let imports = sum(|h| h.import_wh) + flows.battery_import_wh;
            prop_assert_eq!(exports, imports + flows.losses_wh);
            prop_assert!(after <= equipment.battery_wh);
            prop_assert_eq!(after + flows.battery_export_wh, before + flows.battery_import_wh * 950 / 1_000);
            prop_assert!(flows.generator_export_wh <= u64::from(equipment.generator_w) / 4);
            prop_assert!(flows.battery_export_wh.max(flows.battery_import_wh) <= u64::from(equipment.battery_w) / 4);
            for (flow, home) in flows.homes.iter().zip(&homes) {
                prop_assert!(flow.import_wh == 0 || flow.export_wh == 0);
                prop_assert!(flow.generation_wh <= home.pv_wh);
                prop_assert!(flow.generation_wh + flow.import_wh - flow.export_wh <= home.load_wh);
            }
            let cut: u64 = flows.homes.iter().zip(&homes).map(|(flow, home)| home.pv_wh - flow.generation_wh).sum();
            prop_assert_eq!(cut, flows.curtailed_wh);
        }

        #[test]
        fn a_generator_that_carries_all_leaves_nobody_in_the_dark(homes in homes(), stored in 0u64..1_000) {
            let equipment = Equipment { generator_w: 5_000 * 4 * 40, battery_w: 1_000, battery_wh: 1_000, loss_permille: 40 };
            let mut stored = stored;
            let flows = balance(&equipment, &mut stored, &homes, 900);
            prop_assert_eq!(flows.unserved_wh, 0);
        }
    }

    #[test]
    fn sun_beyond_load_and_battery_is_curtailed_where_it_is_made() {
        let equipment = Equipment { generator_w: 0, battery_w: 400, battery_wh: 1_000, loss_permille: 0 };
        let homes = [
            HomeEnergy { pv_wh: 300, load_wh: 0 },
            HomeEnergy { pv_wh: 100, load_wh: 0 },
            HomeEnergy { pv_wh: 0, load_wh: 100 },
        ];
        let mut stored = 0;
        let flows = balance(&equipment, &mut stored, &homes, 900);
        assert_eq!((flows.battery_import_wh, flows.curtailed_wh, stored), (100, 200, 95));
        assert_eq!((flows.homes[0].generation_wh, flows.homes[1].generation_wh), (150, 50));
    }
}
