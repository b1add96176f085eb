//! Prompts: asked for, shown, answered, told of.

use super::changes::Kind;
use super::{Action, CallbackKind, Payment, Target, Timer, World, bodies};
use crate::config::{PhoneMode, SecondPrompt};
use crate::draw::{Answer, Draw, Purpose};
use crate::nairobi::Local;
use crate::refusal::Refusal;
use jirani_units::{Cents, Msisdn, Timestamp};
use serde::{Deserialize, Serialize};

/// A request for a prompt, its fields checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Push {
    /// The shortcode that asks.
    pub shortcode: String,
    /// The phone.
    pub msisdn: Msisdn,
    /// Whole shillings.
    pub shillings: i64,
    /// Printed on the prompt.
    pub reference: String,
    /// Where the result goes.
    pub callback_url: String,
}

/// A prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prompt {
    /// What was asked for.
    pub push: Push,
    /// M-Pesa's id.
    pub checkout_request_id: String,
    /// M-Pesa's other id.
    pub merchant_request_id: String,
    /// When.
    pub asked_at: Timestamp,
    /// When it leaves the phone.
    pub expires_at: Timestamp,
    /// When and how the phone answers by itself; `None` when a person does.
    pub plan: Option<(Timestamp, Answer)>,
    /// Whether the person put the phone away.
    pub ignored: bool,
    /// How it ended.
    pub result: Option<Ending>,
}

/// How a prompt ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ending {
    /// M-Pesa's result code.
    pub code: String,
    /// The receipt, if paid.
    pub receipt: Option<String>,
}

impl Prompt {
    /// Whether a person is to answer it.
    pub fn waits_for_a_person(&self) -> bool {
        self.result.is_none() && self.plan.is_none() && !self.ignored
    }
}

/// A prompt as the phone shows it.
#[derive(Clone, Debug, Serialize)]
pub struct PromptView {
    /// M-Pesa's id.
    pub checkout_request_id: String,
    /// Who asks.
    pub business: String,
    /// Their number.
    pub shortcode: String,
    /// Whole shillings.
    pub amount_shillings: i64,
    /// The account reference.
    pub reference: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it leaves the phone.
    pub expires_at: Timestamp,
}

/// What a person does with a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandAnswer {
    /// Types a PIN and pays; whether the PIN is right.
    Pay {
        /// Whether the PIN is right.
        pin_right: bool,
    },
    /// Cancels.
    Cancel,
    /// Puts the phone away.
    Ignore,
}

/// What a query answers.
#[derive(Clone, Debug)]
pub struct QueryAnswer {
    /// M-Pesa's other id.
    pub merchant_request_id: String,
    /// Result code.
    pub code: String,
    /// Its text, as queries word it.
    pub description: &'static str,
}

/// The text of a result code, as callbacks word it.
fn callback_text(code: &str) -> &'static str {
    match code {
        "0" => "The service request is processed successfully.",
        "1" => "The balance is insufficient for the transaction.",
        "1032" => "Request cancelled by user",
        "1037" => "No response from user.",
        "2001" => "The initiator information is invalid.",
        "4999" => "The transaction is still under processing",
        _ => "The transaction failed.",
    }
}

/// The same code is worded otherwise by a query.
fn query_text(code: &str) -> &'static str {
    match code {
        "1032" => "Request Cancelled by user.",
        "1037" => "DS timeout user cannot be reached.",
        other => callback_text(other),
    }
}

