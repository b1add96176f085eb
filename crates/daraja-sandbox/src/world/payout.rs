//! Payouts: taken on, decided after a while, told of.

use super::changes::Kind;
use super::phone::BALANCE_CAP;
use super::{Action, CallbackKind, Target, Timer, World, bodies};
use crate::book::{Account, MovementKind};
use crate::draw::{Draw, Purpose};
use crate::nairobi::Local;
use crate::refusal::Refusal;
use jirani_units::{Cents, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};

/// A request to pay out, its fields checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PayoutOrder {
    /// The client's id.
    pub originator_id: String,
    /// The shortcode that pays.
    pub shortcode: String,
    /// Who receives.
    pub msisdn: Msisdn,
    /// Whole shillings.
    pub shillings: i64,
    /// Where the result goes.
    pub result_url: String,
    /// Where a queue timeout would go.
    pub timeout_url: String,
    /// Whether name and credential of the initiator are right.
    pub initiator_right: bool,
}

/// A payout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payout {
    /// What was asked for.
    pub order: PayoutOrder,
    /// M-Pesa's id.
    pub conversation_id: String,
    /// When its result comes.
    pub result_at: Timestamp,
    /// How it ended.
    pub result_code: Option<String>,
}

const SMALLEST_SHILLINGS: i64 = 10;
const LARGEST_SHILLINGS: i64 = 250_000;

fn text(code: &str) -> &'static str {
    match code {
        "0" => "The service request is processed successfully.",
        "1" => "The balance is insufficient for the transaction.",
        "2" => "The amount is less than the minimum allowed.",
        "3" => "The amount is more than the maximum allowed.",
        "8" => "The receiver would exceed the maximum balance.",
        "2001" => "The initiator information is invalid.",
        _ => "The transaction failed.",
    }
}

impl World {
    /// Takes a payout on. Also says whether the answer gets through.
    pub fn order_payout(&mut self, order: PayoutOrder) -> Result<(Payout, bool), Refusal> {
        if order.shortcode != self.config.payout.code {
            return Err(Refusal::no_such_merchant());
        }
        if self.by_originator_id.contains_key(&order.originator_id) {
            return Err(Refusal::duplicate_originator());
        }
        let msisdn = order.msisdn;
        let phone = self.phone_mut(msisdn);
        phone.payouts += 1;
        let nth = phone.payouts;
        self.save_phone(msisdn);
        let mut draw = Draw::new(self.config.seed, Purpose::Payout, msisdn.number(), nth);
        let date = &Local::at(self.now).stamp()[..8];
        let conversation_id = format!("AG_{date}_{}", self.draw_id().hex20());
        let result_at = Timestamp(self.now.0 + draw.delay_us(self.config.payout_delay_ms));
        let payout = Payout { order, conversation_id, result_at, result_code: None };
        let seq = self.next_seq();
        self.timers.insert((result_at, seq, Timer::Payout));
        self.by_originator_id.insert(payout.order.originator_id.clone(), seq);
        self.changes.put(Kind::Payout, &seq.to_string(), &payout);
        self.payouts.insert(seq, payout.clone());
        let answered = self.take_fault(Target::B2cResponse, msisdn) != Some(Action::Lose);
        Ok((payout, answered))
    }

    /// The first reason against a payout, or `0`.
    fn judge(&self, order: &PayoutOrder, amount: Cents) -> &'static str {
        let after = self.balance(order.msisdn).0.saturating_add(amount.0);
        if !order.initiator_right {
            "2001"
        } else if order.shillings < SMALLEST_SHILLINGS {
            "2"
        } else if order.shillings > LARGEST_SHILLINGS {
            "3"
        } else if after > BALANCE_CAP.0 {
            "8"
        } else if self.book.balance(&Account::utility(&order.shortcode)) < amount {
            "1"
        } else {
            "0"
        }
    }

    pub(super) fn finish_payout(&mut self, seq: u64) {
        let Some(payout) = self.payouts.get(&seq).filter(|payout| payout.result_code.is_none()) else {
            return;
        };
        let (order, conversation_id) = (payout.order.clone(), payout.conversation_id.clone());
        let amount = Cents(order.shillings.saturating_mul(100));
        let code = self.judge(&order, amount);
        let paid = code == "0";
        let transaction_id = if paid {
            self.next_receipt()
        } else {
            // A filler that looks like a receipt, as in real failures.
            let stamp = crate::draw::receipt(self.config.seed, self.now, 0);
            format!("{}0000000", &stamp[..3])
        };
        if paid {
            self.move_payout(&order, amount, &transaction_id);
        }
        if let Some(payout) = self.payouts.get_mut(&seq) {
            payout.result_code = Some(code.to_owned());
            let payout = payout.clone();
            self.changes.put(Kind::Payout, &seq.to_string(), &payout);
        }
        let ids = bodies::PayoutIds {
            originator_id: &order.originator_id,
            conversation_id: &conversation_id,
            transaction_id: &transaction_id,
            timeout_url: &order.timeout_url,
        };
        let paid = paid.then(|| bodies::PaidOut {
            shillings: order.shillings,
            msisdn: order.msisdn,
            name: self.phones.get(&order.msisdn).map_or("", |phone| &phone.name),
            at: self.now,
            utility: self.book.balance(&Account::utility(&order.shortcode)),
            charges: self.book.balance(&Account::charges(&order.shortcode)),
        });
        let body = bodies::payout(&ids, (code, text(code)), paid.as_ref());
        let mut lane = Vec::new();
        let about = (CallbackKind::B2c, seq, order.msisdn);
        self.owe(&mut lane, about, (&order.result_url, &order.shortcode), &body);
        self.send(lane);
    }

    fn move_payout(&mut self, order: &PayoutOrder, amount: Cents, receipt: &str) {
        let (utility, charges) = (Account::utility(&order.shortcode), Account::charges(&order.shortcode));
        let proof = (Some(receipt), Some(order.originator_id.as_str()));
        let receiver = Account::Customer(order.msisdn);
        self.book.move_money(self.now, MovementKind::Payout, (utility, receiver), amount, proof);
        let charge = self.config.charge(order.shillings);
        let charged = (charges, Account::Revenue);
        self.book.move_money(self.now, MovementKind::PayoutCharge, charged, charge, proof);
        let balance = self.balance(order.msisdn);
        let text = bodies::received_message(receipt, amount, &self.config.payout.name, self.now, balance);
        self.message(order.msisdn, text);
    }
}
