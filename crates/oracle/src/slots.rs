//! Slots: at each one's end plus grace, what is known goes to the chain.
//!
//! Registers are cumulative, so a slot that was passed over (nobody spoke, a meter
//! was silent, the program skipped a row) is made good by any later one; nothing
//! is ever sent again with other numbers.

use crate::boundary::{Attestable, in_spans, names_present_epoch, stream_at};
use crate::counters::Counters;
use crate::enrolment::Registrar;
use crate::error::SlotsError;
use crate::findings::Findings;
use crate::notice::Notice;
use crate::plan::{is_metered, plan_slot};
use crate::sender::{Sender, Sent};
use crate::standing::{Holds, Meters};
use jirani_chain::EnergyChain;
use jirani_clock::{Busy, ServiceClock};
use jirani_readings::Span;
use jirani_store::{Event, Events, HouseholdRecord, ReadingRow, SlotRecord, Store};
use jirani_units::{Clock as _, HouseholdId, MeterId, Slot, Timestamp};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How many slots that the chain put off are sent again before each new one.
const AGAIN_AT_ONCE: u32 = 8;
/// Before every slot.
const BEGINNING: Timestamp = Timestamp(i64::MIN);

/// When slots are attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotsConfig {
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
    /// How long after a slot's end its readings are waited for, in seconds; at least 1.
    pub grace_s: u32,
}

/// Attests slot after slot.
pub struct Slots {
    config: SlotsConfig,
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
    clock: ServiceClock,
    events: Events,
    counters: Counters,
    notice: Option<Notice>,
    findings: Option<Findings>,
    /// Counts as work from the beginning, or an advanced clock could pass the
    /// first slot's end before it is waited for.
    starting: Busy,
}

/// The next boundary, and what is known of each feeder.
struct Progress {
    next_end: Timestamp,
    feeders: BTreeMap<u16, Feeder>,
}

struct Feeder {
    /// The end of the last slot that is stored: it is never planned again.
    stored_through: Option<Timestamp>,
    /// Whether stored slots wait.
    again: Again,
    /// The last of them that was tried again; those after it come next.
    tried_through: Timestamp,
}

/// Whether slots wait that are stored and have not landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// None does.
    None,
    /// Some do, and nobody refused one just now.
    More,
    /// Some do, and were refused for a while.
    Later,
}

/// Cancelled: the rest waits for the next start.
pub(crate) struct Cancelled;

impl Slots {
    /// Prepares.
    pub fn new(
        config: SlotsConfig,
        store: Arc<dyn Store>,
        chain: Arc<dyn EnergyChain>,
        clock: ServiceClock,
        events: Events,
        counters: Counters,
    ) -> Result<Self, SlotsError> {
        let length_s = config.slot_length_s;
        if length_s == 0 || 86_400 % length_s != 0 {
            return Err(SlotsError::BadLength(length_s));
        }
        let config = SlotsConfig { grace_s: config.grace_s.max(1), ..config };
        let starting = clock.busy();
        Ok(Self { config, store, chain, clock, events, counters, notice: None, findings: None, starting })
    }

    /// For the gateway of the same process ([`crate::Gateway::with_notice`]). Once
    /// asked for, slots sleep through a silent grid until they are told; without
    /// it they look at every slot's end.
    pub fn notice(&mut self) -> Notice {
        self.notice.get_or_insert_default().clone()
    }

    /// Judges every slot before it is planned; who is held is not attested.
    #[must_use]
    pub fn with_findings(self, findings: Findings) -> Self {
        Self { findings: Some(findings), ..self }
    }

    /// Runs until cancelled. Begins with what a crash left unsent.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), SlotsError> {
        let Self { config, store, chain, clock, events, counters, notice, findings, starting } = self;
        let findings = findings.map(Arc::new);
        let holds = Holds::new(store.clone(), findings.clone());
        let sender =
            Sender::new(store.clone(), chain.clone(), holds, clock.clone(), counters, cancel.clone());
        let runner = Runner { config, store, chain, clock, events, findings, sender };
        match runner.run(notice, starting, &cancel).await? {
            Ok(()) | Err(Cancelled) => Ok(()),
        }
    }
}

struct Runner {
    config: SlotsConfig,
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
    clock: ServiceClock,
    events: Events,
    findings: Option<Arc<Findings>>,
    sender: Sender,
}

/// Failures end the run; being cancelled is no failure.
pub(crate) type Step<T> = Result<Result<T, Cancelled>, SlotsError>;

/// Hands cancellation on.
macro_rules! go_on {
    ($step:expr) => {
        match $step.await? {
            Ok(value) => value,
            Err(cancelled) => return Ok(Err(cancelled)),
        }
    };
}
pub(crate) use go_on;

