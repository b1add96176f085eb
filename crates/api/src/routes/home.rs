//! A household's own page.

use crate::app::App;
use crate::auth::Own;
use crate::dto::forecast::ForecastView;
use crate::dto::home::HomeView;
use crate::dto::household::MeView;
use crate::error::ApiError;
use crate::extract::Json;
use crate::view::energy;
use crate::view::movements;
use axum::extract::State;
use jirani_ledger::Account;
use jirani_store::HouseholdRecord;
use jirani_units::HouseholdId;

/// How many movements the home screen shows.
const MOVEMENTS: u32 = 5;
/// Offers of one household that are added up.
const OFFERS: u32 = 200;

async fn own_record(app: &App, household: HouseholdId) -> Result<HouseholdRecord, ApiError> {
    app.deps.store.household(household).await?.ok_or_else(|| ApiError::not_found("household"))
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/me", tag = "household", responses((status = 200, body = MeView)))]
pub async fn me(State(app): State<App>, Own(household): Own) -> Result<Json<MeView>, ApiError> {
    let record = own_record(&app, household).await?;
    Ok(Json(MeView {
        id: record.id.0,
        name: record.name,
        alias: record.alias,
        language: record.language.into(),
        msisdn_masked: record.msisdn.map(jirani_units::Msisdn::masked),
    }))
}

/// Everything the home screen shows, in one answer.
#[utoipa::path(get, path = "/api/v1/me/home", tag = "household", responses((status = 200, body = HomeView)))]
pub async fn home(State(app): State<App>, Own(household): Own) -> Result<Json<HomeView>, ApiError> {
    let record = own_record(&app, household).await?;
    let now = app.now();
    let (live, on_chain, offers, balance, advice, movements) = tokio::join!(
        energy::live(&app, &record, now),
        app.deps.chain.household(household),
        app.deps.store.offers_of(household, OFFERS),
        app.deps.store.balance(Account::Household(household)),
        app.deps.advice.advice(household),
        movements::newest(&app, &record, MOVEMENTS, now),
    );
    let live = live?;
    let on_chain = on_chain?;
    let balance = balance?;
    let chain = on_chain.unwrap_or_default();
    Ok(Json(HomeView {
        power_w: live.power_w,
        power_at: live.at.map(Into::into),
        today: live.today,
        meter_trust: app.deps.store.trust_of(record.meter).await?.into(),
        vault_wh: chain.vault_wh.0,
        shortfall_wh: chain.shortfall_wh.0,
        offered_wh: offers?.iter().map(|offer| offer.open_wh().0).sum(),
        balance_cents: balance.net().0,
        available_cents: balance.available().0,
        advice,
        movements: movements?,
        attested_through: energy::attested_through(on_chain.as_ref()),
        now: now.into(),
    }))
}

/// The household's next two days.
#[utoipa::path(
    get,
    path = "/api/v1/me/forecast",
    tag = "household",
    responses((status = 200, body = ForecastView), (status = 404, body = crate::Problem))
)]
pub async fn forecast(State(app): State<App>, Own(household): Own) -> Result<Json<ForecastView>, ApiError> {
    match app.deps.advice.forecast(household).await {
        Some(forecast) => Ok(Json(forecast)),
        None => Err(ApiError::new(
            axum::http::StatusCode::NOT_FOUND,
            "forecast.none_yet",
            "There is no forecast yet. The first one needs some readings of the meter.",
        )),
    }
}
