//! What the operator buys back on request.

use super::Time;
use super::order::OrderStateView;
use jirani_store::OrderRecord;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Energy to sell to the operator.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyBackRequest {
    /// Energy, at least 10 Wh and at most 50 kWh.
    #[serde(deserialize_with = "super::exact_required")]
    #[schema(minimum = 10, maximum = 50_000)]
    pub energy_wh: u64,
}

/// What the operator bought.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuyBackView {
    /// The order's number.
    pub id: u64,
    /// `settled`, or `refused` with a reason; `planned` while it is on its way.
    pub state: OrderStateView,
    /// Energy.
    pub energy_wh: u64,
    /// Buy-back when it was asked.
    pub price_cents_per_kwh: u32,
    /// What the household receives.
    pub received_cents: i64,
    /// Why the chain refused it; null unless it did.
    pub refusal: Option<String>,
    /// When it was asked.
    pub created_at: Time,
}

impl From<&OrderRecord> for BuyBackView {
    fn from(order: &OrderRecord) -> Self {
        let shares = jirani_market::shares(&order.fills, order.fee, order.tax);
        let received = shares.ok().and_then(|shares| shares.sellers.first().map(|(_, cents)| cents.0));
        Self {
            id: order.id.0,
            state: order.state.into(),
            energy_wh: order.energy_wh().0,
            price_cents_per_kwh: order.fills.first().map_or(0, |fill| fill.price.0),
            received_cents: received.unwrap_or(0),
            refusal: order.refusal.clone(),
            created_at: order.created_at.into(),
        }
    }
}
