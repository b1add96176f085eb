use jirani_units::{HouseholdId, Timestamp};

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionRole {
    /// A household.
    Household(HouseholdId),
    /// The operator.
    Operator,
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
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}
