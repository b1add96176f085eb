//! Quotes.

use super::order::{FillView, PayWithView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much to buy: exactly one of the two.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// This much energy.
    #[serde(default, deserialize_with = "super::exact")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub energy_wh: Option<u64>,
    /// What this much money buys.
    #[serde(default, deserialize_with = "super::exact")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_cents: Option<u64>,
    /// How the order would be paid: an unpaid one may hold less of an offer.
    #[serde(default)]
    pub pay_with: PayWithView,
}

/// What an order would cost now. Nothing is held.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteView {
    /// What from whom, cheapest first.
    pub fills: Vec<FillView>,
    /// Energy of all fills; may be less than asked for.
    pub energy_wh: u64,
    /// What the buyer would owe.
    pub due_cents: i64,
    /// What M-Pesa would ask for: whole shillings, the difference becomes balance.
    pub collect_cents: i64,
    /// Grid fee in it.
    pub fee_cents: i64,
    /// Tax in it.
    pub tax_cents: i64,
    /// What the operator would take for the same energy.
    pub retail_cents: i64,
    /// Retail less due.
    pub saved_cents: i64,
}
