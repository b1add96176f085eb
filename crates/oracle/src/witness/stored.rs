//! The evidence of a slot, found again in the store of who proposes it.

use crate::boundary::{Spans, registers_of};
use async_trait::async_trait;
use jirani_chain::witness::WitnessError;
use jirani_chain::witness::http::{EvidenceSource, HouseholdEvidence, SignedBytes};
use jirani_store::{Store, StoreError};
use jirani_units::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Finds the readings behind a stored slot.
pub struct StoredEvidence(Arc<dyn Store>);

impl StoredEvidence {
    /// Looks in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl EvidenceSource for StoredEvidence {
    async fn evidence(
        &self,
        feeder: u16,
        slot_end: Timestamp,
    ) -> Result<Vec<HouseholdEvidence>, WitnessError> {
        let away = |error: StoreError| WitnessError::Unreachable(error.to_string());
        let slot = self.0.last_slot(feeder, slot_end).await.map_err(away)?;
        let slot = slot
            .filter(|slot| slot.end == slot_end)
            .ok_or_else(|| WitnessError::Unreachable(format!("slot {slot_end} is not stored")))?;
        let households = self.0.households().await.map_err(away)?;
        let spans = Spans::load(&*self.0).await.map_err(away)?;
        let meters: BTreeMap<_, _> = households
            .iter()
            .filter(|record| record.meter.is_some())
            .map(|record| (record.id, record))
            .collect();
        let mut evidence = Vec::with_capacity(slot.rows.len());
        for row in &slot.rows {
            // The loss record has no meter: it follows from the others.
            let Some(record) = meters.get(&row.household) else { continue };
            let found =
                registers_of(&*self.0, record, spans.of(row.household), slot_end).await.map_err(away)?;
            let found = found.ok_or_else(|| {
                WitnessError::Unreachable(format!("the readings of household {} are gone", row.household))
            })?;
            evidence.push(HouseholdEvidence {
                household: row.household,
                readings: found.evidence.into_iter().map(SignedBytes).collect(),
            });
        }
        Ok(evidence)
    }
}