impl Runner {
    async fn run(mut self, notice: Option<Notice>, starting: Busy, cancel: &CancellationToken) -> Step<()> {
        let mut registrar =
            Registrar::new(self.store.clone(), self.chain.clone(), self.clock.clone(), self.events.clone());
        let mut busy = Some(starting);
        registrar.settle().await;
        let mut progress = go_on!(self.resume());
        loop {
            go_on!(self.attest_due(&mut progress));
            let slot_before = progress.next_end.plus_seconds(-i64::from(self.config.slot_length_s));
            let silent =
                notice.as_ref().filter(|notice| notice.latest().is_none_or(|latest| latest <= slot_before));
            if let Some(notice) = silent {
                let listening = notice.listen();
                drop(busy.take());
                busy = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Ok(Err(Cancelled)),
                    told = listening.told() => Some(told.unwrap_or_else(|| self.clock.busy())),
                    () = registrar.woken() => Some(self.clock.busy()),
                };
                // No attestation is under way now: an old meter's rows cannot pass a new one's.
                registrar.settle().await;
                continue;
            }
            let due = progress.next_end.plus_seconds(i64::from(self.config.grace_s));
            let mut sleep = std::pin::pin!(self.clock.sleep_until(due));
            // Asleep first, idle then: the clock must not pass by.
            busy = match futures::poll!(sleep.as_mut()) {
                std::task::Poll::Ready(woken) => Some(woken),
                std::task::Poll::Pending => {
                    drop(busy.take());
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => return Ok(Err(Cancelled)),
                        woken = sleep => Some(woken),
                        () = registrar.woken() => Some(self.clock.busy()),
                    }
                }
            };
            registrar.settle().await;
        }
    }

    /// Sends what was stored and not sent, and finds out where to go on.
    async fn resume(&mut self) -> Step<Progress> {
        let households = go_on!(self.sender.stored("households", || self.store.households()));
        let mut feeders = BTreeMap::new();
        let mut next_end = None;
        for feeder in feeders_of(&households) {
            let mut state = go_on!(self.learn(feeder));
            while state.again == Again::More {
                go_on!(self.send_again(feeder, &mut state, &households));
            }
            let begin = match state.stored_through {
                Some(end) => end,
                None => self.first_moment(&households, feeder),
            };
            let end = self.slot_of(begin).end();
            next_end = Some(next_end.map_or(end, |next: Timestamp| next.min(end)));
            feeders.insert(feeder, state);
        }
        let next_end = next_end.unwrap_or_else(|| self.slot_of(self.clock.now()).end());
        Ok(Ok(Progress { next_end, feeders }))
    }

    /// What is known of a feeder by the store.
    async fn learn(&self, feeder: u16) -> Step<Feeder> {
        // What still waits is sent as it was stored, never planned a second time.
        let last = go_on!(self.sender.stored("slots", || self.store.last_slot(feeder, Timestamp(i64::MAX))));
        let again =
            if go_on!(self.waiting(feeder, BEGINNING, 1)).is_empty() { Again::None } else { Again::More };
        Ok(Ok(Feeder { stored_through: last.map(|slot| slot.end), again, tried_through: BEGINNING }))
    }

    /// Slots of a feeder that are stored and have not landed, oldest first.
    async fn waiting(&self, feeder: u16, after: Timestamp, limit: u32) -> Step<Vec<SlotRecord>> {
        self.sender.stored("slots", || self.store.unattested_slots(feeder, after, limit)).await
    }

    fn first_moment(&self, households: &[HouseholdRecord], feeder: u16) -> Timestamp {
        let enrolled = households.iter().filter(|record| record.feeder == feeder).map(|r| r.enrolled_at);
        enrolled.min().unwrap_or_else(|| self.clock.now())
    }

    fn slot_of(&self, at: Timestamp) -> Slot {
        Slot::containing(at, self.config.slot_length_s)
    }

    /// Attests every boundary whose grace is over and of which something is known.
    async fn attest_due(&mut self, progress: &mut Progress) -> Step<()> {
        let grace_s = i64::from(self.config.grace_s);
        let latest_due = self.clock.now().plus_seconds(-grace_s);
        if progress.next_end > latest_due {
            return Ok(Ok(()));
        }
        let households = go_on!(self.sender.stored("households", || self.store.households()));
        let latest = go_on!(self.sender.stored("readings", || self.store.latest_readings()));
        let latest: HashMap<MeterId, ReadingRow> = latest.into_iter().map(|row| (row.meter, row)).collect();
        let horizon = latest.values().map(|row| row.time).max();
        for feeder in feeders_of(&households) {
            if let Entry::Vacant(place) = progress.feeders.entry(feeder) {
                place.insert(go_on!(self.learn(feeder)));
            }
        }
        while progress.next_end <= latest_due {
            let end = progress.next_end;
            if horizon.is_none_or(|horizon| horizon < end) {
                // Nobody has said anything of this moment or a later one. When
                // somebody does, a later slot's registers cover it.
                progress.next_end = self.slot_of(latest_due).end();
                break;
            }
            for (feeder, state) in &mut progress.feeders {
                if state.again != Again::None {
                    go_on!(self.send_again(*feeder, state, &households));
                }
                if state.stored_through.is_none_or(|through| through < end) {
                    go_on!(self.attest((*feeder, end), state, &households, &latest));
                    state.stored_through = Some(end);
                }
            }
            progress.next_end = self.slot_of(end).end();
        }
        Ok(Ok(()))
    }

    async fn attest(
        &mut self,
        (feeder, end): (u16, Timestamp),
        state: &mut Feeder,
        households: &[HouseholdRecord],
        latest: &HashMap<MeterId, ReadingRow>,
    ) -> Step<()> {
        // Anew for each: what went out before may have waited long.
        let meters = go_on!(self.sender.stored("meters", || Meters::load(&*self.store)));
        let mut known: BTreeMap<HouseholdId, Attestable> = BTreeMap::new();
        for record in households.iter().filter(|record| is_metered(record, feeder, end)) {
            if meters.holds(record) {
                // Held until a person decides; whatever it counts meanwhile is kept.
                continue;
            }
            let spans = meters.spans.of(record.id);
            if !names_present_epoch(spans, end) {
                continue;
            }
            if let Some(registers) = go_on!(self.registers_at(end, record, spans, latest)) {
                known.insert(record.id, registers);
            }
        }
        if let Some(findings) = &self.findings {
            let who = known.keys().copied().collect();
            let look = || findings.look(feeder, end, households, &who, latest, &meters);
            let held = go_on!(self.sender.stored("findings", look));
            known.retain(|household, _| !held.contains(household));
        }
        let Some(record) = plan_slot(feeder, end, households, &known) else { return Ok(Ok(())) };
        if go_on!(self.sender.send_new(record, households)) == Sent::PutOff {
            state.again = Again::Later;
        } else {
            self.events.publish(Event::Attested { feeder, end });
        }
        Ok(Ok(()))
    }

    /// Sends again what was stored and has not landed, oldest first, a few at a time, from
    /// where the last try ended: who is refused again stands behind all others.
    async fn send_again(&self, feeder: u16, state: &mut Feeder, households: &[HouseholdRecord]) -> Step<()> {
        let mut waiting = go_on!(self.waiting(feeder, state.tried_through, AGAIN_AT_ONCE));
        if waiting.is_empty() {
            waiting = go_on!(self.waiting(feeder, BEGINNING, AGAIN_AT_ONCE));
        }
        let is_end = waiting.len() < AGAIN_AT_ONCE as usize;
        for record in waiting {
            tracing::info!(feeder, end = %record.end, "sending a slot that was stored before");
            let end = record.end;
            state.tried_through = end;
            if go_on!(self.sender.send(record, households)) == Sent::PutOff {
                // Asking takes a while: no more of them before the next boundary.
                state.again = Again::Later;
                return Ok(Ok(()));
            }
            self.events.publish(Event::Attested { feeder, end });
        }
        if is_end {
            state.tried_through = BEGINNING;
            let left = go_on!(self.waiting(feeder, BEGINNING, 1));
            state.again = if left.is_empty() { Again::None } else { Again::Later };
        }
        Ok(Ok(()))
    }

    async fn registers_at(
        &self,
        end: Timestamp,
        record: &HouseholdRecord,
        spans: &[Span],
        latest: &HashMap<MeterId, ReadingRow>,
    ) -> Step<Option<Attestable>> {
        let Some((meter, epoch)) = stream_at(record, spans, end) else { return Ok(Ok(None)) };
        match latest.get(&meter).filter(|row| row.epoch == epoch) {
            // The usual case: the meter reads at the boundary, and that is its last word.
            Some(row) if row.time == end => Ok(Ok(in_spans(spans, Some(row), None, end))),
            Some(row) if row.time < end => Ok(Ok(None)),
            None if !latest.contains_key(&meter) => Ok(Ok(None)),
            _ => {
                let (before, after) =
                    go_on!(self.sender.stored("readings", || self.store.readings_around(meter, epoch, end)));
                Ok(Ok(in_spans(spans, before.as_ref(), after.as_ref(), end)))
            }
        }
    }
}

fn feeders_of(households: &[HouseholdRecord]) -> BTreeSet<u16> {
    households.iter().map(|record| record.feeder).collect()
}
