//! Faults on order: the next answers, callbacks or outcomes of a kind go wrong.
//!
//! Promises: the oldest order that fits goes first; what is left to chance
//! follows from the seed, the order's number and how often it was asked, so
//! one seed gives one run.

use super::World;
use super::changes::Kind;
use crate::action::{Action, Actions, Canned, Target};
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use jirani_units::Msisdn;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// An order for something to go wrong, as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    /// What.
    pub target: Target,
    /// How; see [`Actions`].
    pub action: Actions,
    /// How many times; once when neither this nor `always` is said.
    pub count: Option<u32>,
    /// For ever.
    #[serde(default)]
    pub always: bool,
    /// Only for this phone.
    pub msisdn: Option<Msisdn>,
    /// Only for this shortcode.
    pub shortcode: Option<String>,
    /// How many that fit are let pass first.
    #[serde(default)]
    pub skip: u32,
    /// The chance of each that fits, in thousandths.
    #[serde(default = "certain")]
    pub per_mille: u16,
}

const CERTAIN: u16 = 1_000;

fn certain() -> u16 {
    CERTAIN
}

impl FaultOrder {
    /// Why this order makes no sense.
    pub fn check(&self) -> Result<(), String> {
        self.action.check(self.target)?;
        if self.count == Some(0) || (self.always && self.count.is_some()) {
            return Err("count is at least 1; say always instead of it for no end".to_owned());
        }
        if !(1..=CERTAIN).contains(&self.per_mille) {
            return Err("per_mille is from 1 to 1000".to_owned());
        }
        Ok(())
    }
}

/// An order for something to go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Older ones go first.
    pub seq: u64,
    /// What.
    pub target: Target,
    /// How.
    pub action: Actions,
    /// How many more times; `None` for ever.
    pub count: Option<u32>,
    /// Only for this phone.
    pub msisdn: Option<Msisdn>,
    /// Only for this shortcode.
    pub shortcode: Option<String>,
    /// How many are let pass first.
    pub skip: u32,
    /// The chance, in thousandths.
    pub per_mille: u16,
    /// How often it was left to chance.
    pub asked: u64,
}

/// Whom something is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whom<'a> {
    /// The customer.
    pub msisdn: Option<Msisdn>,
    /// The business.
    pub shortcode: Option<&'a str>,
}

impl<'a> Whom<'a> {
    /// A customer and a business.
    pub fn both(msisdn: Msisdn, shortcode: &'a str) -> Self {
        Self { msisdn: Some(msisdn), shortcode: Some(shortcode) }
    }

    /// A business.
    pub fn business(shortcode: &'a str) -> Self {
        Self { msisdn: None, shortcode: Some(shortcode) }
    }
}

/// What becomes of an answer.
pub enum Verdict<T> {
    /// It is sent.
    Answer(Result<T, Refusal>),
    /// It is sent once its callback has been.
    AfterCallback(Result<T, Refusal>, oneshot::Receiver<()>),
    /// Something else is sent.
    Instead(Canned),
    /// The token has just ended.
    TokenEnded,
    /// Nothing is sent.
    Vanish,
}

impl<T> Verdict<T> {
    /// The same, with another answer.
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Self::Answer(result) => Verdict::Answer(result.map(answer)),
            Self::AfterCallback(result, told) => Verdict::AfterCallback(result.map(answer), told),
            Self::Instead(canned) => Verdict::Instead(canned),
            Self::TokenEnded => Verdict::TokenEnded,
            Self::Vanish => Verdict::Vanish,
        }
    }
}

/// How many orders are kept.
const MOST_FAULTS: usize = 1_000;

impl World {
    /// Orders a fault that was checked. `None` when too many are waiting.
    pub fn order_fault(&mut self, order: FaultOrder) -> Option<Fault> {
        if self.faults.len() >= MOST_FAULTS {
            return None;
        }
        let FaultOrder { target, action, count, always, msisdn, shortcode, skip, per_mille } = order;
        let count = if always { None } else { Some(count.unwrap_or(1)) };
        let seq = self.next_seq();
        let fault = Fault { seq, target, action, count, msisdn, shortcode, skip, per_mille, asked: 0 };
        self.changes.put(Kind::Fault, &fault.seq.to_string(), &fault);
        self.faults.push_back(fault.clone());
        Some(fault)
    }

