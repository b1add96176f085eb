//! Payouts: taken on, decided after a while, told of.

use super::changes::Kind;
use super::{CallbackKind, News, Timer, Whom, World, bodies, results};
use crate::action::{Action, Actions, Target};
use crate::book::{Account, MovementKind};
use crate::draw::{Draw, Purpose};
use crate::nairobi::Local;
use crate::refusal::Refusal;
use jirani_units::{Cents, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};

/// A request to pay out, its fields checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PayoutOrder {
    /// The client's id; v1 of the API has none, and M-Pesa makes one.
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
    /// Its receipt, if paid.
    #[serde(default)]
    pub receipt: Option<String>,
    /// How it ends by order.
    #[serde(default)]
    pub forced: Option<Forced>,
}

/// How a payout or a command ends by order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forced {
    /// With this code; nothing happens.
    Code(String),
    /// Told to the queue timeout address; nothing happens, no result comes.
    Timeout,
    /// Told to the queue timeout address; it happens, no result comes.
    TimeoutDone,
    /// Told to the queue timeout address; it happens, the result comes so many
    /// seconds later.
    TimeoutThenResultS(u32),
}

impl Forced {
    /// The ending that was ordered.
    pub fn of(actions: Option<&Actions>) -> Option<Self> {
        match actions?.iter().next()? {
            Action::Result(code) => Some(Self::Code(code.clone())),
            Action::Timeout => Some(Self::Timeout),
            Action::TimeoutDone => Some(Self::TimeoutDone),
            Action::TimeoutThenResultS(seconds) => Some(Self::TimeoutThenResultS(*seconds)),
            _ => None,
        }
    }
}

/// The result code kept of what timed out in the queue and never happened.
pub(super) const QUEUE_TIMEOUT: &str = "queue_timeout";

impl World {
    /// Takes a payout on; says its number, too.
    pub fn order_payout(&mut self, mut order: PayoutOrder) -> Result<(Payout, u64), Refusal> {
        self.known(&order.shortcode)?;
        if self.by_originator_id.contains_key(&order.originator_id) {
            return Err(Refusal::duplicate_originator());
        }
        self.room()?;
        self.room_for(order.msisdn)?;
        if order.originator_id.is_empty() {
            order.originator_id = self.draw_id().dashed();
        }
        let msisdn = order.msisdn;
        let phone = self.phone_mut(msisdn);
        phone.payouts += 1;
        let nth = phone.payouts;
        self.save_phone(msisdn);
        let mut draw = Draw::new(self.config.seed, Purpose::Payout, msisdn.number(), nth);
        let conversation_id = self.new_conversation_id();
        let result_at = Timestamp(self.now.0 + draw.delay_us(self.config.payout_delay_ms));
        let forced = Forced::of(self.take_fault(Target::B2c, Whom::both(msisdn, &order.shortcode)).as_ref());
        let payout = Payout { order, conversation_id, result_at, result_code: None, receipt: None, forced };
        let seq = self.next_seq();
        self.timers.insert((result_at, seq, Timer::Payout));
        self.index_payout(seq, &payout);
        self.changes.put(Kind::Payout, &seq.to_string(), &payout);
        self.payouts.insert(seq, payout.clone());
        Ok((payout, seq))
    }

    /// `AG_`, the date, and 20 digits.
    pub(super) fn new_conversation_id(&mut self) -> String {
        let date = &Local::at(self.now).stamp()[..8];
        format!("AG_{date}_{}", self.draw_id().hex20())
    }

    pub(super) fn index_payout(&mut self, seq: u64, payout: &Payout) {
        self.by_originator_id.insert(payout.order.originator_id.clone(), seq);
        self.by_conversation_id.insert(payout.conversation_id.clone(), seq);
    }

