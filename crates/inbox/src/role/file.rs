//! The role's own small database: what has come and not been acknowledged.
//!
//! One thread writes: what waits at the same moment shares one commit, and
//! nobody hears "kept" before the commit is on disk (WAL, synchronous=FULL).

use crate::wire::Kept;
use jirani_units::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// Callbacks that wait for the writer at most; above, the door says no.
const WAITING_MAX: usize = 1_024;
/// Callbacks of one commit at most.
const COMMIT_MAX: usize = 256;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS inbox (name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS callback (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    source TEXT NOT NULL,
    received_us INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
";

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// SQLite says no.
    #[error("inbox.file: the inbox's database cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The writer is gone, or too many wait for it.
    #[error("inbox.busy: the inbox cannot keep more callbacks now")]
    Busy,
    /// No room is left below the bound that is set.
    #[error("inbox.full: the inbox holds as many callbacks as it may; let the site fetch them")]
    Full,
}

/// A callback to be kept.
pub struct Arrival {
    /// Path.
    pub path: String,
    /// Source.
    pub source: String,
    /// When.
    pub received_at: Timestamp,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
}

/// How full the file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Callbacks that wait for the site.
    pub waiting: u64,
    /// Bytes of their bodies and headers.
    pub bytes: u64,
    /// When the earliest came.
    pub oldest: Option<Timestamp>,
}

/// The file.
pub struct InboxFile {
    name: String,
    arrivals: mpsc::Sender<(Arrival, oneshot::Sender<Result<u64, FileError>>)>,
    reader: Arc<Mutex<Connection>>,
    last: watch::Receiver<u64>,
    bytes: Arc<AtomicU64>,
    bytes_max: u64,
}

impl InboxFile {
    /// Opens or makes the file; `fresh_name` names a new one. Holds at most
    /// `bytes_max` bytes of callbacks.
    pub fn open(path: &Path, fresh_name: &str, bytes_max: u64) -> Result<Self, FileError> {
        let writer = connect(path)?;
        writer.execute_batch(SCHEMA)?;
        writer.execute(
            "INSERT INTO inbox (name) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM inbox)",
            [fresh_name],
        )?;
        let name = writer.query_row("SELECT name FROM inbox", [], |row| row.get(0))?;
        // Also after everything was forgotten: a number never comes twice.
        let last: i64 = writer.query_row(
            "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'callback'",
            [],
            |row| row.get(0),
        )?;
        let held: i64 = writer.query_row(
            "SELECT COALESCE(SUM(LENGTH(body) + LENGTH(headers)), 0) FROM callback",
            [],
            |row| row.get(0),
        )?;
        let reader = Arc::new(Mutex::new(connect(path)?));
        let (tell, last) = watch::channel(last.cast_unsigned());
        let (arrivals, queue) = mpsc::channel(WAITING_MAX);
        std::thread::spawn(move || write(writer, queue, &tell));
        let bytes = Arc::new(AtomicU64::new(held.cast_unsigned()));
        Ok(Self { name, arrivals, reader, last, bytes, bytes_max })
    }

    /// Name of the file: its numbers mean nothing in another.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the last callback, as it grows.
    pub fn last(&self) -> watch::Receiver<u64> {
        self.last.clone()
    }

    /// Keeps a callback; on disk on return.
    pub async fn keep(&self, arrival: Arrival) -> Result<u64, FileError> {
        let size = size(&arrival.headers, &arrival.body);
        if self.bytes.fetch_add(size, Ordering::Relaxed).saturating_add(size) > self.bytes_max {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            return Err(FileError::Full);
        }
        let (answer, kept) = oneshot::channel();
        let kept = match self.arrivals.try_send((arrival, answer)) {
            Ok(()) => kept.await.unwrap_or(Err(FileError::Busy)),
            Err(_) => Err(FileError::Busy),
        };
        if kept.is_err() {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
        }
        kept
    }

