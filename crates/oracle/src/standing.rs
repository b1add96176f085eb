//! How households' meters stand when a slot is planned: what their registers go on from, and
//! whose do not count whatever they say. Read anew for each slot, so that a hold or a
//! retirement stops the very next one, also while many are made up for.

use crate::boundary::Spans;
use crate::findings::Findings;
use jirani_store::{HouseholdRecord, MeterState, Store, StoreError};
use jirani_units::{HouseholdId, MeterId};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What is known of meters besides their readings.
pub(crate) struct Meters {
    /// Every household's spans.
    pub(crate) spans: Spans,
    held: HashSet<MeterId>,
    retired: HashSet<MeterId>,
}

impl Meters {
    /// Reads it.
    pub(crate) async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let (spans, records) = (Spans::load(store).await?, store.meters().await?);
        let held = records.iter().filter(|record| record.held.is_some()).map(|record| record.meter);
        let retired = records.iter().filter(|record| record.state == MeterState::Retired);
        Ok(Self { spans, held: held.collect(), retired: retired.map(|record| record.meter).collect() })
    }

    /// Whether nothing of a record's meter is attested until a person decides.
    pub(crate) fn holds(&self, record: &HouseholdRecord) -> bool {
        record.meter.is_some_and(|meter| self.held.contains(&meter))
    }

    /// Whether a record has a meter that still counts: one that was retired without another
    /// in its place leaves its household as one without a meter.
    pub(crate) fn counts(&self, record: &HouseholdRecord) -> bool {
        record.meter.is_some_and(|meter| !self.retired.contains(&meter))
    }
}

/// Who is held, asked whenever rows are about to go out: a hold stops also what was stored
/// before it, and what has been tried since.
pub(crate) struct Holds {
    store: Arc<dyn Store>,
    findings: Option<Arc<Findings>>,
}

impl Holds {
    pub(crate) fn new(store: Arc<dyn Store>, findings: Option<Arc<Findings>>) -> Self {
        Self { store, findings }
    }

    /// Those of `households` who are held now, by their meter or by what was found of them.
    pub(crate) async fn now(
        &self,
        households: &[HouseholdRecord],
    ) -> Result<BTreeSet<HouseholdId>, StoreError> {
        let meters: HashSet<MeterId> = self.store.held_meters().await?.into_iter().collect();
        let is_held = |record: &&HouseholdRecord| record.meter.is_some_and(|meter| meters.contains(&meter));
        let mut held: BTreeSet<HouseholdId> =
            households.iter().filter(is_held).map(|record| record.id).collect();
        if let Some(findings) = &self.findings {
            held.extend(findings.held().await?);
        }
        Ok(held)
    }
}
