use jirani_units::{HouseholdId, Timestamp, Wh};

/// A household's registers at a slot's end, as attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttestedRow {
    /// Whose.
    pub household: HouseholdId,
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
    /// Whether a boundary was interpolated between two readings.
    pub estimated: bool,
}

/// One slot of one feeder on its way to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRecord {
    /// Feeder.
    pub feeder: u16,
    /// End of the slot: the moment the registers belong to.
    pub end: Timestamp,
    /// Root of the evidence.
    pub evidence_root: [u8; 32],
    /// What is attested, in household order.
    pub rows: Vec<AttestedRow>,
    /// Signatures of the transactions, empty until all have landed.
    pub signatures: Vec<String>,
    /// When the last one landed.
    pub attested_at: Option<Timestamp>,
}
