use jirani_units::{Cents, Timestamp};

/// Where what one operator proposed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProposalState {
    /// Waits for another operator. One per review at a time.
    Proposed,
    /// Another operator approved it; it was done in the same commit.
    Approved,
    /// Somebody rejected it; nothing was done.
    Rejected,
}

/// What one operator would do about a review, and what another one said to it. Kept
/// for good; once decided it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalRecord {
    /// Its number, of the sequence `proposal`; unique.
    pub number: u64,
    /// Key of the review it is about.
    pub review: String,
    /// What is to be done, as JSON.
    pub decision: String,
    /// Why, in the words of who proposed it. No phone numbers.
    pub note: String,
    /// Who proposed it: an operator's name.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
    /// Where it stands.
    pub state: ProposalState,
    /// Who approved or rejected it; who approves is never who proposed.
    pub decided_by: Option<String>,
    /// When it was approved or rejected.
    pub decided_at: Option<Timestamp>,
    /// Version read; 0 = new.
    pub version: u64,
}

/// One comparison of M-Pesa's books with ours, as it was found. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciliationRecord {
    /// Its number, of the sequence `reconciliation`; unique.
    pub number: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// What of M-Pesa's was compared: `daily`, `on_demand`, `statement`.
    pub source: String,
    /// From when on payments were compared.
    pub from: Timestamp,
    /// Until when, exclusive.
    pub until: Timestamp,
    /// Lines that stand on one side only, or differ.
    pub apart: u64,
    /// M-Pesa's balances less ours, over the accounts whose balance was known.
    pub difference: Cents,
    /// All that was found, as JSON; at most 4 MiB.
    pub report: String,
}
