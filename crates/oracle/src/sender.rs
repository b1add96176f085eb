//! One slot on its way to the chain, through failures of store and node.

use crate::counters::Counters;
use crate::error::SlotsError;
use crate::plan::chunk_key;
use crate::slots::{Cancelled, Step, go_on};
use jirani_chain::{AttestRow, ChainError, EnergyChain, Outcome, Retry, Work};
use jirani_clock::ServiceClock;
use jirani_store::{AttestedRow, SlotRecord, Store, StoreError};
use jirani_units::Clock as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Real time between attempts, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Every row is on chain.
    Whole,
    /// Some rows were refused for good.
    Part,
    /// Some were refused for a while: the slot stays as it was stored.
    PutOff,
}

/// Sends slots.
pub(crate) struct Sender {
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
    clock: ServiceClock,
    counters: Counters,
    cancel: CancellationToken,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        chain: Arc<dyn EnergyChain>,
        clock: ServiceClock,
        counters: Counters,
        cancel: CancellationToken,
    ) -> Self {
        Self { store, chain, clock, counters, cancel }
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

    /// Stores a slot, then sends it.
    pub(crate) async fn send_new(&self, record: SlotRecord) -> Step<Sent> {
        go_on!(self.stored("a slot", || self.store.put_slot(record.clone())));
        self.send(record).await
    }

    /// Sends a stored slot, many rows to a transaction, all transactions at once. What
    /// the chain refuses for good, whole or by row, is left out of the record: later
    /// slots cover it.
    pub(crate) async fn send(&self, record: SlotRecord) -> Step<Sent> {
        let chunks: Vec<&[AttestedRow]> = record.rows.chunks(Work::ATTEST_ROWS_MAX).collect();
        let outcomes = futures::future::join_all(
            chunks.iter().enumerate().map(|(chunk, rows)| self.send_chunk(&record, chunk, rows)),
        );
        let mut landed = Vec::with_capacity(record.rows.len());
        let mut signatures = Vec::with_capacity(chunks.len());
        let mut refused_rows = 0;
        let mut put_off = false;
        for (rows, outcome) in chunks.iter().zip(outcomes.await) {
            let outcome = match outcome? {
                Ok(outcome) => outcome,
                Err(cancelled) => return Ok(Err(cancelled)),
            };
            match outcome {
                Outcome::Landed { signature, rows: told, .. } => {
                    signatures.push(signature);
                    for (place, row) in rows.iter().enumerate() {
                        match told.get(place).filter(|told| !told.is_done()) {
                            None => landed.push(*row),
                            Some(told) => {
                                refused_rows += 1;
                                tracing::warn!(
                                    household = %row.household, end = %record.end, code = told.status.code(),
                                    "the program did not apply a row; later slots carry its energy"
                                );
                            }
                        }
                    }
                }
                Outcome::Refused { code, message, retry: Retry::From(at) } => {
                    put_off = true;
                    tracing::warn!(
                        feeder = record.feeder, end = %record.end, rows = rows.len(), again = %at,
                        "an attestation is put off: {code}: {message}"
                    );
                }
                Outcome::Refused { code, message, retry: Retry::Never } => tracing::error!(
                    feeder = record.feeder, end = %record.end, rows = rows.len(),
                    "an attestation was refused: {code}: {message}"
                ),
            }
        }
        if put_off {
            // Stored, and not attested: it is sent again, and what landed lands no more.
            return Ok(Ok(Sent::PutOff));
        }
        self.counters.rows_refused(refused_rows);
        let sent = if landed.len() == record.rows.len() { Sent::Whole } else { Sent::Part };
        let attested_at = Some(self.clock.now());
        let stored = SlotRecord { rows: landed, signatures, attested_at, ..record };
        go_on!(self.stored("a slot", || self.store.put_slot(stored.clone())));
        self.counters.rows(stored.rows.len());
        Ok(Ok(sent))
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
}
