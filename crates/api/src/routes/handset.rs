//! A phone on a page, in a demonstration: it dials through the same menus as a real one,
//! and shows what was sent to its number.

use crate::app::App;
use crate::config::Phones;
use crate::dto::handset::{DialRequest, HandsetMessage, HandsetView, ScreenView, TextRequest};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::routes::ussd::heard;
use crate::ussd::screen::Then;
use crate::ussd::{Dialled, Ussd, answer};
use axum::extract::State;
use axum::http::StatusCode;
use jirani_notify::Handsets;
use jirani_units::{HouseholdId, Msisdn};

/// The longest name of a session.
const SESSION_MAX: usize = 100;

struct Phone<'a> {
    ussd: &'a Ussd,
    handsets: &'a Handsets,
    number: Msisdn,
}

async fn phone(app: &App, household: u32) -> Result<Phone<'_>, ApiError> {
    let phones = app.deps.phones.as_ref().and_then(|Phones { handsets, .. }| handsets.as_deref());
    let (true, Some(ussd), Some(handsets)) = (app.config.demo, app.ussd.as_ref(), phones) else {
        return Err(ApiError::not_found("page"));
    };
    let record = app.deps.store.household(HouseholdId(household)).await?;
    let number = record.and_then(|record| record.msisdn).ok_or_else(|| ApiError::not_found("phone"))?;
    Ok(Phone { ussd, handsets, number })
}

/// A household's phone, in a demonstration.
#[utoipa::path(
    get,
    path = "/api/v1/demo/handsets/{household}",
    tag = "phones",
    params(("household" = u32, Path, description = "The household.")),
    responses((status = 200, body = HandsetView))
)]
pub async fn show(State(app): State<App>, Path(household): Path<u32>) -> Result<Json<HandsetView>, ApiError> {
    let phone = phone(&app, household).await?;
    let messages = phone.handsets.inbox(phone.number).into_iter();
    Ok(Json(HandsetView {
        service_code: phone.ussd.config.service_code.clone(),
        number_masked: phone.number.masked(),
        messages: messages
            .map(|message| HandsetMessage {
                number: message.number,
                text: message.text,
                at: message.at.into(),
            })
            .collect(),
    }))
}

/// Dials or answers, in a demonstration.
#[utoipa::path(
    post,
    path = "/api/v1/demo/handsets/{household}/ussd",
    tag = "phones",
    params(("household" = u32, Path, description = "The household.")),
    request_body = DialRequest,
    responses((status = 200, body = ScreenView))
)]
pub async fn dial(
    State(app): State<App>,
    Path(household): Path<u32>,
    Json(DialRequest { session_id, text }): Json<DialRequest>,
) -> Result<Json<ScreenView>, ApiError> {
    let phone = phone(&app, household).await?;
    if !(1..=SESSION_MAX).contains(&session_id.len()) {
        return Err(ApiError::bad_request("api.body_invalid", "A session's name has 1 to 100 characters."));
    }
    let dialled = Dialled { session: session_id, number: phone.number, text };
    let screen = answer(&app, phone.ussd, &dialled).await;
    Ok(Json(ScreenView { text: screen.text, asks: screen.then == Then::Answer }))
}

/// Writes a text message to us, in a demonstration.
#[utoipa::path(
    post,
    path = "/api/v1/demo/handsets/{household}/sms",
    tag = "phones",
    params(("household" = u32, Path, description = "The household.")),
    request_body = TextRequest,
    responses((status = 204, description = "Heard."))
)]
pub async fn text(
    State(app): State<App>,
    Path(household): Path<u32>,
    Json(TextRequest { text }): Json<TextRequest>,
) -> Result<StatusCode, ApiError> {
    let phone = phone(&app, household).await?;
    heard(&app, phone.number, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}
