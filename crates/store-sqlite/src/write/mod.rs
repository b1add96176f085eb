//! The one writer.
//!
//! Promises: requests are applied in the order they came; whatever is queued is
//! applied in one transaction, each request in its own savepoint (one that is alone
//! needs none), so that one request's refusal undoes only itself; nobody is answered
//! before the COMMIT, so one fsync pays for all. Stands between the bounded queue and
//! the one connection that writes, on a thread of its own: a write costs two changes
//! of thread, whatever number of statements it takes.

mod accounts;
mod affairs;
mod bills;
mod cache;
mod call;
mod callback;
mod chain;
mod commit;
mod finding;
mod handset;
mod index;
mod ledger;
mod market;
mod meters;
mod money;
mod people;
mod readings;
mod reconciliation;
mod slot;
mod tariff;
mod trust;

use crate::archive;
use crate::fault::fault;
use crate::sql::query;
use cache::Cache;
pub(crate) use index::Extension;
use jirani_store::archive::{Row as ArchiveRow, Table};
use jirani_store::{
    Appended, Change, Committed, JudgedBy, NewCallback, OutboxRecord, QuarantineRow, ReadingRow, SlotRecord,
    StoreError,
};
use rusqlite::Connection;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Requests that may wait; more must wait to be let in.
const QUEUE: usize = 1_024;
/// Requests in one transaction.
const GROUP: usize = 256;
/// Rows (changes, readings) after which a transaction takes on no more.
const GROUP_ROWS: usize = 4_096;
/// How long a transaction of requests that nobody waits for looks for company.
const PATIENCE: Duration = Duration::from_millis(10);

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to write.
enum Request {
    Commit(Vec<Change>, Reply<Committed>),
    Readings(Vec<ReadingRow>, Vec<QuarantineRow>, Reply<Vec<Appended>>),
    Judged(Vec<ReadingRow>, Vec<QuarantineRow>, Vec<JudgedBy>, Reply<Option<Vec<Appended>>>),
    Slot(SlotRecord, Reply<()>),
    Callback(NewCallback, Reply<u64>),
    Outbox(OutboxRecord, Reply<()>),
    /// Answered before it is written.
    Outcome(OutboxRecord, Unwritten),
    /// Nothing: an answer is that all before it is durable.
    Flush(Reply<()>),
    Index(Extension, Reply<()>),
    ClearIndex(Reply<()>),
    Load(Table, Vec<ArchiveRow>, Reply<()>),
    Numbers(&'static str, u64, Reply<Range<u64>>),
    Close(oneshot::Sender<()>),
}

impl Request {
    fn rows(&self) -> usize {
        match self {
            Self::Commit(changes, _) => changes.len(),
            Self::Readings(readings, quarantined, _) | Self::Judged(readings, quarantined, ..) => {
                readings.len() + quarantined.len()
            }
            Self::Slot(slot, _) => slot.rows.len(),
            Self::Index(extension, _) => extension.transactions.len(),
            Self::Load(_, rows, _) => rows.len(),
            _ => 1,
        }
    }

    /// Whether somebody stands still until it is durable. What is only learnt from the
    /// chain can wait for the next commit, and share its fsync.
    fn urgency(&self) -> Urgency {
        match self {
            Self::Outcome(..) | Self::Index(..) => Urgency::Patient,
            _ => Urgency::Waited,
        }
    }
}

/// See [`Request::urgency`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Waited,
    Patient,
}

/// One of the outcomes that are not durable yet, as long as it is held.
struct Unwritten(Arc<AtomicUsize>);

impl Unwritten {
    fn among(all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(all))
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A request, and its place in the queue until it is answered.
type Queued = (Request, OwnedSemaphorePermit);

/// A request that was applied and waits for the COMMIT; called with the reason
/// when there was none.
type Answer = Box<dyn FnOnce(Option<&str>) + Send>;

fn answer<T: Send + 'static>(reply: Reply<T>, result: Result<T, StoreError>) -> Answer {
    Box::new(move |failure| {
        let result = match failure {
            None => result,
            Some(what) => Err(StoreError::Unavailable { what: what.to_owned() }),
        };
        // Who asked may have gone away.
        let _ = reply.send(result);
    })
}