    /// The orders that wait.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.iter().cloned().collect()
    }

    /// Takes back all orders.
    pub fn clear_faults(&mut self) {
        for fault in self.faults.drain(..) {
            self.changes.remove(Kind::Fault, &fault.seq.to_string());
        }
    }

    /// What goes wrong this time, if anything.
    pub(super) fn take_fault(&mut self, target: Target, whom: Whom<'_>) -> Option<Actions> {
        let seed = self.config.seed;
        let mut taken = None;
        for (position, fault) in self.faults.iter_mut().enumerate() {
            let fits = fault.target == target
                && fault.msisdn.is_none_or(|only| whom.msisdn == Some(only))
                && fault.shortcode.as_deref().is_none_or(|only| whom.shortcode == Some(only));
            if !fits {
                continue;
            }
            let passes = if fault.skip > 0 {
                fault.skip -= 1;
                true
            } else if fault.per_mille < CERTAIN {
                fault.asked += 1;
                Draw::new(seed, Purpose::Fault, fault.seq, fault.asked).per_mille() >= fault.per_mille
            } else {
                false
            };
            if !passes {
                fault.count = fault.count.map(|count| count - 1);
                taken = Some((position, fault.action.clone()));
            }
            if fault.count == Some(0) {
                self.changes.remove(Kind::Fault, &fault.seq.to_string());
            } else if passes || fault.count.is_some() {
                self.changes.put(Kind::Fault, &fault.seq.to_string(), &*fault);
            }
            if taken.is_some() {
                break;
            }
        }
        let (position, action) = taken?;
        if self.faults.get(position).is_some_and(|fault| fault.count == Some(0)) {
            self.faults.remove(position);
        }
        Some(action)
    }

    /// Does what a request asks for and answers it, unless its answer is to go
    /// wrong. `act` learns what is to go wrong with the answer itself, and
    /// tells what its callback will be about.
    pub fn answer<T>(
        &mut self,
        target: Target,
        whom: Whom<'_>,
        act: impl FnOnce(&mut Self, Option<&Action>) -> Result<(T, u64), Refusal>,
    ) -> Verdict<T> {
        let actions = self.take_fault(target, whom);
        let action = actions.as_ref().and_then(|actions| actions.iter().next());
        match action {
            Some(Action::Drop) => Verdict::Vanish,
            Some(Action::InvalidToken) => Verdict::TokenEnded,
            Some(Action::Refuse(odd)) => Verdict::Instead(odd.canned()),
            Some(Action::Lose) => {
                // What it would have answered nobody learns.
                let _ = act(self, None);
                Verdict::Vanish
            }
            Some(Action::Fail(odd)) => match act(self, None) {
                Ok(_) => Verdict::Instead(odd.canned()),
                Err(refusal) => Verdict::Answer(Err(refusal)),
            },
            Some(Action::CallbackFirst) => match act(self, None) {
                Ok((answer, about)) => {
                    self.hurry(about);
                    let (told, tells) = oneshot::channel();
                    self.waiting.push((about, told));
                    Verdict::AfterCallback(Ok(answer), tells)
                }
                Err(refusal) => Verdict::Answer(Err(refusal)),
            },
            other => Verdict::Answer(act(self, other).map(|(answer, _)| answer)),
        }
    }

    /// What was just taken on is done at once.
    fn hurry(&mut self, about: u64) {
        if self.prompts.contains_key(&about) {
            self.hurry_prompt(about);
        } else if self.payouts.contains_key(&about) {
            self.finish_payout(about);
        } else {
            self.finish_command(about);
        }
    }

    /// Lets answers go whose callbacks have gone.
    pub(super) fn release_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let (now, owed) = (self.now, &self.owed);
        let still = |about: u64| owed.values().any(|o| o.about == about && o.due_at <= now && !o.unheard);
        for (about, told) in std::mem::take(&mut self.waiting) {
            if still(about) {
                self.waiting.push((about, told));
            } else {
                // Who no longer waits needs not be told.
                let _ = told.send(());
            }
        }
    }
}
