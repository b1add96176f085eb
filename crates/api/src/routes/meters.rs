//! Enrolment of meters. Two operators are told apart by the name that each signed in with.

use crate::app::App;
use crate::auth::SignedIn;
use crate::dto::meter::{
    ApproveRequest, ClaimRequest, ClaimedView, EpochRequest, FirmwareView, MeterHistoryView, MeterRequest,
    MeterView, ReasonRequest, RefusedCount, Seen, SpanView,
};
use crate::error::ApiError;
use crate::extract::{Json, Page, Path, Query};
use crate::routes::reviews::operator_name;
use axum::extract::State;
use axum::http::StatusCode;
use jirani_oracle::enrolment::{Claim, Enrolment, EnrolmentError, Place};
use jirani_store::MeterRecord;
use jirani_units::MeterId;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

fn desk(app: &App) -> Result<Arc<Enrolment>, ApiError> {
    app.deps.meters.clone().ok_or_else(|| {
        let message = "Meters are not enrolled here. Ask the node that runs the gateway.";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "api.not_offered", message)
    })
}

fn name_of(text: &str) -> Result<MeterId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("meter"))
}

impl From<EnrolmentError> for ApiError {
    fn from(error: EnrolmentError) -> Self {
        use EnrolmentError as E;
        let error = match error {
            E::Store(error) => return Self::from(error),
            error => error,
        };
        let status = match &error {
            E::Chain(_) => StatusCode::SERVICE_UNAVAILABLE,
            E::Unknown(_) => StatusCode::NOT_FOUND,
            E::BadIdentity | E::IdentityMismatch | E::NoHousehold | E::Invalid(_) | E::Span(_) => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::CONFLICT,
        };
        let text = error.to_string();
        let message = text.split_once(": ").map_or(text.clone(), |(_, sentence)| format!("{sentence}."));
        Self::new(status, error.code(), message)
    }
}

/// One operator's act upon one meter, carried to its end even if the caller hangs up.
async fn act<F>(
    app: &App,
    who: SignedIn,
    meter: &str,
    act: impl FnOnce(Arc<Enrolment>, String, MeterId) -> F,
) -> Result<Json<MeterView>, ApiError>
where
    F: Future<Output = Result<MeterRecord, EnrolmentError>> + Send + 'static,
{
    let (desk, by, meter) = (desk(app)?, operator_name(app, who).await?, name_of(meter)?);
    let record = app.to_the_end(act(desk, by, meter)).await?;
    view(app, &record).await.map(Json)
}

async fn view(app: &App, record: &MeterRecord) -> Result<MeterView, ApiError> {
    Ok(MeterView::of(record, seen(app).await?.remove(&record.meter).unwrap_or_default()))
}

/// What is known of meters besides their enrolment.
async fn seen(app: &App) -> Result<HashMap<MeterId, Seen>, ApiError> {
    let store = &app.deps.store;
    let mut seen: HashMap<MeterId, Seen> = HashMap::new();
    for row in store.latest_readings().await? {
        let meter = row.meter;
        seen.entry(meter).or_default().last = Some(row);
    }
    for (meter, code, count) in store.quarantine_counts().await? {
        seen.entry(meter).or_default().refused.push(RefusedCount { code, count });
    }
    for span in store.spans().await? {
        let spans = &mut seen.entry(span.meter).or_default().spans;
        *spans = (*spans).max(span.number);
    }
    Ok(seen)
}

/// All meters: how far each one's enrolment is, when it was heard, and what was refused.
#[utoipa::path(
    get,
    path = "/api/v1/operator/meters",
    tag = "operator",
    responses((status = 200, body = Vec<MeterView>))
)]
pub async fn meters(State(app): State<App>) -> Result<Json<Vec<MeterView>>, ApiError> {
    let (records, households) = (app.deps.store.meters().await?, app.deps.store.households().await?);
    let mut seen = seen(&app).await?;
    let known: BTreeSet<MeterId> = records.iter().map(|record| record.meter).collect();
    let mut views: Vec<MeterView> = records
        .iter()
        .map(|record| MeterView::of(record, seen.remove(&record.meter).unwrap_or_default()))
        .collect();
    for home in &households {
        if let Some(meter) = home.meter.filter(|meter| !known.contains(meter)) {
            views.push(MeterView::enrolled(home, meter, seen.remove(&meter).unwrap_or_default()));
        }
    }
    views.sort_by(|a, b| (a.household_id, &a.meter_id).cmp(&(b.household_id, &b.meter_id)));
    Ok(Json(views))
}

/// What happened to a meter, newest first, and the spans of its household's registers.
#[utoipa::path(
    get,
    path = "/api/v1/operator/meters/{meter}/history",
    operation_id = "meter_history",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name."), Page),
    responses((status = 200, body = MeterHistoryView))
)]
pub async fn history(
    State(app): State<App>,
    Path(meter): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<MeterHistoryView>, ApiError> {
    let meter = name_of(&meter)?;
    let store = &app.deps.store;
    let events = store.meter_events(Some(meter), page.limit()).await?;
    let all = store.spans().await?;
    let home = all.iter().find(|span| span.meter == meter).map(|span| span.household);
    let spans = all.iter().filter(|span| Some(span.household) == home).map(SpanView::from).collect();
    Ok(Json(MeterHistoryView { events: events.into_iter().map(Into::into).collect(), spans }))
}

async fn claimed(app: &App, who: SignedIn, claim: Claim) -> Result<Json<ClaimedView>, ApiError> {
    let (desk, operator) = (desk(app)?, operator_name(app, who).await?);
    let asked = desk.clone();
    let record = app.to_the_end(async move { asked.claim(&operator, claim).await }).await?;
    let broker_password = desk.password(record.meter);
    let gateway_key = hex::encode(desk.gateway());
    Ok(Json(ClaimedView { meter: view(app, &record).await?, broker_password, gateway_key }))
}

/// Claims a meter by its QR code, for a household without one or a new household.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/claim",
    operation_id = "claim_meter",
    tag = "operator",
    request_body = ClaimRequest,
    responses((status = 200, body = ClaimedView), (status = 409, body = crate::Problem))
)]
pub async fn claim(
    State(app): State<App>,
    who: SignedIn,
    Json(request): Json<ClaimRequest>,
) -> Result<Json<ClaimedView>, ApiError> {
    let claim = request.claim().ok_or(EnrolmentError::NoHousehold)?;
    claimed(&app, who, claim).await
}

