//! Eleven ways to be paid for what was not given, as docs/plausibility.md describes them.

use crate::world::{Lump, Told, World};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// A fraud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fraud {
    ScaledExport,
    NightExport,
    ImportBypass,
    ReplayedDay,
    CopiedNeighbour,
    StuckRegister,
    ShiftedClock,
    SlowDrip,
    SuddenJump,
    SwappedWires,
    TwoMetersOnePanel,
}

impl Fraud {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ScaledExport,
        Self::NightExport,
        Self::ImportBypass,
        Self::ReplayedDay,
        Self::CopiedNeighbour,
        Self::StuckRegister,
        Self::ShiftedClock,
        Self::SlowDrip,
        Self::SuddenJump,
        Self::SwappedWires,
        Self::TwoMetersOnePanel,
    ];

    /// Its name in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScaledExport => "scaled_export",
            Self::NightExport => "night_export",
            Self::ImportBypass => "import_bypass",
            Self::ReplayedDay => "replayed_day",
            Self::CopiedNeighbour => "copied_neighbour",
            Self::StuckRegister => "stuck_register",
            Self::ShiftedClock => "shifted_clock",
            Self::SlowDrip => "slow_drip",
            Self::SuddenJump => "sudden_jump",
            Self::SwappedWires => "swapped_wires",
            Self::TwoMetersOnePanel => "two_meters_one_panel",
        }
    }

    /// Commits it at `place` from hour `onset` on, for `hours`.
    pub fn commit(self, world: &mut World, place: usize, onset: usize, hours: usize, rng: &mut ChaCha8Rng) {
        let panels_w = world.homes.all[place].panels_w;
        let honest = world.told[place].clone();
        let span = onset..(onset + hours).min(honest.len());
        match self {
            Self::ScaledExport => {
                // Half of them scale the generation register as well.
                let both = rng.random_bool(0.5);
                each(world, place, span, |told| {
                    told.export_wh = told.export_wh * 13 / 10;
                    if both {
                        told.generation_wh = told.generation_wh * 13 / 10;
                    }
                });
            }
            Self::NightExport => {
                let power = panels_w * rng.random_range(20..50) / 100;
                let from = rng.random_range(19..22);
                let behind_panels = rng.random_bool(0.5);
                for hour in span {
                    let local = world.local_hour(hour);
                    let Some(told) = &mut world.told[place][hour] else { continue };
                    if local >= from || local < 3 {
                        // The engine really runs: the grid gets what the meter says.
                        world.hidden_wh[hour] += i64::from(power);
                        told.add_net(i64::from(power));
                        if behind_panels {
                            told.generation_wh += power;
                        }
                    }
                }
            }
            Self::ImportBypass => {
                let percent = rng.random_range(30..=70);
                each(world, place, span, |told| told.import_wh = told.import_wh * percent / 100);
            }
            Self::ReplayedDay => {
                // The day of the last two weeks with most export, again and again.
                let day = (1..=14)
                    .max_by_key(|back| {
                        let from = onset - back * 24;
                        honest[from..from + 24].iter().flatten().map(|told| told.export_wh).sum::<u32>()
                    })
                    .unwrap();
                for (index, hour) in span.enumerate() {
                    world.told[place][hour] = honest[onset - day * 24 + index % 24];
                }
            }
            Self::CopiedNeighbour => {
                let count = world.told.len();
                let neighbour = (place + rng.random_range(1..count)) % count;
                let percent = rng.random_range(80..=130);
                for hour in span {
                    world.told[place][hour] = world.told[neighbour][hour].map(|told| told.scaled(percent));
                }
            }
            Self::StuckRegister => {
                let import = rng.random_bool(0.5);
                each(world, place, span, |told| {
                    if import {
                        told.import_wh = 0;
                    } else {
                        told.export_wh = 0;
                    }
                });
            }
            Self::ShiftedClock => {
                let by = rng.random_range(2..=6_usize);
                let later = rng.random_bool(0.5);
                for hour in span {
                    let from = if later { hour - by } else { hour + by };
                    world.told[place][hour] = honest.get(from).copied().flatten();
                }
            }
            Self::SlowDrip => {
                let permille = rng.random_range(5..=50);
                let power = (panels_w * permille / 1_000).max(1);
                each(world, place, span, |told| told.export_wh += power);
            }
            Self::SuddenJump => {
                // Silent for some hours, then as much as the connection could have carried.
                let length = rng.random_range(4..=12);
                let mut lump = Lump { start: onset, length, ..Lump::default() };
                for hour in onset..(onset + length).min(honest.len()) {
                    world.told[place][hour] = None;
                }
                let percent = rng.random_range(90..=109);
                lump.export_wh = u64::from(panels_w) * u64::try_from(length).unwrap() * percent / 100;
                lump.generation_wh = lump.export_wh;
                world.lumps.push((place, lump));
            }
            Self::SwappedWires => {
                each(world, place, span, |told| std::mem::swap(&mut told.import_wh, &mut told.export_wh));
            }
            Self::TwoMetersOnePanel => {
                let count = world.told.len();
                let other = (place + rng.random_range(1..count)) % count;
                for hour in span {
                    let own = world.homes.all[place].hours[hour];
                    let (Some((own_pv, load)), Some((their_pv, _))) =
                        (own, world.homes.all[other].hours[hour])
                    else {
                        continue;
                    };
                    // What the meter counts came from the neighbour's panels and is counted there.
                    world.hidden_wh[hour] -= i64::from(own_pv);
                    let their_pv = their_pv.min(panels_w);
                    world.told[place][hour] = Some(Told::of(their_pv, load));
                }
            }
        }
    }
}

fn each(world: &mut World, place: usize, span: std::ops::Range<usize>, change: impl Fn(&mut Told)) {
    for told in world.told[place][span].iter_mut().flatten() {
        change(told);
    }
}
