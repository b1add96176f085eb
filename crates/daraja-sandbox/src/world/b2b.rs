//! B2B requests that have ended, as transaction status tells of them when it is asked by
//! the ids of the request: of the last ones.

use super::World;
use super::changes::Kind;
use super::command::{Ask, Command, Outcome};
use super::payout::QUEUE_TIMEOUT;
use jirani_units::Timestamp;
use serde::{Deserialize, Serialize};

/// How a request ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// It has not.
    Open,
    /// The money moved, under this receipt.
    Moved(String),
    /// It waited too long in M-Pesa's queue.
    Expired,
    /// It was refused.
    Refused,
}

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct B2b {
    pub originator_id: String,
    pub conversation_id: String,
    pub shortcode: String,
    pub receiver: String,
    pub shillings: i64,
    pub end: End,
    pub at: Timestamp,
}

impl B2b {
    fn of(command: &Command, end: End, at: Timestamp) -> Option<Self> {
        let Ask::B2b { receiver, shillings, .. } = &command.order.ask else { return None };
        Some(Self {
            originator_id: command.originator_id.clone(),
            conversation_id: command.conversation_id.clone(),
            shortcode: command.order.shortcode.clone(),
            receiver: receiver.clone(),
            shillings: *shillings,
            end,
            at,
        })
    }
}

impl World {
    /// The request with this id, M-Pesa's or what stands for the client's.
    pub(super) fn b2b_of(&self, id: &str) -> Option<B2b> {
        if let Some(ended) = self.by_b2b_id.get(id).and_then(|seq| self.b2bs.get(seq)) {
            return Some(ended.clone());
        }
        let mut open = self.commands.values();
        let open = open.find(|command| command.conversation_id == id || command.originator_id == id)?;
        B2b::of(open, End::Open, self.now)
    }

    pub(super) fn b2b_ended(&mut self, seq: u64, command: &Command, outcome: &Outcome) {
        let end = match (outcome.code.as_str(), &outcome.receipt) {
            ("0", Some(receipt)) => End::Moved(receipt.clone()),
            (QUEUE_TIMEOUT, _) => End::Expired,
            _ => End::Refused,
        };
        if let Some(b2b) = B2b::of(command, end, self.now) {
            self.changes.put(Kind::B2b, &seq.to_string(), &b2b);
            self.keep_b2b(seq, b2b);
        }
    }

    pub(super) fn keep_b2b(&mut self, seq: u64, b2b: B2b) {
        self.by_b2b_id.insert(b2b.originator_id.clone(), seq);
        self.by_b2b_id.insert(b2b.conversation_id.clone(), seq);
        self.b2bs.insert(seq, b2b);
    }

    pub(super) fn forget_b2bs(&mut self, most: usize) {
        while self.b2bs.len() > most
            && let Some((seq, b2b)) = self.b2bs.pop_first()
        {
            self.by_b2b_id.remove(&b2b.originator_id);
            self.by_b2b_id.remove(&b2b.conversation_id);
            self.changes.remove(Kind::B2b, &seq.to_string());
        }
    }
}
