//! A household's history.

use super::Time;
use serde::Serialize;
use utoipa::ToSchema;

/// One line of a household's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MovementView {
    /// Identity within the history: `order/17`, `day/2026-11-22/minted`.
    pub id: String,
    /// When.
    pub at: Time,
    /// What happened.
    pub kind: MovementKind,
    /// One line for people, in English.
    pub title: String,
    /// eKWh gained (positive) or given (negative); null when none moved.
    pub energy_wh: Option<i64>,
    /// KES gained (positive) or paid (negative); null when none moved.
    pub amount_cents: Option<i64>,
    /// `settled`, `released`, `paid`, `attested`, ...: where the thing behind it stands.
    pub state: String,
    /// Transaction on chain; null when there is none.
    pub signature: Option<String>,
    /// M-Pesa receipt; null when there is none.
    pub receipt: Option<String>,
    /// The household's own order behind it.
    pub order_id: Option<u64>,
    /// The payout behind it.
    pub payout_id: Option<u64>,
}

/// What a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Energy bought from neighbours.
    Bought,
    /// Energy sold to a neighbour.
    Sold,
    /// Energy exported over a day, attested on chain.
    Minted,
    /// Energy imported over a day, attested on chain.
    Burned,
    /// Money withdrawn to M-Pesa.
    Payout,
    /// Money received that became balance: a change, a late or a short payment.
    Credit,
    /// M-Pesa took a payment back.
    Reversal,
}
