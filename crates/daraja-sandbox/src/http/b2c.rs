//! `POST /mpesa/b2c/v3/paymentrequest`, v1, and `/mpesa/b2pochi/v1/paymentrequest`.

use super::App;
use super::answer::Body;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::action::Target;
use crate::refusal::Refusal;
use crate::world::{PayoutOrder, Verdict, Whom};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// What differs between the versions.
#[derive(Clone, Copy)]
struct Version {
    /// The field that is blamed for a body that is not said to be JSON.
    first: &'static str,
    /// Whether the client names the request.
    named: bool,
    /// Daraja's spelling of the occasion.
    occasion: &'static str,
    /// What a payment can be for.
    commands: &'static [&'static str],
}

const COMMANDS: &[&str] = &["BusinessPayment", "SalaryPayment", "PromotionPayment"];

const V3: Version =
    Version { first: "OriginatorConversationID", named: true, occasion: "Occassion", commands: COMMANDS };
const V1: Version =
    Version { first: "InitiatorName", named: false, occasion: "Occasion", commands: COMMANDS };
const POCHI: Version = Version { commands: &["BusinessPayToPochi"], ..V3 };

pub async fn pay_v3(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = pay(&app, &headers, &body, V3).await;
    app.conclude(Family::Express, result).await
}

pub async fn pay_v1(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = pay(&app, &headers, &body, V1).await;
    app.conclude(Family::Express, result).await
}

pub async fn pay_pochi(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = pay(&app, &headers, &body, POCHI).await;
    app.conclude(Family::Express, result).await
}

async fn pay(
    app: &App,
    headers: &HeaderMap,
    body: &Body,
    version: Version,
) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, version.first)?;
    let originator_id =
        if version.named { fields.short("OriginatorConversationID", 100)? } else { String::new() };
    let initiator_right = app.initiator_right(&fields, "InitiatorName")?;
    fields.one_of("CommandID", version.commands)?;
    if fields.short("Remarks", 100)?.chars().count() < 2 {
        return Err(Refusal::field("Remarks"));
    }
    fields.maybe_short(version.occasion, 100)?;
    let order = PayoutOrder {
        originator_id,
        shortcode: fields.shortcode("PartyA")?,
        msisdn: fields.msisdn("PartyB")?,
        shillings: fields.shillings("Amount")?,
        result_url: fields.url("ResultURL")?,
        timeout_url: fields.url("QueueTimeOutURL")?,
        initiator_right,
    };
    let busy = app.clock.busy();
    let verdict = app.core.ask(Some(busy), move |world| {
        let (msisdn, shortcode) = (order.msisdn, order.shortcode.clone());
        world
            .answer(Target::B2cResponse, Whom::both(msisdn, &shortcode), |world, _| world.order_payout(order))
    });
    Ok(verdict.await?.map(|payout| {
        json!({
            "ConversationID": payout.conversation_id,
            "OriginatorConversationID": payout.order.originator_id,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        })
    }))
}

impl App {
    /// Whether name and credential of the initiator are right; both must be there.
    pub fn initiator_right(&self, fields: &Fields, name: &str) -> Result<bool, Refusal> {
        let initiator = fields.text(name)?;
        let credential = fields.text("SecurityCredential")?;
        let opens = self.credential.as_ref().is_none_or(|reader| reader.opens(&credential));
        Ok(opens && initiator == self.config.initiator_name)
    }
}
