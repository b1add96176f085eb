//! `POST /mpesa/b2c/v3/paymentrequest`.

use super::App;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::refusal::Refusal;
use crate::world::PayoutOrder;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

pub async fn pay(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let result = try_pay(&app, &headers, &body).await;
    app.answer(result)
}

async fn try_pay(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<(Value, bool), Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, "OriginatorConversationID")?;
    let originator_id = fields.short("OriginatorConversationID", 100)?;
    let initiator = fields.text("InitiatorName")?;
    let credential = fields.text("SecurityCredential")?;
    let command = fields.text("CommandID")?;
    if !matches!(command.as_str(), "BusinessPayment" | "SalaryPayment" | "PromotionPayment") {
        return Err(Refusal::field("CommandID"));
    }
    let credential_right = app.credential.as_ref().is_none_or(|reader| reader.opens(&credential));
    if fields.short("Remarks", 100)?.chars().count() < 2 {
        return Err(Refusal::field("Remarks"));
    }
    if fields.text("Occassion").is_ok() {
        fields.short("Occassion", 100)?;
    }
    let order = PayoutOrder {
        originator_id,
        shortcode: fields.shortcode("PartyA")?,
        msisdn: fields.msisdn("PartyB")?,
        shillings: fields.shillings("Amount")?,
        result_url: fields.url("ResultURL")?,
        timeout_url: fields.url("QueueTimeOutURL")?,
        initiator_right: initiator == app.config.initiator_name && credential_right,
    };
    let busy = app.clock.busy();
    let (payout, gets_through) = app.core.ask(Some(busy), move |world| world.order_payout(order)).await??;
    let body = json!({
        "ConversationID": payout.conversation_id,
        "OriginatorConversationID": payout.order.originator_id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    });
    Ok((body, gets_through))
}
