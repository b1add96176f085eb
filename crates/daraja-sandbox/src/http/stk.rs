//! `POST /mpesa/stkpush/v1/processrequest` and `/mpesa/stkpushquery/v1/query`.

use super::App;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::refusal::Refusal;
use crate::world::Push;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;

const LARGEST_SHILLINGS: i64 = 250_000;

pub async fn push(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let result = try_push(&app, &headers, &body).await;
    app.answer(result)
}

async fn try_push(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<(Value, bool), Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, "BusinessShortCode")?;
    let shortcode = authorised_shortcode(app, &fields)?;
    let kind = fields.text("TransactionType")?;
    if !matches!(kind.as_str(), "CustomerPayBillOnline" | "CustomerBuyGoodsOnline") {
        return Err(Refusal::field("TransactionType"));
    }
    let shillings = fields.shillings("Amount")?;
    if shillings > LARGEST_SHILLINGS {
        return Err(Refusal::field("Amount"));
    }
    fields.msisdn("PartyA")?;
    fields.shortcode("PartyB")?;
    let msisdn = fields.msisdn("PhoneNumber")?;
    let callback_url = fields.url("CallBackURL")?;
    let reference = fields.short("AccountReference", 12)?;
    if fields.text("TransactionDesc").is_ok() {
        fields.short("TransactionDesc", 13)?;
    }
    let busy = app.clock.busy();
    let push = Push { shortcode, msisdn, shillings, reference, callback_url };
    let (prompt, gets_through) = app.core.ask(Some(busy), move |world| world.push(push)).await??;
    let text = "Success. Request accepted for processing";
    let body = json!({
        "MerchantRequestID": prompt.merchant_request_id,
        "CheckoutRequestID": prompt.checkout_request_id,
        "ResponseCode": "0",
        "ResponseDescription": text,
        "CustomerMessage": text,
    });
    Ok((body, gets_through))
}

pub async fn query(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let result = try_query(&app, &headers, &body).await;
    app.answer(result)
}

async fn try_query(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<(Value, bool), Refusal> {
    auth::check(app, headers, Family::Express)?;
    if !auth::query_allowed(app) {
        return Err(Refusal::spike_arrest());
    }
    let fields = Fields::read(headers, body, "BusinessShortCode")?;
    let shortcode = authorised_shortcode(app, &fields)?;
    let checkout_request_id = fields.text("CheckoutRequestID")?;
    let asked = checkout_request_id.clone();
    let busy = app.clock.busy();
    let answer = app.core.ask(Some(busy), move |world| world.query(&shortcode, &asked)).await??;
    let body = json!({
        "ResponseCode": "0",
        // Daraja's own spelling.
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": answer.merchant_request_id,
        "CheckoutRequestID": checkout_request_id,
        "ResultCode": answer.code,
        "ResultDesc": answer.description,
    });
    Ok((body, true))
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
    if shortcode != app.config.collection.code {
        return Err(Refusal::no_such_merchant());
    }
    let expected = STANDARD.encode(format!("{shortcode}{}{timestamp}", app.config.passkey));
    if password == expected { Ok(shortcode) } else { Err(Refusal::wrong_credentials()) }
}
