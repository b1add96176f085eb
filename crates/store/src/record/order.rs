use jirani_market::Fill;
use jirani_units::{Cents, HouseholdId, OrderId, Price, Timestamp, Wh};
use serde::{Deserialize, Serialize};

/// How the buyer pays: wholly one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayWith {
    /// An M-Pesa prompt.
    Mpesa,
    /// The buyer's balance with the operator.
    Balance,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Stored, offers reserved; its transaction has not landed yet.
    Planned,
    /// On chain; money is awaited.
    AwaitingPayment,
    /// M-Pesa says paid, but no receipt has come yet.
    ReceiptAwaited,
    /// Proven; its settlement has not landed yet.
    Paid,
    /// Tokens and money have changed hands.
    Settled,
    /// Given up; its release has not landed yet.
    Releasing,
    /// Tokens are back with the sellers.
    Released,
    /// The chain refused it; nothing was held.
    Refused,
}

/// Why an order was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The payer said no, or M-Pesa refused for good.
    PaymentRefused,
    /// No proof by deadline and grace.
    PaymentTimeout,
    /// The amount paid was less than the due.
    PaidShort,
}

/// What settles an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// HMAC-SHA256 of the receipt under the deployment key (P1).
    Receipt([u8; 32]),
    /// Domain-separated hash of the ledger transfer that paid from balance.
    Transfer([u8; 32]),
}

/// Up to four fills held for one buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// Identity and on-chain nonce.
    pub id: OrderId,
    /// Who buys.
    pub buyer: HouseholdId,
    /// What from whom, cheapest first.
    pub fills: Vec<Fill>,
    /// Grid fee per kWh when it was made.
    pub fee: Price,
    /// Tax per kWh when it was made.
    pub tax: Price,
    /// What the buyer owes.
    pub due: Cents,
    /// How the buyer pays.
    pub pay_with: PayWith,
    /// Where it stands.
    pub state: OrderState,
    /// Why it was given up, if it was.
    pub release_reason: Option<ReleaseReason>,
    /// The code of the chain's refusal, if refused.
    pub refusal: Option<String>,
    /// Payment deadline, as on chain; None until placed.
    pub deadline: Option<Timestamp>,
    /// What settles it, once known.
    pub proof: Option<Proof>,
    /// When the money moved, once known.
    pub paid_at: Option<Timestamp>,
    /// Signature of the transaction that placed it.
    pub placed_signature: Option<String>,
    /// Signature of the transaction that settled or released it.
    pub final_signature: Option<String>,
    /// The caller's idempotency key; unique per buyer.
    pub key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it became final.
    pub final_at: Option<Timestamp>,
    /// Version read; 0 = new.
    pub version: u64,
}

impl OrderRecord {
    /// Energy of all fills.
    pub fn energy_wh(&self) -> Wh {
        Wh(self.fills.iter().map(|fill| u64::from(fill.energy_wh)).sum())
    }

    /// Whether nothing will happen to it any more.
    pub fn is_final(&self) -> bool {
        matches!(self.state, OrderState::Settled | OrderState::Released | OrderState::Refused)
    }
}
