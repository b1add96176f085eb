//! Who is let in at the desk, and what people with special rights did.

use crate::accounts::people::{self, PeopleError};
use crate::app::App;
use crate::auth::token::Token;
use crate::dto::people::{ActView, ActsView, InvitationView, InviteRequest, PersonView};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{ActRecord, OperatorRecord};
use jirani_units::JSON_INTEGER_MAX;
use serde::Deserialize;
use std::fmt::Write as _;
use utoipa::IntoParams;

/// Rows of one table.
const TABLE_MAX: usize = 20_000;

/// Who is let in, by name, also who is retired.
#[utoipa::path(
    get,
    path = "/api/v1/operator/people",
    tag = "operator",
    responses((status = 200, body = Vec<PersonView>))
)]
pub async fn people(State(app): State<App>) -> Result<Json<Vec<PersonView>>, ApiError> {
    let records = app.deps.store.operators().await?;
    Ok(Json(records.into_iter().map(PersonView::from).collect()))
}

/// Invites somebody. The secret is shown once.
#[utoipa::path(
    post,
    path = "/api/v1/operator/people",
    tag = "operator",
    request_body = InviteRequest,
    responses((status = 200, body = InvitationView), (status = 409, body = crate::Problem))
)]
pub async fn invite_person(
    State(app): State<App>,
    Json(InviteRequest { name, role }): Json<InviteRequest>,
) -> Result<Json<InvitationView>, ApiError> {
    let secret = app.deps.tokens.draw();
    let record = people::invite(app.deps.store.as_ref(), &name, role.into(), &secret, app.now()).await?;
    Ok(Json(invitation(record, &secret)))
}

/// Takes password, authenticator and sessions of somebody away, and invites them anew.
#[utoipa::path(
    post,
    path = "/api/v1/operator/people/{name}/reset",
    tag = "operator",
    params(("name" = String, Path, description = "The name.")),
    responses((status = 200, body = InvitationView), (status = 404, body = crate::Problem))
)]
pub async fn reset_person(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<InvitationView>, ApiError> {
    let secret = app.deps.tokens.draw();
    let record = people::reset(app.deps.store.as_ref(), &name, &secret, app.now()).await?;
    Ok(Json(invitation(record, &secret)))
}

/// Lets somebody in no more, for good, and ends their sessions.
#[utoipa::path(
    post,
    path = "/api/v1/operator/people/{name}/retire",
    tag = "operator",
    params(("name" = String, Path, description = "The name.")),
    responses((status = 200, body = PersonView), (status = 404, body = crate::Problem))
)]
pub async fn retire_person(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<PersonView>, ApiError> {
    let record = people::retire(app.deps.store.as_ref(), &name, app.now()).await?;
    Ok(Json(record.into()))
}

fn invitation(record: OperatorRecord, secret: &Token) -> InvitationView {
    let until = record.invitation.map_or(record.since, |(_, until)| until).into();
    InvitationView { name: record.name, secret: secret.as_str().to_owned(), until }
}

/// Which acts.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActsPage {
    /// Only acts with a lower number: what the page before said.
    pub before: Option<u64>,
    /// At most this many: 1 to 200, 50 if not said.
    pub limit: Option<u32>,
}

/// What people with special rights did, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operator/acts",
    tag = "operator",
    params(ActsPage),
    responses((status = 200, body = ActsView))
)]
pub async fn acts(State(app): State<App>, Query(page): Query<ActsPage>) -> Result<Json<ActsView>, ApiError> {
    let limit = page.limit.unwrap_or(50).clamp(1, 200);
    let before = page.before.map(|before| before.min(JSON_INTEGER_MAX));
    let mut found = app.deps.store.acts(before, limit + 1).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let next_before = found.last().filter(|_| more).map(|last| last.number);
    Ok(Json(ActsView { acts: found.into_iter().map(ActView::from).collect(), next_before }))
}

/// From which act on.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActsTable {
    /// Only acts with a higher number.
    pub after: Option<u64>,
}

/// The same as a table, oldest first; at most 20,000 rows from `after` on.
#[utoipa::path(
    get,
    path = "/api/v1/operator/acts.csv",
    tag = "operator",
    params(ActsTable),
    responses((status = 200, description = "The table", content((String = "text/csv"))))
)]
pub async fn acts_table(
    State(app): State<App>,
    Query(table): Query<ActsTable>,
) -> Result<Response, ApiError> {
    let mut after = table.after.unwrap_or(0).min(JSON_INTEGER_MAX);
    let mut text = "number,at,who,role,act,hash\r\n".to_owned();
    let mut rows = 0;
    while rows < TABLE_MAX {
        let page = app.deps.store.acts_after(after, PAGE_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        rows += page.len();
        for record in &page {
            row(&mut text, record);
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"jirani-acts.csv\""),
    ];
    Ok((headers, text).into_response())
}

/// Names and acts begin with a letter, or are quoted behind an apostrophe: no program takes a
/// cell for a formula.
fn row(text: &mut String, record: &ActRecord) {
    let cell = |value: &str| {
        let guard = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    };
    let (who, role, act) = (cell(&record.who), cell(&record.role), cell(&record.act));
    let hash = hex::encode(record.hash);
    // Writing to a string cannot fail.
    let _ = write!(text, "{},{},{who},{role},{act},{hash}\r\n", record.number, record.at);
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        let status = match &error {
            PeopleError::Name => StatusCode::UNPROCESSABLE_ENTITY,
            PeopleError::Taken(_) | PeopleError::Retired(_) => StatusCode::CONFLICT,
            PeopleError::Unknown(_) => StatusCode::NOT_FOUND,
            PeopleError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        match error {
            PeopleError::Store(error) => error.into(),
            error => Self::coded(status, &error.to_string()),
        }
    }
}
