//! Payouts.

use super::Time;
use jirani_store::{PayoutRecord, PayoutState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Money to withdraw to the household's own number.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutRequest {
    /// The most that may leave the balance, M-Pesa's charge included.
    #[serde(deserialize_with = "super::exact_required")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_cents: u64,
}

/// What a payout would send and cost. Nothing is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayoutQuoteView {
    /// What would leave the balance: sent and charge.
    pub amount_cents: i64,
    /// What would arrive: whole shillings.
    pub sent_cents: i64,
    /// M-Pesa's charge.
    pub charge_cents: i64,
    /// What waiting would save, in one English sentence; null when nothing.
    pub hint_en: Option<String>,
    /// The same in Kiswahili.
    pub hint_sw: Option<String>,
}

/// A payout and everything known of its outcome.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PayoutView {
    /// Identity.
    pub id: u64,
    /// Where it stands.
    pub state: PayoutStateView,
    /// What leaves the balance: sent and charge.
    pub amount_cents: i64,
    /// What is sent: whole shillings.
    pub sent_cents: i64,
    /// M-Pesa's charge.
    pub charge_cents: i64,
    /// M-Pesa receipt; null until paid.
    pub receipt: Option<String>,
    /// M-Pesa's code; null unless failed.
    pub code: Option<String>,
    /// When it was asked for.
    pub created_at: Time,
    /// When it became final; null until then.
    pub final_at: Option<Time>,
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutStateView {
    /// The amount is held; M-Pesa is about to be asked.
    Planned,
    /// Nobody knows yet whether M-Pesa took it on; the amount stays held.
    Unknown,
    /// M-Pesa has taken it on.
    Accepted,
    /// Paid, with a receipt.
    Paid,
    /// Refused for good; the money is back on the balance.
    Failed,
}

impl PayoutStateView {
    /// How far along: waiting for a state is over at its rank or above.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Planned => 0,
            Self::Unknown => 1,
            Self::Accepted => 2,
            Self::Paid | Self::Failed => 3,
        }
    }
}

impl From<&PayoutState> for PayoutStateView {
    fn from(state: &PayoutState) -> Self {
        match state {
            PayoutState::Planned => Self::Planned,
            PayoutState::Unknown => Self::Unknown,
            PayoutState::Accepted => Self::Accepted,
            PayoutState::Paid => Self::Paid,
            PayoutState::Failed { .. } => Self::Failed,
        }
    }
}

impl From<&PayoutRecord> for PayoutView {
    fn from(payout: &PayoutRecord) -> Self {
        Self {
            id: payout.id.0,
            state: (&payout.state).into(),
            amount_cents: payout.amount.0,
            sent_cents: payout.sent.0,
            charge_cents: payout.charge.0,
            receipt: payout.receipt.as_ref().map(ToString::to_string),
            code: match &payout.state {
                PayoutState::Failed { code } => Some(code.clone()),
                _ => None,
            },
            created_at: payout.created_at.into(),
            final_at: payout.final_at.map(Into::into),
        }
    }
}