/// Claims a meter that is to take this one's place.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/replace",
    operation_id = "replace_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter whose place is taken.")),
    request_body = MeterRequest,
    responses((status = 200, body = ClaimedView), (status = 409, body = crate::Problem))
)]
pub async fn replace(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<MeterRequest>,
) -> Result<Json<ClaimedView>, ApiError> {
    let claim = request.claim(Place::Replaces(name_of(&meter)?));
    claimed(&app, who, claim).await
}

/// Claims the new key of this meter, whose registers go on.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/rotate",
    operation_id = "rotate_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter under its old key.")),
    request_body = MeterRequest,
    responses((status = 200, body = ClaimedView), (status = 409, body = crate::Problem))
)]
pub async fn rotate(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<MeterRequest>,
) -> Result<Json<ClaimedView>, ApiError> {
    let claim = request.claim(Place::Rotates(name_of(&meter)?));
    claimed(&app, who, claim).await
}

/// Has the gateway ask a claimed meter to prove that it has its key.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/challenge",
    operation_id = "challenge_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name.")),
    responses((status = 200, body = MeterView), (status = 409, body = crate::Problem))
)]
pub async fn challenge(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
) -> Result<Json<MeterView>, ApiError> {
    act(&app, who, &meter, |desk, by, meter| async move { desk.challenge(&by, meter).await }).await
}

/// Approves a meter that has proven its key, or what was asked for about one that counts. Not
/// by the one who claimed it, or asked.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/approve",
    operation_id = "approve_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name.")),
    request_body = ApproveRequest,
    responses((status = 200, body = MeterView), (status = 409, body = crate::Problem))
)]
pub async fn approve(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<ApproveRequest>,
) -> Result<Json<MeterView>, ApiError> {
    let revision = request.revision;
    act(&app, who, &meter, move |desk, by, meter| async move { desk.approve(&by, meter, revision).await })
        .await
}

/// Ends a claim that is not approved, or what another operator asked for about a meter.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/reject",
    operation_id = "reject_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name.")),
    request_body = ReasonRequest,
    responses((status = 200, body = MeterView), (status = 409, body = crate::Problem))
)]
pub async fn reject(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<MeterView>, ApiError> {
    act(&app, who, &meter, |desk, by, meter| async move { desk.reject(&by, meter, request.reason).await })
        .await
}

/// Takes a meter out of service: nothing of it is accepted any more.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/retire",
    operation_id = "retire_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name.")),
    request_body = ReasonRequest,
    responses((status = 200, body = MeterView), (status = 409, body = crate::Problem))
)]
pub async fn retire(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<MeterView>, ApiError> {
    act(&app, who, &meter, |desk, by, meter| async move { desk.retire(&by, meter, request.reason).await })
        .await
}

/// Asks that a held meter is attested again: what it said first stands. Another operator
/// approves it.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/release",
    operation_id = "release_meter",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name.")),
    request_body = ReasonRequest,
    responses((status = 200, body = MeterView), (status = 409, body = crate::Problem))
)]
pub async fn release(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<MeterView>, ApiError> {
    act(&app, who, &meter, |desk, by, meter| async move { desk.release(&by, meter, request.reason).await })
        .await
}

/// Asks that an active meter's registers began anew. Another operator approves it.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/{meter}/epoch",
    operation_id = "begin_meter_epoch",
    tag = "operator",
    params(("meter" = String, Path, description = "The meter's name.")),
    request_body = EpochRequest,
    responses((status = 200, body = MeterView), (status = 409, body = crate::Problem))
)]
pub async fn begin_epoch(
    State(app): State<App>,
    who: SignedIn,
    Path(meter): Path<String>,
    Json(request): Json<EpochRequest>,
) -> Result<Json<MeterView>, ApiError> {
    let anew = (request.epoch, request.opening.unwrap_or_default().into());
    let begin = |desk: Arc<Enrolment>, by: String, meter| async move {
        desk.begin_epoch(&by, meter, anew, request.reason).await
    };
    act(&app, who, &meter, begin).await
}

/// Names the firmware that may run; what runs else is remarked.
#[utoipa::path(
    post,
    path = "/api/v1/operator/meters/firmware",
    tag = "operator",
    request_body = FirmwareView,
    responses((status = 200, body = FirmwareView))
)]
pub async fn allow_firmware(
    State(app): State<App>,
    Json(request): Json<FirmwareView>,
) -> Result<Json<FirmwareView>, ApiError> {
    let desk = desk(&app)?;
    let allowed = request.allowed.clone();
    app.to_the_end(async move { desk.allow_firmware(&allowed).await }).await?;
    Ok(Json(request))
}
