//! The emulator's own JSON, for tests and for its pages: phones, faults,
//! callbacks, tokens, initiator.
//!
//! Errors are `{"code": ..., "message": ...}` with a fitting status.

use super::App;
use super::c2b::{HandPayment, pay_by_hand};
use crate::core::NotSaved;
use crate::refusal::Refusal;
use crate::world::{Begun, FaultOrder, HandAnswer, InitiatorChange, PaymentProblem, PhoneOrder, World};
use axum::Json;
use axum::extract::{Path, Query, State, rejection::JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jirani_units::Msisdn;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The PIN that is always wrong.
const WRONG_PIN: &str = "0000";

pub struct Problem(pub StatusCode, pub &'static str, pub String);

impl Problem {
    pub fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, "sandbox.bad_request", message.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"code": self.1, "message": self.2}))).into_response()
    }
}

impl From<NotSaved> for Problem {
    fn from(_: NotSaved) -> Self {
        let message = "the emulator cannot save its state; nothing was done".to_owned();
        Self(StatusCode::SERVICE_UNAVAILABLE, "sandbox.not_saved", message)
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), "sandbox.bad_request", rejection.body_text())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        if refusal == Refusal::busy() {
            let message = "too much waits already; nothing was done".to_owned();
            return Self(StatusCode::SERVICE_UNAVAILABLE, "sandbox.full", message);
        }
        Self::bad(refusal.message)
    }
}

pub type Answer = Result<Json<Value>, Problem>;
pub type Body<T> = Result<Json<T>, JsonRejection>;

fn number(text: &str) -> Result<Msisdn, Problem> {
    text.parse().map_err(|error: jirani_units::msisdn::InvalidMsisdn| Problem::bad(error.to_string()))
}

pub async fn callbacks(State(app): State<Arc<App>>) -> Answer {
    let (owed, recent) = app.core.ask(None, |world| world.callbacks()).await?;
    Ok(Json(json!({"owed": owed, "recent": recent})))
}

pub async fn redeliver(State(app): State<Arc<App>>) -> Answer {
    let busy = app.clock.busy();
    let count = app.core.ask(Some(busy), World::redeliver).await?;
    Ok(Json(json!({"redelivered": count})))
}

pub async fn faults(State(app): State<Arc<App>>) -> Answer {
    Ok(Json(json!({"faults": app.core.ask(None, |world| world.faults()).await?})))
}

pub async fn clear_faults(State(app): State<Arc<App>>) -> Answer {
    app.core.ask(None, World::clear_faults).await?;
    Ok(Json(json!({"faults": []})))
}

pub async fn order_fault(State(app): State<Arc<App>>, order: Body<FaultOrder>) -> Answer {
    let Json(order) = order?;
    order.check().map_err(Problem::bad)?;
    let fault = app.core.ask(None, move |world| world.order_fault(order)).await?;
    fault.map(|fault| Json(json!(fault))).ok_or_else(|| Problem::bad("at most 1000 orders wait"))
}

pub async fn initiator(State(app): State<Arc<App>>) -> Answer {
    Ok(Json(json!(app.core.ask(None, |world| world.initiator()).await?)))
}

pub async fn change_initiator(State(app): State<Arc<App>>, change: Body<InitiatorChange>) -> Answer {
    let Json(change) = change?;
    Ok(Json(json!(app.core.ask(None, move |world| world.change_initiator(change)).await?)))
}

/// The valid token ends now.
pub async fn expire_token(State(app): State<Arc<App>>) -> Answer {
    app.tokens.end();
    Ok(Json(json!({"expired": true})))
}

#[derive(Deserialize)]
pub struct PhonesPage {
    limit: Option<usize>,
}

pub async fn phones(State(app): State<Arc<App>>, page: Query<PhonesPage>) -> Answer {
    let limit = page.limit.unwrap_or(usize::MAX);
    Ok(Json(json!({"phones": app.core.ask(None, move |world| world.phones(limit)).await?})))
}

pub async fn phone(State(app): State<Arc<App>>, Path(msisdn): Path<String>) -> Answer {
    let msisdn = number(&msisdn)?;
    Ok(Json(json!(app.core.ask(None, move |world| world.phone(msisdn)).await?)))
}

