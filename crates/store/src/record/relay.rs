use jirani_market::shortfall::RelayPosition;
use jirani_units::{HouseholdId, Timestamp};

/// The last command to a household's relay. Settlement orders it in the commit of the
/// step that brings it; the gateway tells the meter until it says that it has obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayRecord {
    /// Whose.
    pub household: HouseholdId,
    /// Number of the command, from 1; each is later than the one before.
    pub number: u64,
    /// Where the relay is to be.
    pub position: RelayPosition,
    /// First moment at which the meter must ignore it; None for one that closes.
    pub not_after: Option<Timestamp>,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// When the reading was taken that first said so; None until then.
    pub obeyed_at: Option<Timestamp>,
    /// Version read; 0 = new.
    pub version: u64,
}
