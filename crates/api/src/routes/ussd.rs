//! The doors of the phones' gateway: a request of a menu, a report on a text message, a
//! text message that somebody wrote.
//!
//! Africa's Talking sends forms and signs nothing: who it is follows from the secret in
//! the path. Whose phone it is, is only its claim; a PIN stands before money. What a form
//! holds is never logged: it has the PIN in it.

use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Id, Path, Raw};
use crate::ussd::pin::{change, change_if};
use crate::ussd::screen::Screen;
use crate::ussd::words::{Outcome, Refusal, outcome, stranger};
use crate::ussd::{Dialled, answer};
use axum::extract::{FromRequest, FromRequestParts as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jirani_notify::africas_talking::reported;
use jirani_store::{Change, Language, MessageRecord, MessageState, NoticeRecord, StoreError};
use jirani_units::{HouseholdId, Msisdn};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// Fields of a form that are looked at; a callback at the end of a session has more.
const FIELDS_MAX: usize = 32;
/// The longest name of a session.
const SESSION_MAX: usize = 100;

/// The fields of a form that the gateway sent: whoever knows the secret in the path. There
/// is no such page for anybody else.
pub struct FromGateway(BTreeMap<String, String>);

impl FromRequest<App> for FromGateway {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let Path(secret) = Path::<String>::from_request_parts(&mut parts, app).await?;
        if !app.config.gateway.as_ref().is_some_and(|gateway| gateway.is(&secret)) {
            return Err(ApiError::not_found("page"));
        }
        let Raw(body) = Raw::from_request(Request::from_parts(parts, body), app).await?;
        Ok(Self(fields(&body)))
    }
}

/// The fields of a form; the first of a name counts.
fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body).take(FIELDS_MAX) {
        fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    fields
}

fn shown(screen: &Screen) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], screen.to_string()).into_response()
}

/// One request of a phone's session.
#[utoipa::path(
    post,
    path = "/ussd/{secret}",
    tag = "phones",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "As Africa's Talking sends it: sessionId, serviceCode, phoneNumber, networkCode, text."),
    params(("secret" = String, Path, description = "Secret of the deployment.")),
    responses((status = 200, content_type = "text/plain", body = String,
        description = "`CON ` and a screen that waits for an answer, or `END ` and the last one."))
)]
pub async fn dialled(
    State(app): State<App>,
    FromGateway(mut fields): FromGateway,
) -> Result<Response, ApiError> {
    let ussd = app.ussd.as_ref().ok_or_else(|| ApiError::not_found("page"))?;
    let number = fields.get("phoneNumber").and_then(|number| number.parse::<Msisdn>().ok());
    let session = fields.remove("sessionId").filter(|id| (1..=SESSION_MAX).contains(&id.len()));
    let text = fields.remove("text").unwrap_or_default();
    let screen = match (number, session) {
        (Some(number), Some(session)) => answer(&app, ussd, &Dialled { session, number, text }).await,
        (None, _) => stranger(),
        (_, None) => outcome(Outcome::Refused(Refusal::Busy), Language::Sw),
    };
    Ok(shown(&screen))
}

/// What became of a text message.
#[utoipa::path(
    post,
    path = "/sms/{secret}/report",
    tag = "phones",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "As Africa's Talking sends it: id, status, phoneNumber, networkCode, failureReason."),
    params(("secret" = String, Path, description = "Secret of the deployment.")),
    responses((status = 204, description = "Kept, or about a message that is not ours."))
)]
pub async fn delivery_report(
    State(app): State<App>,
    FromGateway(fields): FromGateway,
) -> Result<StatusCode, ApiError> {
    let (id, state) = (fields.get("id"), fields.get("status").and_then(|status| reported(status)));
    if let (Some(id), Some(state)) = (id, state)
        && let Some(message) = app.deps.store.message_by_gateway_id(id).await?
        && message.state == MessageState::Sent
    {
        let reason = (state == MessageState::Refused).then(|| "not delivered".to_owned());
        let reported = MessageRecord { state, reason, ..message };
        match app.deps.store.commit(vec![Change::Message(reported)]).await {
            // The same report at the same moment.
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A text message that somebody wrote to us: STOP and START are understood.
#[utoipa::path(
    post,
    path = "/sms/{secret}/inbound",
    tag = "phones",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "As Africa's Talking sends it: from, to, text, id, date, linkId."),
    params(("secret" = String, Path, description = "Secret of the deployment.")),
    responses((status = 204, description = "Heard."))
)]
pub async fn inbound(
    State(app): State<App>,
    FromGateway(fields): FromGateway,
) -> Result<StatusCode, ApiError> {
    let from = fields.get("from").and_then(|from| from.parse::<Msisdn>().ok());
    if let (Some(from), Some(text)) = (from, fields.get("text")) {
        heard(&app, from, text).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Does what a text message says.
pub(super) async fn heard(app: &App, from: Msisdn, text: &str) -> Result<(), ApiError> {
    let muted = match text.trim().to_ascii_uppercase().as_str() {
        "STOP" | "ACHA" => true,
        "START" | "ANZA" => false,
        _ => return Ok(()),
    };
    for household in app.deps.store.households_of_number(from).await? {
        change(app, household.id, |handset| handset.muted = muted).await?;
    }
    Ok(())
}

/// Clears the PIN of a household that has forgotten it: the next call sends it a code, however
/// many were sent today.
#[utoipa::path(
    post,
    path = "/api/v1/operator/households/{id}/phone/clear",
    tag = "operator",
    params(("id" = u64, Path, description = "The household.")),
    responses((status = 204, description = "It has no PIN now, and is told so."))
)]
pub async fn clear_pin(State(app): State<App>, Path(Id(id)): Path<Id>) -> Result<StatusCode, ApiError> {
    let id = u32::try_from(id).map(HouseholdId).map_err(|_| ApiError::not_found("household"))?;
    if app.deps.store.household(id).await?.is_none() {
        return Err(ApiError::not_found("household"));
    }
    let at = app.now();
    let cleared = change_if(&app, id, |handset| {
        (handset.pin, handset.code, handset.code_until) = (None, None, None);
        (handset.wrong, handset.locked_until, handset.codes_sent) = (0, None, 0);
        let told = NoticeRecord {
            // The record's version: each clearing is told of once.
            key: format!("ussd_pin_cleared/{id}/{}", handset.version),
            household: Some(id),
            code: "ussd_pin_cleared".to_owned(),
            en: "Your operator cleared your Jirani PIN. Dial to choose a new one. If you did not ask for this, call the operator.".to_owned(),
            sw: "Mwendeshaji amefuta PIN yako ya Jirani. Piga uchague mpya. Kama hukuomba, mpigie mwendeshaji.".to_owned(),
            at,
        };
        Some(vec![Change::Notice(told)])
    });
    cleared.await?;
    Ok(StatusCode::NO_CONTENT)
}
