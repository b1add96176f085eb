//! One slot on its way to the chain, through failures of store and node.

use crate::counters::Counters;
use crate::error::SlotsError;
use crate::landing::{Answer, Landing, LeftOut};
use crate::plan::{Gone, chunk_key, key_without, loss_after, loss_key, silent};
use crate::residual::{LossRegisters, loss_row};
use crate::slots::{Cancelled, Step, go_on};
use crate::standing::{Holds, Meters};
use jirani_chain::witness::RefusedRow;
use jirani_chain::{AttestRow, ChainError, EnergyChain, HouseholdOnChain, Work};
use jirani_clock::ServiceClock;
use jirani_market::report::is_awaited;
use jirani_store::{AttestedRow, Change, HouseholdRecord, MeterEventRow, SlotRecord, Store, StoreError};
use jirani_units::{Clock as _, HouseholdId, Wh};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// In a meter's history: the witness does not sign its row.
const NOT_WITNESSED: &str = "meter.not_witnessed";
/// Real time between attempts, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// How often the witness is asked for one piece that it refuses as a whole, before the slot
/// is put off: nobody else waits for what may never be signed.
const UNSIGNED_MAX: u32 = 7;

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// What could land is on chain; later slots carry the energy of what was refused.
    Attested,
    /// Some rows were refused for a while: the slot stays as it was stored.
    PutOff,
}

