//! From power to energy, in integers: nothing is lost between two Wh.
//!
//! The panels' power and the house's come from two ICs without a sign; what flows
//! through the connection is their difference, and its sign says which way. Between
//! two samples counts the mean of both. A gap longer than [`GAP_MAX_MS`] counts
//! nothing: energy is never made up.

use jirani_meter::Registers;

/// Longest time between two samples that is counted, ms.
pub const GAP_MAX_MS: u64 = 5_000;
/// One Wh in the unit counted here: half a deciwatt for a millisecond.
const WH: u64 = 2 * 10 * 3_600 * 1_000;

/// What both ICs say at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// The panels', tenths of a watt.
    pub generation_deciwatts: u32,
    /// The house's, tenths of a watt.
    pub load_deciwatts: u32,
}

impl Powers {
    /// What flows into the grid, tenths of a watt; negative when it flows out of it.
    pub fn net_deciwatts(self) -> i64 {
        i64::from(self.generation_deciwatts) - i64::from(self.load_deciwatts)
    }
}

/// Energy below one Wh, in twentieths of a watt times a millisecond (72 million are a Wh).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remainders {
    /// Drawn from the grid.
    pub import: u32,
    /// Pushed into it.
    pub export: u32,
    /// Made by the panels.
    pub generation: u32,
}

/// Adds up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Integrator {
    remainders: Remainders,
    last: Option<(u64, Powers)>,
}

impl Integrator {
    /// Goes on from what was kept.
    pub fn new(remainders: Remainders) -> Self {
        Self { remainders, last: None }
    }

    /// What to keep when power goes.
    pub fn remainders(&self) -> Remainders {
        self.remainders
    }

    /// Takes what the ICs say at `at_ms` of a clock that never goes back; gives the whole
    /// Wh that became full.
    pub fn sample(&mut self, at_ms: u64, powers: Powers) -> Registers {
        let Some((since_ms, before)) = self.last.replace((at_ms, powers)) else {
            return Registers::default();
        };
        let Some(duration_ms) = at_ms.checked_sub(since_ms).filter(|duration| *duration <= GAP_MAX_MS) else {
            return Registers::default();
        };
        let net = powers.net_deciwatts() + before.net_deciwatts();
        let flow = net.unsigned_abs() * duration_ms;
        let (import, export) = if net < 0 { (flow, 0) } else { (0, flow) };
        let made = u64::from(powers.generation_deciwatts) + u64::from(before.generation_deciwatts);
        Registers {
            import_wh: add(&mut self.remainders.import, import),
            export_wh: add(&mut self.remainders.export, export),
            generation_wh: add(&mut self.remainders.generation, made * duration_ms),
        }
    }
}

/// Adds to a remainder; gives the whole Wh.
fn add(remainder: &mut u32, energy: u64) -> u64 {
    let sum = u64::from(*remainder) + energy;
    // INVARIANT: what is left of a division by a number below 2^32 is below it, too.
    *remainder = u32::try_from(sum % WH).unwrap_or_default();
    sum / WH
}
