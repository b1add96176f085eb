//! `POST /mpesa/c2b/v1|v2/registerurl` and `/mpesa/c2b/v1|v2/simulate`; and how
//! a payment by hand asks the business first.

use super::App;
use super::answer::Body;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::action::Target;
use crate::refusal::Refusal;
use crate::world::{Begun, C2bUrls, C2bVersion, Payment, Verdict, Whom};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jirani_units::Msisdn;
use serde_json::{Value, json};
use std::sync::Arc;

/// Words that Daraja does not take in C2B addresses.
const BAD_WORDS: [&str; 7] = ["mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query"];

pub async fn register_v1(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = register(&app, &headers, &body, C2bVersion::V1).await;
    app.conclude(Family::C2b, result).await
}

pub async fn register_v2(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = register(&app, &headers, &body, C2bVersion::V2).await;
    app.conclude(Family::C2b, result).await
}

async fn register(
    app: &App,
    headers: &HeaderMap,
    body: &Body,
    version: C2bVersion,
) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::C2b)?;
    let fields = Fields::read(headers, body, "ShortCode")?;
    let shortcode = fields.shortcode("ShortCode")?;
    let silence_accepts = fields.one_of("ResponseType", &["Completed", "Cancelled"])? == "Completed";
    let url = |name| {
        let url = fields.url(name)?;
        let lower = url.to_ascii_lowercase();
        if BAD_WORDS.iter().any(|word| lower.contains(word)) { Err(Refusal::field(name)) } else { Ok(url) }
    };
    let (confirmation, validation) = (url("ConfirmationURL")?, url("ValidationURL")?);
    let urls = C2bUrls { confirmation, validation, silence_accepts, version };
    let busy = app.clock.busy();
    let verdict = app.core.ask(Some(busy), move |world| {
        world.answer(Target::C2bRegisterResponse, Whom::business(&shortcode), |world, _| {
            world.register_c2b(&shortcode, urls)
        })
    });
    Ok(verdict.await?.map(|()| accepted(app, "Success")))
}

pub async fn simulate(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_simulate(&app, &headers, &body).await;
    app.conclude(Family::C2b, result).await
}

async fn try_simulate(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::C2b)?;
    let fields = Fields::read(headers, body, "ShortCode")?;
    let command = fields.one_of("CommandID", &["CustomerPayBillOnline", "CustomerBuyGoodsOnline"])?;
    let payment = HandPayment {
        msisdn: fields.msisdn("Msisdn")?,
        shortcode: fields.shortcode("ShortCode")?,
        shillings: fields.shillings("Amount")?,
        reference: fields.maybe_short("BillRefNumber", 20)?.unwrap_or_default(),
        buy_goods: command == "CustomerBuyGoodsOnline",
    };
    // Whether it goes through is told later, if at all.
    pay_by_hand(app, payment).await?;
    Ok(Verdict::Answer(Ok(accepted(app, "Accept the service request successfully."))))
}

fn accepted(app: &App, description: &str) -> Value {
    // Daraja's own spelling.
    json!({"OriginatorCoversationID": app.new_id(), "ResponseCode": "0", "ResponseDescription": description})
}

/// A payment that a customer makes without a prompt.
#[derive(Clone)]
pub struct HandPayment {
    pub msisdn: Msisdn,
    pub shortcode: String,
    pub shillings: i64,
    pub reference: String,
    pub buy_goods: bool,
}

impl HandPayment {
    fn payment(&self) -> Payment<'_> {
        Payment {
            msisdn: self.msisdn,
            shortcode: &self.shortcode,
            shillings: self.shillings,
            reference: &self.reference,
            buy_goods: self.buy_goods,
        }
    }
}

/// Makes the payment; asks the business first where validation is on.
pub async fn pay_by_hand(app: &App, payment: HandPayment) -> Result<Begun, Refusal> {
    let busy = app.clock.busy();
    let asked = payment.clone();
    let begun = app.core.ask(Some(busy), move |world| world.begin_payment(&asked.payment())).await??;
    let Begun::Ask { receipt, url, body, silence_accepts } = begun else { return Ok(begun) };
    let busy = app.clock.busy();
    let answer = app.deliverer.ask(&url, &payment.shortcode, body).await;
    let accepts = answer.map_or(silence_accepts, |answer| accepts(&answer).unwrap_or(silence_accepts));
    if !accepts {
        return Ok(Begun::NotAccepted);
    }
    let paid = app.core.ask(Some(busy), move |world| world.finish_payment(&payment.payment(), Some(receipt)));
    Ok(paid.await?)
}

/// What a validation answer says: `ResultCode` `"0"` accepts (a number will do);
/// any other code refuses; without a code it says nothing.
fn accepts(answer: &Value) -> Option<bool> {
    match answer.get("ResultCode")? {
        Value::String(code) => Some(code.trim() == "0"),
        Value::Number(code) => Some(code.as_i64() == Some(0)),
        _ => None,
    }
}
