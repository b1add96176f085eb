//! Prompts: asked for, shown, answered, told of.

use super::changes::Kind;
use super::{CallbackKind, News, Payment, Timer, Whom, World, bodies};
use crate::action::{Action, Target};
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
    /// Whose account it is for: the shortcode itself, or a till.
    #[serde(default)]
    pub receiver: String,
    /// Whether it is for a till (Buy Goods).
    #[serde(default)]
    pub buy_goods: bool,
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
    /// How it ends whatever the person does.
    #[serde(default)]
    pub forced: Option<String>,
    /// How many seconds after it ended unanswered it is paid after all; and
    /// when, once that is known.
    #[serde(default)]
    pub late: Option<Late>,
    /// How it ended.
    pub result: Option<Ending>,
}

/// A prompt that is paid after it ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Late {
    /// This many seconds after its end.
    AfterS(u32),
    /// Then.
    At(Timestamp),
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

/// The text of a result code, as callbacks word it.
pub(super) fn callback_text(code: &str) -> &'static str {
    match code {
        "0" => "The service request is processed successfully.",
        "1" => "The balance is insufficient for the transaction.",
        "2" => "Declined due to limit rule: less than the minimum transaction amount.",
        "3" => "Declined due to limit rule: greater than the maximum transaction amount.",
        "4" => "Declined due to limit rule: would exceed daily transfer limit.",
        "8" => "Declined due to limit rule: would exceed the maximum balance.",
        "17" => "Rule limited.",
        "26" => "System is currently unable to complete your request. Please try again in a few minutes.",
        "1001" => "Unable to lock subscriber, a transaction is already in process for the current subscriber",
        "1019" => "Transaction has expired",
        "1025" | "9999" => "An error occurred while sending a push request",
        "2028" => "The request is not permitted according to product assignment.",
        "8006" => "The security credential is locked.",
        "SFC_IC0003" => "The operator does not exist.",
        "1032" => "Request cancelled by user",
        "1037" => "No response from user.",
        "2001" => "The initiator information is invalid.",
        "4999" => "The transaction is still under processing",
        _ => "The transaction failed.",
    }
}

impl World {
    /// Takes a request on; says its number, too.
    pub fn push(&mut self, push: Push) -> Result<(Prompt, u64), Refusal> {
        self.known(&push.shortcode)?;
        self.room()?;
        let msisdn = push.msisdn;
        if self.config.second_prompt == SecondPrompt::Refuse && self.open.contains_key(&msisdn) {
            return Err(Refusal::subscriber_locked());
        }
        self.room_for(msisdn)?;
        let (now, within_us) = (self.now, i64::from(self.config.repeat_rule_s) * 1_000_000);
        let phone = self.phone_mut(msisdn);
        let repeated = phone
            .last_asked
            .is_some_and(|(at, amount)| amount == push.shillings && now.since(at) < within_us);
        phone.last_asked = Some((now, push.shillings));
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
        let (ordered, late) = self.ordered_ending(&push);
        let forced = ordered.or_else(|| self.against(&push, repeated).map(str::to_owned));
        let plan = match (&forced, late) {
            (None, None) => plan,
            // It never asks: the end comes by itself, as soon as an answer could.
            (Some(_), _) => {
                Some((Timestamp(self.now.0 + draw.delay_us(self.config.answer_delay_ms)), Answer::Cancel))
            }
            (None, Some(_)) => Some((expires_at, Answer::Silence)),
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
            forced,
            late,
            result: None,
        };
        self.by_checkout_id.insert(prompt.checkout_request_id.clone(), seq);
        self.watch(seq, &prompt);
        self.changes.put(Kind::Prompt, &seq.to_string(), &prompt);
        self.prompts.insert(seq, prompt.clone());
        Ok((prompt, seq))
    }

    /// How the prompt ends by order: with a code, or unanswered and paid later.
    fn ordered_ending(&mut self, push: &Push) -> (Option<String>, Option<Late>) {
        let actions = self.take_fault(Target::Stk, Whom::both(push.msisdn, &push.shortcode));
        match actions.as_ref().and_then(|actions| actions.iter().next()) {
            Some(Action::Result(code)) => (Some(code.clone()), None),
            Some(Action::PaysLateS(seconds)) => (None, Some(Late::AfterS(*seconds))),
            _ => (None, None),
        }
    }

