//! Random sequences against a plain model of who owns and owes what.

use jirani_energy_interface::Proof;
use jirani_energy_interface::client::FillAccounts;
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_tests::{World, audit};
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUSEHOLDS: u32 = 4;

/// One step somebody takes.
#[derive(Clone, Debug)]
enum Step {
    /// All households' registers rise by what is given.
    Attest(Vec<(u64, u64)>),
    /// A household offers energy.
    Post { seller: u32, energy: u64, price: u32 },
    /// Somebody takes an offer back.
    Cancel { which: usize, by_stranger: bool },
    /// A household orders from up to four offers.
    Place { buyer: u32, which: Vec<(usize, u32)> },
    /// The attestor settles; perhaps with a proof used before.
    Settle { which: usize, reuse: bool },
    /// Somebody releases.
    Release { which: usize, by_stranger: bool },
    /// Time passes.
    Wait(i64),
}

/// What the model knows of an offer.
#[derive(Clone, Debug)]
struct Lot {
    seller: u32,
    price: u32,
    owed: u64,
    reserved: u64,
    expires_at: i64,
    open: bool,
}

/// What the model knows of an order.
#[derive(Clone, Debug)]
struct Held {
    buyer: u32,
    fills: Vec<(u64, u32)>,
    last: i64,
}

/// Who owns and owes what, by the rules alone.
#[derive(Default)]
struct Model {
    vault: BTreeMap<u32, u64>,
    owes: BTreeMap<u32, u64>,
    registers: BTreeMap<u32, (u64, u64)>,
    lots: BTreeMap<u64, Lot>,
    orders: BTreeMap<u64, Held>,
    next: u64,
    proofs: u64,
}

impl Model {
    fn receive(&mut self, household: u32, wh: u64) {
        let vault = self.vault.entry(household).or_default();
        *vault += wh;
        let owes = self.owes.entry(household).or_default();
        let burned = (*owes).min(*vault);
        *vault -= burned;
        *owes -= burned;
    }

    fn fill_accounts(&self, fills: &[(u64, u32)]) -> Vec<FillAccounts> {
        fills
            .iter()
            .map(|(id, energy_wh)| {
                let lot = &self.lots[id];
                FillAccounts { seller_id: lot.seller, offer_id: *id, energy_wh: *energy_wh, price: lot.price }
            })
            .collect()
    }
}

fn step() -> impl Strategy<Value = Step> {
    let household = 1..=HOUSEHOLDS;
    prop_oneof![
        3 => prop::collection::vec((0..3000_u64, 0..2000_u64), HOUSEHOLDS as usize).prop_map(Step::Attest),
        3 => (household.clone(), 1..4000_u64, 900..2600_u32)
            .prop_map(|(seller, energy, price)| Step::Post { seller, energy, price }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, by_stranger)| Step::Cancel { which, by_stranger }),
        4 => (household, prop::collection::vec((any::<usize>(), 1..1500_u32), 1..5))
            .prop_map(|(buyer, which)| Step::Place { buyer, which }),
        3 => (any::<usize>(), prop::bool::weighted(0.2)).prop_map(|(which, reuse)| Step::Settle { which, reuse }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, by_stranger)| Step::Release { which, by_stranger }),
        2 => (1..600_i64).prop_map(Step::Wait),
    ]
}

fn pick<V: Clone>(map: &BTreeMap<u64, V>, which: usize) -> Option<(u64, V)> {
    let index = which.checked_rem(map.len())?;
    map.iter().nth(index).map(|(id, value)| (*id, value.clone()))
}

