//! The chain on disk: `localnet.db`, SQLite in WAL mode with `synchronous=FULL`.
//!
//! One connection writes, on the writer's own thread; a few read, beside the
//! runtime's threads. A chain without a folder lives in one connection's memory.

mod account;
mod read;
mod write;

pub use read::PageQuery;
pub use write::{Change, Writer};

use crate::history::Recent;
use crate::postings::Tail;
use crate::{LocalnetConfig, LocalnetError};
use rusqlite::{Connection, OptionalExtension as _};
use solana_account::Account;
use solana_address::Address;
use solana_hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The layout below. Another one is refused.
const LAYOUT: i64 = 2;
/// Connections that read.
const READERS: usize = 3;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 32;
/// How long a connection waits for another; only closing ever makes it wait.
const BUSY: Duration = Duration::from_secs(5);

/// `head` is what lists show of a transaction and stays narrow, `body` is the rest.
/// `prefix` is the first eight bytes of the signature: an index of an eighth the size.
const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE fact(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE account(address BLOB PRIMARY KEY, state BLOB NOT NULL) STRICT;
    CREATE TABLE head(
        seq INTEGER PRIMARY KEY,
        prefix INTEGER NOT NULL,
        signature BLOB NOT NULL,
        slot INTEGER NOT NULL,
        block_time INTEGER NOT NULL,
        err TEXT NOT NULL,
        memo TEXT
    ) STRICT;
    CREATE INDEX head_by_signature ON head(prefix);
    CREATE INDEX head_by_slot ON head(slot);
    CREATE TABLE body(seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL, meta BLOB NOT NULL) STRICT;
    CREATE TABLE posting(
        segment INTEGER NOT NULL,
        address BLOB NOT NULL,
        offsets BLOB NOT NULL,
        PRIMARY KEY(segment, address)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 2;
    COMMIT;
";

/// History, for those who ask.
#[derive(Clone)]
pub struct Disk {
    readers: Arc<Readers>,
    path: Arc<str>,
    /// The newest transactions.
    pub recent: Recent,
    /// Who was touched lately.
    pub tail: Tail,
}

struct Readers {
    connections: Vec<Arc<Mutex<Connection>>>,
    next: AtomicUsize,
}

/// What a restart continues from.
pub struct Stored {
    /// Name of the chain.
    pub genesis: Hash,
    /// A slot above every one that was shown.
    pub slot_ceiling: u64,
    /// The chain's time when it last stored something.
    pub time: i64,
    /// Every account that changed since the first block.
    pub accounts: Vec<(Address, Account)>,
    /// The last transaction's position; 0 before the first.
    pub last_seq: u64,
}

/// Opens or creates the database of a chain and reads all but its history; a new
/// chain is called `genesis`.
pub fn open(config: &LocalnetConfig, genesis: Hash) -> Result<(Writer, Disk, Stored), LocalnetError> {
    let file = config.data_dir.as_ref().map(|folder| folder.join("localnet.db"));
    let path: Arc<str> =
        file.as_ref().map_or_else(|| "memory".to_owned(), |file| file.display().to_string()).into();
    let failed = |error: &dyn std::fmt::Display| LocalnetError::Database {
        path: path.to_string(),
        reason: error.to_string(),
    };
    if let Some(folder) = &config.data_dir {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let connect = || -> Result<Arc<Mutex<Connection>>, LocalnetError> {
        let opened = match &file {
            Some(file) => Connection::open(file),
            None => Connection::open_in_memory(),
        };
        let connection = opened.map_err(|error| failed(&error))?;
        tune(&connection).map_err(|error| failed(&error))?;
        Ok(Arc::new(Mutex::new(connection)))
    };
    let writing = connect()?;
    lay_out(&lock(&writing), &path, &failed)?;
    let connections = match &file {
        Some(_) => (0..READERS).map(|_| connect()).collect::<Result<_, _>>()?,
        // A database in memory is one connection's: its readers wait their turn.
        None => vec![writing.clone()],
    };
    let stored = read::stored(&lock(&writing), genesis, &path)?;
    let disk = Disk {
        readers: Arc::new(Readers { connections, next: AtomicUsize::new(0) }),
        path,
        recent: Recent::default(),
        tail: Tail::starting_at(stored.last_seq + 1),
    };
    let writer = Writer::new(writing, disk.clone(), config);
    Ok((writer, disk, stored))
}

fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;",
    )
}

fn lay_out(
    connection: &Connection,
    path: &str,
    failed: &dyn Fn(&dyn std::fmt::Display) -> LocalnetError,
) -> Result<(), LocalnetError> {
    let layout: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| failed(&error))?;
    let other: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_master LIMIT 1", [], |row| row.get(0))
        .optional()
        .map_err(|error| failed(&error))?;
    match (layout, other) {
        (LAYOUT, _) => Ok(()),
        (0, None) => connection.execute_batch(SCHEMA).map_err(|error| failed(&error)),
        _ => Err(LocalnetError::Layout { path: path.to_owned(), found: layout, known: LAYOUT }),
    }
}

impl Disk {
    /// Asks the database beside the runtime's threads.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, LocalnetError> + Send + 'static,
    ) -> Result<T, LocalnetError> {
        let readers = self.readers.clone();
        let answer = tokio::task::spawn_blocking(move || question(&readers.any()));
        answer.await.map_err(|_| LocalnetError::Database {
            path: self.path.to_string(),
            reason: "reading ended early".to_owned(),
        })?
    }

    fn failed(&self, error: &rusqlite::Error) -> LocalnetError {
        LocalnetError::Database { path: self.path.to_string(), reason: error.to_string() }
    }

    fn damaged(&self, what: &str) -> LocalnetError {
        LocalnetError::Damaged { what: format!("{what} in {}", self.path) }
    }
}

impl Readers {
    /// A connection: a free one, or one in turn.
    fn any(&self) -> MutexGuard<'_, Connection> {
        for connection in &self.connections {
            if let Ok(free) = connection.try_lock() {
                return free;
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        lock(&self.connections[turn])
    }
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SQLite's integers are signed; positions and slots never reach the sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
