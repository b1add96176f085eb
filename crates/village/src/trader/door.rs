//! What a person can ask for. The HTTP API is the one door outside of tests.

use jirani_units::HouseholdId;
use std::future::Future;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code, `market.not_enough`; `village.unreachable` without an answer.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What a household sees of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct HomeNow {
    /// Tokens in the vault, Wh.
    pub vault_wh: u64,
    /// Energy debt, Wh.
    pub shortfall_wh: u64,
    /// Own tokens on sale, Wh.
    pub offered_wh: u64,
    /// Money that may be spent, cents.
    pub available_cents: i64,
}

/// An own offer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct OwnOffer {
    /// Identity.
    pub id: u64,
    /// What a new order may take, Wh; 0 unless it is open.
    pub open_wh: u64,
}

/// What an order would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct QuoteNow {
    /// Energy, Wh.
    pub energy_wh: u64,
    /// What the buyer would owe, cents.
    pub due_cents: i64,
}

/// The tariff as a trader needs it, cents per kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct PriceBounds {
    /// What the operator sells at.
    #[serde(rename = "retail_cents_per_kwh")]
    pub retail: u32,
    /// Lowest price of an offer.
    #[serde(rename = "offer_price_min_cents_per_kwh")]
    pub lowest: u32,
    /// Highest price of an offer.
    #[serde(rename = "offer_price_max_cents_per_kwh")]
    pub highest: u32,
}

/// What a home has the market do for it: sell what is above an amount, and cover its
/// shortfall at any price up to the operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomeRules {
    /// Kept, Wh.
    pub keep_wh: u64,
    /// Least net price, cents per kWh.
    pub floor: u32,
    /// Most that a kWh may cost, all in, in cents.
    pub price_max: u32,
    /// Most that is spent in a day, cents.
    pub budget_cents: i64,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PayWith {
    /// A prompt on the household's phone.
    Mpesa,
    /// The household's balance.
    Balance,
}

/// The system, as people meet it. `key` makes a wish one: the same key again is
/// the same wish.
pub trait Door: Send {
    /// The tariff in force.
    fn prices(&mut self) -> impl Future<Output = Result<PriceBounds, Refusal>> + Send;
    /// What `who` has.
    fn home(&mut self, who: HouseholdId) -> impl Future<Output = Result<HomeNow, Refusal>> + Send;
    /// Sets what the market does for `who`.
    fn rule(
        &mut self,
        who: HouseholdId,
        rules: HomeRules,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// The newest offers of `who`.
    fn offers(&mut self, who: HouseholdId) -> impl Future<Output = Result<Vec<OwnOffer>, Refusal>> + Send;
    /// Puts energy up for sale.
    fn offer(
        &mut self,
        who: HouseholdId,
        key: &str,
        energy_wh: u64,
        price: u32,
        expires_in_s: u32,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// Takes an offer back.
    fn cancel(&mut self, who: HouseholdId, offer: u64) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// What so much energy would cost now, paid by M-Pesa.
    fn quote(
        &mut self,
        who: HouseholdId,
        energy_wh: u64,
    ) -> impl Future<Output = Result<QuoteNow, Refusal>> + Send;
    /// Buys.
    fn order(
        &mut self,
        who: HouseholdId,
        key: &str,
        energy_wh: u64,
        pay_with: PayWith,
        max_due_cents: i64,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
    /// Withdraws at most `amount_cents`, charge included.
    fn withdraw(
        &mut self,
        who: HouseholdId,
        key: &str,
        amount_cents: i64,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
}
