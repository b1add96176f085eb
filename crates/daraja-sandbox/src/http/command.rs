//! Transaction status, account balance, reversal and B2B: answered at once,
//! done later.

use super::App;
use super::answer::Body;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::action::Target;
use crate::refusal::Refusal;
use crate::world::{Ask, B2bCommand, CommandOrder, StatusOf, Verdict, Whom};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Kinds of identifiers: a phone, a till, a shortcode.
const IDENTIFIERS: &[&str] = &["1", "2", "4"];

/// `POST /mpesa/transactionstatus/v1/query`.
pub async fn status(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_status(&app, &headers, &body).await;
    app.conclude(Family::C2b, result).await
}

async fn try_status(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::C2b)?;
    let fields = Fields::read(headers, body, "Initiator")?;
    // The official sample writes these two with a space; nobody else does.
    fields.one_of(fields.either(&["CommandID", "Command ID"]), &["TransactionStatusQuery"])?;
    fields.one_of("IdentifierType", IDENTIFIERS)?;
    let receipt = fields.either(&["TransactionID", "Transaction ID"]);
    let conversation = fields.either(&["OriginalConversationID", "OriginatorConversationID"]);
    let of = if fields.has(receipt) || !fields.has(conversation) {
        StatusOf::Receipt(fields.short(receipt, 40)?)
    } else {
        StatusOf::Conversation(fields.short(conversation, 100)?)
    };
    order(app, &fields, "Initiator", fields.shortcode("PartyA")?, Ask::Status(of), Target::StatusResponse)
        .await
}

/// `POST /mpesa/accountbalance/v1/query`.
pub async fn balance(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_balance(&app, &headers, &body).await;
    app.conclude(Family::Balance, result).await
}

async fn try_balance(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Balance)?;
    let fields = Fields::read(headers, body, "Initiator")?;
    fields.one_of("CommandID", &["AccountBalance"])?;
    fields.one_of("IdentifierType", IDENTIFIERS)?;
    order(app, &fields, "Initiator", fields.shortcode("PartyA")?, Ask::Balance, Target::BalanceResponse).await
}

/// `POST /mpesa/reversal/v1/request`.
pub async fn reversal(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_reversal(&app, &headers, &body).await;
    app.conclude(Family::Express, result).await
}

async fn try_reversal(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, "Initiator")?;
    fields.one_of("CommandID", &["TransactionReversal"])?;
    // Daraja's own spelling.
    fields.one_of(fields.either(&["RecieverIdentifierType", "ReceiverIdentifierType"]), &["11", "4"])?;
    let receipt = fields.short("TransactionID", 40)?;
    let ask = Ask::Reversal { receipt, shillings: fields.shillings("Amount")? };
    order(app, &fields, "Initiator", fields.shortcode("ReceiverParty")?, ask, Target::ReversalResponse).await
}

/// `POST /mpesa/b2b/v1/paymentrequest`.
pub async fn b2b(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_b2b(&app, &headers, &body).await;
    app.conclude(Family::Express, result).await
}

async fn try_b2b(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, "Initiator")?;
    let command = match fields.text("CommandID")?.as_str() {
        "BusinessPayBill" => B2bCommand::PayBill,
        "BusinessBuyGoods" => B2bCommand::BuyGoods,
        "BusinessPayToBulk" => B2bCommand::PayToBulk,
        "BusinessTransferFromMMFToUtility" => B2bCommand::WorkingToUtility,
        _ => return Err(Refusal::field("CommandID")),
    };
    for side in [["SenderIdentifierType"; 2], ["RecieverIdentifierType", "ReceiverIdentifierType"]] {
        fields.one_of(fields.either(&side), IDENTIFIERS)?;
    }
    let ask = Ask::B2b {
        command,
        receiver: fields.shortcode("PartyB")?,
        shillings: fields.shillings("Amount")?,
        reference: fields.maybe_short("AccountReference", 20)?.unwrap_or_default(),
    };
    let initiator = fields.either(&["Initiator", "InitiatorName"]);
    order(app, &fields, initiator, fields.shortcode("PartyA")?, ask, Target::B2bResponse).await
}

/// Takes a command on, its own fields checked.
async fn order(
    app: &App,
    fields: &Fields,
    initiator: &str,
    shortcode: String,
    ask: Ask,
    target: Target,
) -> Result<Verdict<Value>, Refusal> {
    let initiator_right = app.initiator_right(fields, initiator)?;
    fields.maybe_short("Remarks", 100)?;
    let order = CommandOrder {
        ask,
        shortcode,
        initiator_right,
        result_url: fields.url("ResultURL")?,
        timeout_url: fields.url(fields.either(&["QueueTimeOutURL", "QueueTimeoutURL"]))?,
    };
    let busy = app.clock.busy();
    let verdict = app.core.ask(Some(busy), move |world| {
        let shortcode = order.shortcode.clone();
        world.answer(target, Whom::business(&shortcode), |world, _| world.order_command(order))
    });
    Ok(verdict.await?.map(|command| {
        json!({
            "OriginatorConversationID": command.originator_id,
            "ConversationID": command.conversation_id,
            "ResponseCode": "0",
            "ResponseDescription": "Accept the service request successfully.",
        })
    }))
}
