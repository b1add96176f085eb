use jirani_units::{HouseholdId, Timestamp};

/// What somebody at the operator's desk is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeskRole {
    /// Runs the grid: meters, findings, curtailment, shortfall.
    Operator,
    /// Handles money: payments, reconciliation, reviews, float, tariffs, statements.
    Finance,
    /// Reads everything and changes nothing.
    Auditor,
    /// Lets people in and out, and reads.
    Admin,
    /// Operator, finance and auditor in one: a demonstration's only, never an account's.
    All,
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionRole {
    /// A household.
    Household(HouseholdId),
    /// Somebody at the operator's desk.
    Desk(DeskRole),
}

/// A session; the token itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// SHA-256 of the token; identity.
    pub token_hash: [u8; 32],
    /// Who.
    pub role: SessionRole,
    /// The operator's name; `None` for a household. Tells two operators apart.
    pub operator: Option<String>,
    /// Names the session to its owner; says nothing of the token. Unique.
    pub device: [u8; 16],
    /// What the owner calls the device.
    pub device_name: Option<String>,
    /// When the PIN was last given in it.
    pub pin_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}
