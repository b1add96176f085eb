//! The past that forecasts look at, remembered per household.
//!
//! A month of readings is some thousand rows; read anew for every forecast they would be
//! the dearest question anybody asks. So the slots they make are kept, and only what may
//! have come since is read again: everything from [`AGAIN_S`] before the last reading known,
//! as a gateway may take late readings in.

use jirani_forecast::{RegisterSample, SlotEnergy, slot_energies};
use jirani_store::{ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, Slot, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Readings asked for at a time, and how many times at most: a meter that reads
/// every minute for two months fits. Of one that reads more often the newest are looked at.
const PAGE: u32 = 1_000;
const PAGES_MAX: usize = 100;
/// How far before the last known reading is read again, in seconds.
const AGAIN_S: i64 = 3_600;
/// Two readings further apart than this say nothing of the slots between them, in seconds:
/// so far before a slot lies the reading that its beginning may be drawn from.
const GAP_S: i64 = 2 * 3_600;
/// Slots remembered at most, of all households together (some 100 MB); beyond that all
/// are forgotten and read anew.
const SLOTS_MAX: usize = 8_000_000;

#[derive(Default)]
pub(crate) struct Pasts(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    households: HashMap<HouseholdId, Known>,
    slots: usize,
}

struct Known {
    from: Timestamp,
    /// Slots from here on are read again.
    settled: Timestamp,
    slots: Vec<Small>,
}

/// A slot by its number, in the least space: a site has a thousand homes with a month each.
#[derive(Clone, Copy)]
struct Small {
    number: u32,
    production_wh: u32,
    consumption_wh: u32,
}

impl Pasts {
    /// A household's slots from `oldest` on, in order of time.
    pub async fn of(
        &self,
        store: &dyn Store,
        household: HouseholdId,
        (oldest, now): (Timestamp, Timestamp),
        slot_length_s: u32,
    ) -> Result<Vec<SlotEnergy>, StoreError> {
        let length = i64::from(slot_length_s.max(1));
        let start = |slot: &Small| Timestamp::from_seconds(i64::from(slot.number) * length);
        let known = self.take(household).filter(|known| known.from <= oldest);
        let (again, mut slots) = known.map_or((oldest, Vec::new()), |known| (known.settled, known.slots));
        slots.retain(|slot| start(slot) >= oldest && start(slot) < again);
        let samples = samples(store, household, again.plus_seconds(-GAP_S), now).await?;
        let fresh = slot_energies(&samples, slot_length_s);
        slots.extend(fresh.iter().filter(|slot| slot.start >= again).filter_map(|slot| {
            Some(Small {
                number: u32::try_from(slot.start.seconds().div_euclid(length)).ok()?,
                production_wh: u32::try_from(slot.production_wh).ok()?,
                consumption_wh: u32::try_from(slot.consumption_wh).ok()?,
            })
        }));
        let found = slots.iter().map(|slot| SlotEnergy {
            start: start(slot),
            production_wh: u64::from(slot.production_wh),
            consumption_wh: u64::from(slot.consumption_wh),
        });
        let found = found.collect();
        let settled = samples.last().map_or(again, |last| {
            Slot::containing(last.time.plus_seconds(-AGAIN_S), slot_length_s.max(1)).start.max(oldest)
        });
        self.keep(household, Known { from: oldest, settled, slots });
        Ok(found)
    }

    /// Taken out rather than looked at: of two who ask at once, one reads all anew,
    /// and neither waits for the other.
    fn take(&self, household: HouseholdId) -> Option<Known> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.households.remove(&household)?;
        remembered.slots = remembered.slots.saturating_sub(known.slots.len());
        Some(known)
    }

    fn keep(&self, household: HouseholdId, known: Known) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.slots + known.slots.len() > SLOTS_MAX {
            *remembered = Remembered::default();
        }
        remembered.slots += known.slots.len();
        if let Some(before) = remembered.households.insert(household, known) {
            remembered.slots = remembered.slots.saturating_sub(before.slots.len());
        }
    }
}

/// Slots of a past that nobody will ask for again soon: read, not remembered.
pub(crate) async fn once(
    store: &dyn Store,
    household: HouseholdId,
    (oldest, now): (Timestamp, Timestamp),
    slot_length_s: u32,
) -> Result<Vec<SlotEnergy>, StoreError> {
    Ok(slot_energies(&samples(store, household, oldest, now).await?, slot_length_s))
}

async fn samples(
    store: &dyn Store,
    household: HouseholdId,
    mut from: Timestamp,
    now: Timestamp,
) -> Result<Vec<RegisterSample>, StoreError> {
    let to = Timestamp(now.0.saturating_add(1));
    loop {
        match bounded(store, household, (from, to)).await? {
            Found::All(samples) => return Ok(samples),
            // Half as far back: of too many it is the newest that count.
            Found::TooMany if from < now => from = Timestamp(from.0.midpoint(to.0)),
            Found::TooMany => return Ok(Vec::new()),
        }
    }
}

enum Found {
    All(Vec<RegisterSample>),
    TooMany,
}

async fn bounded(
    store: &dyn Store,
    household: HouseholdId,
    (mut from, to): (Timestamp, Timestamp),
) -> Result<Found, StoreError> {
    let mut samples = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = store.readings(household, from, to, PAGE).await?;
        samples.extend(page.iter().map(sample));
        match page.last() {
            Some(last) if page.len() == PAGE as usize => from = Timestamp(last.time.0 + 1),
            _ => return Ok(Found::All(samples)),
        }
        // A store that answers at once would keep everybody else from this thread.
        tokio::task::yield_now().await;
    }
    Ok(Found::TooMany)
}

fn sample(row: &ReadingRow) -> RegisterSample {
    RegisterSample {
        time: row.time,
        import_wh: row.import_wh.0,
        export_wh: row.export_wh.0,
        generation_wh: row.generation_wh.0,
    }
}
