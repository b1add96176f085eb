//! The witness: looks at the evidence of a slot itself and signs only what it would
//! attest, too.
//!
//! Promises: meters' keys, epochs, ratings and attested registers come from the
//! witness's own node, never from who proposes; every signature of every reading is
//! verified; rows, losses and evidence root are computed anew; the message signed is the
//! attestation of exactly those, byte for byte; no two different rows are signed for one
//! household and slot while the process lives, and none with other offsets of a span than
//! before. A row that it would not attest is refused by name, so that the others go on
//! without it. Needs no store.
//!
//! [`look`] is the pure part. [`Examination`] is what answers at
//! [`jirani_chain::witness::http`]'s door; [`StoredEvidence`] is the other side, which
//! finds a slot's readings in the proposing server's store.

mod look;
mod stored;

pub use look::{NotTrue, TrueSlot, look};
pub use stored::StoredEvidence;

use async_trait::async_trait;
use jirani_chain::Address;
use jirani_chain::witness::exact::Truth;
use jirani_chain::witness::http::{Examiner, Proposal};
use jirani_chain::witness::registry::Registry;
use jirani_chain::witness::{AttestationRow, RefusedRow, Signature, WitnessError, WitnessKey};
use jirani_readings::Leaf;
use jirani_store::AttestedRow;
use jirani_units::{HouseholdId, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Rows that are remembered; the oldest slots are forgotten first.
const SIGNED_MAX: usize = 100_000;

/// Examines proposals with a key of its own.
pub struct Examination {
    key: WitnessKey,
    registry: Registry,
    slot_length_s: u32,
    /// What was signed, by slot and household: a second, different row is refused.
    signed: Mutex<BTreeMap<(Timestamp, HouseholdId), AttestedRow>>,
    /// Spans that rows were signed with: the same number never has other offsets.
    spans: Mutex<BTreeMap<(HouseholdId, u32), Leaf>>,
}

impl Examination {
    /// Examines slots of `slot_length_s` seconds; the chain's time says which have ended.
    pub fn new(key: WitnessKey, registry: Registry, slot_length_s: u32) -> Self {
        Self { key, registry, slot_length_s, signed: Mutex::default(), spans: Mutex::default() }
    }

    /// Spans that are another one than they were.
    fn changed_spans(&self, spans: &[Leaf]) -> Vec<NotTrue> {
        let mut known = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        for span in spans {
            let before = known.entry((span.household, span.number)).or_insert(*span);
            if before != span {
                changed.push(NotTrue::SpanChanged(span.household));
            }
        }
        while known.len() > SIGNED_MAX {
            known.pop_first();
        }
        changed
    }

    /// Whether nothing else was signed for these rows, which are then remembered.
    fn remember(&self, slot_end: Timestamp, rows: &[AttestedRow]) -> Result<(), WitnessError> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |row: &AttestedRow, known: &AttestedRow| {
            (row.export_wh, row.import_wh) == (known.export_wh, known.import_wh)
        };
        let contradicts = |row: &&AttestedRow| {
            signed.get(&(slot_end, row.household)).is_some_and(|known| !same(row, known))
        };
        let refused: Vec<RefusedRow> = rows
            .iter()
            .filter(contradicts)
            .map(|row| refusal(row.household, NotTrue::SignedOtherwise(row.household)))
            .collect();
        if !refused.is_empty() {
            return Err(WitnessError::RefusedRows(refused));
        }
        signed.extend(rows.iter().map(|row| ((slot_end, row.household), *row)));
        while signed.len() > SIGNED_MAX {
            signed.pop_first();
        }
        Ok(())
    }
}

#[async_trait]
impl Examiner for Examination {
    fn key(&self) -> Address {
        self.key.address()
    }

    async fn examine(&self, proposal: &Proposal) -> Result<Signature, WitnessError> {
        let away = |error: jirani_chain::ChainError| WitnessError::Unreachable(error.to_string());
        let config = self.registry.config().await.map_err(away)?;
        if !config.oracles.members().contains(&self.key.address().to_bytes()) {
            return Err(WitnessError::Refused(format!(
                "witness.no_member: {} is not in the oracle set; add it by `jirani chain rotate-oracle`",
                self.key.address()
            )));
        }
        let meters = self.registry.feeder(proposal.feeder).await.map_err(away)?;
        let now = self.registry.now().await.map_err(away)?;
        let refused = |error: NotTrue| WitnessError::Refused(error.to_string());
        let mut slot = look(proposal, &meters, self.slot_length_s, now).map_err(refused)?;
        let changed = self.changed_spans(&slot.spans);
        if !changed.is_empty() {
            // Losses follow from everybody's registers, these among them.
            let is_loss = |row: &AttestedRow| {
                meters.iter().any(|meter| meter.is_loss && meter.household == row.household)
            };
            slot.rows.retain(|row| !is_loss(row));
            slot.refused.extend(changed);
        }
        let mut rows = Vec::with_capacity(proposal.rows.len());
        let mut attested = Vec::with_capacity(proposal.rows.len());
        let mut in_the_way = Vec::new();
        for asked in &proposal.rows {
            let household = asked.household;
            let why = slot.refused.iter().find(|why| why.household() == Some(household));
            let row = slot.rows.iter().find(|row| row.household == household);
            let (None, Some(row)) = (why, row) else {
                in_the_way.push(refusal(household, *why.unwrap_or(&NotTrue::NoEvidence(household))));
                continue;
            };
            let meter = meters.iter().find(|meter| meter.household == household);
            rows.push(AttestationRow {
                household_id: household.0,
                meter_epoch: meter.map_or(0, |meter| meter.epoch),
                export_wh: row.export_wh.0,
                import_wh: row.import_wh.0,
            });
            attested.push(*row);
        }
        if !in_the_way.is_empty() {
            return Err(WitnessError::RefusedRows(in_the_way));
        }
        let truth = Truth {
            feeder: proposal.feeder,
            slot_end: proposal.slot_end.seconds(),
            evidence_root: slot.evidence_root,
            rows: &rows,
        };
        let signature = self
            .key
            .sign_exactly(self.registry.program(), config.oracles.version, &truth, &proposal.message)
            .map_err(|error| WitnessError::Refused(error.to_string()))?;
        // Only now: what is not handed out binds nobody.
        self.remember(proposal.slot_end, &attested)?;
        Ok(signature)
    }
}

fn refusal(household: HouseholdId, why: NotTrue) -> RefusedRow {
    RefusedRow { household, why: why.to_string() }
}
