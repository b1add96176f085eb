//! The queue of what meters said and cannot be taken as it is.

use super::reviews::operator_name;
use crate::app::App;
use crate::auth::SignedIn;
use crate::dto::finding::{DecideFindingRequest, FindingView, FindingsView};
use crate::error::ApiError;
use crate::extract::{Id, Json, Path, Query};
use axum::extract::State;
use axum::http::StatusCode;
use jirani_store::{Change, FindingDecided, FindingRecord, StoreError};
use jirani_units::JSON_INTEGER_MAX;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use utoipa::IntoParams;

/// Which findings to list.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FindingsPage {
    /// Only findings with a lower number: what the page before said.
    pub before: Option<u64>,
    /// Only those that nobody has decided.
    #[serde(default)]
    pub open: bool,
    /// At most this many: 1 to 200, 50 if not said.
    pub limit: Option<u32>,
}

/// What plausibility rules found, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/findings",
    tag = "operator",
    params(FindingsPage),
    responses((status = 200, body = FindingsView))
)]
pub async fn findings(
    State(app): State<App>,
    Query(page): Query<FindingsPage>,
) -> Result<Json<FindingsView>, ApiError> {
    let limit = page.limit.unwrap_or(50).clamp(1, 200);
    let before = page.before.map(|before| before.min(JSON_INTEGER_MAX));
    let mut found = app.deps.store.findings(before, page.open, limit + 1).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_before = found.last().filter(|_| more).map(|last| last.number);
    Ok(Json(FindingsView { findings: found.into_iter().map(FindingView::from).collect(), next_before }))
}

async fn one(app: &App, number: u64) -> Result<FindingRecord, ApiError> {
    app.deps.store.finding(number).await?.ok_or_else(|| ApiError::not_found("finding"))
}

/// One finding with its evidence.
#[utoipa::path(
    get,
    path = "/api/v1/operator/findings/{id}",
    tag = "operator",
    params(("id" = u64, Path, description = "The finding's number.")),
    responses((status = 200, body = FindingView), (status = 404, body = crate::Problem))
)]
pub async fn finding(
    State(app): State<App>,
    Path(Id(number)): Path<Id>,
) -> Result<Json<FindingView>, ApiError> {
    Ok(Json(one(&app, number).await?.into()))
}

/// Accepts a finding (attestation goes on with the next slot), refuses it (the household
/// stays held), or closes one that was refused and is mended. Kept with the operator's name.
#[utoipa::path(
    post,
    path = "/api/v1/operator/findings/{id}/decide",
    tag = "operator",
    params(("id" = u64, Path, description = "The finding's number.")),
    request_body = DecideFindingRequest,
    responses(
        (status = 200, body = FindingView),
        (status = 404, body = crate::Problem),
        (status = 409, body = crate::Problem),
        (status = 422, body = crate::Problem)
    )
)]
pub async fn decide_finding(
    State(app): State<App>,
    who: SignedIn,
    Path(Id(number)): Path<Id>,
    Json(request): Json<DecideFindingRequest>,
) -> Result<Json<FindingView>, ApiError> {
    let operator = operator_name(&app, who).await?;
    let read = one(&app, number).await?;
    let decided =
        read.decided(request.decision.into(), &operator, &request.note, app.now()).map_err(refused)?;
    match app.deps.store.commit(vec![Change::Finding(Box::new(decided))]).await {
        Ok(_) => Ok(Json(one(&app, number).await?.into())),
        Err(StoreError::Conflict { .. }) => Err(refused(FindingDecided::Decided)),
        Err(error) => Err(error.into()),
    }
}

fn refused(why: FindingDecided) -> ApiError {
    let status = match why {
        FindingDecided::Decided | FindingDecided::NotRefused => StatusCode::CONFLICT,
        FindingDecided::Note => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let sentence = match why {
        FindingDecided::Decided => "Somebody has decided about this finding. Look at it again.",
        FindingDecided::NotRefused => "Only a finding that was refused is closed. Accept or refuse it.",
        FindingDecided::Note => "Say why, in 1 to 500 characters.",
    };
    ApiError::new(status, why.code(), sentence)
}

/// Households that wait for a decision about their meter.
pub(crate) fn held(live: &[FindingRecord]) -> u64 {
    let held: BTreeSet<_> =
        live.iter().filter(|found| found.holds()).filter_map(|found| found.household).collect();
    u64::try_from(held.len()).unwrap_or(u64::MAX)
}

/// What waits, by rule, for Prometheus.
pub(crate) fn figures(live: &[FindingRecord]) -> String {
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for found in live.iter().filter(|found| found.decided_at.is_none()) {
        *open.entry(found.code.split_once('.').map_or("", |(_, rule)| rule)).or_default() += 1;
    }
    let mut text =
        String::from("# HELP jirani_findings_open What meters said and nobody has decided about.\n");
    text.push_str("# TYPE jirani_findings_open gauge\n");
    for (rule, count) in open {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "jirani_findings_open{{rule=\"{rule}\"}} {count}");
    }
    text.push_str("# HELP jirani_households_held Households that are not attested until somebody decides.\n");
    let _ = writeln!(text, "# TYPE jirani_households_held gauge\njirani_households_held {}", held(live));
    text
}