impl World {
    /// Takes a request on. Also says whether the answer gets through.
    pub fn push(&mut self, push: Push) -> Result<(Prompt, bool), Refusal> {
        self.known_collection(&push.shortcode)?;
        let msisdn = push.msisdn;
        if self.config.second_prompt == SecondPrompt::Refuse && self.open.contains_key(&msisdn) {
            return Err(Refusal::subscriber_locked());
        }
        let phone = self.phone_mut(msisdn);
        phone.prompts += 1;
        let nth = phone.prompts;
        self.save_phone(msisdn);
        let mut draw = Draw::new(self.config.seed, Purpose::Prompt, msisdn.number(), nth);
        let mut expires_at = self.now.plus_seconds(self.config.prompt_timeout_s.into());
        let plan = match self.mode(msisdn) {
            PhoneMode::ByHand => None,
            PhoneMode::Automatic(behaviour) => {
                // Two phones asked in one moment do not fall silent in one moment.
                expires_at.0 += draw.delay_us((1, 1_000));
                let at = Timestamp(self.now.0 + draw.delay_us(self.config.answer_delay_ms));
                Some((at, draw.answer(behaviour)))
            }
        };
        let seq = self.next_seq();
        let prompt = Prompt {
            checkout_request_id: self.new_checkout_id(msisdn),
            merchant_request_id: self.draw_id().dashed(),
            push,
            asked_at: self.now,
            expires_at,
            plan,
            ignored: false,
            result: None,
        };
        self.by_checkout_id.insert(prompt.checkout_request_id.clone(), seq);
        self.watch(seq, &prompt);
        self.changes.put(Kind::Prompt, &seq.to_string(), &prompt);
        self.prompts.insert(seq, prompt.clone());
        let answered = self.take_fault(Target::StkResponse, msisdn) != Some(Action::Lose);
        Ok((prompt, answered))
    }

    /// `ws_CO_`, Nairobi time with milliseconds, nine digits of the phone.
    fn new_checkout_id(&self, msisdn: Msisdn) -> String {
        let time = Local::at(self.now).day_first();
        let mut millis = self.now.0.rem_euclid(1_000_000) / 1_000;
        loop {
            let id = format!("ws_CO_{time}{millis:03}{:09}", msisdn.number() % 1_000_000_000);
            if !self.by_checkout_id.contains_key(&id) {
                return id;
            }
            millis += 1;
        }
    }

    /// Puts an unanswered prompt on its phone.
    pub(super) fn watch(&mut self, seq: u64, prompt: &Prompt) {
        self.open.entry(prompt.push.msisdn).or_default().push_back(seq);
        self.timers.insert((prompt.expires_at, seq, Timer::Expire));
        if let Some((at, answer)) = prompt.plan
            && answer != Answer::Silence
        {
            self.timers.insert((at, seq, Timer::Answer));
        }
    }

    pub(super) fn automatic_answer(&mut self, seq: u64) {
        match self.prompts.get(&seq).and_then(|prompt| prompt.plan) {
            Some((_, Answer::Pay)) => self.pay_prompt(seq),
            Some((_, Answer::Insufficient)) => self.end(seq, "1", None),
            Some((_, Answer::Cancel)) => self.end(seq, "1032", None),
            Some((_, Answer::Silence)) | None => {}
        }
    }

    pub(super) fn expire(&mut self, seq: u64) {
        self.end(seq, "1037", None);
    }

    /// The oldest open prompt of a phone that a person has not put away.
    fn shown(&self, msisdn: Msisdn) -> Option<(u64, &Prompt)> {
        let open = self.open.get(&msisdn)?.iter();
        open.filter_map(|seq| Some((*seq, self.prompts.get(seq)?))).find(|(_, prompt)| !prompt.ignored)
    }

    /// What the phone shows.
    pub fn prompt_on(&self, msisdn: Msisdn) -> Option<PromptView> {
        let (_, prompt) = self.shown(msisdn)?;
        Some(PromptView {
            checkout_request_id: prompt.checkout_request_id.clone(),
            business: self.config.collection.name.clone(),
            shortcode: prompt.push.shortcode.clone(),
            amount_shillings: prompt.push.shillings,
            reference: prompt.push.reference.clone(),
            asked_at: prompt.asked_at,
            expires_at: prompt.expires_at,
        })
    }