/// Takes a step in both worlds; they must agree on whether it is allowed.
fn take(world: &mut World, model: &mut Model, step: &Step) {
    match step {
        Step::Wait(seconds) => world.wait(*seconds),
        Step::Attest(rises) => {
            world.wait(900);
            let mut rows = Vec::new();
            for (id, (export, import)) in (1..=HOUSEHOLDS).zip(rises) {
                let registers = model.registers.entry(id).or_default();
                registers.0 += export;
                registers.1 += import;
                rows.push((id, registers.0, registers.1));
                *model.owes.entry(id).or_default() += import;
                model.receive(id, *export);
            }
            assert!(world.attest(&rows).rows().iter().all(|row| row.status == 0));
        }
        Step::Post { seller, energy, price } => {
            model.next += 1;
            let offer = world.new_offer(*seller, model.next, *energy, *price);
            let allowed = model.owes.get(seller).is_none_or(|owes| *owes == 0)
                && model.vault.get(seller).is_some_and(|vault| vault >= energy)
                && (1000..=2500).contains(price);
            assert_eq!(world.post(&offer).is_ok(), allowed, "{step:?}");
            if allowed {
                *model.vault.entry(*seller).or_default() -= energy;
                let lot = Lot {
                    seller: *seller,
                    price: *price,
                    owed: *energy,
                    reserved: 0,
                    expires_at: offer.expires_at,
                    open: true,
                };
                model.lots.insert(model.next, lot);
            }
        }
        Step::Cancel { which, by_stranger } => {
            let Some((id, lot)) = pick(&model.lots, *which) else { return };
            let owes = model.owes.get(&lot.seller).copied().unwrap_or(0) > 0;
            let anyone = !lot.open || world.now() >= lot.expires_at || lot.owed == 0 || owes;
            let caller =
                if *by_stranger { &world.keys.stranger } else { &world.keys.custodian }.insecure_clone();
            let allowed = anyone || !by_stranger;
            assert_eq!(world.cancel_as(&caller, lot.seller, id).is_ok(), allowed, "{step:?}");
            if allowed {
                model.receive(lot.seller, lot.owed - lot.reserved);
                if lot.reserved == 0 {
                    model.lots.remove(&id);
                } else {
                    model.lots.insert(id, Lot { owed: lot.reserved, open: false, ..lot });
                }
            }
        }
        Step::Place { buyer, which } => {
            let fills: Vec<_> = which
                .iter()
                .filter_map(|(which, energy)| pick(&model.lots, *which).map(|(id, _)| (id, *energy)))
                .collect();
            if fills.is_empty() {
                return;
            }
            model.next += 1;
            let now = world.now();
            let different = (1..fills.len()).all(|i| fills[..i].iter().all(|(id, _)| *id != fills[i].0));
            let possible = fills.iter().all(|(id, energy)| {
                let lot = &model.lots[id];
                lot.open
                    && lot.seller != *buyer
                    && now < lot.expires_at
                    && lot.owed - lot.reserved >= u64::from(*energy)
            });
            let room = model.orders.values().filter(|order| order.buyer == *buyer).count() < 8;
            let accounts = model.fill_accounts(&fills);
            let allowed = different && possible && room;
            assert_eq!(world.place(*buyer, model.next, &accounts).is_ok(), allowed, "{step:?}");
            if allowed {
                for (id, energy) in &fills {
                    if let Some(lot) = model.lots.get_mut(id) {
                        lot.reserved += u64::from(*energy);
                    }
                }
                model.orders.insert(model.next, Held { buyer: *buyer, fills, last: now + 420 });
            }
        }
        Step::Settle { which, reuse } => {
            let Some((id, order)) = pick(&model.orders, *which) else { return };
            let used = *reuse && model.proofs > 0;
            let number = if used { model.proofs } else { model.proofs + 1 };
            let mut hash = [1; 32];
            hash[..8].copy_from_slice(&number.to_le_bytes());
            let allowed = !used && world.now() <= order.last;
            let accounts = model.fill_accounts(&order.fills);
            let now = world.now();
            let result = world.settle(order.buyer, id, &accounts, &Proof::receipt(hash), now);
            assert_eq!(result.is_ok(), allowed, "{step:?}");
            if allowed {
                model.proofs = number;
                let mut bought = 0;
                for (lot_id, energy) in &order.fills {
                    if let Some(lot) = model.lots.get_mut(lot_id) {
                        lot.reserved -= u64::from(*energy);
                        lot.owed -= u64::from(*energy);
                        bought += u64::from(*energy);
                    }
                }
                model.receive(order.buyer, bought);
                model.orders.remove(&id);
            }
        }
        Step::Release { which, by_stranger } => {
            let Some((id, order)) = pick(&model.orders, *which) else { return };
            let caller =
                if *by_stranger { &world.keys.stranger } else { &world.keys.attestor }.insecure_clone();
            let allowed = !by_stranger || world.now() > order.last;
            let accounts = model.fill_accounts(&order.fills);
            let result = world.release_as(&caller, order.buyer, id, &accounts, ReleaseReason::PaymentTimeout);
            assert_eq!(result.is_ok(), allowed, "{step:?}");
            if allowed {
                for (lot_id, energy) in &order.fills {
                    if let Some(lot) = model.lots.get_mut(lot_id) {
                        lot.reserved -= u64::from(*energy);
                    }
                }
                model.orders.remove(&id);
            }
        }
    }
}

/// Both worlds agree on every balance and debt.
fn compare(world: &World, model: &Model) {
    audit(world);
    for id in 1..=HOUSEHOLDS {
        assert_eq!(world.vault(id), model.vault.get(&id).copied().unwrap_or(0), "vault of {id}");
        assert_eq!(
            world.household(id).shortfall_wh,
            model.owes.get(&id).copied().unwrap_or(0),
            "debt of {id}"
        );
    }
    for (id, lot) in &model.lots {
        let offer = world.offer(lot.seller, *id).expect("the offer lives");
        assert_eq!((offer.owed_wh(), offer.reserved_wh), (lot.owed, lot.reserved));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_they_do_in_whatever_order_the_books_agree(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        world.enrol(1..=HOUSEHOLDS);
        let mut model = Model::default();
        take(&mut world, &mut model, &Step::Attest(vec![(5000, 0); HOUSEHOLDS as usize]));
        for step in &steps {
            take(&mut world, &mut model, step);
            compare(&world, &model);
        }
    }
}
