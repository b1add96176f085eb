//! The lane of calls: goes on with those that are not done, and makes the newest slot's.

use super::carry::Posted;
use super::decide::{Decision, Undecided, decide};
use super::document::Carried;
use super::notice;
use crate::engine::Key;
use crate::interruption::Moment;
use crate::service::{COMMIT_ATTEMPTS, Settlement};
use crate::step::{Step, Trouble};
use jirani_market::nairobi;
use jirani_store::{CallRecord, CallState, Change, Event, HouseholdRecord, OfferState, StoreError};
use jirani_units::{Clock as _, HouseholdId, Slot, Timestamp};
use std::collections::{BTreeSet, HashSet};

/// How long a call waits that cannot go on now, in seconds.
const AGAIN_S: i64 = 60;
/// Slots are looked for by themselves so long after the next should have come, in seconds:
/// for an oracle in another process.
const LATE_S: i64 = 300;
/// No call is made so long before prices change, in seconds: it would not be carried out by
/// then.
const CALL_S: i64 = 120;

impl Settlement {
    /// A slot of some feeder is attested.
    pub(crate) fn slot_attested(&self) {
        self.lanes.poke(Key::Call, self.clock.busy());
    }

    /// Moves all calls on as far as they go; says when to look again.
    pub(crate) async fn advance_calls(&self) -> Result<Option<Timestamp>, Trouble> {
        let mut waits = false;
        for call in self.store.live_calls().await? {
            match self.carry_out(call).await {
                Ok(done) => waits |= !done,
                // One that nobody can read must not keep the others.
                Err(Trouble::Stuck(what)) => {
                    tracing::error!(what, "a call cannot go on; the operator must look");
                    waits = true;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        let homes = self.store.households().await?;
        let feeders: BTreeSet<u16> = homes.iter().map(|home| home.feeder).collect();
        for feeder in feeders {
            if let Some(call) = self.call_newest(feeder, &homes).await? {
                waits |= !self.carry_out(call).await?;
            }
        }
        let length_s = i64::from(self.calling.policy().slot_length_s);
        let pause_s = if waits { AGAIN_S } else { length_s + LATE_S };
        Ok(Some(self.clock.now().plus_seconds(pause_s)))
    }

    /// Makes the call of the feeder's newest slot, unless it was made.
    async fn call_newest(
        &self,
        feeder: u16,
        homes: &[HouseholdRecord],
    ) -> Result<Option<CallRecord>, Trouble> {
        let Some(attested) = self.store.last_attested_slot(feeder).await? else { return Ok(None) };
        if self.calling.memory().looked.get(&feeder).is_some_and(|looked| *looked >= attested.end) {
            return Ok(None);
        }
        // The orders of a call are placed under the prices that it was made with.
        if !self.bounds_last(CALL_S).await? {
            return Ok(None);
        }
        let length_s = self.calling.policy().slot_length_s;
        let slot = Slot { start: attested.end.plus_seconds(-i64::from(length_s)), length_s };
        let mut call = None;
        if self.store.call(feeder, slot.start).await?.is_none() {
            call = self.call(feeder, slot, homes).await?;
        }
        self.calling.memory().looked.insert(feeder, attested.end);
        Ok(call)
    }

    /// Decides and keeps a call. `None` when there is nothing to keep of it.
    async fn call(
        &self,
        feeder: u16,
        slot: Slot,
        homes: &[HouseholdRecord],
    ) -> Result<Option<CallRecord>, Trouble> {
        let mut without = HashSet::new();
        for _ in 0..COMMIT_ATTEMPTS {
            let Some(facts) = self.gather(feeder, slot, homes).await? else { return Ok(None) };
            let decision = decide(&facts).map_err(|undecided| match undecided {
                Undecided::Broken(broken) => broken.into(),
                Undecided::Draw(error) => Trouble::Stuck(error.to_string()),
            })?;
            let told = self.not_told_yet(&decision, facts.now);
            let kept = decision.is_worth_keeping();
            if !kept && told.is_empty() {
                return Ok(None);
            }
            let mut step = Step::default();
            for (key, household, notice) in &told {
                step.change(notice::change(*key, *household, notice, facts.now));
            }
            let _spending = self.spending_own.lock().await;
            let record = if kept {
                let record = self.keep_call(&mut step, feeder, slot, &decision, &without).await?;
                Some(record)
            } else {
                None
            };
            // Who cannot pay any more is named by the place of its transfer.
            let payers: Vec<Option<HouseholdId>> = step.changes.iter().map(super::carry::payer).collect();
            match self.commit(step).await {
                Ok(_) => {
                    self.calling.memory().told.1.extend(told.into_iter().map(|(key, ..)| key.to_string()));
                    self.interruption.reached(Moment::CallCleared);
                    for offer in &decision.closing {
                        self.lanes.poke(Key::Offer(offer.id), self.clock.busy());
                    }
                    return Ok(record.map(|record| CallRecord { version: 1, ..record }));
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(StoreError::Refused { index, refusal }) => {
                    let Some(payer) = payers.get(index).copied().flatten() else {
                        return Err(Trouble::Stuck(refusal.to_string()));
                    };
                    without.insert(payer);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Trouble::Contended(format!("the call of {}", slot.start)))
    }

    /// The changes that keep a call: its book, the offers it closes, and what it becomes
    /// where nothing has to come back first.
    async fn keep_call(
        &self,
        step: &mut Step,
        feeder: u16,
        slot: Slot,
        decision: &Decision,
        without: &HashSet<HouseholdId>,
    ) -> Result<CallRecord, Trouble> {
        for offer in &decision.closing {
            let mut offer = offer.clone();
            offer.state = OfferState::Closing;
            step.announce(Event::Offer(offer.id, offer.seller));
            step.change(Change::Offer(offer));
        }
        let mut record = CallRecord {
            feeder,
            slot,
            state: CallState::Cleared,
            book: decision.book.text()?,
            carried_out: Carried::default().text()?,
            made_at: decision.at,
            done_at: None,
            version: 0,
        };
        if decision.sources.is_empty() {
            let carried = self
                .settle_call(step, slot, &decision.book, &decision.plan, &Posted::default(), without)
                .await?;
            record.carried_out = carried.text()?;
            record.state = CallState::Settling;
        }
        step.change(Change::Call(record.clone()));
        Ok(record)
    }

    /// What this process has not stored today.
    fn not_told_yet(
        &self,
        decision: &Decision,
        now: Timestamp,
    ) -> Vec<(jirani_market::rule::IntentKey, HouseholdId, jirani_market::rule::Notice)> {
        let mut memory = self.calling.memory();
        let day = nairobi::day(now);
        if memory.told.0 != day {
            memory.told = (day, HashSet::new());
        }
        let new = decision.told.iter().filter(|(key, ..)| !memory.told.1.contains(&key.to_string()));
        new.copied().collect()
    }
}