    /// A person answers what the phone shows. The result code and receipt;
    /// the code is empty for a prompt that was put away. `None` without prompt.
    pub fn answer_by_hand(&mut self, msisdn: Msisdn, answer: HandAnswer) -> Option<(String, Option<String>)> {
        let (seq, _) = self.shown(msisdn)?;
        match answer {
            HandAnswer::Pay { pin_right: true } => self.pay_prompt(seq),
            HandAnswer::Pay { pin_right: false } => self.end(seq, "2001", None),
            HandAnswer::Cancel => self.end(seq, "1032", None),
            HandAnswer::Ignore => {
                let prompt = self.prompts.get_mut(&seq)?;
                prompt.ignored = true;
                // An automatic phone that is put away does not answer either.
                if let Some((at, _)) = prompt.plan {
                    self.timers.remove(&(at, seq, Timer::Answer));
                    prompt.plan = Some((at, Answer::Silence));
                }
                let prompt = prompt.clone();
                self.changes.put(Kind::Prompt, &seq.to_string(), &prompt);
            }
        }
        let ending = self.prompts.get(&seq)?.result.clone();
        Some(ending.map_or_else(|| (String::new(), None), |ending| (ending.code, ending.receipt)))
    }

    fn pay_prompt(&mut self, seq: u64) {
        let Some(push) = self.prompts.get(&seq).map(|prompt| prompt.push.clone()) else { return };
        match self.pay(&payment(&push)) {
            Some(receipt) => self.end(seq, "0", Some(&receipt)),
            None => self.end(seq, "1", None),
        }
    }

    /// Ends a prompt: notes how, and owes the callbacks.
    fn end(&mut self, seq: u64, code: &str, receipt: Option<&str>) {
        let Some(prompt) = self.prompts.get_mut(&seq).filter(|prompt| prompt.result.is_none()) else {
            return;
        };
        prompt.result = Some(Ending { code: code.to_owned(), receipt: receipt.map(str::to_owned) });
        let prompt = prompt.clone();
        self.changes.put(Kind::Prompt, &seq.to_string(), &prompt);
        self.timers.remove(&(prompt.expires_at, seq, Timer::Expire));
        if let Some((at, _)) = prompt.plan {
            self.timers.remove(&(at, seq, Timer::Answer));
        }
        let msisdn = prompt.push.msisdn;
        if let Some(open) = self.open.get_mut(&msisdn) {
            open.retain(|other| *other != seq);
            if open.is_empty() {
                self.open.remove(&msisdn);
            }
        }
        let paid = receipt.map(|receipt| bodies::PaidItems {
            receipt,
            amount: Cents(prompt.push.shillings.saturating_mul(100)),
            at: self.now,
            msisdn,
        });
        let ids = (prompt.merchant_request_id.as_str(), prompt.checkout_request_id.as_str());
        let body = bodies::stk(ids, (code, callback_text(code)), paid);
        let mut lane = Vec::new();
        let about = (CallbackKind::Stk, seq, msisdn);
        self.owe(&mut lane, about, (&prompt.push.callback_url, &prompt.push.shortcode), &body);
        if let Some(receipt) = receipt {
            self.owe_confirmation(&mut lane, seq, &payment(&prompt.push), receipt);
        }
        self.send(lane);
    }

    /// Answers a query of this shortcode.
    pub fn query(&mut self, shortcode: &str, checkout_request_id: &str) -> Result<QueryAnswer, Refusal> {
        self.known_collection(shortcode)?;
        let seq = *self.by_checkout_id.get(checkout_request_id).ok_or_else(Refusal::unknown_transaction)?;
        let prompt = self.prompts.get(&seq).ok_or_else(Refusal::unknown_transaction)?;
        let (merchant_request_id, msisdn) = (prompt.merchant_request_id.clone(), prompt.push.msisdn);
        let known = prompt.result.as_ref().map(|ending| ending.code.clone());
        let code = match (self.take_fault(Target::Query, msisdn), known) {
            (Some(Action::Pending), _) => "4999".to_owned(),
            (Some(Action::Contradict), Some(code)) if code == "0" => "1032".to_owned(),
            (Some(Action::Contradict), Some(_)) => "0".to_owned(),
            (_, Some(code)) => code,
            (_, None) => return Err(Refusal::being_processed()),
        };
        Ok(QueryAnswer { merchant_request_id, description: query_text(&code), code })
    }
}

fn payment(push: &Push) -> Payment<'_> {
    Payment {
        msisdn: push.msisdn,
        shortcode: &push.shortcode,
        shillings: push.shillings,
        reference: &push.reference,
    }
}
