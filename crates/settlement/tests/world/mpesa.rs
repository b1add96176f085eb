//! M-Pesa in memory, with faults to order: answers that get lost, requests that
//! never arrive, callbacks made by the test, early, late, twice or never.

use async_trait::async_trait;
use jirani_daraja::{
    AskAccepted, B2cAccepted, B2cRequest, Mpesa, PayoutCharges, PullPage, PullRequest, PulledPayment,
    QueryOutcome, SendError, StatusRequest, StkAccepted, StkRequest, TransactionName, nairobi,
};
use jirani_units::{Cents, Receipt, Timestamp};
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

/// How the next request fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Taken on, but the answer is lost.
    AnswerLost,
    /// It never arrives, and nobody can tell.
    NeverArrives,
    /// Certainly not taken on.
    Refused,
}

/// A prompt on a phone.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub id: String,
    pub shillings: i64,
    pub reference: String,
    pub secret: String,
}

/// A payment that has moved money.
#[derive(Clone, Debug)]
pub struct Paid {
    pub receipt: String,
    pub cents: i64,
    pub at: Timestamp,
}

/// A payout taken on.
#[derive(Clone, Debug)]
pub struct Payout {
    pub originator_id: String,
    pub conversation_id: String,
    pub shillings: i64,
    pub secret: String,
}

#[derive(Default)]
struct State {
    prompts: Vec<Prompt>,
    payouts: Vec<Payout>,
    push_fates: VecDeque<Fate>,
    b2c_fates: VecDeque<Fate>,
    queries: HashMap<String, QueryOutcome>,
    asked: usize,
    b2c_requests: usize,
    receipts: u64,
    collected: i64,
    paid_out: i64,
    charged: i64,
    /// The list of payments.
    list: Vec<PulledPayment>,
    pulls: usize,
    /// Whatever page is asked for, the list is the same.
    list_repeats: bool,
    /// Ids that were asked about; none is answered before [`TestMpesa::offer_status`].
    status: Option<Vec<String>>,
}

#[derive(Default)]
pub struct TestMpesa(Mutex<State>);

impl TestMpesa {
    pub fn push_fate(&self, fate: Fate) {
        self.0.lock().unwrap().push_fates.push_back(fate);
    }

    pub fn b2c_fate(&self, fate: Fate) {
        self.0.lock().unwrap().b2c_fates.push_back(fate);
    }

    pub fn prompts(&self) -> Vec<Prompt> {
        self.0.lock().unwrap().prompts.clone()
    }

    pub fn prompt(&self) -> Prompt {
        self.prompts().pop().expect("a prompt was sent")
    }

    pub fn payouts(&self) -> Vec<Payout> {
        self.0.lock().unwrap().payouts.clone()
    }

    pub fn b2c_requests(&self) -> usize {
        self.0.lock().unwrap().b2c_requests
    }

    /// How many queries were asked.
    pub fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    /// What queries about `prompt` say from now on.
    pub fn query_says(&self, prompt: &Prompt, outcome: QueryOutcome) {
        self.0.lock().unwrap().queries.insert(prompt.id.clone(), outcome);
    }

    /// A payer pays: the money moves, nobody is told yet.
    pub fn pay(&self, cents: i64, at: Timestamp) -> Paid {
        let mut state = self.0.lock().unwrap();
        state.receipts += 1;
        state.collected += cents;
        Paid { receipt: format!("UJ3TEST{:03}", state.receipts), cents, at }
    }

    /// A payout reaches the receiver: the money moves, nobody is told yet.
    pub fn pay_out(&self, payout: &Payout) -> String {
        let mut state = self.0.lock().unwrap();
        state.receipts += 1;
        state.paid_out += payout.shillings * 100;
        state.charged += PayoutCharges::default().charge(payout.shillings).0;
        format!("UJ3TEST{:03}", state.receipts)
    }

    /// A payment stands on the list, under this account reference.
    pub fn list(&self, paid: &Paid, reference: &str) {
        let row = PulledPayment {
            receipt: paid.receipt.parse().unwrap(),
            amount: Cents(paid.cents),
            paid_at: Some(paid.at),
            bill_reference: reference.to_owned(),
            msisdn: None,
            kind: "c2b-pay-bill-debit".to_owned(),
        };
        self.0.lock().unwrap().list.push(row);
    }

