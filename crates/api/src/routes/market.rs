//! Offers and quotes.

use crate::app::App;
use crate::auth::{Own, SignedIn};
use crate::dto::buy_back::{BuyBackRequest, BuyBackView};
use crate::dto::offer::{MyOfferView, OfferRequest, OfferView};
use crate::dto::quote::{QuoteRequest, QuoteView};
use crate::error::ApiError;
use crate::extract::{Id, IdempotencyKey, Json, Page, Path, Query};
use crate::view::names::Names;
use axum::extract::State;
use jirani_market::Want;
use jirani_store::SessionRole;
use jirani_units::{Cents, OfferId, Price, Wh};

/// What is for sale, cheapest first.
#[utoipa::path(
    get,
    path = "/api/v1/offers",
    tag = "market",
    params(Page),
    responses((status = 200, body = Vec<OfferView>))
)]
pub async fn offers(
    State(app): State<App>,
    who: SignedIn,
    Query(page): Query<Page>,
) -> Result<Json<Vec<OfferView>>, ApiError> {
    // A household sees what it could buy: its own feeder's.
    let feeder = match who.role {
        SessionRole::Household(id) => app.deps.store.household(id).await?.map(|record| record.feeder),
        SessionRole::Desk(_) => None,
    };
    let offers = app.deps.store.open_offers(feeder, page.limit()).await?;
    let names = Names::read(&app).await?;
    let now = app.now();
    let tariff = app.config.tariffs.at(now);
    let views = offers
        .iter()
        .filter(|offer| offer.expires_at > now && offer.open_wh() > Wh::ZERO)
        // One that a change of prices left outside the bounds is bought by nobody; its owner sees it.
        .filter(|offer| tariff.allows(offer.price) || who.role == SessionRole::Household(offer.seller))
        .map(|offer| OfferView {
            id: offer.id.0,
            seller_alias: names.alias(offer.seller),
            open_wh: offer.open_wh().0,
            price_cents_per_kwh: offer.price.0,
            all_in_cents_per_kwh: tariff.all_in(offer.price).0,
            expires_at: offer.expires_at.into(),
            mine: who.role == SessionRole::Household(offer.seller),
        })
        .collect();
    Ok(Json(views))
}

/// The household's offers, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/offers",
    tag = "market",
    params(Page),
    responses((status = 200, body = Vec<MyOfferView>))
)]
pub async fn my_offers(
    State(app): State<App>,
    Own(seller): Own,
    Query(page): Query<Page>,
) -> Result<Json<Vec<MyOfferView>>, ApiError> {
    let offers = app.deps.store.offers_of(seller, page.limit()).await?;
    Ok(Json(offers.iter().map(MyOfferView::from).collect()))
}

/// Puts energy up for sale. Answers once it is on chain, or refused there.
#[utoipa::path(
    post,
    path = "/api/v1/me/offers",
    tag = "market",
    params(IdempotencyKey),
    request_body = OfferRequest,
    responses((status = 200, body = MyOfferView))
)]
pub async fn post_offer(
    State(app): State<App>,
    Own(seller): Own,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<OfferRequest>,
) -> Result<Json<MyOfferView>, ApiError> {
    let trading = app.deps.trading.clone();
    let offer = app
        .to_the_end(async move {
            let (energy, price) = (Wh(request.energy_wh), Price(request.price_cents_per_kwh));
            trading.post_offer(seller, energy, price, request.expires_in_s, key).await
        })
        .await?;
    Ok(Json((&offer).into()))
}

/// Sells energy to the operator, at buy-back. Answers once it is settled, or refused on chain.
#[utoipa::path(
    post,
    path = "/api/v1/me/buy-back",
    tag = "market",
    params(IdempotencyKey),
    request_body = BuyBackRequest,
    responses((status = 200, body = BuyBackView))
)]
pub async fn buy_back(
    State(app): State<App>,
    Own(seller): Own,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<BuyBackRequest>,
) -> Result<Json<BuyBackView>, ApiError> {
    let trading = app.deps.trading.clone();
    let order =
        app.to_the_end(async move { trading.buy_back(seller, Wh(request.energy_wh), key).await }).await?;
    Ok(Json((&order).into()))
}

/// Takes an offer back. What unpaid orders hold follows when they are final.
#[utoipa::path(
    delete,
    path = "/api/v1/me/offers/{id}",
    tag = "market",
    params(("id" = u64, Path, description = "The offer.")),
    responses((status = 200, body = MyOfferView))
)]
pub async fn cancel_offer(
    State(app): State<App>,
    Own(seller): Own,
    Path(Id(id)): Path<Id>,
) -> Result<Json<MyOfferView>, ApiError> {
    let offer = OfferId(id);
    if app.deps.store.offer(offer).await?.is_none_or(|offer| offer.seller != seller) {
        return Err(ApiError::not_found("offer"));
    }
    let trading = app.deps.trading.clone();
    let offer = app.to_the_end(async move { trading.cancel_offer(seller, offer).await }).await?;
    Ok(Json((&offer).into()))
}

/// What an order would cost now. Nothing is held.
#[utoipa::path(
    post,
    path = "/api/v1/me/quotes",
    tag = "market",
    request_body = QuoteRequest,
    responses((status = 200, body = QuoteView))
)]
pub async fn quote(
    State(app): State<App>,
    Own(buyer): Own,
    Json(request): Json<QuoteRequest>,
) -> Result<Json<QuoteView>, ApiError> {
    let want = want(request.energy_wh, request.amount_cents)?;
    let quote = app.deps.trading.quote(buyer, want, request.pay_with.into()).await?;
    let names = Names::of_fills(&app, &quote.fills).await?;
    Ok(Json(QuoteView {
        fills: names.fills(&quote.fills),
        energy_wh: quote.energy.0,
        due_cents: quote.due.0,
        collect_cents: quote.collect.0,
        fee_cents: quote.fee.0,
        tax_cents: quote.tax.0,
        retail_cents: quote.retail.0,
        saved_cents: quote.retail.0.saturating_sub(quote.due.0),
    }))
}

/// Exactly one way to say how much.
pub(super) fn want(energy_wh: Option<u64>, amount_cents: Option<u64>) -> Result<Want, ApiError> {
    match (energy_wh, amount_cents) {
        (Some(energy), None) if energy > 0 => Ok(Want::Energy(Wh(energy))),
        (None, Some(amount)) if amount > 0 => Ok(Want::Budget(cents(amount))),
        _ => Err(ApiError::bad_request(
            "api.want_unclear",
            "Say how much to buy: either energy_wh or amount_cents, above zero.",
        )),
    }
}

/// Amounts from outside are below 2^53.
pub(super) fn cents(amount: u64) -> Cents {
    Cents(i64::try_from(amount).unwrap_or(i64::MAX))
}
