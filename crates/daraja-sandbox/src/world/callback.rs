//! Callbacks owed to the developer's server.

use super::changes::Kind;
use super::{Action, Target, Timer, World};
use jirani_units::{Msisdn, Timestamp};
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
}

impl CallbackKind {
    fn target(self) -> Target {
        match self {
            Self::Stk => Target::StkCallback,
            Self::C2b => Target::C2b,
            Self::B2c => Target::B2cCallback,
        }
    }
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

impl World {
    /// Owes a callback; faults on order are applied here. What is due now
    /// joins `lane`, whose callbacks go out one after another.
    pub(super) fn owe(
        &mut self,
        lane: &mut Vec<u64>,
        (kind, about, msisdn): (CallbackKind, u64, Msisdn),
        (url, shortcode): (&str, &str),
        body: &str,
    ) {
        let (mut copies, mut due_at) = (1, self.now);
        match self.take_fault(kind.target(), msisdn) {
            Some(Action::Lose) => {
                let (url, body) = (url.to_owned(), body.to_owned());
                self.note(Delivered { at: self.now, kind, url, body, outcome: "lost".to_owned() });
                return;
            }
            Some(Action::Duplicate) => copies = 2,
            Some(Action::DelayS(seconds)) => due_at = due_at.plus_seconds(seconds.into()),
            _ => {}
        }
        for _ in 0..copies {
            let seq = self.next_seq();
            let owed = Owed {
                seq,
                about,
                kind,
                url: url.to_owned(),
                shortcode: shortcode.to_owned(),
                body: body.to_owned(),
                due_at,
                unheard: false,
                left_over: false,
            };
            self.changes.put(Kind::Owed, &seq.to_string(), &owed);
            self.owed.insert(seq, owed);
            if due_at > self.now {
                self.timers.insert((due_at, seq, Timer::Deliver));
            } else {
                lane.push(seq);
            }
        }
    }

    pub(super) fn send(&mut self, lane: Vec<u64>) {
        if !lane.is_empty() {
            self.lanes.push(lane);
        }
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
