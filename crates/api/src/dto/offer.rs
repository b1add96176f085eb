//! Offers, as the market and as their seller see them.

use super::Time;
use jirani_store::{OfferRecord, OfferState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An offer as the market shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OfferView {
    /// Identity.
    pub id: u64,
    /// What neighbours call the seller.
    pub seller_alias: String,
    /// Energy a new order may take.
    pub open_wh: u64,
    /// What the seller receives.
    pub price_cents_per_kwh: u32,
    /// What the buyer pays: price, grid fee and tax.
    pub all_in_cents_per_kwh: u32,
    /// When it ends.
    pub expires_at: Time,
    /// Whether it is the asking household's own.
    pub mine: bool,
}

/// An offer as its seller sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MyOfferView {
    /// Identity.
    pub id: u64,
    /// Where it stands.
    pub state: OfferStateView,
    /// Energy offered.
    pub energy_wh: u64,
    /// Energy that unpaid orders hold.
    pub reserved_wh: u64,
    /// Energy sold.
    pub sold_wh: u64,
    /// Energy a new order may take.
    pub open_wh: u64,
    /// What the seller receives.
    pub price_cents_per_kwh: u32,
    /// When it ends.
    pub expires_at: Time,
    /// Code of the chain's refusal; null unless refused.
    pub refusal: Option<String>,
    /// Transaction that put it on chain; null until it landed.
    pub signature: Option<String>,
    /// When it was made.
    pub created_at: Time,
}

/// Where an offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferStateView {
    /// On its way to the chain.
    Posting,
    /// For sale.
    Open,
    /// Cancelled or expired; what nobody holds is on its way back.
    Closing,
    /// All sold or returned.
    Closed,
    /// The chain refused it.
    Refused,
}

impl From<&OfferRecord> for MyOfferView {
    fn from(offer: &OfferRecord) -> Self {
        Self {
            id: offer.id.0,
            state: match offer.state {
                OfferState::Posting => OfferStateView::Posting,
                OfferState::Open => OfferStateView::Open,
                OfferState::Closing => OfferStateView::Closing,
                OfferState::Closed => OfferStateView::Closed,
                OfferState::Refused => OfferStateView::Refused,
            },
            energy_wh: offer.energy_wh.0,
            reserved_wh: offer.reserved_wh.0,
            sold_wh: offer.sold_wh.0,
            open_wh: offer.open_wh().0,
            price_cents_per_kwh: offer.price.0,
            expires_at: offer.expires_at.into(),
            refusal: offer.refusal.clone(),
            signature: offer.signature.clone(),
            created_at: offer.created_at.into(),
        }
    }
}

/// A lot to put up for sale.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferRequest {
    /// Energy, at least 100 Wh, at most what a fill can carry.
    #[serde(deserialize_with = "super::exact_required")]
    #[schema(minimum = 100, maximum = 4_294_967_295_i64)]
    pub energy_wh: u64,
    /// What the seller wants to receive, within the tariff's bounds.
    pub price_cents_per_kwh: u32,
    /// How long it stands, in seconds: a minute to 30 days.
    #[schema(minimum = 60, maximum = 2_592_000)]
    pub expires_in_s: u32,
}
