//! The emulator's own JSON, for tests and for its pages.
//!
//! Errors are `{"code": ..., "message": ...}` with a fitting status.

use super::App;
use crate::config::{Behaviour, PhoneMode};
use crate::core::NotSaved;
use crate::refusal::Refusal;
use crate::world::{Action, HandAnswer, Payment, PhoneChange, Target, World};
use axum::Json;
use axum::extract::{Path, Query, State, rejection::JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jirani_units::{Cents, Msisdn};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The PIN that is always wrong.
const WRONG_PIN: &str = "0000";

pub struct Problem(StatusCode, &'static str, String);

impl Problem {
    fn bad(message: impl Into<String>) -> Self {
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
        Self::bad(refusal.message)
    }
}

type Answer = Result<Json<Value>, Problem>;
type Body<T> = Result<Json<T>, JsonRejection>;

fn number(text: &str) -> Result<Msisdn, Problem> {
    text.parse().map_err(|error: jirani_units::msisdn::InvalidMsisdn| Problem::bad(error.to_string()))
}

#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

pub async fn statement(State(app): State<Arc<App>>, page: Query<Page>) -> Answer {
    let (after, limit) = (page.after, page.limit.unwrap_or(usize::MAX));
    let statement = app.core.ask(None, move |world| world.statement(after, limit)).await?;
    Ok(Json(json!(statement)))
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    target: Target,
    action: String,
    #[serde(default = "once")]
    count: u32,
    msisdn: Option<Msisdn>,
}

fn once() -> u32 {
    1
}

pub async fn order_fault(State(app): State<Arc<App>>, order: Body<FaultOrder>) -> Answer {
    let Json(FaultOrder { target, action, count, msisdn }) = order?;
    let action = match action.split_once(':') {
        None => match action.as_str() {
            "lose" => Action::Lose,
            "duplicate" => Action::Duplicate,
            "pending" => Action::Pending,
            "contradict" => Action::Contradict,
            _ => return Err(unknown_action()),
        },
        Some(("delay_s", seconds)) => Action::DelayS(seconds.trim().parse().map_err(|_| unknown_action())?),
        Some(_) => return Err(unknown_action()),
    };
    let fault = app.core.ask(None, move |world| world.order_fault(target, action, count, msisdn)).await?;
    fault.map(|fault| Json(json!(fault))).ok_or_else(|| {
        Problem::bad(
            "callbacks can be lost, duplicated or delayed, responses only lost, queries pending or contradict; \
             count is at least 1, and at most 1000 orders wait",
        )
    })
}

fn unknown_action() -> Problem {
    Problem::bad("action is one of lose, duplicate, delay_s:N, pending, contradict")
}

pub async fn phones(State(app): State<Arc<App>>) -> Answer {
    Ok(Json(json!({"phones": app.core.ask(None, |world| world.phones()).await?})))
}

pub async fn phone(State(app): State<Arc<App>>, Path(msisdn): Path<String>) -> Answer {
    let msisdn = number(&msisdn)?;
    Ok(Json(json!(app.core.ask(None, move |world| world.phone(msisdn)).await?)))
}

pub async fn prompt(State(app): State<Arc<App>>, Path(msisdn): Path<String>) -> Answer {
    let msisdn = number(&msisdn)?;
    Ok(Json(json!({"prompt": app.core.ask(None, move |world| world.prompt_on(msisdn)).await?})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneOrder {
    name: Option<String>,
    mode: Option<String>,
    cancel_per_mille: Option<u16>,
    silent_per_mille: Option<u16>,
    insufficient_per_mille: Option<u16>,
    balance_cents: Option<i64>,
}

pub async fn change_phone(
    State(app): State<Arc<App>>,
    Path(msisdn): Path<String>,
    order: Body<PhoneOrder>,
) -> Answer {
    let (msisdn, Json(order)) = (number(&msisdn)?, order?);
    let usual = Behaviour::default();
    let mode = match order.mode.as_deref() {
        None => None,
        Some("by_hand") => Some(PhoneMode::ByHand),
        Some("always_pays") => Some(PhoneMode::Automatic(Behaviour::ALWAYS_PAYS)),
        Some("automatic") => Some(PhoneMode::Automatic(Behaviour {
            cancel_per_mille: order.cancel_per_mille.unwrap_or(usual.cancel_per_mille),
            silent_per_mille: order.silent_per_mille.unwrap_or(usual.silent_per_mille),
            insufficient_per_mille: order.insufficient_per_mille.unwrap_or(usual.insufficient_per_mille),
        })),
        Some(_) => return Err(Problem::bad("mode is by_hand, automatic or always_pays")),
    };
    if order.name.as_ref().is_some_and(|name| name.chars().count() > 60) {
        return Err(Problem::bad("a name has at most 60 characters"));
    }
    let change = PhoneChange { name: order.name, mode, balance: order.balance_cents.map(Cents) };
    let view = app.core.ask(Some(app.clock.busy()), move |world| world.change_phone(msisdn, change)).await?;
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
}

/// A payment that a customer makes by hand from the M-Pesa menu.
pub async fn paybill(
    State(app): State<Arc<App>>,
    Path(msisdn): Path<String>,
    order: Body<PayBillOrder>,
) -> Answer {
    let (msisdn, Json(order)) = (number(&msisdn)?, order?);
    let reference = order.reference.trim().to_owned();
    if !(1..=250_000).contains(&order.amount_shillings) || !(1..=20).contains(&reference.chars().count()) {
        return Err(Problem::bad("KSh 1 to 250000, and an account of 1 to 20 characters"));
    }
    if !pin_right(order.pin.as_deref())? {
        return Err(Problem::bad("wrong PIN"));
    }
    let shortcode = app.config.collection.code.clone();
    let busy = app.clock.busy();
    let paid = app.core.ask(Some(busy), move |world| {
        let shillings = order.amount_shillings;
        world.pay_by_hand(&Payment { msisdn, shortcode: &shortcode, shillings, reference: &reference })
    });
    let Some(receipt) = paid.await?? else {
        let message = "not enough money on the phone".to_owned();
        return Err(Problem(StatusCode::CONFLICT, "sandbox.insufficient", message));
    };
    Ok(Json(json!({"receipt": receipt})))
}

fn pin_right(pin: Option<&str>) -> Result<bool, Problem> {
    match pin {
        Some(pin) if pin.len() == 4 && pin.bytes().all(|b| b.is_ascii_digit()) => Ok(pin != WRONG_PIN),
        _ => Err(Problem::bad("a PIN has four digits (0000 is the wrong one)")),
    }
}