/// Where requests are handed in.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    /// Outcomes answered and not durable yet.
    unwritten: Arc<AtomicUsize>,
    transactions: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the writer's thread on `connection`; `lock` is let go when it ends.
    pub(crate) fn start(connection: Connection, lock: File) -> Result<Self, StoreError> {
        let cache = Cache::load(&connection)?;
        let (sender, receiver) = mpsc::channel();
        let transactions = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&transactions);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(connection, cache, &receiver, &counter, lock))
            .map_err(|error| StoreError::Unavailable { what: format!("no thread to write with: {error}") })?;
        let room = Arc::new(Semaphore::new(QUEUE));
        Ok(Self { requests: sender, room, unwritten: Arc::default(), transactions })
    }

    /// Transactions committed since the start.
    pub(crate) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<Committed, StoreError> {
        self.ask(|reply| Request::Commit(changes, reply)).await
    }

    pub(crate) async fn readings(
        &self,
        readings: Vec<ReadingRow>,
        quarantined: Vec<QuarantineRow>,
    ) -> Result<Vec<Appended>, StoreError> {
        self.ask(|reply| Request::Readings(readings, quarantined, reply)).await
    }

    pub(crate) async fn judged(
        &self,
        readings: Vec<ReadingRow>,
        quarantined: Vec<QuarantineRow>,
        judged_by: Vec<JudgedBy>,
    ) -> Result<Option<Vec<Appended>>, StoreError> {
        self.ask(|reply| Request::Judged(readings, quarantined, judged_by, reply)).await
    }

    pub(crate) async fn slot(&self, slot: SlotRecord) -> Result<(), StoreError> {
        self.ask(|reply| Request::Slot(slot, reply)).await
    }

    pub(crate) async fn callback(&self, callback: NewCallback) -> Result<u64, StoreError> {
        self.ask(|reply| Request::Callback(callback, reply)).await
    }

    pub(crate) async fn outbox(&self, record: OutboxRecord) -> Result<(), StoreError> {
        self.ask(|reply| Request::Outbox(record, reply)).await
    }

    pub(crate) async fn outcome(&self, record: OutboxRecord) -> Result<(), StoreError> {
        self.hand_in(Request::Outcome(record, Unwritten::among(&self.unwritten))).await
    }

    /// Waits until outcomes handed in before can be read.
    pub(crate) async fn outcomes_written(&self) -> Result<(), StoreError> {
        if self.unwritten.load(Ordering::SeqCst) == 0 {
            return Ok(());
        }
        self.ask(Request::Flush).await
    }

    pub(crate) async fn extend_index(&self, extension: Extension) -> Result<(), StoreError> {
        self.ask(|reply| Request::Index(extension, reply)).await
    }

    pub(crate) async fn clear_index(&self) -> Result<(), StoreError> {
        self.ask(Request::ClearIndex).await
    }

    pub(crate) async fn load(&self, table: Table, rows: Vec<ArchiveRow>) -> Result<(), StoreError> {
        self.ask(|reply| Request::Load(table, rows, reply)).await
    }

    pub(crate) async fn numbers(&self, sequence: &'static str, count: u64) -> Result<Range<u64>, StoreError> {
        self.ask(|reply| Request::Numbers(sequence, count, reply)).await
    }

    /// Waits until all that was handed in is durable and the file is closed.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.hand_in(Request::Close(reply)).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let (reply, answered) = oneshot::channel();
        self.hand_in(request(reply)).await?;
        answered.await.map_err(|_| closed())?
    }

    /// Waits for a place in the queue.
    async fn hand_in(&self, request: Request) -> Result<(), StoreError> {
        let place = Arc::clone(&self.room).acquire_owned().await.map_err(|_| closed())?;
        self.requests.send((request, place)).map_err(|_| closed())
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable { what: "the store is closed".to_owned() }
}

fn serve(
    connection: Connection,
    mut cache: Cache,
    requests: &mpsc::Receiver<Queued>,
    transactions: &AtomicU64,
    lock: File,
) {
    let mut closing = None;
    while closing.is_none() {
        let Ok(first) = requests.recv() else { break };
        let mut group = Vec::new();
        let (mut rows, mut urgency, mut next) = (0, Urgency::Patient, Some(first));
        while let Some((request, place)) = next.take() {
            if let Request::Close(reply) = request {
                closing = Some(reply);
                break;
            }
            rows += request.rows();
            if request.urgency() == Urgency::Waited {
                urgency = Urgency::Waited;
            }
            group.push((request, place));
            if group.len() < GROUP && rows < GROUP_ROWS {
                next = match urgency {
                    Urgency::Waited => requests.try_recv().ok(),
                    Urgency::Patient => requests.recv_timeout(PATIENCE).ok(),
                };
            }
        }
        if !group.is_empty() {
            write_group(&connection, &mut cache, group, transactions);
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database was not closed in order; its journal is replayed at the next start");
    }
    drop(lock);
    if let Some(reply) = closing {
        let _ = reply.send(());
    }
}

/// One transaction: all of `group`, then the answers.
fn write_group(connection: &Connection, cache: &mut Cache, group: Vec<Queued>, transactions: &AtomicU64) {
    let mut answers = Vec::with_capacity(group.len());
    let mut outcome = statement(connection, "BEGIN IMMEDIATE");
    cache.alone = group.len() == 1;
    let mut places = Vec::with_capacity(group.len());
    for (request, place) in group {
        places.push(place);
        if outcome.is_err() {
            answers.push(refuse(request));
            continue;
        }
        answers.push(write_one(connection, cache, request));
        // A full disk or a failing one may have ended the transaction by itself;
        // what came after would stand alone.
        outcome = cache.take_broken().map_or(Ok(()), Err);
    }
    if outcome.is_ok() {
        outcome = statement(connection, "COMMIT");
    }
    let failure = outcome.err().map(reason);
    if let Some(what) = &failure {
        tracing::error!(what, "a transaction was not kept");
        // Without a transaction this fails, and that is well.
        let _ = statement(connection, "ROLLBACK");
        cache.forget();
    }
    if failure.is_none() {
        transactions.fetch_add(1, Ordering::Relaxed);
    }
    for answer in answers {
        answer(failure.as_deref());
    }
}

/// Nobody waits for an outcome: the log is told.
fn not_kept(key: String, error: StoreError) -> Answer {
    Box::new(move |_| tracing::error!(key, %error, "the outcome of a transaction was not kept"))
}

/// Why a transaction was not kept, in words.
fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable { what } => what,
        other => other.to_string(),
    }
}

