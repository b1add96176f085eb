//! When to ask what became of a payout. Pure but for the memory of what this
//! process has asked, lost with it on purpose: a new one asks at once.

use super::queue::{Queue, Turn};
use jirani_store::{PayoutRecord, PayoutState};
use jirani_units::{PayoutId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Seconds from the request to the first question, then from question to question;
/// the last one repeats.
const ASKS_S: [i64; 7] = [30, 60, 120, 300, 900, 3_600, 14_400];
/// Seconds after which a person hears of a payout whose outcome is unknown.
pub(crate) const OVERDUE_S: i64 = 86_400;

/// How often this process has asked about a payout, and when it may again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AskedSoFar {
    pub(crate) times: usize,
    pub(crate) again_at: Timestamp,
    /// M-Pesa could not answer the last question.
    pub(crate) in_vain: bool,
}

/// What the payout's state asks for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayoutEffect {
    /// The first request under this id.
    Send,
    /// The question what became of it.
    Ask,
    /// The same request under the same id.
    Repeat,
    Rest(Option<Timestamp>),
}

/// What `payout` asks for. A payout this process has not asked about was left
/// unknown by an earlier one: it is asked about at once.
pub(crate) fn effect(
    payout: &PayoutRecord,
    asked: Option<AskedSoFar>,
    queue: &Queue,
    now: Timestamp,
) -> PayoutEffect {
    match &payout.state {
        PayoutState::Planned => match queue.turn(now) {
            Turn::Go => PayoutEffect::Send,
            Turn::WaitUntil(at) => PayoutEffect::Rest(Some(at)),
            Turn::Wait => PayoutEffect::Rest(None),
        },
        PayoutState::Unknown | PayoutState::Accepted if queue.is_stopped() => PayoutEffect::Rest(None),
        PayoutState::Unknown | PayoutState::Accepted => match asked {
            Some(asked) if payout.state == PayoutState::Unknown && asked.in_vain => PayoutEffect::Repeat,
            Some(asked) if now < asked.again_at => PayoutEffect::Rest(Some(asked.again_at)),
            None | Some(_) => PayoutEffect::Ask,
        },
        PayoutState::Paid | PayoutState::Failed { .. } => PayoutEffect::Rest(None),
    }
}

/// What this process has asked about payouts that are unknown.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<PayoutId, AskedSoFar>>);

impl Asked {
    pub(crate) fn get(&self, id: PayoutId) -> Option<AskedSoFar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    /// Something was sent or asked: the next question is a while away.
    pub(crate) fn note(&self, id: PayoutId, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.get(&id).map_or(0, |asked| asked.times);
        let wait_s = ASKS_S[times.min(ASKS_S.len() - 1)];
        let again_at = now.plus_seconds(wait_s);
        all.insert(id, AskedSoFar { times: times + 1, again_at, in_vain: false });
    }

    /// The last question found no answer.
    pub(crate) fn note_in_vain(&self, id: PayoutId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = all.get_mut(&id) {
            asked.in_vain = true;
        }
    }

    pub(crate) fn forget(&self, id: PayoutId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}
