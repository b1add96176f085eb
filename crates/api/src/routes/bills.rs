//! Bills of a household, and the feeder's slots on the operator's desk.

use super::reviews::operator_name;
use super::statements::StatementLanguage;
use crate::app::App;
use crate::auth::{Own, SignedIn};
use crate::dto::bill::{BillMonthView, BillSlotView, CurtailmentRequest, CurtailmentView, SlotReportView};
use crate::error::ApiError;
use crate::extract::{IdempotencyKey, Json, Path, Query};
use crate::view::bills;
use crate::view::document::{self, Kind};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jirani_market::bill::{Words, csv};
use jirani_store::{Change, CurtailmentRecord, HouseholdRecord, Language, StoreError};
use jirani_units::{HouseholdId, Slot, Timestamp, Wh};
use serde::Deserialize;
use utoipa::IntoParams;

/// The largest estimate of what was not produced in a slot: 10 MWh.
const CURTAILED_MAX_WH: u64 = 10_000_000;
/// The longest note, in characters.
const NOTE_MAX: usize = 200;

/// Which month.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BillQuery {
    /// A month `2026-11` in Nairobi; the running one if not said.
    pub month: Option<String>,
}

/// Which table.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BillTableQuery {
    /// A month `2026-11` in Nairobi; the running one if not said.
    pub month: Option<String>,
    /// The household's own language if not said.
    #[param(inline)]
    pub language: Option<StatementLanguage>,
}

/// Which slots of which feeder.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SlotReportQuery {
    /// Feeder; the lowest if not said.
    pub feeder: Option<u16>,
    /// A day `2026-11-23` in Nairobi; the running one if not said.
    pub day: Option<String>,
}

async fn own_record(app: &App, household: HouseholdId) -> Result<HouseholdRecord, ApiError> {
    app.deps.store.household(household).await?.ok_or_else(|| ApiError::not_found("household"))
}

fn this_month(app: &App, month: Option<String>) -> String {
    month.unwrap_or_else(|| jirani_market::nairobi::month(app.now()))
}

/// The household's month: what it bought, sold, used and owes by day, and what it gained against the
/// tariff alone.
#[utoipa::path(
    get,
    path = "/api/v1/me/bills",
    tag = "household",
    params(BillQuery),
    responses((status = 200, body = BillMonthView), (status = 400, body = crate::Problem))
)]
pub async fn my_bills(
    State(app): State<App>,
    Own(household): Own,
    Query(query): Query<BillQuery>,
) -> Result<Json<BillMonthView>, ApiError> {
    let period = bills::month(&this_month(&app, query.month))?;
    let record = own_record(&app, household).await?;
    bills::of_month(&app, &record, &period).await.map(Json)
}

/// The slots of a day `2026-11-23`: from whom, to whom, at which price.
#[utoipa::path(
    get,
    path = "/api/v1/me/bills/{day}",
    tag = "household",
    params(("day" = String, Path, description = "A day in Nairobi, `2026-11-23`")),
    responses((status = 200, body = Vec<BillSlotView>), (status = 400, body = crate::Problem))
)]
pub async fn my_bill_of_day(
    State(app): State<App>,
    Own(household): Own,
    Path(day): Path<String>,
) -> Result<Json<Vec<BillSlotView>>, ApiError> {
    let period = bills::day(&day)?;
    let record = own_record(&app, household).await?;
    bills::of_day(&app, &record, &period).await.map(Json)
}

/// The month's bills as a table: one row per line of each slot.
#[utoipa::path(
    get,
    path = "/api/v1/me/bills.csv",
    tag = "household",
    params(BillTableQuery),
    responses((status = 200, description = "The table", content((String = "text/csv"))))
)]
pub async fn my_bills_table(
    State(app): State<App>,
    Own(household): Own,
    Query(query): Query<BillTableQuery>,
) -> Result<Response, ApiError> {
    let period = bills::month(&this_month(&app, query.month))?;
    let _turn = document::turn().await;
    let record = own_record(&app, household).await?;
    let names = crate::view::names::Names::read(&app).await?;
    let slots = bills::slots(&app, &record, period.from(), period.to()).await?;
    let language = match query.language {
        Some(StatementLanguage::En) => Language::En,
        Some(StatementLanguage::Sw) => Language::Sw,
        None => record.language,
    };
    let words = match language {
        Language::En => Words::EN,
        Language::Sw => Words::SW,
    };
    let table = csv(&slots, &words, |neighbour| names.alias(neighbour));
    Ok(document::whole(Kind::Csv, &format!("jirani-bill-{household}-{}", period.label()), table.into_bytes()))
}

