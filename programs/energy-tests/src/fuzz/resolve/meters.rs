//! Registers, adjustments and meters.

use super::{FEEDER, LOSS, Memory, OTHER_FEEDER, home};
use crate::fuzz::deed::Deed;
use crate::fuzz::model::Model;
use crate::fuzz::place::Place;
use crate::fuzz::step::{Act, Edge, Spoil};
use jirani_energy_interface::instruction::{AdjustData, AttestData, ReplaceMeterData, RowData, Tag};

impl Memory {
    /// As many oracles as are needed, or one less, or one of them twice.
    fn signing(&self, model: &Model, spoil: Spoil) -> Vec<Place> {
        let needed = match spoil {
            Spoil::TooFew => model.rules.threshold - 1,
            _ => model.rules.threshold,
        };
        let mut oracles: Vec<_> =
            model.rules.oracles.iter().take(needed).map(|key| self.whose(key)).collect();
        if let (Spoil::SameOracle, Some(first)) = (spoil, oracles.first().copied()) {
            oracles.push(first);
        }
        oracles
    }

    pub(super) fn meters(&mut self, act: &Act, model: &Model) -> Option<Deed> {
        match act {
            Act::Attest { flows, mask, edge, spoil } => {
                let spoil = if self.balanced { Spoil::No } else { *spoil };
                Some(self.attest(model, flows, *mask, *edge, spoil))
            }
            Act::Adjust { home: which, export, import } if !self.balanced => {
                let id = home(model, which)?;
                let left = model.rules.caps.adjustment_wh.saturating_sub(model.rules.adjusted.wh).min(4000);
                let data = AdjustData {
                    tag: Tag::Adjust as u8,
                    reserved: [0; 3],
                    oracle_version: model.rules.oracle_version,
                    export_wh: export.of(left),
                    import_wh: import.of(left / 2),
                    adjusted_export_wh: model.homes[&id].adjusted.0,
                    adjusted_import_wh: model.homes[&id].adjusted.1,
                    reason: [5; 32],
                };
                let mut places = vec![
                    self.whose(&model.rules.admin),
                    Place::Config,
                    Place::Mint,
                    Place::Home(id),
                    Place::Vault(id),
                    Place::Token,
                    Place::Energy,
                ];
                let oracles = self.signing(model, Spoil::No);
                let rights = format!("swwww--{}", "s".repeat(oracles.len()));
                places.extend(oracles);
                Some(Deed::energy(&mut self.atlas, &rights, &places, bytemuck::bytes_of(&data).to_vec()))
            }
            Act::ReplaceMeter { home: which, how, rating } if !self.balanced => {
                let id = home(model, which)?;
                let known = &model.homes[&id];
                let (meter, epoch, begins) = match how {
                    0 => (known.meter, known.epoch, known.registers),
                    1 => (known.meter, known.epoch + 1, (0, 0)),
                    2 => ([known.meter[0] ^ 0x40; 32], known.epoch + 1, (500, 700)),
                    3 => ([known.meter[0] ^ 0x40; 32], known.epoch, known.registers),
                    // None of these goes on where the meter stopped.
                    4 => (known.meter, known.epoch, (known.registers.0 / 2, known.registers.1)),
                    5 => (known.meter, known.epoch - 1, known.registers),
                    _ => (known.meter, known.epoch, (known.registers.0, known.registers.1 + 1)),
                };
                let rating = [10_000, 200, 50_000, 0, 1_000_000, 1_000_001][usize::from(*rating) % 6];
                let data = ReplaceMeterData {
                    tag: Tag::ReplaceMeter as u8,
                    reserved: [0; 3],
                    meter_epoch: epoch,
                    export_rating_w: rating,
                    import_rating_w: rating,
                    initial_export_wh: begins.0,
                    initial_import_wh: begins.1,
                    meter_key: meter,
                };
                let places = [self.whose(&model.rules.admin), Place::Config, Place::Home(id), Place::Energy];
                Some(Deed::energy(&mut self.atlas, "s-w-", &places, bytemuck::bytes_of(&data).to_vec()))
            }
            _ => None,
        }
    }

