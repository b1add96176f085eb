//! Faults on order: the next answers or callbacks of a kind go wrong.

use super::World;
use super::changes::Kind;
use jirani_units::Msisdn;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The answer to an STK Push.
    StkResponse,
    /// The callback of an STK Push.
    StkCallback,
    /// The C2B confirmation.
    C2b,
    /// The answer to a payout request.
    B2cResponse,
    /// The result of a payout.
    B2cCallback,
    /// The answer to an STK query.
    Query,
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It never comes.
    Lose,
    /// It comes twice (callbacks).
    Duplicate,
    /// It comes this many seconds later (callbacks).
    DelayS(u32),
    /// It says "still under processing" (queries).
    Pending,
    /// It says the opposite (queries).
    Contradict,
}

/// An order for something to go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Older ones go first.
    pub seq: u64,
    /// What.
    pub target: Target,
    /// How.
    pub action: Action,
    /// How many more times.
    pub count: u32,
    /// Only for this phone.
    pub msisdn: Option<Msisdn>,
}

/// How many orders are kept.
const MOST_FAULTS: usize = 1_000;

impl World {
    /// Orders a fault. `None` when the action does not fit the target, or too
    /// many are waiting.
    pub fn order_fault(
        &mut self,
        target: Target,
        action: Action,
        count: u32,
        msisdn: Option<Msisdn>,
    ) -> Option<Fault> {
        let fits = match target {
            Target::StkCallback | Target::C2b | Target::B2cCallback => {
                matches!(action, Action::Lose | Action::Duplicate | Action::DelayS(_))
            }
            // A late answer would have to wait for time that stands still
            // while the client waits.
            Target::StkResponse | Target::B2cResponse => action == Action::Lose,
            Target::Query => matches!(action, Action::Pending | Action::Contradict),
        };
        if !fits || count == 0 || self.faults.len() >= MOST_FAULTS {
            return None;
        }
        let fault = Fault { seq: self.next_seq(), target, action, count, msisdn };
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
    pub(super) fn take_fault(&mut self, target: Target, msisdn: Msisdn) -> Option<Action> {
        let position = self
            .faults
            .iter()
            .position(|fault| fault.target == target && fault.msisdn.is_none_or(|only| only == msisdn))?;
        let fault = self.faults.get_mut(position)?;
        let action = fault.action;
        fault.count -= 1;
        if fault.count == 0 {
            let seq = fault.seq;
            self.faults.remove(position);
            self.changes.remove(Kind::Fault, &seq.to_string());
        } else {
            let fault = fault.clone();
            self.changes.put(Kind::Fault, &fault.seq.to_string(), &fault);
        }
        Some(action)
    }
}
