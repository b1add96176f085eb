//! The one writer of a process, and how processes take turns.
//!
//! Promises: requests are applied in the order they came; whatever is queued is
//! applied in one transaction, each request in its own savepoint, so that one
//! request's refusal undoes only itself; nobody is answered before the COMMIT, so
//! one fsync pays for all. A transaction begins by counting up the database's one
//! `writer` row, which locks it: there is one writing transaction at a time whatever
//! the processes, and a count that is not one more than our last says that another
//! process wrote, so that what we remember is read anew. A connection that is lost
//! is made anew for the next group; what was in the air is answered as not known to
//! be kept, and a repeat finds out. Stands between the bounded queue and the one
//! connection that writes.

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
use crate::open::Address;
use cache::Cache;
pub(crate) use index::Extension;
use jirani_store::archive::{Row as ArchiveRow, Table};
use jirani_store::{
    Appended, Change, Committed, JudgedBy, NewCallback, OutboxRecord, QuarantineRow, ReadingRow, SlotRecord,
    StoreError,
};
use sqlx::{PgConnection, Row};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait; more must wait to be let in.
const QUEUE: usize = 1_024;
/// Requests in one transaction.
const GROUP: usize = 256;
/// Rows (changes, readings) after which a transaction takes on no more.
const GROUP_ROWS: usize = 4_096;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to write.
enum Request {
    Commit(Vec<Change>, Reply<Committed>),
    Readings(Vec<ReadingRow>, Vec<QuarantineRow>, Reply<Vec<Appended>>),
    Judged(Vec<ReadingRow>, Vec<QuarantineRow>, Vec<JudgedBy>, Reply<Option<Vec<Appended>>>),
    Slot(SlotRecord, Reply<()>),
    Callback(NewCallback, Reply<u64>),
    Outbox(OutboxRecord, Reply<()>),
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
}

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
    requests: mpsc::Sender<Request>,
    transactions: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the writer's task on `connection`; `address` is where a lost one is made anew.
    pub(crate) fn start(address: Address, connection: PgConnection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let transactions = Arc::new(AtomicU64::new(0));
        let desk = Desk { address, connection: Some(connection), cache: Cache::default() };
        tokio::spawn(serve(desk, receiver, Arc::clone(&transactions)));
        Self { requests: sender, transactions }
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

    /// Waits until all that was handed in is durable and the connection is closed.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.requests.send(Request::Close(reply)).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let closed = || StoreError::Unavailable { what: "the store is closed".to_owned() };
        let (reply, answered) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

/// What the writer works with.
struct Desk {
    address: Address,
    /// None when it was lost.
    connection: Option<PgConnection>,
    cache: Cache,
}

impl Desk {
    /// Begins a transaction as its only writer, on a new connection if the old one is
    /// gone; gives the generation that the transaction makes.
    async fn begin(&mut self) -> Result<(PgConnection, i64), StoreError> {
        if let Some(mut connection) = self.connection.take() {
            match begin(&mut connection).await {
                Ok(generation) => return Ok((connection, generation)),
                // The server is there but somebody holds the row: waiting again helps nobody.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_TIMEOUT) => {
                    let _ = statement(&mut connection, "ROLLBACK").await;
                    self.connection = Some(connection);
                    return Err(StoreError::Unavailable {
                        what: "another process has kept the store busy for too long".to_owned(),
                    });
                }
                Err(error) => tracing::warn!(%error, "the connection to the database is made anew"),
            }
        }
        let mut connection = self.address.connect_writer().await?;
        let generation = begin(&mut connection).await.map_err(fault)?;
        Ok((connection, generation))
    }
}

/// SQLSTATE of a lock that was not given in time.
const LOCK_TIMEOUT: &str = "55P03";

async fn begin(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::raw_sql(
        "BEGIN; UPDATE writer SET generation = generation + 1 WHERE one = 1 RETURNING generation",
    )
    .fetch_one(connection)
    .await?;
    row.try_get(0)
}

async fn serve(mut desk: Desk, mut requests: mpsc::Receiver<Request>, transactions: Arc<AtomicU64>) {
    let mut closing = None;
    while closing.is_none() {
        let Some(first) = requests.recv().await else { break };
        let mut group = Vec::new();
        let (mut rows, mut next) = (0, Some(first));
        while let Some(request) = next.take() {
            if let Request::Close(reply) = request {
                closing = Some(reply);
                break;
            }
            rows += request.rows();
            group.push(request);
            if group.len() < GROUP && rows < GROUP_ROWS {
                next = requests.try_recv().ok();
            }
        }
        if !group.is_empty() {
            write_group(&mut desk, group, &transactions).await;
        }
    }
    if let Some(connection) = desk.connection
        && let Err(error) = sqlx::Connection::close(connection).await
    {
        tracing::warn!(%error, "the connection to the database was not closed in order");
    }
    if let Some(reply) = closing {
        let _ = reply.send(());
    }
}

