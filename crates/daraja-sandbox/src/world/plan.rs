//! What a scenario does at its moments.

use super::changes::Kind;
use super::phone::PhoneOrder;
use super::{BusinessChange, FaultOrder, InitiatorChange, Payment, Timer, World};
use jirani_units::{Msisdn, Timestamp};
use serde::{Deserialize, Serialize};

/// One thing that is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Step {
    /// Orders a fault.
    Fault(FaultOrder),
    /// Takes back all orders.
    ClearFaults,
    /// A customer pays by hand, without being asked for a validation.
    PayBill {
        /// Who.
        msisdn: Msisdn,
        /// Whom.
        shortcode: String,
        /// How much, in whole shillings.
        shillings: i64,
        /// The account typed.
        reference: String,
    },
    /// M-Pesa reverses the last payment of a customer.
    ReverseLast(Msisdn),
    /// Changes a phone.
    Phone(Msisdn, PhoneOrder),
    /// Changes a shortcode.
    Business(String, BusinessChange),
    /// Changes the initiator.
    Initiator(InitiatorChange),
}

/// A step and its moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
}

impl World {
    /// Replaces waiting faults and plans by these steps, each so many seconds
    /// from now; what is due now is done now.
    pub fn play(&mut self, steps: Vec<(u32, Step)>) {
        self.clear_faults();
        for (seq, plan) in std::mem::take(&mut self.plans) {
            self.timers.remove(&(plan.at, seq, Timer::Plan));
            self.changes.remove(Kind::Plan, &seq.to_string());
        }
        for (after_s, step) in steps {
            if after_s == 0 {
                self.take_step(step);
                continue;
            }
            let seq = self.next_seq();
            let plan = Plan { at: self.now.plus_seconds(after_s.into()), step };
            self.timers.insert((plan.at, seq, Timer::Plan));
            self.changes.put(Kind::Plan, &seq.to_string(), &plan);
            self.plans.insert(seq, plan);
        }
    }

    /// How many steps wait for their moment.
    pub fn waiting_steps(&self) -> usize {
        self.plans.len()
    }

    pub(super) fn follow_plan(&mut self, seq: u64) {
        if let Some(plan) = self.plans.remove(&seq) {
            self.changes.remove(Kind::Plan, &seq.to_string());
            self.take_step(plan.step);
        }
    }

    fn take_step(&mut self, step: Step) {
        let done = match step {
            Step::Fault(order) => self.order_fault(order).is_some(),
            Step::ClearFaults => {
                self.clear_faults();
                true
            }
            Step::PayBill { msisdn, shortcode, shillings, reference } => {
                let payment = Payment {
                    msisdn,
                    shortcode: &shortcode,
                    shillings,
                    reference: &reference,
                    buy_goods: false,
                };
                let room = self.room().and_then(|()| self.room_for(msisdn)).is_ok();
                if room {
                    self.phone_mut(msisdn);
                    self.finish_payment(&payment, None);
                }
                room
            }
            Step::ReverseLast(msisdn) => self.reverse_last(msisdn),
            Step::Phone(msisdn, order) => {
                order.check().is_ok_and(|change| self.change_phone(msisdn, change).is_ok())
            }
            Step::Business(code, change) => self.change_business(&code, change).is_some(),
            Step::Initiator(change) => {
                self.change_initiator(change);
                true
            }
        };
        if !done {
            tracing::warn!("a step of the scenario could not be taken");
        }
    }

    fn reverse_last(&mut self, msisdn: Msisdn) -> bool {
        use crate::book::{Account, MovementKind};
        let last = self.book.movements().iter().rev().find(|movement| {
            movement.kind == MovementKind::PayBill && movement.from == Account::Customer(msisdn)
        });
        let receipt = last.and_then(|movement| movement.receipt.clone());
        receipt.is_some_and(|receipt| self.reverse_by_hand(&receipt).is_ok())
    }
}
