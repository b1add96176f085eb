//! One slot on its way to the chain, through failures of store and node.

use crate::counters::Counters;
use crate::error::SlotsError;
use crate::plan::chunk_key;
use crate::slots::{Cancelled, Step, go_on};
use jirani_chain::{AttestRow, ChainError, EnergyChain, Outcome, Work};
use jirani_clock::ServiceClock;
use jirani_store::{AttestedRow, HouseholdKind, HouseholdRecord, SlotRecord, Store, StoreError};
use jirani_units::{Clock as _, HouseholdId, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Real time between attempts, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// One record in this many is compared with the chain after each slot.
const COMPARED_PART: usize = 16;

/// Sends slots, and compares some of what landed with the chain.
pub(crate) struct Sender {
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
    clock: ServiceClock,
    counters: Counters,
    cancel: CancellationToken,
    /// What was attested last, by household.
    attested: HashMap<HouseholdId, (Timestamp, AttestedRow)>,
    /// Where the comparison goes on.
    compared: usize,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        chain: Arc<dyn EnergyChain>,
        clock: ServiceClock,
        counters: Counters,
        cancel: CancellationToken,
    ) -> Self {
        Self { store, chain, clock, counters, cancel, attested: HashMap::new(), compared: 0 }
    }

    /// Asks the store, again while it is away.
    pub(crate) async fn stored<T, F>(&self, what: &str, ask: impl Fn() -> F) -> Step<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.insist(what, || async { ask().await.map_err(ChainError::Store) }).await
    }

    /// Asks the chain, again while it is away.
    pub(crate) async fn asked<T, F>(&self, what: &str, ask: impl Fn() -> F) -> Step<T>
    where
        F: Future<Output = Result<T, ChainError>>,
    {
        self.insist(what, ask).await
    }

    async fn insist<T, F>(&self, what: &str, ask: impl Fn() -> F) -> Step<T>
    where
        F: Future<Output = Result<T, ChainError>>,
    {
        let mut retry = RETRY_FIRST;
        loop {
            let error = match ask().await {
                Ok(value) => return Ok(Ok(value)),
                Err(error) => error,
            };
            let passes = matches!(
                error,
                ChainError::Unreachable(_)
                    | ChainError::NotReady(_)
                    | ChainError::Damaged(_)
                    | ChainError::Store(StoreError::Unavailable { .. })
            );
            if !passes {
                return Err(SlotsError::Chain(error));
            }
            tracing::error!("{what}: {error}; next attempt in {retry:?}");
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Ok(Err(Cancelled)),
                () = tokio::time::sleep(retry) => {}
            }
            retry = (retry * 2).min(RETRY_LAST);
        }
    }

    /// Stores a slot, then sends it. Says whether all of it landed.
    pub(crate) async fn send_new(
        &mut self,
        record: SlotRecord,
        households: &[HouseholdRecord],
    ) -> Step<bool> {
        go_on!(self.stored("a slot", || self.store.put_slot(record.clone())));
        self.send(record, households).await
    }

    /// Sends a stored slot, many rows to a transaction, all transactions at once.
    /// Says whether all of it landed. What the chain refuses whole is left out of
    /// the record: later slots cover it.
    pub(crate) async fn send(&mut self, record: SlotRecord, households: &[HouseholdRecord]) -> Step<bool> {
        let chunks: Vec<&[AttestedRow]> = record.rows.chunks(Work::ATTEST_ROWS_MAX).collect();
        let outcomes = futures::future::join_all(
            chunks.iter().enumerate().map(|(chunk, rows)| self.send_chunk(&record, chunk, rows)),
        );
        let mut landed = Vec::with_capacity(record.rows.len());
        let mut signatures = Vec::with_capacity(chunks.len());
        for (rows, outcome) in chunks.iter().zip(outcomes.await) {
            let outcome = match outcome? {
                Ok(outcome) => outcome,
                Err(cancelled) => return Ok(Err(cancelled)),
            };
            match outcome {
                Outcome::Landed { signature, .. } => {
                    landed.extend_from_slice(rows);
                    signatures.push(signature);
                }
                Outcome::Refused { code, message } => tracing::error!(
                    feeder = record.feeder, end = %record.end, rows = rows.len(),
                    "an attestation was refused: {code}: {message}"
                ),
            }
        }
        let whole = landed.len() == record.rows.len();
        let attested_at = Some(self.clock.now());
        let stored = SlotRecord { rows: landed, signatures, attested_at, ..record };
        go_on!(self.stored("a slot", || self.store.put_slot(stored.clone())));
        self.counters.rows(stored.rows.len());
        go_on!(self.compare(&stored, households));
        Ok(Ok(whole))
    }

    async fn send_chunk(&self, record: &SlotRecord, chunk: usize, rows: &[AttestedRow]) -> Step<Outcome> {
        let key = chunk_key(record.feeder, record.end, chunk);
        let work = Work::Attest {
            feeder: record.feeder,
            slot_end: record.end,
            evidence_root: record.evidence_root,
            rows: rows
                .iter()
                .map(|row| AttestRow {
                    household: row.household,
                    export_wh: row.export_wh,
                    import_wh: row.import_wh,
                })
                .collect(),
        };
        self.asked("an attestation", || self.chain.submit(&key, work.clone())).await
    }

    /// Compares rows with the chain: a landed transaction may have left single rows
    /// out (E3). Those that grew faster than their rating, those never compared
    /// before, and a part of the rest in turn.
    async fn compare(&mut self, record: &SlotRecord, households: &[HouseholdRecord]) -> Step<()> {
        let ratings: HashMap<HouseholdId, &HouseholdRecord> =
            households.iter().map(|household| (household.id, household)).collect();
        let count = record.rows.len();
        let in_turn: BTreeSet<usize> =
            (0..count.div_ceil(COMPARED_PART)).map(|step| (self.compared + step) % count.max(1)).collect();
        self.compared = self.compared.wrapping_add(in_turn.len());
        let mut missing = 0;
        for (place, row) in record.rows.iter().enumerate() {
            let before = self.attested.insert(row.household, (record.end, *row));
            let due = before.is_none_or(|before| {
                grew_beyond_rating(before, (record.end, *row), ratings.get(&row.household).copied())
            });
            if !due && !in_turn.contains(&place) {
                continue;
            }
            let on_chain = go_on!(self.asked("a record", || self.chain.household(row.household)));
            let applied = on_chain
                .is_some_and(|chain| chain.export_wh >= row.export_wh && chain.import_wh >= row.import_wh);
            if !applied {
                missing += 1;
                tracing::warn!(
                    household = %row.household, end = %record.end,
                    "the program did not apply a row; later slots carry its energy"
                );
            }
        }
        self.counters.rows_refused(missing);
        Ok(Ok(()))
    }
}

/// Whether a row could have emptied its bucket. The loss record is always looked at:
/// everybody's errors end there.
fn grew_beyond_rating(
    (before_end, before): (Timestamp, AttestedRow),
    (end, row): (Timestamp, AttestedRow),
    household: Option<&HouseholdRecord>,
) -> bool {
    let Some(household) = household.filter(|household| household.kind != HouseholdKind::Loss) else {
        return true;
    };
    let elapsed_s = u128::try_from(end.since(before_end) / 1_000_000).unwrap_or(0);
    let beyond = |grew_wh: u64, rating_w: u32| u128::from(grew_wh) * 3_600 > u128::from(rating_w) * elapsed_s;
    beyond(row.export_wh.saturating_sub(before.export_wh).0, household.export_rating_w)
        || beyond(row.import_wh.saturating_sub(before.import_wh).0, household.import_rating_w)
}
