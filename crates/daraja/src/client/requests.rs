//! Each request's body, as Daraja wants it spelt.

use super::DarajaClient;
use crate::ask::{
    AskAccepted, BalanceRequest, FloatMove, FloatRoute, OwnShortcode, ReversalRequest, StatusRequest,
    TransactionName,
};
use crate::mpesa::{
    B2cAccepted, B2cRequest, C2bRegistration, Mpesa, QueryOutcome, SendError, StkAccepted, StkRequest,
};
use crate::nairobi;
use crate::options::CollectsBy;
use crate::pull::{PULL_REACH_S, PullPage, PullRegistration, PullRequest};
use crate::qr::{QrCode, QrRequest};
use async_trait::async_trait;
use jirani_units::{Cents, Msisdn};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// What one prompt, reversal or float transfer may move, in shillings.
const SHILLINGS: RangeInclusive<i64> = 1..=250_000;
/// What one payout may send, in shillings.
const PAYOUT_SHILLINGS: RangeInclusive<i64> = 10..=250_000;
/// Widths of a QR code, in pixels.
const QR_PX: RangeInclusive<u16> = 50..=1_000;

#[async_trait]
impl Mpesa for DarajaClient {
    async fn stk_push(&self, request: StkRequest) -> Result<StkAccepted, SendError> {
        within(request.shillings, &SHILLINGS)?;
        let (password, timestamp) = self.password();
        let msisdn = request.msisdn.number().to_string();
        let (kind, payee) = match &self.collects_by {
            CollectsBy::PayBill => ("CustomerPayBillOnline", &self.config.shortcode),
            CollectsBy::Till { till } => ("CustomerBuyGoodsOnline", till),
        };
        let body = json!({
            "BusinessShortCode": self.config.shortcode,
            "Password": password,
            "Timestamp": timestamp,
            "TransactionType": kind,
            "Amount": request.shillings.to_string(),
            "PartyA": msisdn,
            "PartyB": payee,
            "PhoneNumber": msisdn,
            "CallBackURL": request.callback_url,
            "AccountReference": request.reference.as_str(),
            "TransactionDesc": "Electricity",
        });
        self.post("/mpesa/stkpush/v1/processrequest", &body).await?.stk_push()
    }

    async fn stk_query(&self, checkout_request_id: &str) -> QueryOutcome {
        let (password, timestamp) = self.password();
        let body = json!({
            "BusinessShortCode": self.config.shortcode,
            "Password": password,
            "Timestamp": timestamp,
            "CheckoutRequestID": checkout_request_id,
        });
        match self.post("/mpesa/stkpushquery/v1/query", &body).await {
            Ok(reply) => reply.stk_query(checkout_request_id),
            Err(error) => {
                tracing::debug!(%error, "an STK query got no answer");
                QueryOutcome::Pending
            }
        }
    }

    async fn b2c(&self, request: B2cRequest) -> Result<B2cAccepted, SendError> {
        within(request.shillings, &PAYOUT_SHILLINGS)?;
        let body = json!({
            "OriginatorConversationID": request.originator_id,
            "InitiatorName": self.payout_user.name,
            "SecurityCredential": self.payout_user.credential.expose(),
            "CommandID": "BusinessPayment",
            "Amount": request.shillings.to_string(),
            "PartyA": self.config.b2c_shortcode,
            "PartyB": request.msisdn.number().to_string(),
            "Remarks": "Energy sale",
            "QueueTimeOutURL": request.timeout_url,
            "ResultURL": request.result_url,
            // Daraja's own spelling.
            "Occassion": "Withdrawal",
        });
        self.post("/mpesa/b2c/v3/paymentrequest", &body).await?.b2c(&request.originator_id)
    }

    fn payout_charge(&self, shillings: i64) -> Cents {
        self.config.charges.charge(shillings)
    }

    async fn transaction_status(&self, request: StatusRequest) -> Result<AskAccepted, SendError> {
        let actor = self.actor(request.of);
        let mut body = json!({
            "Initiator": actor.user.name,
            "SecurityCredential": actor.user.credential.expose(),
            "CommandID": "TransactionStatusQuery",
            "PartyA": actor.shortcode,
            "IdentifierType": actor.identifier_type,
            "ResultURL": request.answer.result_url,
            "QueueTimeOutURL": request.answer.timeout_url,
            "Remarks": "Status",
            "Occasion": "Status",
        });
        match request.transaction {
            TransactionName::Receipt(receipt) => body["TransactionID"] = Value::from(receipt.as_str()),
            TransactionName::Originator(id) => body["OriginalConversationID"] = Value::from(id),
        }
        self.post("/mpesa/transactionstatus/v1/query", &body).await?.ask()
    }

    async fn account_balance(&self, request: BalanceRequest) -> Result<AskAccepted, SendError> {
        let actor = self.actor(request.of);
        let body = json!({
            "Initiator": actor.user.name,
            "SecurityCredential": actor.user.credential.expose(),
            "CommandID": "AccountBalance",
            "PartyA": actor.shortcode,
            "IdentifierType": actor.identifier_type,
            "ResultURL": request.answer.result_url,
            "QueueTimeOutURL": request.answer.timeout_url,
            "Remarks": "Balance",
        });
        self.post("/mpesa/accountbalance/v1/query", &body).await?.ask()
    }

