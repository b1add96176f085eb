//! The past that forecasts look at, remembered per household.
//!
//! Eight days of readings are some hundred rows; read anew for every forecast they
//! would be the dearest question anybody asks. So what was read is kept, and only
//! what may have come since is read again: everything from [`AGAIN_S`] before the
//! last reading known, as a gateway may take late readings in.

use jirani_forecast::RegisterSample;
use jirani_store::{ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How much past a forecast looks at, in seconds: eight days.
const PAST_S: i64 = 8 * 86_400;
/// Readings asked for at a time, and how many times at most: a meter that reads
/// every minute for eight days fits.
const PAGE: u32 = 1_000;
const PAGES_MAX: usize = 12;
/// How far before the last known reading is read again, in seconds.
const AGAIN_S: i64 = 3_600;
/// Samples remembered at most, of all households together (some 64 MB); beyond
/// that all are forgotten and read anew.
const SAMPLES_MAX: usize = 2_000_000;

#[derive(Default)]
pub(crate) struct Samples(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    households: HashMap<HouseholdId, Vec<RegisterSample>>,
    samples: usize,
}

impl Samples {
    /// A household's samples of the last eight days, in order of time.
    pub async fn of(
        &self,
        store: &dyn Store,
        household: HouseholdId,
        now: Timestamp,
    ) -> Result<Vec<RegisterSample>, StoreError> {
        let oldest = now.plus_seconds(-PAST_S);
        let mut samples = self.take(household);
        let again = samples.last().map_or(oldest, |last| last.time.plus_seconds(-AGAIN_S).max(oldest));
        samples.retain(|sample| sample.time >= oldest && sample.time < again);
        let to = Timestamp(now.0.saturating_add(1));
        let mut from = again;
        for _ in 0..PAGES_MAX {
            let page = store.readings(household, from, to, PAGE).await?;
            samples.extend(page.iter().map(sample));
            match page.last() {
                Some(last) if page.len() == PAGE as usize => from = Timestamp(last.time.0 + 1),
                _ => break,
            }
        }
        self.keep(household, samples.clone());
        Ok(samples)
    }

    /// Taken out rather than looked at: of two who ask at once, one reads all anew,
    /// and neither waits for the other.
    fn take(&self, household: HouseholdId) -> Vec<RegisterSample> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = remembered.households.remove(&household).unwrap_or_default();
        remembered.samples = remembered.samples.saturating_sub(samples.len());
        samples
    }

    fn keep(&self, household: HouseholdId, samples: Vec<RegisterSample>) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.samples + samples.len() > SAMPLES_MAX {
            *remembered = Remembered::default();
        }
        remembered.samples += samples.len();
        if let Some(before) = remembered.households.insert(household, samples) {
            remembered.samples = remembered.samples.saturating_sub(before.len());
        }
    }
}

fn sample(row: &ReadingRow) -> RegisterSample {
    RegisterSample {
        time: row.time,
        import_wh: row.import_wh.0,
        export_wh: row.export_wh.0,
        generation_wh: row.generation_wh.0,
    }
}