    /// What M-Pesa has against a request that Daraja took: the wrong product,
    /// or the same amount again.
    fn against(&self, push: &Push, repeated: bool) -> Option<&'static str> {
        let till = self.config.tills.get(&push.shortcode);
        let right = match (push.buy_goods, till) {
            (true, Some(till)) => push.receiver == *till,
            (true, None) => false,
            (false, _) => push.receiver.is_empty() || push.receiver == push.shortcode,
        };
        if right { repeated.then_some("17") } else { Some("2028") }
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
        if let Some(code) = self.prompts.get(&seq).and_then(|prompt| prompt.forced.clone()) {
            return self.end(seq, &code, None);
        }
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

    /// A prompt is answered now: by an automatic phone as it would have later,
    /// by a person's phone as paid.
    pub(super) fn hurry_prompt(&mut self, seq: u64) {
        match self.prompts.get(&seq).map(|prompt| prompt.plan) {
            Some(Some((_, Answer::Silence))) => self.expire(seq),
            Some(Some(_)) => self.automatic_answer(seq),
            Some(None) => self.pay_prompt(seq),
            None => {}
        }
    }

    /// A prompt that ended unanswered is paid after all.
    pub(super) fn pay_late(&mut self, seq: u64) {
        let Some(prompt) = self.prompts.get_mut(&seq) else { return };
        prompt.late = None;
        let prompt = prompt.clone();
        match self.pay(&payment(&prompt.push)) {
            Ok(receipt) => {
                let ending = Ending { code: "0".to_owned(), receipt: Some(receipt.clone()) };
                let paid = Prompt { result: Some(ending), ..prompt };
                self.prompts.insert(seq, paid.clone());
                self.changes.put(Kind::Prompt, &seq.to_string(), &paid);
                self.tell_end(seq, &paid, "0", Some(&receipt));
            }
            Err(_) => self.changes.put(Kind::Prompt, &seq.to_string(), &prompt),
        }
    }

    /// The oldest open prompt of a phone that a person has not put away.
    fn shown(&self, msisdn: Msisdn) -> Option<(u64, &Prompt)> {
        let open = self.open.get(&msisdn)?.iter();
        open.filter_map(|seq| Some((*seq, self.prompts.get(seq)?)))
            .find(|(_, prompt)| !prompt.ignored && prompt.forced.is_none() && prompt.late.is_none())
    }

    /// What the phone shows.
    pub fn prompt_on(&self, msisdn: Msisdn) -> Option<PromptView> {
        let (_, prompt) = self.shown(msisdn)?;
        Some(PromptView {
            checkout_request_id: prompt.checkout_request_id.clone(),
            business: self.business_name(&prompt.push.shortcode).to_owned(),
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
            Ok(receipt) => self.end(seq, "0", Some(&receipt)),
            Err(problem) => self.end(seq, problem.code(), None),
        }
    }

    /// Ends a prompt: notes how, and owes the callbacks.
    fn end(&mut self, seq: u64, code: &str, receipt: Option<&str>) {
        let Some(prompt) = self.prompts.get_mut(&seq).filter(|prompt| prompt.result.is_none()) else {
            return;
        };
        prompt.result = Some(Ending { code: code.to_owned(), receipt: receipt.map(str::to_owned) });
        if let Some(Late::AfterS(seconds)) = prompt.late {
            let at = self.now.plus_seconds(seconds.into());
            prompt.late = Some(Late::At(at));
            self.timers.insert((at, seq, Timer::PayLate));
        }
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
        self.tell_end(seq, &prompt, code, receipt);
    }

    /// Owes the callbacks of an ended prompt.
    fn tell_end(&mut self, seq: u64, prompt: &Prompt, code: &str, receipt: Option<&str>) {
        let msisdn = prompt.push.msisdn;
        let paid = receipt.map(|receipt| bodies::PaidItems {
            receipt,
            amount: Cents(prompt.push.shillings.saturating_mul(100)),
            at: self.now,
            msisdn,
        });
        let ids = (prompt.merchant_request_id.as_str(), prompt.checkout_request_id.as_str());
        let body = bodies::stk(ids, (code, callback_text(code)), paid);
        let mut lane = Vec::new();
        let news = News {
            kind: CallbackKind::Stk,
            about: seq,
            whom: Whom::both(msisdn, &prompt.push.shortcode),
            url: &prompt.push.callback_url,
            due_at: self.now,
        };
        self.owe(&mut lane, news, &body);
        if let Some(receipt) = receipt {
            self.owe_confirmation(&mut lane, seq, &payment(&prompt.push), receipt);
        }
        self.send(lane);
    }
}

fn payment(push: &Push) -> Payment<'_> {
    Payment {
        msisdn: push.msisdn,
        shortcode: &push.shortcode,
        shillings: push.shillings,
        reference: &push.reference,
        buy_goods: push.buy_goods,
    }
}