    /// How often the list was read.
    pub fn pulls(&self) -> usize {
        self.0.lock().unwrap().pulls
    }

    /// From now on the list does not look at which page is asked for.
    pub fn list_repeats_itself(&self) {
        self.0.lock().unwrap().list_repeats = true;
    }

    /// From now on M-Pesa takes questions about transactions.
    pub fn offer_status(&self) {
        self.0.lock().unwrap().status = Some(Vec::new());
    }

    /// Ids that were asked about.
    pub fn asked_about(&self) -> Vec<String> {
        self.0.lock().unwrap().status.clone().unwrap_or_default()
    }

    /// M-Pesa gives a payment back to its payer; nobody is told.
    pub fn take_back(&self, paid: &Paid) -> Receipt {
        let mut state = self.0.lock().unwrap();
        state.receipts += 1;
        state.collected -= paid.cents;
        format!("UJ3TEST{:03}", state.receipts).parse().unwrap()
    }

    /// Collected, paid out, charged: what M-Pesa's statement says, in cents.
    pub fn statement(&self) -> (i64, i64, i64) {
        let state = self.0.lock().unwrap();
        (state.collected, state.paid_out, state.charged)
    }
}

fn secret_of(url: &str, after: &str) -> String {
    let rest = url.split(after).nth(1).unwrap();
    rest.split('/').next().unwrap().to_owned()
}

pub fn stk_paid(prompt: &Prompt, paid: &Paid) -> Vec<u8> {
    let items = json!([
        {"Name": "Amount", "Value": format!("{}.{:02}", paid.cents / 100, paid.cents % 100)},
        {"Name": "MpesaReceiptNumber", "Value": paid.receipt.to_lowercase()},
        {"Name": "Balance"},
        {"Name": "TransactionDate", "Value": nairobi::stamp(paid.at).parse::<u64>().unwrap()},
        {"Name": "PhoneNumber", "Value": "2547 ***** 126"},
    ]);
    stk(&prompt.id, "0", Some(items))
}

pub fn stk_refused(prompt: &Prompt, code: &str) -> Vec<u8> {
    stk(&prompt.id, code, None)
}

fn stk(id: &str, code: &str, items: Option<serde_json::Value>) -> Vec<u8> {
    let mut callback = json!({"CheckoutRequestID": id, "ResultCode": code, "ResultDesc": "text"});
    if let Some(items) = items {
        callback["CallbackMetadata"] = json!({"Item": items});
    }
    json!({"Body": {"stkCallback": callback}}).to_string().into_bytes()
}

pub fn c2b(paid: &Paid, reference: &str) -> Vec<u8> {
    let body = json!({
        "TransactionType": "Pay Bill",
        "TransID": paid.receipt,
        "TransTime": nairobi::stamp(paid.at),
        "TransAmount": format!("{}.{:02}", paid.cents / 100, paid.cents % 100),
        "BusinessShortCode": "600000",
        "BillRefNumber": reference,
        "MSISDN": "2547 ***** 126",
    });
    body.to_string().into_bytes()
}

pub fn b2c_result(payout: &Payout, code: &str, receipt: &str) -> Vec<u8> {
    let mut result = json!({
        "ResultType": 0,
        "ResultCode": code,
        "OriginatorConversationID": payout.originator_id,
        "ConversationID": payout.conversation_id,
        "TransactionID": receipt,
    });
    if code == "0" {
        result["ResultParameters"] = json!({"ResultParameter": [
            {"Key": "TransactionAmount", "Value": payout.shillings},
            {"Key": "TransactionReceipt", "Value": receipt},
        ]});
    }
    json!({"Result": result}).to_string().into_bytes()
}

