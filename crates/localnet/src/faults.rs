//! What goes wrong on purpose, so that clients can be tested against the network
//! that they will have. Nothing does unless it is asked for.

use sha2::{Digest, Sha256};
use solana_signature::Signature;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Most signatures that are remembered as expired, and most single faults that wait.
const REMEMBERED: usize = 65_536;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The transaction is answered with its signature and lost; sent again, it may land.
    Drop,
    /// The transaction lands, and arrives a second time.
    Duplicate,
    /// The transaction is answered at once and lands later.
    Delay(Duration),
    /// The transaction and every copy of it are lost: it never lands.
    Expire,
    /// The request is carried out and answered later.
    AnswerLate(Duration),
    /// The request is carried out, and the connection breaks before the answer.
    Disconnect,
}

/// How often things go wrong by chance, out of 1,000 each. The same seed gives the
/// same faults to the same sequence of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// Names the sequence.
    pub seed: u64,
    /// Of 1,000 sent transactions, how many are dropped.
    pub drop: u16,
    /// How many arrive twice.
    pub duplicate: u16,
    /// How many land later.
    pub delay: u16,
    /// How much later.
    pub delay_by: Duration,
    /// How many never land.
    pub expire: u16,
    /// Of 1,000 requests, how many are answered late.
    pub late: u16,
    /// How late.
    pub late_by: Duration,
    /// How many are not answered, their connection broken.
    pub disconnect: u16,
}

/// The faults of a running chain.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    cut: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    plan: FaultPlan,
    sent: u64,
    asked: u64,
    next_sent: VecDeque<Fault>,
    next_asked: VecDeque<Fault>,
    expired: HashSet<Signature>,
    behind: Option<u64>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        let state = Mutex::new(State { plan, ..State::default() });
        Self(Arc::new(Shared { state, cut: watch::Sender::new(0) }))
    }

    /// What goes wrong by chance from now on.
    pub fn plan(&self, plan: FaultPlan) {
        let mut state = self.lock();
        (state.plan, state.sent, state.asked) = (plan, 0, 0);
    }

    /// The next `times` transactions that are sent (for [`Fault::AnswerLate`] and
    /// [`Fault::Disconnect`]: HTTP requests that are made) suffer `fault`, after
    /// those that wait already.
    pub fn inject(&self, fault: Fault, times: usize) {
        let mut state = self.lock();
        let queue = match fault {
            Fault::AnswerLate(_) | Fault::Disconnect => &mut state.next_asked,
            Fault::Drop | Fault::Duplicate | Fault::Delay(_) | Fault::Expire => &mut state.next_sent,
        };
        let room = REMEMBERED.saturating_sub(queue.len());
        queue.extend(std::iter::repeat_n(fault, times.min(room)));
    }

    /// Has the node say that it is so many slots behind; `None` heals it.
    pub fn set_behind(&self, slots: Option<u64>) {
        self.lock().behind = slots;
    }

    /// Breaks every WebSocket connection that is open now.
    pub fn disconnect_websockets(&self) {
        self.0.cut.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn behind(&self) -> Option<u64> {
        self.lock().behind
    }

    pub(crate) fn cuts(&self) -> watch::Receiver<u64> {
        self.0.cut.subscribe()
    }

    /// What becomes of a transaction that is sent now.
    pub(crate) fn of_sent(&self, signature: &Signature) -> Option<Fault> {
        let mut state = self.lock();
        if state.expired.contains(signature) {
            return Some(Fault::Expire);
        }
        let plan = state.plan;
        let fault = state.next_sent.pop_front().or_else(|| {
            state.sent += 1;
            let luck = luck(plan.seed, b"sent", state.sent);
            pick(
                luck,
                [
                    (plan.drop, Fault::Drop),
                    (plan.duplicate, Fault::Duplicate),
                    (plan.delay, Fault::Delay(plan.delay_by)),
                    (plan.expire, Fault::Expire),
                ],
            )
        });
        if fault == Some(Fault::Expire) && state.expired.len() < REMEMBERED {
            state.expired.insert(*signature);
        }
        fault
    }

    /// What becomes of the answer to a request that is made now.
    pub(crate) fn of_asked(&self) -> Option<Fault> {
        let mut state = self.lock();
        if let Some(fault) = state.next_asked.pop_front() {
            return Some(fault);
        }
        let plan = state.plan;
        if plan.late == 0 && plan.disconnect == 0 {
            return None;
        }
        state.asked += 1;
        let luck = luck(plan.seed, b"asked", state.asked);
        pick(luck, [(plan.late, Fault::AnswerLate(plan.late_by)), (plan.disconnect, Fault::Disconnect)])
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number below 1,000 that depends on nothing but the seed and the turn.
fn luck(seed: u64, what: &[u8], turn: u64) -> u16 {
    let digest =
        Sha256::new().chain_update(seed.to_le_bytes()).chain_update(what).chain_update(turn.to_le_bytes());
    let bytes: [u8; 32] = digest.finalize().into();
    let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    u16::try_from(number % 1_000).unwrap_or(0)
}

fn pick<const N: usize>(luck: u16, chances: [(u16, Fault); N]) -> Option<Fault> {
    let mut below = 0u32;
    for (chance, fault) in chances {
        below += u32::from(chance);
        if u32::from(luck) < below {
            return Some(fault);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(number: u64) -> Signature {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Signature::from(bytes)
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_about_as_often_as_planned() {
        let plan = FaultPlan { seed: 7, drop: 200, duplicate: 200, expire: 100, ..FaultPlan::default() };
        let run = |plan| {
            let faults = Faults::new(plan);
            (0..5_000).map(|number| faults.of_sent(&signature(number))).collect::<Vec<_>>()
        };
        let first = run(plan);
        assert_eq!(first, run(plan));
        assert_ne!(first, run(FaultPlan { seed: 8, ..plan }));
        let count = |fault| first.iter().filter(|found| **found == fault).count();
        assert!((900..1_100).contains(&count(Some(Fault::Drop))), "{}", count(Some(Fault::Drop)));
        assert!((400..600).contains(&count(Some(Fault::Expire))));
        assert!((2_300..2_700).contains(&count(None)));
    }

    #[test]
    fn what_expired_never_lands_and_what_was_asked_for_comes_first() {
        let faults = Faults::new(FaultPlan::default());
        faults.inject(Fault::Expire, 1);
        faults.inject(Fault::Drop, 1);
        faults.inject(Fault::Disconnect, 1);
        assert_eq!(faults.of_sent(&signature(1)), Some(Fault::Expire));
        assert_eq!(faults.of_sent(&signature(1)), Some(Fault::Expire), "nor does a copy of it");
        assert_eq!(faults.of_sent(&signature(2)), Some(Fault::Drop));
        assert_eq!(faults.of_sent(&signature(2)), None);
        assert_eq!((faults.of_asked(), faults.of_asked()), (Some(Fault::Disconnect), None));
    }
}
