//! Opening the file: who may, with which settings, and at which schema.

use crate::fault::fault;
use crate::readers::Readers;
use jirani_store::StoreError;
use rusqlite::{Connection, OpenFlags};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Forward only; embedded in the binary. Run by the library that PostgreSQL's are run
/// by, on a connection that is closed before ours are opened.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// "JIR1" in the file's header.
const APPLICATION_ID: i64 = 1_246_319_153;

/// Connections that only read.
const READERS: usize = 4;
/// Pages that a connection may keep, in KiB.
const READER_CACHE_KIB: i64 = 4_096;
const WRITER_CACHE_KIB: i64 = 16_384;
/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 256;

/// How long an opening waits for one that is just closing, and for another
/// program that holds the file (a backup, a person with `sqlite3`).
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open database: the one connection that writes and those that read.
pub(crate) struct Opened {
    pub(crate) writer: Connection,
    pub(crate) readers: Readers,
    /// Held as long as this process may write.
    pub(crate) lock: File,
}

/// Opens for writing; makes the file and brings its schema up to date.
pub(crate) async fn open(path: &Path) -> Result<Opened, StoreError> {
    let lock = lock(path).await?;
    let failed = |error| unusable(path, fault(error));
    let connect = || Connection::open(path).and_then(tuned).map_err(failed);
    refuse_foreign(path, &connect()?)?;
    migrate(path).await?;
    let writer = connect()?;
    let pragmas = || {
        writer.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // A REPLACE would otherwise slip past the triggers that keep rows immutable.
        writer.pragma_update(None, "recursive_triggers", true)?;
        // Pages that are written again and again go back to the file once in 16 MiB.
        writer.pragma_update(None, "wal_autocheckpoint", 4_096)?;
        writer.pragma_update(None, "journal_size_limit", 67_108_864)
    };
    pragmas().map_err(failed)?;
    check_settings(&writer)?;
    Ok(Opened { writer, readers: readers(path)?, lock })
}

/// Brings the schema up to date.
async fn migrate(path: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let failed = |error| migration_fault(path, MigrateError::Execute(error));
    let mut connection = options.connect().await.map_err(failed)?;
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .map_err(|error| migration_fault(path, error))?;
    connection.close().await.map_err(failed)
}

/// Lets the file grow to `pages` pages and no further.
pub(crate) fn limit(writer: &Connection, pages: u32) -> Result<(), StoreError> {
    writer.pragma_update(None, "max_page_count", pages).map_err(fault)
}

/// Opens for reading beside the process that writes.
pub(crate) fn open_read_only(path: &Path) -> Result<Readers, StoreError> {
    let connection = reader(path)?;
    refuse_foreign(path, &connection)?;
    let newest: Option<i64> = connection
        .query_row("SELECT max(version) FROM _sqlx_migrations", [], |row| row.get(0))
        .map_err(|error| unusable(path, fault(error)))?;
    let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
    if newest != ours {
        return Err(other_schema(path, newest.unwrap_or(0)));
    }
    readers(path)
}

/// What every connection is told.
fn tuned(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a savepoint must be able to undo fits into memory: no files for it.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = tuned(Connection::open_with_flags(path, flags)?)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    };
    connect().map_err(|error| unusable(path, fault(error)))
}

fn readers(path: &Path) -> Result<Readers, StoreError> {
    let connections = (0..READERS).map(|_| reader(path)).collect::<Result<_, _>>()?;
    Ok(Readers::new(path, connections))
}

/// Only one process may write: the writer keeps balances and the chain's head in
/// memory.
async fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = lock_path(path);
    let refused = |why: &dyn std::fmt::Display| StoreError::Unavailable {
        what: format!("cannot use {}: {why}", path.display()),
    };
    if path.is_dir() {
        return Err(refused(&"it is a folder, not a file"));
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(|error| refused(&format_args!("{} cannot be written: {error}", beside.display())))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(refused(&error)),
        }
    }
    Err(refused(&"another jirani is using it; stop that one or choose another data folder"))
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Nothing of ours is written into another program's database.
fn refuse_foreign(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let ask = || {
        let id = number("PRAGMA application_id")?;
        let tables = number("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '!_sqlx!_%' ESCAPE '!'")?;
        Ok((id, tables))
    };
    let (id, tables) = ask().map_err(|error| unusable(path, fault(error)))?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        return Ok(());
    }
    Err(StoreError::Damaged {
        what: format!("{} is a database of another program; choose another file", path.display()),
    })
}

/// The settings that durability rests on, read back: a build of SQLite may have
/// ignored one.
fn check_settings(connection: &Connection) -> Result<(), StoreError> {
    let read = || {
        Ok((
            connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))?,
            connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))?,
            connection.pragma_query_value(None, "foreign_keys", |row| row.get::<_, i64>(0))?,
        ))
    };
    let (mode, synchronous, foreign_keys) = read().map_err(fault)?;
    if (mode.as_str(), synchronous, foreign_keys) == ("wal", 2, 1) {
        return Ok(());
    }
    Err(StoreError::Unavailable {
        what: format!(
            "the database's file system does not allow a durable journal (journal_mode {mode}, synchronous \
             {synchronous}, foreign_keys {foreign_keys}); use a local disk"
        ),
    })
}

/// An error, with the file's name and what to do.
fn unusable(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { .. } => StoreError::Damaged {
            what: format!("{} is not a database, or is damaged; restore it from a backup", path.display()),
        },
        StoreError::Unavailable { what } => {
            StoreError::Unavailable { what: format!("cannot use {}: {what}", path.display()) }
        }
        other => other,
    }
}

fn migration_fault(path: &Path, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => other_schema(path, version),
        MigrateError::VersionMismatch(version) => StoreError::Damaged {
            what: format!("{} was made by another build (schema {version} differs)", path.display()),
        },
        MigrateError::Dirty(version) => StoreError::Damaged {
            what: format!("{} was left half-migrated at schema {version}; restore a backup", path.display()),
        },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            let what = error.to_string();
            let code = error.into_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
            unusable(
                path,
                match code.map(|code| code & 0xff) {
                    Some(rusqlite::ffi::SQLITE_CORRUPT | rusqlite::ffi::SQLITE_NOTADB) => {
                        StoreError::Damaged { what }
                    }
                    _ => StoreError::Unavailable { what },
                },
            )
        }
        other => StoreError::Unavailable { what: format!("cannot migrate {}: {other}", path.display()) },
    }
}

fn other_schema(path: &Path, version: i64) -> StoreError {
    StoreError::Unavailable {
        what: format!(
            "{} has schema {version}, which this version of jirani does not know; use the version that made it",
            path.display()
        ),
    }
}
