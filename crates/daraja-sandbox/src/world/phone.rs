//! Customers' phones: money, messages, and how they answer.

use super::changes::Kind;
use super::{PromptView, World};
use crate::book::{Account, MovementKind};
use crate::config::{Behaviour, PhoneMode};
use crate::nairobi;
use crate::refusal::Refusal;
use jirani_units::{Cents, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many messages a phone keeps.
const MESSAGES: usize = 20;
/// How many phones are known at most.
const MOST_PHONES: usize = 50_000;

/// A phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phone {
    /// Whose it is, in capitals as M-Pesa has it.
    pub name: String,
    /// How it answers; the default when `None`.
    pub mode: Option<PhoneMode>,
    /// Whether lacking money is topped up before a payment.
    pub refill: bool,
    /// Prompts it has had.
    pub prompts: u64,
    /// Payouts it has had.
    pub payouts: u64,
    /// The last prompt: when, and for how many shillings.
    #[serde(default)]
    pub last_asked: Option<(Timestamp, i64)>,
    /// What it paid and received on the last day it did.
    #[serde(default)]
    pub today: Today,
    /// The last messages, newest first.
    pub messages: VecDeque<Message>,
}

/// What a phone did on one day of Nairobi.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Today {
    /// Days since 1970, in Nairobi.
    day: i64,
    /// Paid.
    paid: Cents,
    /// Received.
    received: Cents,
}

/// A message from M-Pesa.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}

/// A phone to look at.
#[derive(Clone, Debug, Serialize)]
pub struct PhoneView {
    /// Its number.
    pub msisdn: Msisdn,
    /// Whose it is.
    pub name: String,
    /// How it answers.
    #[serde(flatten)]
    pub mode: PhoneMode,
    /// What is on it.
    pub balance_cents: Cents,
    /// What it shows.
    pub prompt: Option<PromptView>,
    /// The last messages, newest first; left out in lists.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub messages: VecDeque<Message>,
}

/// What may be changed of a phone.
#[derive(Clone, Debug, Default)]
pub struct PhoneChange {
    /// Whose it is.
    pub name: Option<String>,
    /// How it answers.
    pub mode: Option<PhoneMode>,
    /// What is on it, from now on without top-ups.
    pub balance: Option<Cents>,
}

/// A change of a phone as it is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneOrder {
    /// Whose it is.
    pub name: Option<String>,
    /// `by_hand`, `automatic` or `always_pays`.
    pub mode: Option<String>,
    /// How often an automatic phone cancels, in thousandths.
    pub cancel_per_mille: Option<u16>,
    /// How often it stays silent.
    pub silent_per_mille: Option<u16>,
    /// How often it lacks money.
    pub insufficient_per_mille: Option<u16>,
    /// What is on it, from now on without top-ups.
    pub balance_cents: Option<i64>,
}

impl PhoneOrder {
    /// The change, or why it makes no sense.
    pub fn check(self) -> Result<PhoneChange, String> {
        let usual = Behaviour::default();
        let behaviour = Behaviour {
            cancel_per_mille: self.cancel_per_mille.unwrap_or(usual.cancel_per_mille),
            silent_per_mille: self.silent_per_mille.unwrap_or(usual.silent_per_mille),
            insufficient_per_mille: self.insufficient_per_mille.unwrap_or(usual.insufficient_per_mille),
        };
        let mode = match self.mode.as_deref() {
            None => None,
            Some("by_hand") => Some(PhoneMode::ByHand),
            Some("always_pays") => Some(PhoneMode::Automatic(Behaviour::ALWAYS_PAYS)),
            Some("automatic") => Some(PhoneMode::Automatic(behaviour)),
            Some(_) => return Err("mode is by_hand, automatic or always_pays".to_owned()),
        };
        if self.name.as_ref().is_some_and(|name| name.chars().count() > 60) {
            return Err("a name has at most 60 characters".to_owned());
        }
        Ok(PhoneChange { name: self.name, mode, balance: self.balance_cents.map(Cents) })
    }
}

const FIRST_NAMES: [&str; 8] = ["AMINA", "BARAKA", "CHEBET", "DAUDI", "FATUMA", "JUMA", "NJERI", "OTIENO"];

impl World {
    /// The phone, made with its first money when it was not known.
    pub(super) fn phone_mut(&mut self, msisdn: Msisdn) -> &mut Phone {
        if !self.phones.contains_key(&msisdn) {
            let given = self.config.phones.get(&msisdn).map(|setup| setup.name.trim().to_uppercase());
            let made_up = FIRST_NAMES[(msisdn.number() % 8) as usize];
            let phone = Phone {
                name: given.filter(|name| !name.is_empty()).unwrap_or_else(|| made_up.to_owned()),
                mode: None,
                refill: self.config.refill,
                prompts: 0,
                payouts: 0,
                last_asked: None,
                today: Today::default(),
                messages: VecDeque::new(),
            };
            self.phones.insert(msisdn, phone);
            let opening = self.config.customer_opening;
            self.cash(msisdn, opening);
            self.save_phone(msisdn);
        }
        // INVARIANT: inserted above if it was missing.
        #[expect(clippy::expect_used, reason = "inserted above")]
        self.phones.get_mut(&msisdn).expect("the phone is known by now")
    }

