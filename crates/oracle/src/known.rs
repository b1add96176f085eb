//! What the gateway knows of meters: whose they are, and what they said last.

use crate::refusal::Refusal;
use crate::rules::{Latest, Rating};
use jirani_meter::{PublicKey, Registers};
use jirani_store::{HouseholdRecord, ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, MeterId};
use std::collections::HashMap;

/// An enrolled meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enrolled {
    pub(crate) household: HouseholdId,
    pub(crate) key: Result<PublicKey, Refusal>,
    pub(crate) epoch: u32,
    pub(crate) rating: Rating,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    enrolled: HashMap<MeterId, Enrolled>,
    pub(crate) latest: HashMap<MeterId, Latest>,
}

impl Known {
    pub(crate) async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut known = Self::default();
        known.refresh_enrolled(store).await?;
        known.refresh_latest(store).await?;
        Ok(known)
    }

    pub(crate) async fn refresh_enrolled(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        self.enrolled = store.households().await?.iter().filter_map(enrolled).collect();
        Ok(())
    }

    pub(crate) async fn refresh_latest(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        self.latest = store.latest_readings().await?.iter().map(|row| (row.meter, latest(row))).collect();
        Ok(())
    }

    pub(crate) fn meter(&self, meter: MeterId) -> Option<&Enrolled> {
        self.enrolled.get(&meter)
    }

    /// The meter that is settled for a household.
    pub(crate) fn meter_of(&self, household: HouseholdId) -> Option<MeterId> {
        let is_its = |(_, enrolled): &(&MeterId, &Enrolled)| enrolled.household == household;
        self.enrolled.iter().find(is_its).map(|(meter, _)| *meter)
    }
}

pub(crate) fn latest(row: &ReadingRow) -> Latest {
    Latest {
        epoch: row.epoch,
        seq: row.seq,
        time: row.time,
        registers: Registers {
            import_wh: row.import_wh.0,
            export_wh: row.export_wh.0,
            generation_wh: row.generation_wh.0,
        },
    }
}

fn enrolled(record: &HouseholdRecord) -> Option<(MeterId, Enrolled)> {
    let meter = record.meter?;
    let enrolled = Enrolled {
        household: record.id,
        key: PublicKey::from_bytes(&record.meter_key).map_err(Refusal::from),
        epoch: record.meter_epoch,
        rating: Rating {
            export_w: record.export_rating_w,
            import_w: record.import_rating_w,
            panels_w: record.pv_rated_w,
        },
    };
    Some((meter, enrolled))
}