/// The slots of a feeder: energy in and out, losses, trade, what is owed, money; all summing to zero.
#[utoipa::path(
    get,
    path = "/api/v1/operator/slot-reports",
    tag = "operator",
    params(SlotReportQuery),
    responses((status = 200, body = Vec<SlotReportView>), (status = 400, body = crate::Problem))
)]
pub async fn slot_reports(
    State(app): State<App>,
    Query(query): Query<SlotReportQuery>,
) -> Result<Json<Vec<SlotReportView>>, ApiError> {
    let day = query.day.unwrap_or_else(|| jirani_market::nairobi::date(app.now()));
    let period = bills::day(&day)?;
    let feeder = match query.feeder {
        Some(feeder) => feeder,
        None => app.deps.store.households().await?.iter().map(|record| record.feeder).min().unwrap_or(0),
    };
    bills::reports(&app, feeder, &period).await.map(Json)
}

/// Records energy that was not produced although the sun shone, and why. The same key again
/// records nothing more.
#[utoipa::path(
    post,
    path = "/api/v1/operator/curtailments",
    tag = "operator",
    params(IdempotencyKey),
    request_body = CurtailmentRequest,
    responses(
        (status = 201, body = CurtailmentView),
        (status = 400, body = crate::Problem),
        (status = 404, body = crate::Problem),
        (status = 409, body = crate::Problem)
    )
)]
pub async fn record_curtailment(
    State(app): State<App>,
    who: SignedIn,
    IdempotencyKey { key }: IdempotencyKey,
    Json(request): Json<CurtailmentRequest>,
) -> Result<(StatusCode, Json<CurtailmentView>), ApiError> {
    let store = &app.deps.store;
    let Ok(at) = request.at.parse::<Timestamp>() else {
        return Err(ApiError::bad_request("api.invalid_time", "Write the time like 2026-11-23T12:00:00Z."));
    };
    let now = app.now();
    if at > now {
        return Err(ApiError::bad_request(
            "bill.curtailment_in_future",
            "Record what was curtailed, not what will be.",
        ));
    }
    if !(1..=CURTAILED_MAX_WH).contains(&request.energy_wh) {
        return Err(ApiError::bad_request(
            "bill.curtailment_energy",
            "An estimate is 1 Wh to 10,000,000 Wh.",
        ));
    }
    if request.note.chars().count() > NOTE_MAX {
        return Err(ApiError::bad_request("bill.note_too_long", "A note has at most 200 characters."));
    }
    let household = own_record(&app, HouseholdId(request.household_id)).await?;
    let by = operator_name(&app, who).await?;
    let record = CurtailmentRecord {
        number: store.next_number("curtailment").await?,
        feeder: household.feeder,
        slot_end: Slot::containing(at, app.config.slot_length_s).end(),
        household: household.id,
        energy: Wh(request.energy_wh),
        reason: request.reason.into(),
        note: request.note,
        by,
        at: now,
        key,
    };
    let earlier = match store.commit(vec![Change::Curtailment(record.clone())]).await {
        Ok(_) => None,
        Err(conflict @ StoreError::Conflict { .. }) => {
            let earlier = store.curtailment_by_key(record.household, &record.key).await?;
            Some(earlier.ok_or(conflict)?)
        }
        Err(error) => return Err(error.into()),
    };
    let kept = earlier.as_ref().unwrap_or(&record);
    if !says_the_same(kept, &record) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "bill.curtailment_key_reused",
            "This Idempotency-Key belongs to another curtailment: send a new one.",
        ));
    }
    Ok((StatusCode::CREATED, Json(CurtailmentView::of(kept, |_| household.alias.clone()))))
}

/// Whether two records are of one wish.
fn says_the_same(one: &CurtailmentRecord, other: &CurtailmentRecord) -> bool {
    let of =
        |record: &CurtailmentRecord| (record.slot_end, record.energy, record.reason, record.note.clone());
    of(one) == of(other)
}