/// Sends slots.
pub(crate) struct Sender {
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
    holds: Holds,
    clock: ServiceClock,
    counters: Counters,
    cancel: CancellationToken,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        chain: Arc<dyn EnergyChain>,
        holds: Holds,
        clock: ServiceClock,
        counters: Counters,
        cancel: CancellationToken,
    ) -> Self {
        Self { store, chain, holds, clock, counters, cancel }
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
    pub(crate) async fn send_new(&self, record: SlotRecord, households: &[HouseholdRecord]) -> Step<Sent> {
        go_on!(self.stored("a slot", || self.store.put_slot(record.clone())));
        self.send(record, households).await
    }

    /// Sends a stored slot, many rows to a transaction, all transactions at once, and after
    /// them the losses that follow from what landed (E4). What chain or witness refuse for
    /// good, whole or by row, is left out of the record: later slots cover it. So are the rows
    /// of those who are held by now, whenever that is in between the attempts.
    pub(crate) async fn send(&self, record: SlotRecord, households: &[HouseholdRecord]) -> Step<Sent> {
        let mut landing = Landing::default();
        let mut left_out = Vec::new();
        let chunks = record.rows.chunks(Work::ATTEST_ROWS_MAX).enumerate();
        let asked = chunks.map(|(chunk, rows)| {
            self.send_rows(&record, chunk_key(record.feeder, record.end, chunk), rows.to_vec(), households)
        });
        for piece in futures::future::join_all(asked).await {
            let piece = match piece? {
                Ok(piece) => piece,
                Err(cancelled) => return Ok(Err(cancelled)),
            };
            left_out.extend(piece.left_out);
            if let Some(answer) = piece.answer {
                landing.take(&piece.rows, answer);
            }
        }
        let gone = go_on!(self.gone(&record, households));
        let loss = loss_after(&record, households, &gone).filter(|_| landing.has_applied(&record.rows));
        if let Some(loss) = loss {
            let before = go_on!(self.losses(loss));
            if let Some(row) = loss_row(loss, before, &record.rows, &gone) {
                let key = loss_key(record.feeder, record.end);
                let piece = go_on!(self.send_rows(&record, key, vec![row], households));
                left_out.extend(piece.left_out);
                match piece.answer {
                    // Losses are made good by any later slot: nobody waits for them.
                    Some(Answer::Unsigned(why)) => landing.lost.push(why),
                    Some(answer) => landing.take(&piece.rows, answer),
                    None => {}
                }
            }
        }
        complain(&record, &landing);
        go_on!(self.write_down(&left_out, households));
        if !landing.put_off.is_empty() {
            // Stored, and not attested: it is sent again, and what landed lands no more.
            return Ok(Ok(Sent::PutOff));
        }
        self.counters.rows_refused(landing.refused.len() + left_out.len());
        landing.rows.sort_by_key(|row| row.household);
        let attested_at = Some(self.clock.now());
        let Landing { rows, signatures, .. } = landing;
        let stored = SlotRecord { rows, signatures, attested_at, ..record };
        go_on!(self.stored("a slot", || self.store.put_slot(stored.clone())));
        self.counters.rows(stored.rows.len());
        Ok(Ok(Sent::Attested))
    }

    /// Sends rows of a slot as one transaction; without those that the witness names, since
    /// one household's row never holds up the others', and without those of the held. Each
    /// time there are fewer.
    async fn send_rows(
        &self,
        record: &SlotRecord,
        key: String,
        mut rows: Vec<AttestedRow>,
        households: &[HouseholdRecord],
    ) -> Step<Piece> {
        let mut left_out: Vec<LeftOut> = Vec::new();
        let mut without: BTreeSet<HouseholdId> = BTreeSet::new();
        while !rows.is_empty() {
            let named = key_without(&key, &without);
            let work = work_of(record, &rows);
            let asked = AtomicU32::new(0);
            let said = go_on!(self.asked("an attestation", || async {
                let held = self.held(&rows, households).await?;
                if !held.is_empty() {
                    // What was sent before the hold may have landed, and our record must say so.
                    if let Some(outcome) = self.chain.ended(&named, &work).await? {
                        return Ok(Said::Answer(Answer::Told(outcome)));
                    }
                    let withheld = self.not_on_chain(record, held).await?;
                    if !withheld.is_empty() {
                        return Ok(Said::Held(withheld));
                    }
                }
                match self.chain.submit(&named, work.clone()).await {
                    Ok(outcome) => Ok(Said::Answer(Answer::Told(outcome))),
                    Err(ChainError::Unsigned { rows: refused, .. }) if names_any(&refused, &rows) => {
                        Ok(Said::Refused(refused))
                    }
                    Err(ChainError::Unsigned { why, .. }) => {
                        if asked.fetch_add(1, Ordering::Relaxed) + 1 < UNSIGNED_MAX {
                            return Err(ChainError::NotReady(why));
                        }
                        Ok(Said::Answer(Answer::Unsigned(why)))
                    }
                    Err(error) => Err(error),
                }
            }));
            let fewer: BTreeSet<HouseholdId> = match said {
                Said::Answer(answer) => return Ok(Ok(Piece { rows, answer: Some(answer), left_out })),
                Said::Held(held) => held,
                Said::Refused(refused) => {
                    let ours =
                        |refused: &RefusedRow| rows.iter().any(|row| row.household == refused.household);
                    let refused = refused.into_iter().filter(ours);
                    let refused: Vec<LeftOut> =
                        refused.map(|RefusedRow { household, why }| LeftOut { household, why }).collect();
                    let ids = refused.iter().map(|row| row.household).collect();
                    left_out.extend(refused);
                    ids
                }
            };
            rows.retain(|row| !fewer.contains(&row.household));
            without.extend(fewer);
        }
        Ok(Ok(Piece { rows, answer: None, left_out }))
    }

    /// Whose of these rows must not go out, because they are held now.
    async fn held(
        &self,
        rows: &[AttestedRow],
        households: &[HouseholdRecord],
    ) -> Result<BTreeSet<HouseholdId>, ChainError> {
        let held = self.holds.now(households).await?;
        Ok(rows.iter().map(|row| row.household).filter(|household| held.contains(household)).collect())
    }

    /// Of these, those whom the chain does not have through this slot: others it was told of
    /// in a life that this store has forgotten.
    async fn not_on_chain(
        &self,
        slot: &SlotRecord,
        held: BTreeSet<HouseholdId>,
    ) -> Result<BTreeSet<HouseholdId>, ChainError> {
        let ids: Vec<HouseholdId> = held.into_iter().collect();
        let told = self.chain.households(&ids).await?;
        let is_missing = |on_chain: &Option<HouseholdOnChain>| {
            on_chain.as_ref().is_none_or(|on_chain| on_chain.attested_through < slot.end)
        };
        Ok(ids.into_iter().zip(told).filter(|(_, told)| is_missing(told)).map(|(id, _)| id).collect())
    }

    /// Who has no meter any more, with the registers that the chain has of them.
    async fn gone(&self, slot: &SlotRecord, households: &[HouseholdRecord]) -> Step<Gone> {
        let mut gone = Gone::new();
        if silent(slot, households).next().is_none() {
            return Ok(Ok(gone));
        }
        let meters = go_on!(self.stored("meters", || Meters::load(&*self.store)));
        for record in silent(slot, households).filter(|record| !meters.counts(record)) {
            let on_chain = go_on!(self.asked("a household", || self.chain.household(record.id)));
            match on_chain {
                // Whoever is closed on chain while the feeder goes on has never counted.
                None => drop(gone.insert(record.id, (Wh::ZERO, Wh::ZERO))),
                Some(on_chain) if is_awaited(on_chain.attested_through, slot.end) => {}
                Some(on_chain) => drop(gone.insert(record.id, (on_chain.export_wh, on_chain.import_wh))),
            }
        }
        Ok(Ok(gone))
    }

    /// The chain knows what was applied to the loss record; our own records only what was
    /// sent.
    async fn losses(&self, loss: HouseholdId) -> Step<LossRegisters> {
        let on_chain = go_on!(self.asked("the loss record", || self.chain.household(loss)));
        Ok(Ok(on_chain.map_or_else(LossRegisters::default, |on_chain| LossRegisters {
            import_wh: on_chain.import_wh,
            export_wh: on_chain.export_wh,
        })))
    }

    /// Writes down what the witness refuses of a meter, once until something else happens to
    /// the meter: its history is what the operator sees of it.
    async fn write_down(&self, left_out: &[LeftOut], households: &[HouseholdRecord]) -> Step<()> {
        for LeftOut { household, why } in left_out {
            tracing::warn!(%household, why, "the witness does not sign a row; later slots carry its energy");
            let meter = households.iter().find(|record| record.id == *household).and_then(|home| home.meter);
            let Some(meter) = meter else { continue };
            let last = go_on!(self.stored("a meter", || self.store.meter_events(Some(meter), 1)));
            if last.first().is_some_and(|last| last.code == NOT_WITNESSED && last.detail == *why) {
                continue;
            }
            let event = MeterEventRow {
                meter,
                household: Some(*household),
                at: self.clock.now(),
                by: "witness".to_owned(),
                code: NOT_WITNESSED.to_owned(),
                detail: why.clone(),
            };
            go_on!(self.stored("a meter", || self.store.commit(vec![Change::MeterEvent(event.clone())])));
        }
        Ok(Ok(()))
    }
}

