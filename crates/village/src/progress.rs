//! How far a village is, and what it has to tell at its end.

use jirani_units::Timestamp;

/// How far a village is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Slots whose readings are all acknowledged, counted from the run's beginning.
    pub slots_done: u64,
    /// Slots of the run; `None` for no end.
    pub slots: Option<u64>,
    /// End of the last slot that is done, or the run's beginning.
    pub through: Timestamp,
    /// Whether all slots are done and nobody will act any more.
    pub finished: bool,
}

/// What a village tells when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VillageReport {
    /// Signed readings, repeats not counted.
    pub readings_sent: u64,
    /// Intervals of the file that were missing and filled.
    pub gaps_filled: u64,
    /// Sun that nobody could take, Wh.
    pub curtailed_wh: u64,
    /// Load that nobody could serve, Wh.
    pub unserved_wh: u64,
    /// Slots that passed while the village was down.
    pub slots_missed: u64,
    /// Offers that people posted.
    pub offers: u64,
    /// Offers that people took back.
    pub cancels: u64,
    /// Orders that people made.
    pub orders: u64,
    /// Payouts that people asked for.
    pub payouts: u64,
    /// Requests that were answered with a refusal, by code.
    pub refusals: std::collections::BTreeMap<String, u64>,
    /// What a reader should know, in sentences.
    pub remarks: Vec<String>,
}
