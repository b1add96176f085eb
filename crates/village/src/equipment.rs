//! What the operator has: a generator, a battery, and wires that lose a little.

use crate::profile::{Peaks, Source};

/// The operator's equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equipment {
    /// Most the generator gives, W.
    pub generator_w: u32,
    /// Most the battery takes or gives, W.
    pub battery_w: u32,
    /// What the battery holds, Wh.
    pub battery_wh: u64,
    /// Energy lost in the wires, in thousandths of what is drawn.
    pub loss_permille: u32,
}

/// Of what the battery takes, this many thousandths can be had again.
pub const BATTERY_KEEPS_PERMILLE: u64 = 950;

impl Equipment {
    /// Enough for the homes of `source`: the generator carries them all alone, the
    /// battery holds half an hour of all the sun.
    pub fn for_homes(source: &Source) -> Self {
        let peaks = |of: fn(Peaks) -> u32| -> u64 {
            (0..source.households()).map(|home| u64::from(of(source.peaks(home)))).sum()
        };
        let (load, pv) = (peaks(|peaks| peaks.load_w), peaks(|peaks| peaks.pv_w));
        Self {
            // The losses come on top.
            generator_w: watts(load * 11 / 10 + 1_000),
            battery_w: watts(pv / 2 + 1_000),
            battery_wh: pv / 2 + 1_000,
            loss_permille: 40,
        }
    }
}

fn watts(value: u64) -> u32 {
    u32::try_from(value.div_ceil(100) * 100).unwrap_or(u32::MAX)
}
