//! The walk of a household that owes energy: its own view, and the operator's desk.

use crate::app::App;
use crate::auth::Own;
use crate::dto::shortfall::{
    DisputeRequest, ProtectionKind, ShortfallView, StandingView, StepView, TermsRequest,
};
use crate::error::ApiError;
use crate::extract::{Id, Json, Path};
use crate::view::names::Names;
use axum::extract::State;
use jirani_market::shortfall::{Event, Protection};
use jirani_settlement::Standing;
use jirani_store::{HouseholdRecord, Language};
use jirani_units::{Cents, HouseholdId, Timestamp};

/// Steps told at once.
const STEPS: u32 = 100;
/// The highest limit: KSh 1,000,000.
const LIMIT_MAX: i64 = 100_000_000;

async fn record_of(app: &App, household: HouseholdId) -> Result<HouseholdRecord, ApiError> {
    app.deps.store.household(household).await?.ok_or_else(|| ApiError::not_found("household"))
}

async fn view(
    app: &App,
    record: HouseholdRecord,
    standing: &Standing,
    language: Language,
) -> Result<Json<ShortfallView>, ApiError> {
    let steps = app.deps.store.steps_of(record.id, STEPS).await?;
    Ok(Json(ShortfallView {
        standing: StandingView::of(standing, record.alias),
        steps: steps.into_iter().map(|step| StepView::of(step, language)).collect(),
    }))
}

/// What the household owes, its limit, and every step with its figures.
#[utoipa::path(
    get,
    path = "/api/v1/me/shortfall",
    tag = "household",
    responses((status = 200, body = ShortfallView), (status = 409, body = crate::Problem))
)]
pub async fn my_shortfall(
    State(app): State<App>,
    Own(household): Own,
) -> Result<Json<ShortfallView>, ApiError> {
    let record = record_of(&app, household).await?;
    let standing = app.deps.trading.standing(household).await?;
    let language = record.language;
    view(&app, record, &standing, language).await
}

/// Disputes a step: power stays on until the operator answers, for a week, once in 30 days.
#[utoipa::path(
    post,
    path = "/api/v1/me/shortfall/disputes",
    tag = "household",
    request_body = DisputeRequest,
    responses((status = 200, body = ShortfallView), (status = 400, body = crate::Problem), (status = 409, body = crate::Problem))
)]
pub async fn dispute(
    State(app): State<App>,
    Own(household): Own,
    Json(request): Json<DisputeRequest>,
) -> Result<Json<ShortfallView>, ApiError> {
    let record = record_of(&app, household).await?;
    let event = Event::Disputed(request.number);
    let standing = app.deps.trading.shortfall_event(household, event, request.note).await?;
    let language = record.language;
    view(&app, record, &standing, language).await
}

/// Asks for emergency credit: room above the limit, repaid by what is paid in next.
#[utoipa::path(
    post,
    path = "/api/v1/me/shortfall/emergency",
    tag = "household",
    responses((status = 200, body = ShortfallView), (status = 409, body = crate::Problem))
)]
pub async fn ask_emergency(
    State(app): State<App>,
    Own(household): Own,
) -> Result<Json<ShortfallView>, ApiError> {
    let record = record_of(&app, household).await?;
    let standing = app.deps.trading.shortfall_event(household, Event::EmergencyAsked, String::new()).await?;
    let language = record.language;
    view(&app, record, &standing, language).await
}

/// Every home, who owes most first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/shortfalls",
    tag = "operator",
    responses((status = 200, body = Vec<StandingView>))
)]
pub async fn standings(State(app): State<App>) -> Result<Json<Vec<StandingView>>, ApiError> {
    let names = Names::read(&app).await?;
    let standings = app.deps.trading.standings().await?;
    let view = |standing: &Standing| StandingView::of(standing, names.alias(standing.account.household));
    Ok(Json(standings.iter().map(view).collect()))
}

/// One home with its steps.
#[utoipa::path(
    get,
    path = "/api/v1/operator/households/{id}/shortfall",
    tag = "operator",
    params(("id" = u64, Path, description = "The household")),
    responses((status = 200, body = ShortfallView), (status = 404, body = crate::Problem))
)]
pub async fn household_shortfall(
    State(app): State<App>,
    Path(Id(id)): Path<Id>,
) -> Result<Json<ShortfallView>, ApiError> {
    let household = HouseholdId(u32::try_from(id).map_err(|_| ApiError::not_found("household"))?);
    let record = record_of(&app, household).await?;
    let standing = app.deps.trading.standing(household).await?;
    view(&app, record, &standing, Language::En).await
}

/// Sets a limit or a protection, agrees on instalments, or answers a dispute.
#[utoipa::path(
    post,
    path = "/api/v1/operator/households/{id}/shortfall",
    tag = "operator",
    params(("id" = u64, Path, description = "The household")),
    request_body = TermsRequest,
    responses((status = 200, body = ShortfallView), (status = 400, body = crate::Problem), (status = 404, body = crate::Problem), (status = 409, body = crate::Problem))
)]
pub async fn set_terms(
    State(app): State<App>,
    Path(Id(id)): Path<Id>,
    Json(request): Json<TermsRequest>,
) -> Result<Json<ShortfallView>, ApiError> {
    let household = HouseholdId(u32::try_from(id).map_err(|_| ApiError::not_found("household"))?);
    let record = record_of(&app, household).await?;
    let (event, note) = match request {
        TermsRequest::Limit { limit_cents } if limit_cents > LIMIT_MAX => {
            return Err(ApiError::bad_request(
                "shortfall.limit_too_high",
                "A limit is at most KSh 1,000,000.",
            ));
        }
        TermsRequest::Limit { limit_cents } => (Event::LimitSet(Cents(limit_cents)), String::new()),
        TermsRequest::Protection { protection, until } => {
            let until = until.map(|until| until.parse::<Timestamp>()).transpose().map_err(|_| {
                ApiError::bad_request("api.invalid_time", "Write the time like 2026-11-23T12:00:00Z.")
            })?;
            let protection = match protection {
                ProtectionKind::None => Protection::None,
                ProtectionKind::Customer => Protection::Customer(until),
                ProtectionKind::Clinic => Protection::Clinic,
            };
            (Event::ProtectionSet(protection), String::new())
        }
        TermsRequest::Instalments { each_cents, every_days } => {
            (Event::InstalmentsAgreed { each: Cents(each_cents), every_days }, String::new())
        }
        TermsRequest::Answer { note } => (Event::Resolved, note),
    };
    let standing = app.deps.trading.shortfall_event(household, event, note).await?;
    view(&app, record, &standing, Language::En).await
}
