//! Orders and their payment.

use super::Time;
use jirani_store::{OrderState, PayWith, ReleaseReason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One part of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FillView {
    /// The offer.
    pub offer_id: u64,
    /// What neighbours call its seller.
    pub seller_alias: String,
    /// Energy.
    pub energy_wh: u64,
    /// What the seller receives.
    pub price_cents_per_kwh: u32,
}

/// An order to make.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// This much energy; or else `amount_cents`.
    #[serde(default, deserialize_with = "super::exact")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub energy_wh: Option<u64>,
    /// What this much money buys; or else `energy_wh`.
    #[serde(default, deserialize_with = "super::exact")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_cents: Option<u64>,
    /// How it is paid.
    pub pay_with: PayWithView,
    /// The most the buyer agreed to owe: refused when prices rose above it.
    #[serde(default, deserialize_with = "super::exact")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub max_due_cents: Option<u64>,
}

/// How an order is paid: wholly one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayWithView {
    /// An M-Pesa prompt on the household's own phone.
    #[default]
    Mpesa,
    /// The household's balance.
    Balance,
}

impl From<PayWith> for PayWithView {
    fn from(pay_with: PayWith) -> Self {
        match pay_with {
            PayWith::Mpesa => Self::Mpesa,
            PayWith::Balance => Self::Balance,
        }
    }
}

impl From<PayWithView> for PayWith {
    fn from(pay_with: PayWithView) -> Self {
        match pay_with {
            PayWithView::Mpesa => Self::Mpesa,
            PayWithView::Balance => Self::Balance,
        }
    }
}

/// An order and everything known of its payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// Identity.
    pub id: u64,
    /// Where it stands.
    pub state: OrderStateView,
    /// Energy of all fills.
    pub energy_wh: u64,
    /// What the buyer owes.
    pub due_cents: i64,
    /// What is asked for: whole shillings by M-Pesa, the due itself from balance.
    pub collect_cents: i64,
    /// How it is paid.
    pub pay_with: PayWithView,
    /// What from whom, cheapest first.
    pub fills: Vec<FillView>,
    /// Payment deadline; null until placed on chain.
    pub deadline: Option<Time>,
    /// M-Pesa receipt; null until known.
    pub receipt: Option<String>,
    /// Why it was given up; null unless it was.
    pub release_reason: Option<ReleaseReasonView>,
    /// Code of the chain's refusal; null unless refused.
    pub refusal: Option<String>,
    /// The M-Pesa payment; null when paid from balance.
    pub payment: Option<PaymentView>,
    /// Transaction that placed it; null until it landed.
    pub placed_signature: Option<String>,
    /// Transaction that settled or released it; null until it landed.
    pub final_signature: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it became final; null until then.
    pub final_at: Option<Time>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStateView {
    /// On its way to the chain.
    Planned,
    /// On chain; money is awaited.
    AwaitingPayment,
    /// M-Pesa says paid, the receipt has not come yet. Do not pay again.
    ReceiptAwaited,
    /// Paid; the tokens are on their way.
    Paid,
    /// Tokens and money have changed hands.
    Settled,
    /// Given up; the tokens are on their way back.
    Releasing,
    /// The tokens are back with the sellers.
    Released,
    /// The chain refused it; nothing was held.
    Refused,
}

impl OrderStateView {
    /// How far along: an order only ever moves to a state of a higher rank.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Planned => 0,
            Self::AwaitingPayment => 1,
            Self::ReceiptAwaited => 2,
            Self::Paid | Self::Releasing => 3,
            Self::Settled | Self::Released | Self::Refused => 4,
        }
    }
}

impl From<OrderState> for OrderStateView {
    fn from(state: OrderState) -> Self {
        match state {
            OrderState::Planned => Self::Planned,
            OrderState::AwaitingPayment => Self::AwaitingPayment,
            OrderState::ReceiptAwaited => Self::ReceiptAwaited,
            OrderState::Paid => Self::Paid,
            OrderState::Settled => Self::Settled,
            OrderState::Releasing => Self::Releasing,
            OrderState::Released => Self::Released,
            OrderState::Refused => Self::Refused,
        }
    }
}

/// Why an order was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReasonView {
    /// The payer said no, or M-Pesa refused for good.
    PaymentRefused,
    /// No proof of payment in time.
    PaymentTimeout,
    /// Less was paid than was due; it became balance.
    PaidShort,
}

impl From<ReleaseReason> for ReleaseReasonView {
    fn from(reason: ReleaseReason) -> Self {
        match reason {
            ReleaseReason::PaymentRefused => Self::PaymentRefused,
            ReleaseReason::PaymentTimeout => Self::PaymentTimeout,
            ReleaseReason::PaidShort => Self::PaidShort,
        }
    }
}

/// An M-Pesa payment under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentView {
    /// Where it stands.
    pub state: PaymentStateView,
    /// M-Pesa's code; null unless refused.
    pub code: Option<String>,
}

/// Where an M-Pesa payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStateView {
    /// M-Pesa is being asked for a prompt.
    Sending,
    /// The prompt is on the phone.
    Prompt,
    /// M-Pesa says paid, the receipt has not come yet. Do not pay again.
    ReceiptAwaited,
    /// Paid, with a receipt.
    Paid,
    /// Refused for good.
    Refused,
    /// Nothing proven in time. Money that turns up later becomes balance.
    Expired,
    /// Nobody knows whether the prompt was shown. Do not pay again.
    Unknown,
}