fn complain(record: &SlotRecord, landing: &Landing) {
    let (feeder, end) = (record.feeder, record.end);
    for (household, status) in &landing.refused {
        tracing::warn!(
            %household, %end, code = status.code(),
            "the program did not apply a row; later slots carry its energy"
        );
    }
    for why in &landing.put_off {
        tracing::warn!(feeder, %end, "an attestation is put off: {why}");
    }
    for why in &landing.lost {
        tracing::error!(feeder, %end, "an attestation was refused: {why}");
    }
}

/// What an attempt to send rows came to.
enum Said {
    /// The chain or the witness answered.
    Answer(Answer),
    /// The witness would sign the others without these.
    Refused(Vec<RefusedRow>),
    /// These are held.
    Held(BTreeSet<HouseholdId>),
}

/// What became of the rows of one transaction.
struct Piece {
    /// Those that were sent.
    rows: Vec<AttestedRow>,
    /// What was said to them; `None` when none was left to send.
    answer: Option<Answer>,
    /// Those that the witness named.
    left_out: Vec<LeftOut>,
}

/// Whether a refusal leaves fewer rows to ask for.
fn names_any(refused: &[RefusedRow], rows: &[AttestedRow]) -> bool {
    refused.iter().any(|refused| rows.iter().any(|row| row.household == refused.household))
}

fn work_of(record: &SlotRecord, rows: &[AttestedRow]) -> Work {
    let row = |row: &AttestedRow| AttestRow {
        household: row.household,
        export_wh: row.export_wh,
        import_wh: row.import_wh,
    };
    Work::Attest {
        feeder: record.feeder,
        slot_end: record.end,
        evidence_root: record.evidence_root,
        rows: rows.iter().map(row).collect(),
    }
}
