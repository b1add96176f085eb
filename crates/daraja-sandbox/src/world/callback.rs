//! Callbacks owed to the developer's server.

use super::changes::Kind;
use super::{Timer, Whom, World};
use crate::action::{Action, Actions, Target};
use jirani_units::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackKind {
    /// Result of an STK Push.
    Stk,
    /// C2B confirmation.
    C2b,
    /// Result of a payout.
    B2c,
    /// Result of a transaction status request.
    Status,
    /// Result of an account balance request.
    Balance,
    /// Result of a reversal.
    Reversal,
    /// Result of a B2B request.
    B2b,
    /// Notice to a queue timeout address.
    Timeout,
}

impl CallbackKind {
    fn target(self) -> Target {
        match self {
            Self::Stk => Target::StkCallback,
            Self::C2b => Target::C2b,
            Self::B2c => Target::B2cCallback,
            Self::Status => Target::StatusCallback,
            Self::Balance => Target::BalanceCallback,
            Self::Reversal => Target::ReversalCallback,
            Self::B2b => Target::B2bCallback,
            Self::Timeout => Target::TimeoutCallback,
        }
    }
}

/// A callback to be owed.
#[derive(Clone, Copy)]
pub struct News<'a> {
    /// Which callback.
    pub kind: CallbackKind,
    /// The prompt, payment, payout or command it tells of.
    pub about: u64,
    /// Whom it tells of.
    pub whom: Whom<'a>,
    /// Where it goes.
    pub url: &'a str,
    /// Not before.
    pub due_at: Timestamp,
}

/// A callback not yet handed over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Owed {
    /// Identity.
    pub seq: u64,
    /// The prompt, payment or payout it tells of.
    pub about: u64,
    /// Which callback.
    pub kind: CallbackKind,
    /// Where it goes.
    pub url: String,
    /// The shortcode, for the header.
    pub shortcode: String,
    /// The body.
    pub body: String,
    /// Not before.
    pub due_at: Timestamp,
    /// Whether nobody listened.
    pub unheard: bool,
    /// Whether it was owed when the emulator started, or was asked for again.
    #[serde(skip)]
    pub left_over: bool,
}

/// What became of a callback; the last ones are kept for looking at.
#[derive(Clone, Debug, Serialize)]
pub struct Delivered {
    /// When.
    pub at: Timestamp,
    /// Which callback.
    pub kind: CallbackKind,
    /// Where it went.
    pub url: String,
    /// The body.
    pub body: String,
    /// The HTTP status it was answered with, or `lost` by order, or what failed.
    pub outcome: String,
}

/// How many past deliveries can be looked at.
const RECENT: usize = 200;
/// How long a callback that is to be overtaken waits for another, in seconds.
const OVERTAKEN_S: i64 = 60;
/// How many callbacks may be owed before nothing new is taken on.
pub(super) const MOST_OWED: usize = 50_000;

impl World {
    /// Owes a callback; faults on order are applied here. What is due now
    /// joins `lane`, whose callbacks go out one after another.
    pub(super) fn owe(&mut self, lane: &mut Vec<u64>, news: News<'_>, body: &str) {
        let News { kind, about, whom, url, mut due_at } = news;
        let (mut copies, mut held, mut body) = (1, false, body.to_owned());
        let actions = self.take_fault(kind.target(), whom);
        for action in actions.iter().flat_map(Actions::iter) {
            match action {
                Action::Lose => {
                    let url = url.to_owned();
                    self.note(Delivered { at: self.now, kind, url, body, outcome: "lost".to_owned() });
                    return;
                }
                Action::Duplicate(ordered) => copies = *ordered,
                Action::DelayS(seconds) => due_at = due_at.plus_seconds((*seconds).into()),
                Action::Reorder => held = true,
                Action::Shape(shape) => body = shape.apply(&body),
                _ => {}
            }
        }
        if held {
            due_at = due_at.plus_seconds(OVERTAKEN_S);
        }
        for _ in 0..copies {
            let seq = self.next_seq();
            let owed = Owed {
                seq,
                about,
                kind,
                url: url.to_owned(),
                shortcode: whom.shortcode.unwrap_or_default().to_owned(),
                body: body.clone(),
                due_at,
                unheard: false,
                left_over: false,
            };
            self.changes.put(Kind::Owed, &seq.to_string(), &owed);
            self.owed.insert(seq, owed);
            if held {
                self.held.push(seq);
            }
            if due_at > self.now {
                self.timers.insert((due_at, seq, Timer::Deliver));
            } else {
                lane.push(seq);
            }
        }
    }