pub async fn prompt(State(app): State<Arc<App>>, Path(msisdn): Path<String>) -> Answer {
    let msisdn = number(&msisdn)?;
    Ok(Json(json!({"prompt": app.core.ask(None, move |world| world.prompt_on(msisdn)).await?})))
}

pub async fn change_phone(
    State(app): State<Arc<App>>,
    Path(msisdn): Path<String>,
    order: Body<PhoneOrder>,
) -> Answer {
    let (msisdn, Json(order)) = (number(&msisdn)?, order?);
    let change = order.check().map_err(Problem::bad)?;
    let view =
        app.core.ask(Some(app.clock.busy()), move |world| world.change_phone(msisdn, change)).await??;
    Ok(Json(json!(view)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOrder {
    action: String,
    pin: Option<String>,
}

pub async fn answer(
    State(app): State<Arc<App>>,
    Path(msisdn): Path<String>,
    order: Body<HandOrder>,
) -> Answer {
    let (msisdn, Json(order)) = (number(&msisdn)?, order?);
    let answer = match order.action.as_str() {
        "pay" => HandAnswer::Pay { pin_right: pin_right(order.pin.as_deref())? },
        "cancel" => HandAnswer::Cancel,
        "ignore" => HandAnswer::Ignore,
        _ => return Err(Problem::bad("action is pay, cancel or ignore")),
    };
    let busy = app.clock.busy();
    let ended = app.core.ask(Some(busy), move |world| world.answer_by_hand(msisdn, answer)).await?;
    let Some((code, receipt)) = ended else {
        let message = "the phone shows no prompt".to_owned();
        return Err(Problem(StatusCode::CONFLICT, "sandbox.no_prompt", message));
    };
    let code = (!code.is_empty()).then_some(code);
    Ok(Json(json!({"result_code": code, "receipt": receipt})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayBillOrder {
    amount_shillings: i64,
    reference: String,
    pin: Option<String>,
    shortcode: Option<String>,
}

/// A payment that a customer makes by hand from the M-Pesa menu.
pub async fn paybill(
    State(app): State<Arc<App>>,
    Path(msisdn): Path<String>,
    order: Body<PayBillOrder>,
) -> Answer {
    let (msisdn, Json(order)) = (number(&msisdn)?, order?);
    let reference = order.reference.trim().to_owned();
    let plain = !reference.chars().any(char::is_control) && (1..=20).contains(&reference.chars().count());
    if order.amount_shillings < 1 || !plain {
        return Err(Problem::bad("KSh 1 or more, and an account of 1 to 20 characters"));
    }
    if !pin_right(order.pin.as_deref())? {
        return Err(Problem::bad("wrong PIN"));
    }
    let payment = HandPayment {
        msisdn,
        shortcode: order.shortcode.unwrap_or_else(|| app.config.collection.code.clone()),
        shillings: order.amount_shillings,
        reference,
        buy_goods: false,
    };
    let (code, message) = match pay_by_hand(&app, payment).await? {
        Begun::Paid(receipt) => return Ok(Json(json!({"receipt": receipt}))),
        Begun::Refused(PaymentProblem::Insufficient) => {
            ("sandbox.insufficient", "not enough money on the phone")
        }
        Begun::Refused(PaymentProblem::TooSmall | PaymentProblem::TooLarge) => {
            ("sandbox.limit", "one payment cannot move so much, or so little")
        }
        Begun::Refused(PaymentProblem::DailyLimit) => {
            ("sandbox.daily_limit", "the customer cannot pay more today")
        }
        Begun::NotAccepted | Begun::Ask { .. } => ("sandbox.not_accepted", "the business did not accept it"),
    };
    Err(Problem(StatusCode::CONFLICT, code, message.to_owned()))
}

fn pin_right(pin: Option<&str>) -> Result<bool, Problem> {
    match pin {
        Some(pin) if pin.len() == 4 && pin.bytes().all(|b| b.is_ascii_digit()) => Ok(pin != WRONG_PIN),
        _ => Err(Problem::bad("a PIN has four digits (0000 is the wrong one)")),
    }
}