/// An answer for a request that there is no transaction for.
fn refuse(request: Request) -> Answer {
    let none = || StoreError::Unavailable { what: "the database takes no transaction".to_owned() };
    match request {
        Request::Commit(_, reply) => answer(reply, Err(none())),
        Request::Readings(_, _, reply) => answer(reply, Err(none())),
        Request::Judged(_, _, _, reply) => answer(reply, Err(none())),
        Request::Slot(_, reply)
        | Request::Outbox(_, reply)
        | Request::Index(_, reply)
        | Request::Load(_, _, reply)
        | Request::ClearIndex(reply)
        | Request::Flush(reply) => answer(reply, Err(none())),
        Request::Callback(_, reply) => answer(reply, Err(none())),
        Request::Numbers(_, _, reply) => answer(reply, Err(none())),
        Request::Outcome(record, _) => not_kept(record.key, none()),
        Request::Close(reply) => Box::new(move |_| drop(reply)),
    }
}

fn write_one(connection: &Connection, cache: &mut Cache, request: Request) -> Answer {
    match request {
        Request::Commit(changes, reply) => {
            answer(reply, within(connection, cache, |c, k| commit::apply(c, k, &changes)))
        }
        Request::Readings(readings, quarantined, reply) => {
            answer(reply, within(connection, cache, |c, k| readings::append(c, k, &readings, &quarantined)))
        }
        Request::Judged(readings, quarantined, judged_by, reply) => answer(
            reply,
            within(connection, cache, |c, k| {
                readings::append_judged(c, k, &readings, &quarantined, &judged_by)
            }),
        ),
        Request::Slot(slot, reply) => answer(reply, within(connection, cache, |c, _| slot::put(c, &slot))),
        Request::Callback(callback, reply) => {
            answer(reply, within(connection, cache, |c, _| callback::receive(c, &callback)))
        }
        Request::Outbox(record, reply) => {
            answer(reply, within(connection, cache, |c, _| chain::put(c, &record)))
        }
        Request::Outcome(record, unwritten) => {
            match within(connection, cache, |c, _| chain::put(c, &record)) {
                Ok(()) => Box::new(move |_| drop(unwritten)),
                Err(error) => not_kept(record.key, error),
            }
        }
        Request::Flush(reply) => answer(reply, Ok(())),
        Request::Index(extension, reply) => {
            answer(reply, within(connection, cache, |c, _| index::extend(c, &extension)))
        }
        Request::ClearIndex(reply) => answer(reply, within(connection, cache, |c, _| index::clear(c))),
        Request::Load(table, rows, reply) => answer(
            reply,
            within(connection, cache, |c, k| {
                archive::load(c, &table, &rows)?;
                // Streams may be among the rows.
                k.forget();
                Ok(())
            }),
        ),
        Request::Numbers(sequence, count, reply) => {
            answer(reply, within(connection, cache, |c, _| people::numbers(c, sequence, count)))
        }
        close @ Request::Close(_) => refuse(close),
    }
}

/// Runs `work` in a savepoint: kept when it succeeds, undone when not.
fn within<T>(
    connection: &Connection,
    cache: &mut Cache,
    work: impl FnOnce(&Connection, &mut Cache) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    cache.refill(connection)?;
    let alone = cache.alone;
    if !alone {
        statement(connection, "SAVEPOINT request")?;
    }
    let result = work(connection, cache);
    if result.is_ok() {
        cache.keep();
    } else {
        cache.undo();
    }
    let ended = match (&result, alone) {
        (Ok(_), true) => Ok(()),
        // Nothing else is in the transaction: an empty one takes its place.
        (Err(_), true) => script(connection, "ROLLBACK; BEGIN IMMEDIATE"),
        (Ok(_), false) => statement(connection, "RELEASE request"),
        (Err(_), false) => script(connection, "ROLLBACK TO request; RELEASE request"),
    };
    if let Err(error) = ended {
        // What ended the transaction is told, not that it was found ended.
        cache.note_broken(match &result {
            Err(StoreError::Unavailable { what }) => StoreError::Unavailable { what: what.clone() },
            _ => error,
        });
    }
    result
}

/// Several statements, one after another.
fn script(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    connection.execute_batch(sql).map_err(fault)
}

fn statement(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    query(sql).execute(connection).map(|_| ()).map_err(fault)
}