    /// Sends a lane on its way, and after it whatever was to be overtaken.
    pub(super) fn send(&mut self, mut lane: Vec<u64>) {
        if lane.is_empty() {
            return;
        }
        for seq in std::mem::take(&mut self.held) {
            if let Some(owed) = self.owed.get_mut(&seq) {
                self.timers.remove(&(owed.due_at, seq, Timer::Deliver));
                owed.due_at = self.now;
                self.changes.put(Kind::Owed, &seq.to_string(), &*owed);
                lane.push(seq);
            }
        }
        self.lanes.push(lane);
    }

    /// A callback that waited for its time goes out.
    pub(super) fn deliver_late(&mut self, seq: u64) {
        self.held.retain(|held| *held != seq);
        self.send(vec![seq]);
    }

    /// After a restart: what is due goes out, one lane per thing it is about.
    pub(super) fn resume_owed(&mut self) {
        let mut lanes: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (seq, owed) in &mut self.owed {
            owed.left_over = true;
            if owed.due_at > self.now {
                self.timers.insert((owed.due_at, *seq, Timer::Deliver));
            } else if !self.out.contains(seq) {
                lanes.entry(owed.about).or_default().push(*seq);
            }
        }
        self.lanes.extend(lanes.into_values());
    }

    /// Puts callbacks that nobody heard on their way again; says how many.
    pub fn redeliver(&mut self) -> usize {
        let mut count = 0;
        for owed in self.owed.values_mut().filter(|owed| owed.unheard && !self.out.contains(&owed.seq)) {
            owed.left_over = true;
            self.lanes.push(vec![owed.seq]);
            count += 1;
        }
        count
    }

    /// The callbacks to be delivered now; each lane in order, lanes side by side.
    pub fn take_lanes(&mut self) -> Vec<Vec<Owed>> {
        let lanes = std::mem::take(&mut self.lanes);
        let lanes: Vec<Vec<Owed>> = lanes
            .into_iter()
            .map(|lane| lane.iter().filter_map(|seq| self.owed.get(seq).cloned()).collect())
            .collect();
        self.out.extend(lanes.iter().flatten().map(|owed| owed.seq));
        self.release_waiting();
        lanes
    }

    /// A callback was handed over, or will not be tried again.
    pub fn settle_callback(&mut self, seq: u64, outcome: String) {
        self.out.remove(&seq);
        if let Some(Owed { kind, url, body, .. }) = self.owed.remove(&seq) {
            self.changes.remove(Kind::Owed, &seq.to_string());
            self.note(Delivered { at: self.now, kind, url, body, outcome });
        }
    }

    /// Nobody listened: it stays owed.
    pub fn unheard_callback(&mut self, seq: u64, reason: &str) {
        self.out.remove(&seq);
        if let Some(owed) = self.owed.get_mut(&seq) {
            owed.unheard = true;
            let owed = owed.clone();
            self.changes.put(Kind::Owed, &seq.to_string(), &owed);
            let outcome = format!("nobody listens: {reason}");
            self.note(Delivered { at: self.now, kind: owed.kind, url: owed.url, body: owed.body, outcome });
        }
    }

    /// Callbacks still owed, and what became of the last ones.
    pub fn callbacks(&self) -> (Vec<Owed>, Vec<Delivered>) {
        (self.owed.values().cloned().collect(), self.recent.iter().cloned().collect())
    }

    fn note(&mut self, delivered: Delivered) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(delivered);
    }
}
