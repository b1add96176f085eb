//! `POST /mpesa/stkpush/v1/processrequest` and `/mpesa/stkpushquery/v1/query`.

use super::App;
use super::answer::Body;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::action::Target;
use crate::refusal::Refusal;
use crate::world::{Push, Verdict, Whom};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;

const LARGEST_SHILLINGS: i64 = 250_000;

pub async fn push(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_push(&app, &headers, &body).await;
    app.conclude(Family::Express, result).await
}

async fn try_push(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, "BusinessShortCode")?;
    let shortcode = authorised_shortcode(app, &fields)?;
    let kind = fields.one_of("TransactionType", &["CustomerPayBillOnline", "CustomerBuyGoodsOnline"])?;
    let shillings = fields.shillings("Amount")?;
    if shillings > LARGEST_SHILLINGS {
        return Err(Refusal::field("Amount"));
    }
    fields.msisdn("PartyA")?;
    let receiver = fields.shortcode("PartyB")?;
    let msisdn = fields.msisdn("PhoneNumber")?;
    let callback_url = fields.url("CallBackURL")?;
    let reference = fields.short("AccountReference", 12)?;
    fields.maybe_short("TransactionDesc", 13)?;
    let busy = app.clock.busy();
    let buy_goods = kind == "CustomerBuyGoodsOnline";
    let push = Push { shortcode, msisdn, shillings, receiver, buy_goods, reference, callback_url };
    let verdict = app.core.ask(Some(busy), move |world| {
        let shortcode = push.shortcode.clone();
        world.answer(Target::StkResponse, Whom::both(msisdn, &shortcode), |world, _| world.push(push))
    });
    let text = "Success. Request accepted for processing";
    Ok(verdict.await?.map(|prompt| {
        json!({
            "MerchantRequestID": prompt.merchant_request_id,
            "CheckoutRequestID": prompt.checkout_request_id,
            "ResponseCode": "0",
            "ResponseDescription": text,
            "CustomerMessage": text,
        })
    }))
}

pub async fn query(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_query(&app, &headers, &body).await;
    app.conclude(Family::Express, result).await
}

async fn try_query(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Express)?;
    if !auth::query_allowed(app) {
        return Err(Refusal::spike_arrest());
    }
    let fields = Fields::read(headers, body, "BusinessShortCode")?;
    let shortcode = authorised_shortcode(app, &fields)?;
    let checkout_request_id = fields.text("CheckoutRequestID")?;
    let asked = checkout_request_id.clone();
    let busy = app.clock.busy();
    let verdict = app.core.ask(Some(busy), move |world| {
        let whom = Whom { msisdn: world.phone_of(&asked), shortcode: Some(&shortcode) };
        world.answer(Target::Query, whom, |world, action| world.query(&shortcode, &asked, action))
    });
    Ok(verdict.await?.map(|answer| {
        json!({
            "ResponseCode": "0",
            // Daraja's own spelling.
            "ResponseDescription": "The service request has been accepted successsfully",
            "MerchantRequestID": answer.merchant_request_id,
            "CheckoutRequestID": checkout_request_id,
            "ResultCode": answer.code,
            "ResultDesc": answer.description,
        })
    }))
}

/// The shortcode, once its password is right: base64 of shortcode, passkey and
/// the very timestamp that is sent beside it.
fn authorised_shortcode(app: &App, fields: &Fields) -> Result<String, Refusal> {
    let shortcode = fields.shortcode("BusinessShortCode")?;
    let password = fields.text("Password")?;
    let timestamp = fields.text("Timestamp")?;
    if timestamp.len() != 14 || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::field("Timestamp"));
    }
    if app.config.shortcode(&shortcode).is_none() {
        return Err(Refusal::no_such_merchant());
    }
    let expected = STANDARD.encode(format!("{shortcode}{}{timestamp}", app.config.passkey));
    if password == expected { Ok(shortcode) } else { Err(Refusal::wrong_credentials()) }
}
