//! The operator's desk.

use crate::app::App;
use crate::dto::operator::{AuditView, HouseholdRow, LastAudit, OverviewView, PaymentsView, QuarantineView};
use crate::error::ApiError;
use crate::extract::{Json, Page, Query};
use crate::view::{desk, overview};
use axum::extract::State;
use axum::http::StatusCode;

/// The whole grid at a glance.
#[utoipa::path(
    get,
    path = "/api/v1/operator/overview",
    tag = "operator",
    responses((status = 200, body = OverviewView))
)]
pub async fn overview(State(app): State<App>) -> Result<Json<OverviewView>, ApiError> {
    overview::overview(&app).await.map(Json)
}

/// All households and the operator's own records.
#[utoipa::path(
    get,
    path = "/api/v1/operator/households",
    tag = "operator",
    responses((status = 200, body = Vec<HouseholdRow>))
)]
pub async fn households(State(app): State<App>) -> Result<Json<Vec<HouseholdRow>>, ApiError> {
    desk::households(&app).await.map(Json)
}

/// Collections and payouts, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/payments",
    tag = "operator",
    params(Page),
    responses((status = 200, body = PaymentsView))
)]
pub async fn payments(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<PaymentsView>, ApiError> {
    desk::payments(&app, page.limit()).await.map(Json)
}

/// Readings that were not accepted, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/quarantine",
    tag = "operator",
    params(Page),
    responses((status = 200, body = Vec<QuarantineView>))
)]
pub async fn quarantine(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<QuarantineView>>, ApiError> {
    desk::quarantine(&app, page.limit()).await.map(Json)
}

/// What the last audit found.
#[utoipa::path(
    get,
    path = "/api/v1/operator/audit",
    tag = "operator",
    responses((status = 200, body = LastAudit))
)]
pub async fn last_audit(State(app): State<App>) -> Json<LastAudit> {
    Json(LastAudit { last: app.last_audit() })
}

/// Recomputes all invariants from journal, readings and chain. One at a time.
#[utoipa::path(
    post,
    path = "/api/v1/operator/audit",
    tag = "operator",
    responses((status = 200, body = AuditView), (status = 409, body = crate::Problem))
)]
pub async fn run_audit(State(app): State<App>) -> Result<Json<AuditView>, ApiError> {
    let running = app.clone();
    // A long audit outlives the patience of the one who asked, and is then remembered.
    let audit = async move {
        let Ok(_one) = running.auditing.try_lock() else {
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                "audit.running",
                "An audit is running. Look again in a moment.",
            ));
        };
        let audit = running.deps.audit.run().await;
        running.keep_audit(audit.clone());
        Ok(audit)
    };
    app.to_the_end(audit).await.map(Json)
}