    /// Callbacks after a number, the earliest first.
    pub async fn after(&self, seq: u64, limit: u32, now: Timestamp) -> Result<Vec<Kept>, FileError> {
        self.read(move |file| {
            let mut rows = file.prepare_cached(
                "SELECT seq, path, source, received_us, headers, body FROM callback
                 WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let rows = rows.query_map(params![seq.cast_signed(), limit], |row| {
                let headers: String = row.get(4)?;
                let age_us = now.0.saturating_sub(row.get(3)?);
                Ok(Kept {
                    seq: row.get::<_, i64>(0)?.cast_unsigned(),
                    path: row.get(1)?,
                    source: row.get(2)?,
                    age_ms: u64::try_from(age_us / 1_000).unwrap_or(0),
                    headers: serde_json::from_str(&headers).unwrap_or_default(),
                    body: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Forgets everything up to a number: the site has it.
    pub async fn forget_through(&self, seq: u64) -> Result<u64, FileError> {
        self.forget("seq <= ?1", seq.cast_signed()).await
    }

    /// Forgets what came before a moment, fetched or not.
    pub async fn forget_before(&self, moment: Timestamp) -> Result<u64, FileError> {
        self.forget("received_us < ?1", moment.0).await
    }

    async fn forget(&self, which: &'static str, bound: i64) -> Result<u64, FileError> {
        let held = self.bytes.clone();
        self.read(move |file| {
            let transaction = file.transaction()?;
            let size: i64 = transaction.query_row(
                &format!(
                    "SELECT COALESCE(SUM(LENGTH(body) + LENGTH(headers)), 0) FROM callback WHERE {which}"
                ),
                [bound],
                |row| row.get(0),
            )?;
            let count = transaction.execute(&format!("DELETE FROM callback WHERE {which}"), [bound])?;
            transaction.commit()?;
            held.fetch_sub(size.cast_unsigned(), Ordering::Relaxed);
            Ok(count as u64)
        })
        .await
    }

    /// How full the file is.
    pub async fn level(&self) -> Result<Level, FileError> {
        let bytes = self.bytes.load(Ordering::Relaxed);
        self.read(move |file| {
            let (waiting, oldest): (i64, Option<i64>) =
                file.query_row("SELECT COUNT(*), MIN(received_us) FROM callback", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            Ok(Level { waiting: waiting.cast_unsigned(), bytes, oldest: oldest.map(Timestamp) })
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, FileError> {
        let reader = self.reader.clone();
        tokio::task::spawn_blocking(move || work(&mut reader.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .unwrap_or(Err(FileError::Busy))
    }
}

fn connect(path: &Path) -> Result<Connection, FileError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}

fn size(headers: &BTreeMap<String, String>, body: &[u8]) -> u64 {
    (body.len() + text(headers).len()) as u64
}

fn text(headers: &BTreeMap<String, String>) -> String {
    serde_json::to_string(headers).unwrap_or_else(|_| "{}".to_owned())
}

type Waiting = (Arrival, oneshot::Sender<Result<u64, FileError>>);

fn write(mut file: Connection, mut queue: mpsc::Receiver<Waiting>, last: &watch::Sender<u64>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < COMMIT_MAX
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        match commit(&mut file, &group) {
            Ok(numbers) => {
                if let Some(number) = numbers.last() {
                    last.send_replace(*number);
                }
                for ((_, answer), number) in group.into_iter().zip(numbers) {
                    // Whoever asked may have hung up: it is kept all the same.
                    let _ = answer.send(Ok(number));
                }
            }
            Err(error) => {
                tracing::error!(%error, "callbacks could not be kept; they were not acknowledged");
                for (_, answer) in group {
                    let _ = answer.send(Err(FileError::Busy));
                }
            }
        }
    }
}

fn commit(file: &mut Connection, group: &[Waiting]) -> Result<Vec<u64>, FileError> {
    let transaction = file.transaction()?;
    let mut numbers = Vec::with_capacity(group.len());
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO callback (path, source, received_us, headers, body) VALUES (?1, ?2, ?3, ?4, ?5)
             RETURNING seq",
        )?;
        for (arrival, _) in group {
            let number: Option<i64> = insert
                .query_row(
                    params![
                        arrival.path,
                        arrival.source,
                        arrival.received_at.0,
                        text(&arrival.headers),
                        arrival.body
                    ],
                    |row| row.get(0),
                )
                .optional()?;
            numbers.push(number.unwrap_or_default().cast_unsigned());
        }
    }
    transaction.commit()?;
    Ok(numbers)
}
