//! The review desk and the reconciliation. Two operators are told apart by the name
//! that each signed in with.

use crate::app::App;
use crate::auth::SignedIn;
use crate::dto::reconciliation::{
    ProposalView, ProposeRequest, PurseView, ReconciliationRow, ReconciliationView, ReviewView,
};
use crate::error::ApiError;
use crate::extract::{Id, Json, Page, Path, Query, Raw};
use axum::extract::State;
use jirani_reconciliation::{Decision, Purse, Report};
use jirani_store::ReconciliationRecord;
use serde::Deserialize;
use std::collections::HashMap;
use utoipa::IntoParams;

/// Who signed in without a name.
pub const UNNAMED: &str = "operator";

/// The name that an operator signed in with.
pub(crate) async fn operator_name(app: &App, who: SignedIn) -> Result<String, ApiError> {
    let session = app.deps.store.session(who.token_hash).await?;
    Ok(session.and_then(|session| session.operator).unwrap_or_else(|| UNNAMED.to_owned()))
}

fn view_of(record: &ReconciliationRecord) -> Result<ReconciliationView, ApiError> {
    let report: Report = serde_json::from_str(&record.report)
        .map_err(|error| ApiError::internal(format!("a stored reconciliation is unreadable: {error}")))?;
    Ok(ReconciliationView::of(record, &report))
}

/// What waits for persons, oldest first, each with the proposal that waits about it.
#[utoipa::path(
    get,
    path = "/api/v1/operator/reviews",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<ReviewView>))
)]
pub async fn reviews(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<ReviewView>>, ApiError> {
    let reviews = app.deps.store.open_reviews(page.limit()).await?;
    let waiting = app.deps.store.proposals(true, jirani_store::verbs::PAGE_MAX).await?;
    let mut waiting: HashMap<String, ProposalView> =
        waiting.into_iter().map(|proposal| (proposal.review.clone(), proposal.into())).collect();
    let views = reviews.into_iter().map(|review| {
        let proposal = waiting.remove(&review.key);
        ReviewView::of(review, proposal)
    });
    Ok(Json(views.collect()))
}

/// What operators proposed and decided, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/reviews/proposals",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<ProposalView>))
)]
pub async fn proposals(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<ProposalView>>, ApiError> {
    let proposals = app.deps.store.proposals(false, page.limit()).await?;
    Ok(Json(proposals.into_iter().map(ProposalView::from).collect()))
}

/// Proposes what to do about a review. Nothing is done before another operator
/// approves it.
#[utoipa::path(
    post,
    path = "/api/v1/operator/reviews/propose",
    tag = "operator",
    request_body = ProposeRequest,
    responses((status = 200, body = ProposalView), (status = 409, body = crate::Problem))
)]
pub async fn propose(
    State(app): State<App>,
    who: SignedIn,
    Json(request): Json<ProposeRequest>,
) -> Result<Json<ProposalView>, ApiError> {
    let operator = operator_name(&app, who).await?;
    let ProposeRequest { review, decision, note } = request;
    let decision: Decision =
        serde_json::to_value(decision).and_then(serde_json::from_value).map_err(|error| {
            ApiError::bad_request("api.body_invalid", format!("This is no decision: {error}."))
        })?;
    let trading = app.deps.trading.clone();
    let proposed = async move { trading.propose(operator, review, decision, note).await };
    Ok(Json(app.to_the_end(proposed).await?.into()))
}

/// Approves what another operator proposed: it is done, and the review is closed.
#[utoipa::path(
    post,
    path = "/api/v1/operator/reviews/proposals/{id}/approve",
    tag = "operator",
    params(("id" = u64, Path, description = "The proposal's number.")),
    responses((status = 200, body = ProposalView), (status = 409, body = crate::Problem))
)]
pub async fn approve(
    State(app): State<App>,
    who: SignedIn,
    Path(Id(number)): Path<Id>,
) -> Result<Json<ProposalView>, ApiError> {
    let operator = operator_name(&app, who).await?;
    let trading = app.deps.trading.clone();
    let approved = async move { trading.approve(operator, number).await };
    Ok(Json(app.to_the_end(approved).await?.into()))
}

/// Rejects a proposal, or takes one's own back; the review goes on waiting.
#[utoipa::path(
    post,
    path = "/api/v1/operator/reviews/proposals/{id}/reject",
    tag = "operator",
    params(("id" = u64, Path, description = "The proposal's number.")),
    responses((status = 200, body = ProposalView), (status = 409, body = crate::Problem))
)]
pub async fn reject(
    State(app): State<App>,
    who: SignedIn,
    Path(Id(number)): Path<Id>,
) -> Result<Json<ProposalView>, ApiError> {
    let operator = operator_name(&app, who).await?;
    let trading = app.deps.trading.clone();
    let rejected = async move { trading.reject(operator, number).await };
    Ok(Json(app.to_the_end(rejected).await?.into()))
}

/// Comparisons with M-Pesa's books, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/reconciliation",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<ReconciliationRow>))
)]
pub async fn reconciliations(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<ReconciliationRow>>, ApiError> {
    // Reports are large: what a screen shows is enough.
    let records = app.deps.store.reconciliations(page.limit().min(50)).await?;
    Ok(Json(records.iter().map(ReconciliationRow::from).collect()))
}

/// One comparison, as it was found.
#[utoipa::path(
    get,
    path = "/api/v1/operator/reconciliation/{id}",
    tag = "operator",
    params(("id" = u64, Path, description = "The comparison's number.")),
    responses((status = 200, body = ReconciliationView))
)]
pub async fn reconciliation(
    State(app): State<App>,
    Path(Id(number)): Path<Id>,
) -> Result<Json<ReconciliationView>, ApiError> {
    let record = app.deps.store.reconciliation(number).await?;
    record.ok_or_else(|| ApiError::not_found("reconciliation")).and_then(|record| view_of(&record)).map(Json)
}

/// Compares M-Pesa's list of the last 48 hours and its balances with the ledger, now.
#[utoipa::path(
    post,
    path = "/api/v1/operator/reconciliation",
    tag = "operator",
    responses((status = 200, body = ReconciliationView), (status = 503, body = crate::Problem))
)]
pub async fn reconcile(State(app): State<App>) -> Result<Json<ReconciliationView>, ApiError> {
    let trading = app.deps.trading.clone();
    let record = app.to_the_end(async move { trading.reconcile(None).await }).await?;
    view_of(&record).map(Json)
}

/// Which accounts a statement covers.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementOf {
    /// `collection`, `payout` or `charges`.
    pub account: PurseView,
    /// The payout shortcode's statement lists its charges too.
    #[serde(default)]
    pub with_charges: bool,
}

/// Compares a statement of the portal (CSV, at most 8 MiB) with the ledger.
#[utoipa::path(
    post,
    path = "/api/v1/operator/reconciliation/statement",
    tag = "operator",
    params(StatementOf),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ReconciliationView), (status = 422, body = crate::Problem))
)]
pub async fn upload_statement(
    State(app): State<App>,
    Query(of): Query<StatementOf>,
    Raw(csv): Raw,
) -> Result<Json<ReconciliationView>, ApiError> {
    let mut purses = vec![match of.account {
        PurseView::Collection => Purse::Collection,
        PurseView::Payout => Purse::Payout,
        PurseView::Charges => Purse::Charges,
    }];
    if of.with_charges && of.account == PurseView::Payout {
        purses.push(Purse::Charges);
    }
    let trading = app.deps.trading.clone();
    let record = app.to_the_end(async move { trading.reconcile(Some((purses, csv.to_vec()))).await }).await?;
    view_of(&record).map(Json)
}
