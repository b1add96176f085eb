//! Opening a database: where it is, with which settings, and at which schema.

use crate::fault::fault;
use jirani_store::StoreError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Row};
use std::fmt;
use std::time::Duration;

/// Forward only; embedded in the binary.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Connections that only read.
const READERS: u32 = 4;
/// How long a question waits for a connection, a new one included.
const PATIENCE: Duration = Duration::from_secs(10);

/// What every session is told. A transaction that hangs ends before those that wait
/// for it give up.
const SESSION: [(&str, &str); 6] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("synchronous_commit", "on"),
    ("default_transaction_isolation", "read committed"),
    // Statements are short and prepared: compiling them to machine code only delays them.
    ("jit", "off"),
];

/// What the session that writes is told besides: it looks rows up by their keys, and must
/// not read a young table through for want of statistics.
const WRITER: [(&str, &str); 2] = [("enable_seqscan", "off"), ("enable_hashjoin", "off")];

/// Where a database is and who asks. Shows host and name only.
#[derive(Clone)]
pub struct Address(PgConnectOptions);

impl Address {
    /// Reads `postgres://user@host:port/name?sslmode=verify-full`, with the password apart.
    pub fn new(url: &str, password: Option<&str>) -> Result<Self, StoreError> {
        // The error may repeat the URL, and a password with it.
        let unreadable = || StoreError::Unavailable {
            what: "the database's address is not of the form postgres://user@host:port/name".to_owned(),
        };
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(unreadable());
        }
        let mut options: PgConnectOptions = url.parse().map_err(|_| unreadable())?;
        if let Some(password) = password {
            options = options.password(password);
        }
        let options = options.application_name("jirani").options(SESSION).disable_statement_logging();
        Ok(Self(options.statement_cache_capacity(256)))
    }

    /// A connection for the writer.
    pub(crate) async fn connect_writer(&self) -> Result<PgConnection, StoreError> {
        Self(self.0.clone().options(WRITER)).connect().await
    }

    pub(crate) async fn connect(&self) -> Result<PgConnection, StoreError> {
        match tokio::time::timeout(PATIENCE, self.0.connect()).await {
            Ok(connected) => connected.map_err(|error| unusable(self, error)),
            Err(_) => Err(StoreError::Unavailable { what: format!("{self} does not answer") }),
        }
    }

    fn named(&self) -> &str {
        self.0.get_database().unwrap_or(self.0.get_username())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get_socket() {
            Some(folder) => write!(f, "the database {} at {}", self.named(), folder.display()),
            None => write!(f, "the database {} at {}:{}", self.named(), self.0.get_host(), self.0.get_port()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An open database: the one connection that writes and those that read.
pub(crate) struct Opened {
    pub(crate) writer: PgConnection,
    pub(crate) readers: PgPool,
}

/// Opens for writing; brings the schema up to date.
pub(crate) async fn open(address: &Address) -> Result<Opened, StoreError> {
    let mut writer = address.connect_writer().await?;
    refuse_foreign(address, &mut writer).await?;
    MIGRATIONS.run_direct(None, &mut writer, false).await.map_err(|error| migration_fault(address, error))?;
    check_settings(address, &mut writer).await?;
    Ok(Opened { writer, readers: readers(address).await? })
}

/// Opens for reading beside the processes that write.
pub(crate) async fn open_read_only(address: &Address) -> Result<PgPool, StoreError> {
    let pool = readers(address).await?;
    let mut connection = pool.acquire().await.map_err(|error| unusable(address, error))?;
    refuse_foreign(address, &mut connection).await?;
    let newest = sqlx::query("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get::<Option<i64>, _>(0))
        .map_err(|error| unusable(address, error))?;
    let ours = MIGRATIONS.iter().map(|migration| migration.version).max();
    if newest != ours {
        return Err(other_schema(address, newest.unwrap_or(0)));
    }
    drop(connection);
    Ok(pool)
}

async fn readers(address: &Address) -> Result<PgPool, StoreError> {
    let options = address.0.clone().options([("default_transaction_read_only", "on")]);
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(|error| unusable(address, error))
}

/// Nothing of ours is written into another program's database.
async fn refuse_foreign(address: &Address, connection: &mut PgConnection) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT count(*) FILTER (WHERE tablename = 'writer'), count(*) FROM pg_tables
         WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations'",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| unusable(address, error))?;
    let (ours, tables): (i64, i64) = (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
    if ours == 1 || tables == 0 {
        return Ok(());
    }
    Err(StoreError::Damaged { what: format!("{address} is another program's; create one for jirani alone") })
}

/// The settings that durability rests on, and the text that we can keep.
async fn check_settings(address: &Address, connection: &mut PgConnection) -> Result<(), StoreError> {
    for (sql, setting, wanted) in [
        ("SHOW fsync", "fsync", "on"),
        ("SHOW full_page_writes", "full_page_writes", "on"),
        ("SHOW synchronous_commit", "synchronous_commit", "on"),
        ("SHOW server_encoding", "server_encoding", "UTF8"),
    ] {
        let found: String = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.map_err(fault)?;
        if found != wanted {
            return Err(StoreError::Unavailable {
                what: format!(
                    "{address} cannot be trusted with money: {setting} is {found}, it must be {wanted}"
                ),
            });
        }
    }
    Ok(())
}

fn unusable(address: &Address, error: sqlx::Error) -> StoreError {
    match fault(error) {
        StoreError::Unavailable { what } => {
            StoreError::Unavailable { what: format!("cannot use {address}: {what}") }
        }
        other => other,
    }
}

fn migration_fault(address: &Address, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => other_schema(address, version),
        MigrateError::VersionMismatch(version) => StoreError::Damaged {
            what: format!("{address} was made by another build (schema {version} differs)"),
        },
        MigrateError::Dirty(version) => StoreError::Damaged {
            what: format!("{address} was left half-migrated at schema {version}; restore a backup"),
        },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => unusable(address, error),
        other => StoreError::Unavailable { what: format!("cannot migrate {address}: {other}") },
    }
}

fn other_schema(address: &Address, version: i64) -> StoreError {
    StoreError::Unavailable {
        what: format!(
            "{address} has schema {version}, which this version of jirani does not know; use the version that made it"
        ),
    }
}
