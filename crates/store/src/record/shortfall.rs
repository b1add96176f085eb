use jirani_market::shortfall::{Account, Step};

/// A household's standing on the way to its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortfallRecord {
    /// The standing; its household is the identity.
    pub account: Account,
    /// The journal's row through which money that came in has repaid emergency credit.
    pub journal: u64,
    /// Version read; 0 = new.
    pub version: u64,
}

/// A step of the walk, with what a person said of it. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// The step; household and number are the identity.
    pub step: Step,
    /// Words of the household that disputes or of the operator that answers; else empty.
    /// No phone numbers.
    pub note: String,
}