    /// The first reason against a payout, or `0`.
    fn judge(&mut self, order: &PayoutOrder, amount: Cents) -> &'static str {
        if let Some(code) = self.judge_initiator(order.initiator_right) {
            return code;
        }
        let limits = self.config.limits;
        let (_, received) = self.today(order.msisdn);
        let after = self.balance(order.msisdn).0.saturating_add(amount.0);
        if order.shillings < limits.smallest_payout {
            "2"
        } else if order.shillings > limits.transaction {
            "3"
        } else if received.0.saturating_add(amount.0) > limits.daily.saturating_mul(100) {
            "4"
        } else if after > self.balance_cap().0 {
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
        let payout = payout.clone();
        self.timers.remove(&(payout.result_at, seq, Timer::Payout));
        let order = &payout.order;
        let amount = Cents(order.shillings.saturating_mul(100));
        let code = match &payout.forced {
            Some(Forced::Code(code)) => code.clone(),
            Some(Forced::Timeout) => QUEUE_TIMEOUT.to_owned(),
            _ => self.judge(order, amount).to_owned(),
        };
        let receipt = (code == "0").then(|| self.next_receipt());
        if let Some(receipt) = &receipt {
            self.move_payout(order, amount, receipt);
        }
        let done = Payout { result_code: Some(code.clone()), receipt: receipt.clone(), ..payout.clone() };
        self.changes.put(Kind::Payout, &seq.to_string(), &done);
        self.payouts.insert(seq, done);
        self.tell_payout(seq, &payout, &code, receipt);
    }

    /// Owes the callbacks of a finished payout.
    fn tell_payout(&mut self, seq: u64, payout: &Payout, code: &str, receipt: Option<String>) {
        let order = &payout.order;
        let whom = Whom::both(order.msisdn, &order.shortcode);
        let paid = receipt.is_some();
        let transaction_id = receipt.unwrap_or_else(|| self.filler_receipt());
        let ids = bodies::PayoutIds {
            originator_id: &order.originator_id,
            conversation_id: &payout.conversation_id,
            transaction_id: &transaction_id,
            timeout_url: &order.timeout_url,
        };
        let paid = paid.then(|| bodies::PaidOut {
            shillings: order.shillings,
            msisdn: order.msisdn,
            name: self.phones.get(&order.msisdn).map_or("", |phone| &phone.name),
            at: self.now,
            utility: self.book.balance(&Account::utility(&order.shortcode)),
            working: self.book.balance(&Account::working(&order.shortcode)),
            charges: self.book.balance(&Account::charges(&order.shortcode)),
        });
        let body = bodies::payout(&ids, (code, results::text(code)), paid.as_ref());
        let mut lane = Vec::new();
        let news =
            News { kind: CallbackKind::B2c, about: seq, whom, url: &order.result_url, due_at: self.now };
        let timeout = News { kind: CallbackKind::Timeout, url: &order.timeout_url, ..news };
        if matches!(
            payout.forced,
            Some(Forced::Timeout | Forced::TimeoutDone | Forced::TimeoutThenResultS(_))
        ) {
            let notice = results::queue_timeout(&order.originator_id, &payout.conversation_id);
            self.owe(&mut lane, timeout, &notice);
        }
        let result_at = match payout.forced {
            Some(Forced::Timeout | Forced::TimeoutDone) => None,
            Some(Forced::TimeoutThenResultS(seconds)) => Some(self.now.plus_seconds(seconds.into())),
            Some(Forced::Code(_)) | None => Some(self.now),
        };
        if let Some(due_at) = result_at {
            self.owe(&mut lane, News { due_at, ..news }, &body);
        }
        self.send(lane);
    }

    /// What stands for a receipt in failures: it looks like one and is none.
    pub(super) fn filler_receipt(&self) -> String {
        let stamp = crate::draw::receipt(self.config.seed, self.now, 0);
        format!("{}0000000", &stamp[..3])
    }

    fn move_payout(&mut self, order: &PayoutOrder, amount: Cents, receipt: &str) {
        let (utility, charges) = (Account::utility(&order.shortcode), Account::charges(&order.shortcode));
        let proof = (Some(receipt), Some(order.originator_id.as_str()));
        let receiver = Account::Customer(order.msisdn);
        self.book.move_money(self.now, MovementKind::Payout, (utility, receiver), amount, proof);
        let charge = self.config.charge(order.shillings);
        let charged = (charges, Account::Revenue);
        self.book.move_money(self.now, MovementKind::PayoutCharge, charged, charge, proof);
        self.count_today(order.msisdn, (Cents::ZERO, amount));
        let balance = self.balance(order.msisdn);
        let name = self.business_name(&order.shortcode);
        let text = bodies::received_message(receipt, amount, name, self.now, balance);
        self.message(order.msisdn, text);
    }
}
