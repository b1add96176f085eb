//! Moves of the operator's money from the PayBill to the payout shortcode.

use super::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Float to be moved.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FloatRequest {
    /// Whole shillings, 1 to 250,000 of them.
    #[serde(deserialize_with = "super::exact_required")]
    #[schema(minimum = 100, maximum = 25_000_000)]
    pub amount_cents: u64,
}

/// A move of float and everything known of its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FloatMoveView {
    /// Its number.
    pub number: u64,
    /// What moves.
    pub amount_cents: i64,
    /// Where it stands.
    pub state: FloatMoveState,
    /// Its name on M-Pesa's statement.
    pub reference: String,
    /// M-Pesa's number of it; null until moved, and where M-Pesa has told none.
    pub receipt: Option<String>,
    /// Why it failed, in a sentence; null unless it did.
    pub failure: Option<String>,
    /// The operator who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Time,
    /// When it ended; null until then.
    pub ended_at: Option<Time>,
}

/// Where a move stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FloatMoveState {
    /// It is held in the ledger; M-Pesa is about to be asked.
    Planned,
    /// Nobody knows yet whether M-Pesa took it on; it stays held and is never sent again.
    Unknown,
    /// M-Pesa has taken it on.
    Accepted,
    /// The money is on the payout shortcode.
    Moved,
    /// It was not moved and never will be.
    Failed,
}
