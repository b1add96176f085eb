//! Opening the file: who may, with which settings, and at which schema.

use crate::fault::fault;
use jirani_store::StoreError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Row};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Forward only; embedded in the binary.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// "JIR1" in the file's header.
const APPLICATION_ID: i64 = 1_246_319_153;

/// Connections that only read, and the pages each may keep, in KiB.
const READERS: u32 = 4;
const READER_CACHE_KIB: &str = "-4096";
const WRITER_CACHE_KIB: &str = "-16384";

/// How long an opening waits for one that is just closing, and for another
/// program that holds the file (a backup, a person with `sqlite3`).
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open database: the one connection that writes and those that read.
pub(crate) struct Opened {
    pub(crate) writer: SqliteConnection,
    pub(crate) readers: SqlitePool,
    /// Held as long as this process may write.
    pub(crate) lock: File,
}

/// Opens for writing; makes the file and brings its schema up to date.
pub(crate) async fn open(path: &Path) -> Result<Opened, StoreError> {
    let lock = lock(path).await?;
    let options = base(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", WRITER_CACHE_KIB)
        // A REPLACE would otherwise slip past the triggers that keep rows immutable.
        .pragma("recursive_triggers", "ON")
        // Pages that are written again and again go back to the file once in 16 MiB.
        .pragma("wal_autocheckpoint", "4096")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256);
    let mut writer = options.connect().await.map_err(|error| unusable(path, error))?;
    refuse_foreign(path, &mut writer).await?;
    MIGRATIONS.run_direct(None, &mut writer, false).await.map_err(|error| migration_fault(path, error))?;
    check_settings(&mut writer).await?;
    Ok(Opened { writer, readers: readers(path).await?, lock })
}

/// Lets the file grow to `pages` pages and no further.
pub(crate) async fn limit(writer: &mut SqliteConnection, pages: u32) -> Result<(), StoreError> {
    // A number cannot be bound to a PRAGMA.
    let sql = format!("PRAGMA max_page_count = {pages}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(writer).await.map(|_| ()).map_err(fault)
}

/// Opens for reading beside the process that writes.
pub(crate) async fn open_read_only(path: &Path) -> Result<SqlitePool, StoreError> {
    let pool = readers(path).await?;
    let mut connection = pool.acquire().await.map_err(|error| unusable(path, error))?;
    refuse_foreign(path, &mut connection).await?;
    let newest = sqlx::query("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get::<Option<i64>, _>(0))
        .map_err(|error| unusable(path, error))?;
    let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
    if newest != ours {
        return Err(other_schema(path, newest.unwrap_or(0)));
    }
    drop(connection);
    Ok(pool)
}

fn base(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What a savepoint must be able to undo fits into memory: no files for it.
        .pragma("temp_store", "MEMORY")
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

async fn readers(path: &Path) -> Result<SqlitePool, StoreError> {
    let options =
        base(path).read_only(true).pragma("cache_size", READER_CACHE_KIB).statement_cache_capacity(128);
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(|error| unusable(path, error))
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
async fn refuse_foreign(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let number = |row: sqlx::sqlite::SqliteRow| row.try_get::<i64, _>(0);
    let id = sqlx::query("PRAGMA application_id").fetch_one(&mut *connection).await.and_then(number);
    let id = id.map_err(|error| unusable(path, error))?;
    let tables = sqlx::query("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '!_sqlx!_%' ESCAPE '!'")
        .fetch_one(&mut *connection)
        .await
        .and_then(number)
        .map_err(|error| unusable(path, error))?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        return Ok(());
    }
    Err(StoreError::Damaged {
        what: format!("{} is a database of another program; choose another file", path.display()),
    })
}

/// The settings that durability rests on, read back: a build of SQLite may have
/// ignored one.
async fn check_settings(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(fault)?;
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.map_err(fault)?;
    let foreign_keys: i64 =
        sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await.map_err(fault)?;
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

fn unusable(path: &Path, error: sqlx::Error) -> StoreError {
    match fault(error) {
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
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => unusable(path, error),
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