    fn attest(&mut self, model: &Model, flows: &[(u16, u16)], mask: u16, edge: Edge, spoil: Spoil) -> Deed {
        let feeder = if matches!(spoil, Spoil::Feeder) { OTHER_FEEDER } else { FEEDER };
        let skew = i64::from(model.rules.limits.clock_skew_s);
        let slot_end = match edge {
            Edge::Inside => model.now,
            Edge::First(off) => {
                model.homes.values().map(|home| home.last_slot).max().unwrap_or(0) + i64::from(off)
            }
            Edge::Last(off) => model.now + skew + i64::from(off),
            Edge::Never => i64::MAX,
        };
        if self.balanced {
            self.count(model, flows);
        }
        let (mut data, mut places) = (Vec::new(), Vec::new());
        for ((id, home), flow) in model.homes.iter().zip(flows) {
            // In a balanced case a second feeder would take energy out of the sum.
            if mask & (1 << (id % 16)) == 0 && !mask.is_multiple_of(3) {
                continue;
            }
            let (mut export, mut import) = (
                home.registers.0.saturating_add(u64::from(flow.0)),
                home.registers.1.saturating_add(u64::from(flow.1)),
            );
            let mut epoch = home.epoch;
            let seconds = slot_end.saturating_sub(home.last_slot);
            let filled = home.buckets.0.filled(seconds.min(1 << 40), model.rules.limits.bucket_s);
            match spoil {
                Spoil::Lower => export = home.registers.0.saturating_sub(1),
                Spoil::Brim(off) => {
                    let brim = u64::try_from(filled.joules / 3600).unwrap_or(u64::MAX);
                    // Not always: a household with a full bucket's energy dwarfs the others.
                    if flow.0.is_multiple_of(4) {
                        export = home.registers.0.saturating_add(brim).saturating_add_signed(i64::from(off));
                    }
                }
                Spoil::Most => import = u64::MAX,
                Spoil::Epoch => epoch += 1,
                _ => {}
            }
            if self.balanced {
                (export, import) = self.counted.get(id).copied().unwrap_or(home.registers);
            }
            let row = RowData { export_wh: export, import_wh: import, meter_epoch: epoch, reserved: 0 };
            let times = if matches!(spoil, Spoil::Twice) { 2 } else { 1 };
            for _ in 0..times {
                data.extend_from_slice(bytemuck::bytes_of(&row));
                places.extend([Place::Home(*id), Place::Vault(*id)]);
            }
        }
        let head = AttestData {
            tag: Tag::Attest as u8,
            rows: u8::try_from(places.len() / 2).unwrap_or(u8::MAX),
            reserved: 0,
            oracle_version: model.rules.oracle_version - u32::from(matches!(spoil, Spoil::Version)),
            slot_end,
            evidence_root: [flows[0].0.to_le_bytes()[0]; 32],
        };
        let oracles = self.signing(model, spoil);
        let rights = format!("-ww--{}{}", "s".repeat(oracles.len()), "w".repeat(places.len()));
        let all: Vec<_> = [Place::Config, Place::Mint, Place::Evidence(feeder), Place::Token, Place::Energy]
            .into_iter()
            .chain(oracles)
            .chain(places)
            .collect();
        let data = [bytemuck::bytes_of(&head), &data].concat();
        Deed::energy(&mut self.atlas, &rights, &all, data)
    }

    /// Meters count; what is left over is the feeder's loss or the generator's work.
    fn count(&mut self, model: &Model, flows: &[(u16, u16)]) {
        let mut over = 0_i64;
        for ((id, home), flow) in model.homes.iter().zip(flows) {
            if home.feeder != FEEDER || *id == LOSS {
                continue;
            }
            let counted = self.counted.entry(*id).or_insert(home.registers);
            counted.0 += u64::from(flow.0);
            counted.1 += u64::from(flow.1);
            over += i64::from(flow.0) - i64::from(flow.1);
        }
        let Some(home) = model.homes.get(&LOSS) else { return };
        let loss = self.counted.entry(LOSS).or_insert(home.registers);
        if over > 0 {
            loss.1 += over.unsigned_abs();
        } else {
            loss.0 += over.unsigned_abs();
        }
    }
}