/// One transaction: all of `group`, then the answers.
async fn write_group(desk: &mut Desk, group: Vec<Request>, transactions: &AtomicU64) {
    let (mut connection, generation) = match desk.begin().await {
        Ok(begun) => begun,
        Err(error) => {
            let what = reason(error);
            tracing::error!(what, "no transaction could be begun");
            for request in group {
                refuse(request)(Some(&what));
            }
            return;
        }
    };
    let cache = &mut desk.cache;
    let mut outcome = Ok(());
    let mut answers = Vec::with_capacity(group.len());
    // A request that is alone needs no savepoint: its refusal undoes the transaction.
    let alone = group.len() == 1;
    let mut scope = if alone { Scope::Whole } else { Scope::None };
    for request in group {
        // What was loaded as rows was not remembered as it went by.
        if outcome.is_ok() {
            outcome = cache.refill(&mut connection, generation - 1).await;
        }
        if outcome.is_err() {
            answers.push(refuse(request));
            continue;
        }
        answers.push(write_one(&mut connection, cache, &mut scope, request).await);
        // A lost connection or a failing disk may have ended the transaction by itself;
        // what came after would stand alone.
        outcome = cache.take_broken().map_or(Ok(()), Err);
    }
    let undone = outcome.is_ok() && scope == Scope::Undone;
    if undone {
        outcome = statement(&mut connection, "ROLLBACK").await;
        // The generation was not made; what is remembered is still true of the last.
    } else if outcome.is_ok() {
        outcome = statement(&mut connection, "COMMIT").await;
    }
    let failure = outcome.err().map(reason);
    if let Some(what) = &failure {
        // Whether the COMMIT was carried out is not known now: a repeat will tell. The
        // connection is given up with it, so that nothing of the transaction lingers.
        tracing::error!(what, "a transaction is not known to be kept");
        cache.forget();
    } else {
        if !undone {
            cache.committed(generation);
            transactions.fetch_add(1, Ordering::Relaxed);
        }
        desk.connection = Some(connection);
    }
    for answer in answers {
        answer(failure.as_deref());
    }
}

/// What undoes the request that is being applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Nothing yet.
    None,
    /// The savepoint.
    Savepoint,
    /// The transaction, since the request is alone in it.
    Whole,
    /// The transaction, and it must be: its only request was refused.
    Undone,
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
        | Request::ClearIndex(reply) => answer(reply, Err(none())),
        Request::Callback(_, reply) => answer(reply, Err(none())),
        Request::Numbers(_, _, reply) => answer(reply, Err(none())),
        Request::Close(reply) => Box::new(move |_| drop(reply)),
    }
}

async fn write_one(
    connection: &mut PgConnection,
    cache: &mut Cache,
    scope: &mut Scope,
    request: Request,
) -> Answer {
    match request {
        Request::Commit(changes, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, k| commit::apply(c, k, &changes).await).await,
        ),
        Request::Readings(readings, quarantined, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, k| {
                readings::append(c, k, &readings, &quarantined).await
            })
            .await,
        ),
        Request::Judged(readings, quarantined, judged_by, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, k| {
                readings::append_judged(c, k, &readings, &quarantined, &judged_by).await
            })
            .await,
        ),
        Request::Slot(slot, reply) => {
            answer(reply, within(connection, cache, scope, async |c, _| slot::put(c, &slot).await).await)
        }
        Request::Callback(callback, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, _| callback::receive(c, &callback).await).await,
        ),
        Request::Outbox(record, reply) => {
            answer(reply, within(connection, cache, scope, async |c, _| chain::put(c, &record).await).await)
        }
        Request::Index(extension, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, _| index::extend(c, &extension).await).await,
        ),
        Request::ClearIndex(reply) => {
            answer(reply, within(connection, cache, scope, async |c, _| index::clear(c).await).await)
        }
        Request::Load(table, rows, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, k| {
                archive::load(c, &table, &rows).await?;
                // Streams may be among the rows.
                k.forget();
                Ok(())
            })
            .await,
        ),
        Request::Numbers(sequence, count, reply) => answer(
            reply,
            within(connection, cache, scope, async |c, _| people::numbers(c, sequence, count).await).await,
        ),
        close @ Request::Close(_) => refuse(close),
    }
}

/// Runs `work` in a scope of its own: kept when it succeeds, undone when not.
async fn within<T>(
    connection: &mut PgConnection,
    cache: &mut Cache,
    scope: &mut Scope,
    work: impl AsyncFnOnce(&mut PgConnection, &mut Cache) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let opened = match scope {
        Scope::None => statement(connection, "SAVEPOINT request").await,
        // The one before is let go in the same breath: a statement is a way there and back.
        Scope::Savepoint => statement(connection, "RELEASE request; SAVEPOINT request").await,
        Scope::Whole | Scope::Undone => Ok(()),
    };
    if let Err(error) = opened {
        let what = reason(error);
        cache.note_broken(StoreError::Unavailable { what: what.clone() });
        return Err(StoreError::Unavailable { what });
    }
    if *scope == Scope::None {
        *scope = Scope::Savepoint;
    }
    let result = work(connection, cache).await;
    if result.is_ok() {
        cache.keep();
        return result;
    }
    cache.undo();
    if *scope == Scope::Whole {
        *scope = Scope::Undone;
    } else if let Err(error) = statement(connection, "ROLLBACK TO request").await {
        // What ended the transaction is told, not that it was found ended.
        cache.note_broken(match &result {
            Err(StoreError::Unavailable { what }) => StoreError::Unavailable { what: what.clone() },
            _ => error,
        });
    }
    result
}

async fn statement(connection: &mut PgConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::raw_sql(sql).execute(connection).await.map(|_| ()).map_err(fault)
}