#[async_trait]
impl Mpesa for TestMpesa {
    async fn stk_push(&self, request: StkRequest) -> Result<StkAccepted, SendError> {
        let mut state = self.0.lock().unwrap();
        let fate = state.push_fates.pop_front();
        match fate {
            Some(Fate::Refused) => {
                return Err(SendError::NotSent { code: "400.002.02".to_owned(), message: String::new() });
            }
            Some(Fate::NeverArrives) => return Err(SendError::Unknown { message: "timeout".to_owned() }),
            Some(Fate::AnswerLost) | None => {}
        }
        let prompt = Prompt {
            id: format!("ws_CO_{}", state.prompts.len() + 1),
            shillings: request.shillings,
            reference: request.reference.to_string(),
            secret: secret_of(&request.callback_url, "/hooks/stk/"),
        };
        state.prompts.push(prompt.clone());
        match fate {
            Some(_) => Err(SendError::Unknown { message: "timeout".to_owned() }),
            None => Ok(StkAccepted { checkout_request_id: prompt.id }),
        }
    }

    async fn stk_query(&self, checkout_request_id: &str) -> QueryOutcome {
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        state.queries.get(checkout_request_id).cloned().unwrap_or(QueryOutcome::Pending)
    }

    async fn b2c(&self, request: B2cRequest) -> Result<B2cAccepted, SendError> {
        let mut state = self.0.lock().unwrap();
        state.b2c_requests += 1;
        let fate = state.b2c_fates.pop_front();
        match fate {
            Some(Fate::Refused) => {
                return Err(SendError::NotSent { code: "500.003.02".to_owned(), message: String::new() });
            }
            Some(Fate::NeverArrives) => return Err(SendError::Unknown { message: "timeout".to_owned() }),
            Some(Fate::AnswerLost) | None => {}
        }
        if state.payouts.iter().any(|payout| payout.originator_id == request.originator_id) {
            return Err(SendError::Duplicate);
        }
        let payout = Payout {
            conversation_id: format!("AG_{}", state.payouts.len() + 1),
            originator_id: request.originator_id,
            shillings: request.shillings,
            secret: secret_of(&request.result_url, "/hooks/b2c/"),
        };
        state.payouts.push(payout.clone());
        match fate {
            Some(_) => Err(SendError::Unknown { message: "timeout".to_owned() }),
            None => Ok(B2cAccepted { conversation_id: payout.conversation_id }),
        }
    }

    fn payout_charge(&self, shillings: i64) -> Cents {
        PayoutCharges::default().charge(shillings)
    }

    async fn transaction_status(&self, request: StatusRequest) -> Result<AskAccepted, SendError> {
        let mut state = self.0.lock().unwrap();
        let Some(asked) = &mut state.status else { return Err(SendError::not_offered("status")) };
        let TransactionName::Originator(id) = request.transaction else { panic!("asked by receipt") };
        asked.push(id);
        Ok(AskAccepted { conversation_id: "AG_ASK".to_owned(), originator_id: None })
    }

    async fn pull(&self, request: PullRequest) -> Result<PullPage, SendError> {
        let mut state = self.0.lock().unwrap();
        state.pulls += 1;
        let within =
            |row: &&PulledPayment| row.paid_at.is_none_or(|at| request.from <= at && at <= request.until);
        let payments: Vec<_> = state.list.iter().filter(within).cloned().collect();
        let next_offset = state.list_repeats.then_some(request.offset + 1);
        Ok(PullPage { payments, unreadable: 0, next_offset })
    }
}

/// An answer to a question about a payout.
pub fn status(payout: &Payout, word: &str, receipt: &str) -> Vec<u8> {
    let items = json!([
        {"Key": "TransactionStatus", "Value": word},
        {"Key": "Amount", "Value": format!("{}.00", payout.shillings)},
        {"Key": "ReceiptNo", "Value": receipt},
        {"Key": "OriginatorConversationID", "Value": payout.originator_id},
    ]);
    let result = json!({
        "ResultType": "0",
        "ResultCode": "0",
        "OriginatorConversationID": "asked-1",
        "ConversationID": "AG_ASK",
        "TransactionID": "UJ30000000",
        "ResultParameters": {"ResultParameter": items},
    });
    json!({"Result": result}).to_string().into_bytes()
}

/// An answer that M-Pesa cannot say what became of it.
pub fn no_status() -> Vec<u8> {
    let result = json!({"ResultType": "0", "ResultCode": "25", "ConversationID": "AG_ASK"});
    json!({"Result": result}).to_string().into_bytes()
}
