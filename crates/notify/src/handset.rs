//! Phones that exist on a page only: what is sent to a number is kept for whoever
//! looks at that number's screen, in memory, the newest few.

use crate::sms::{Sms, SmsOutcome};
use async_trait::async_trait;
use jirani_units::{Clock, Msisdn, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages kept for one number.
const KEPT: usize = 50;

/// A message on a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number among all messages, from 1.
    pub number: u64,
    /// What it says.
    pub text: String,
    /// When it came.
    pub at: Timestamp,
}

/// The phones of a demonstration.
pub struct Handsets {
    clock: Arc<dyn Clock>,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    sent: u64,
    phones: BTreeMap<Msisdn, VecDeque<Received>>,
}

impl Handsets {
    /// Phones without messages.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, inbox: Mutex::default() }
    }

    /// What a number has received, newest first.
    pub fn inbox(&self, of: Msisdn) -> Vec<Received> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.phones.get(&of).map(|phone| phone.iter().rev().cloned().collect()).unwrap_or_default()
    }
}

#[async_trait]
impl Sms for Handsets {
    async fn send(&self, to: Msisdn, text: &str, _id: &str) -> SmsOutcome {
        let at = self.clock.now();
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.sent += 1;
        let number = inbox.sent;
        let phone = inbox.phones.entry(to).or_default();
        phone.push_back(Received { number, text: text.to_owned(), at });
        if phone.len() > KEPT {
            phone.pop_front();
        }
        SmsOutcome::Sent { id: format!("handset-{number}") }
    }
}
