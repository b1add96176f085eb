//! `POST /mpesa/c2b/v2/registerurl` and `/mpesa/c2b/v2/simulate`.

use super::App;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use crate::world::{C2bUrls, Payment};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Words that Daraja does not take in C2B addresses.
const BAD_WORDS: [&str; 7] = ["mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query"];

pub async fn register(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let result = try_register(&app, &headers, &body).await;
    app.answer(result)
}

async fn try_register(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<(Value, bool), Refusal> {
    auth::check(app, headers, Family::C2b)?;
    let fields = Fields::read(headers, body, "ShortCode")?;
    let shortcode = fields.shortcode("ShortCode")?;
    if !matches!(fields.text("ResponseType")?.as_str(), "Completed" | "Cancelled") {
        return Err(Refusal::field("ResponseType"));
    }
    let url = |name| {
        let url = fields.url(name)?;
        let lower = url.to_ascii_lowercase();
        if BAD_WORDS.iter().any(|word| lower.contains(word)) { Err(Refusal::field(name)) } else { Ok(url) }
    };
    let urls = C2bUrls { confirmation: url("ConfirmationURL")?, validation: url("ValidationURL")? };
    let busy = app.clock.busy();
    app.core.ask(Some(busy), move |world| world.register_c2b(&shortcode, urls)).await??;
    Ok((accepted(app, "Success"), true))
}

pub async fn simulate(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let result = try_simulate(&app, &headers, &body).await;
    app.answer(result)
}

async fn try_simulate(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<(Value, bool), Refusal> {
    auth::check(app, headers, Family::C2b)?;
    let fields = Fields::read(headers, body, "ShortCode")?;
    let shortcode = fields.shortcode("ShortCode")?;
    if !matches!(fields.text("CommandID")?.as_str(), "CustomerPayBillOnline" | "CustomerBuyGoodsOnline") {
        return Err(Refusal::field("CommandID"));
    }
    let shillings = fields.shillings("Amount")?;
    let msisdn = fields.msisdn("Msisdn")?;
    let reference = fields.short("BillRefNumber", 20)?;
    let busy = app.clock.busy();
    let paid = app.core.ask(Some(busy), move |world| {
        world.pay_by_hand(&Payment { msisdn, shortcode: &shortcode, shillings, reference: &reference })
    });
    paid.await??;
    Ok((accepted(app, "Accept the service request successfully."), true))
}

fn accepted(app: &App, description: &str) -> Value {
    let nth = app.requests.fetch_add(1, Ordering::Relaxed);
    let id = Draw::new(app.config.seed, Purpose::Id, app.start, nth).dashed();
    // Daraja's own spelling.
    json!({"OriginatorCoversationID": id, "ResponseCode": "0", "ResponseDescription": description})
}