    async fn reverse(&self, request: ReversalRequest) -> Result<AskAccepted, SendError> {
        within(request.shillings, &SHILLINGS)?;
        let actor = self.actor(OwnShortcode::Collection);
        let body = json!({
            "Initiator": actor.user.name,
            "SecurityCredential": actor.user.credential.expose(),
            "CommandID": "TransactionReversal",
            "TransactionID": request.receipt.as_str(),
            "Amount": request.shillings.to_string(),
            "ReceiverParty": actor.shortcode,
            // Daraja's own spelling; 11 is an organisation, PayBill or till.
            "RecieverIdentifierType": "11",
            "ResultURL": request.answer.result_url,
            "QueueTimeOutURL": request.answer.timeout_url,
            "Remarks": "Payment given back",
            "Occasion": "Reversal",
        });
        self.post("/mpesa/reversal/v1/request", &body).await?.ask()
    }

    async fn move_float(&self, request: FloatMove) -> Result<AskAccepted, SendError> {
        within(request.shillings, &SHILLINGS)?;
        let (command, from, to) = match request.route {
            FloatRoute::CollectionToPayout => {
                ("BusinessPayToBulk", OwnShortcode::Collection, OwnShortcode::Payout)
            }
            FloatRoute::WorkingToUtility => {
                ("BusinessTransferFromMMFToUtility", OwnShortcode::Payout, OwnShortcode::Payout)
            }
        };
        let (from, to) = (self.actor(from), self.actor(to));
        let body = json!({
            "Initiator": from.user.name,
            "SecurityCredential": from.user.credential.expose(),
            "CommandID": command,
            "SenderIdentifierType": from.identifier_type,
            "RecieverIdentifierType": to.identifier_type,
            "Amount": request.shillings.to_string(),
            "PartyA": from.shortcode,
            "PartyB": to.shortcode,
            "AccountReference": request.reference,
            "Remarks": "Float",
            "QueueTimeOutURL": request.answer.timeout_url,
            "ResultURL": request.answer.result_url,
        });
        self.post("/mpesa/b2b/v1/paymentrequest", &body).await?.ask()
    }

    async fn pull_register(
        &self,
        nominated: Msisdn,
        callback_url: &str,
    ) -> Result<PullRegistration, SendError> {
        let body = json!({
            "ShortCode": self.config.shortcode,
            "RequestType": "Pull",
            "NominatedNumber": nominated.number().to_string(),
            "CallBackURL": callback_url,
        });
        self.post("/pulltransactions/v1/register", &body).await?.pull_registration()
    }

    async fn pull(&self, request: PullRequest) -> Result<PullPage, SendError> {
        let earliest = self.clock.now().plus_seconds(-PULL_REACH_S);
        if request.from >= request.until || request.until < earliest {
            return Err(SendError::NotSent {
                code: "mpesa.pull_window".to_owned(),
                message: "the list of payments is asked for from a moment to a later one, and reaches back \
                          48 hours"
                    .to_owned(),
            });
        }
        let body = json!({
            "ShortCode": self.config.shortcode,
            "StartDate": nairobi::sentence(request.from),
            "EndDate": nairobi::sentence(request.until),
            "OffSetValue": request.offset.to_string(),
        });
        self.post("/pulltransactions/v1/query", &body).await?.pull(&request)
    }

    async fn register_c2b(
        &self,
        confirmation_url: &str,
        validation_url: &str,
    ) -> Result<C2bRegistration, SendError> {
        let body = json!({
            "ShortCode": self.config.shortcode,
            // Payments go through when our validation does not answer.
            "ResponseType": "Completed",
            "ConfirmationURL": confirmation_url,
            "ValidationURL": validation_url,
        });
        self.post("/mpesa/c2b/v2/registerurl", &body).await?.c2b_registration()
    }

    async fn dynamic_qr(&self, request: QrRequest) -> Result<QrCode, SendError> {
        within(request.shillings, &SHILLINGS)?;
        let size = request.size_px.clamp(*QR_PX.start(), *QR_PX.end());
        let (kind, payee) = match &self.collects_by {
            CollectsBy::PayBill => ("PB", &self.config.shortcode),
            CollectsBy::Till { till } => ("BG", till),
        };
        let body = json!({
            "MerchantName": request.merchant_name.chars().take(22).collect::<String>(),
            "RefNo": request.reference.as_str(),
            "Amount": request.shillings,
            "TrxCode": kind,
            "CPI": payee,
            "Size": size.to_string(),
        });
        self.post("/mpesa/qrcode/v1/generate", &body).await?.qr()
    }
}

fn within(shillings: i64, range: &RangeInclusive<i64>) -> Result<(), SendError> {
    if range.contains(&shillings) {
        return Ok(());
    }
    Err(SendError::NotSent {
        code: "mpesa.amount_out_of_bounds".to_owned(),
        message: format!("M-Pesa takes KSh {} to {} here, not {shillings}", range.start(), range.end()),
    })
}

impl DarajaClient {
    /// [`Mpesa::register_c2b`].
    pub async fn register_c2b_urls(
        &self,
        confirmation_url: &str,
        validation_url: &str,
    ) -> Result<C2bRegistration, SendError> {
        self.register_c2b(confirmation_url, validation_url).await
    }
}