    pub(super) fn save_phone(&mut self, msisdn: Msisdn) {
        if let Some(phone) = self.phones.get(&msisdn) {
            self.changes.put(Kind::Phone, &msisdn.number().to_string(), phone);
        }
    }

    /// How the phone answers: as set at run time, as configured, or by default.
    pub(super) fn mode(&self, msisdn: Msisdn) -> PhoneMode {
        let set = self.phones.get(&msisdn).and_then(|phone| phone.mode);
        let configured = || self.config.phones.get(&msisdn).and_then(|setup| setup.mode);
        set.or_else(configured).unwrap_or(self.config.default_mode)
    }

    /// Whether a new phone can still be known.
    pub(super) fn room_for(&self, msisdn: Msisdn) -> Result<(), Refusal> {
        let room = self.phones.len() < MOST_PHONES || self.phones.contains_key(&msisdn);
        if room { Ok(()) } else { Err(Refusal::busy()) }
    }

    /// What the phone paid and received today, in Nairobi.
    pub(super) fn today(&self, msisdn: Msisdn) -> (Cents, Cents) {
        let day = nairobi::day(self.now);
        let today = self.phones.get(&msisdn).map(|phone| phone.today).filter(|today| today.day == day);
        today.map_or((Cents::ZERO, Cents::ZERO), |today| (today.paid, today.received))
    }

    /// Counts towards the day's limits.
    pub(super) fn count_today(&mut self, msisdn: Msisdn, (paid, received): (Cents, Cents)) {
        let (day, before) = (nairobi::day(self.now), self.today(msisdn));
        let today = Today { day, paid: Cents(before.0.0 + paid.0), received: Cents(before.1.0 + received.0) };
        self.phone_mut(msisdn).today = today;
        self.save_phone(msisdn);
    }

    /// The most a customer may hold.
    pub(super) fn balance_cap(&self) -> Cents {
        Cents(self.config.limits.balance.saturating_mul(100))
    }

    pub(super) fn balance(&self, msisdn: Msisdn) -> Cents {
        self.book.balance(&Account::Customer(msisdn))
    }

    /// A customer puts money in (or, below zero, takes it out).
    fn cash(&mut self, msisdn: Msisdn, amount: Cents) {
        let (outside, own) = (Account::Outside, Account::Customer(msisdn));
        let accounts = if amount.is_positive() { (outside, own) } else { (own, outside) };
        let kind = MovementKind::CustomerCash;
        self.book.move_money(self.now, kind, accounts, Cents(amount.0.abs()), (None, None));
    }

    /// Whether the phone has the money for a payment, topped up if allowed.
    pub(super) fn has_money(&mut self, msisdn: Msisdn, amount: Cents) -> bool {
        let lacking = Cents(amount.0 - self.balance(msisdn).0);
        if lacking.is_positive() && self.phone_mut(msisdn).refill {
            let opening = self.config.customer_opening.0;
            self.cash(msisdn, Cents(lacking.0.max(opening)));
        }
        self.balance(msisdn) >= amount
    }

    pub(super) fn message(&mut self, msisdn: Msisdn, text: String) {
        let at = self.now;
        let phone = self.phone_mut(msisdn);
        phone.messages.push_front(Message { at, text });
        phone.messages.truncate(MESSAGES);
        self.save_phone(msisdn);
    }

    /// Changes a phone; says how it is then.
    pub fn change_phone(&mut self, msisdn: Msisdn, change: PhoneChange) -> Result<PhoneView, Refusal> {
        self.room_for(msisdn)?;
        let phone = self.phone_mut(msisdn);
        if let Some(name) = change.name {
            phone.name = name.trim().to_uppercase();
        }
        if change.mode.is_some() {
            phone.mode = change.mode;
        }
        if let Some(balance) = change.balance {
            phone.refill = false;
            let balance = balance.clamp(Cents::ZERO, self.balance_cap());
            let missing = Cents(balance.0 - self.balance(msisdn).0);
            self.cash(msisdn, missing);
        }
        self.save_phone(msisdn);
        Ok(self.phone(msisdn))
    }

    /// A phone, with its messages. One that is not known looks like a new one.
    pub fn phone(&self, msisdn: Msisdn) -> PhoneView {
        let known = self.phones.get(&msisdn);
        PhoneView {
            msisdn,
            name: known.map(|phone| phone.name.clone()).unwrap_or_default(),
            mode: self.mode(msisdn),
            balance_cents: self.balance(msisdn),
            prompt: self.prompt_on(msisdn),
            messages: known.map(|phone| phone.messages.clone()).unwrap_or_default(),
        }
    }

    /// So many of the known phones, those with an open prompt first.
    pub fn phones(&self, limit: usize) -> Vec<PhoneView> {
        let (asked, quiet): (Vec<Msisdn>, Vec<Msisdn>) =
            self.phones.keys().partition(|msisdn| self.prompt_on(**msisdn).is_some());
        let view = |msisdn| PhoneView { messages: VecDeque::new(), ..self.phone(msisdn) };
        asked.into_iter().chain(quiet).take(limit).map(view).collect()
    }
}
