//! The state on disk: `mpesa.db`, SQLite in WAL mode with full
//! synchronisation. One commit holds everything that one batch changed.

use crate::book::{Account, Movement};
use crate::error::SandboxError;
use crate::world::{Batch, Kind};
use jirani_units::{Cents, Timestamp};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{Connection as _, Row as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Version of the layout below, kept in `user_version`.
const VERSION: i64 = 1;

const LAYOUT: &str = "
CREATE TABLE thing (
    kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE movement (
    seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, kind TEXT NOT NULL,
    from_account TEXT NOT NULL, to_account TEXT NOT NULL, amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    receipt TEXT, reference TEXT
) STRICT;
CREATE TRIGGER movement_is_for_ever_1 BEFORE UPDATE ON movement BEGIN SELECT RAISE(ABORT, 'movements are for ever'); END;
CREATE TRIGGER movement_is_for_ever_2 BEFORE DELETE ON movement BEGIN SELECT RAISE(ABORT, 'movements are for ever'); END;
PRAGMA user_version = 1;
";

/// What was read at the start.
pub struct Stored {
    /// Kind, id and body of every thing.
    pub rows: Vec<(String, String, String)>,
    /// The last movements.
    pub movements: Vec<Movement>,
    /// Number of the last movement that is not among them; 0 when all are.
    pub carried_to: u64,
    /// What it and all before it left on each account.
    pub carried: Vec<(Account, i64)>,
}

/// The open database. It is held exclusively: a second emulator on the same
/// folder is refused, not mixed in.
pub struct Store {
    path: PathBuf,
    connection: SqliteConnection,
}

impl Store {
    /// Opens or makes the database in this folder.
    pub async fn open(folder: &Path) -> Result<Self, SandboxError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| SandboxError::Folder { path: folder.to_owned(), source })?;
        let path = folder.join("mpesa.db");
        let refused = |source| SandboxError::Database { path: path.clone(), source };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(2));
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(refused)?;
        let version: i64 =
            sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await.map_err(refused)?;
        match version {
            0 => {
                let mut layout = connection.begin().await.map_err(refused)?;
                sqlx::raw_sql(LAYOUT).execute(&mut *layout).await.map_err(refused)?;
                layout.commit().await.map_err(refused)?;
            }
            VERSION => {}
            other => {
                let what = format!("layout version {other}");
                return Err(SandboxError::Damaged { path, what });
            }
        }
        Ok(Self { path, connection })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything but the movements before the last `history`, of which
    /// it reads the sums.
    pub async fn read(&mut self, history: usize) -> Result<Stored, SandboxError> {
        let refused = |source| SandboxError::Database { path: self.path.clone(), source };
        let odd = |what| SandboxError::Damaged { path: self.path.clone(), what };
        let rows = sqlx::query_as("SELECT kind, id, body FROM thing ORDER BY kind, length(id), id")
            .fetch_all(&mut self.connection)
            .await
            .map_err(refused)?;
        let last: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM movement")
            .fetch_one(&mut self.connection)
            .await
            .map_err(refused)?;
        let carried_to = last.saturating_sub(i64::try_from(history).unwrap_or(i64::MAX)).max(0);
        let query = "SELECT account, sum(cents) FROM ( \
                     SELECT from_account AS account, -amount_cents AS cents FROM movement WHERE seq <= ?1 UNION ALL \
                     SELECT to_account, amount_cents FROM movement WHERE seq <= ?1) GROUP BY account";
        let carried: Vec<(String, i64)> =
            sqlx::query_as(query).bind(carried_to).fetch_all(&mut self.connection).await.map_err(refused)?;
        let carried = carried.into_iter().map(|(account, cents)| Ok((account.parse()?, cents)));
        let carried = carried.collect::<Result<_, String>>().map_err(odd)?;
        let query = "SELECT seq, at_us, kind, from_account, to_account, amount_cents, receipt, reference \
                     FROM movement WHERE seq > ? ORDER BY seq";
        let movements =
            sqlx::query(query).bind(carried_to).fetch_all(&mut self.connection).await.map_err(refused)?;
        let movements = movements.iter().map(movement).collect::<Result<_, _>>().map_err(odd)?;
        Ok(Stored { rows, movements, carried_to: u64::try_from(carried_to).unwrap_or(0), carried })
    }

    /// The emulator's time when it last saved something.
    pub async fn saved_at(&mut self) -> Result<Option<Timestamp>, SandboxError> {
        let refused = |source| SandboxError::Database { path: self.path.clone(), source };
        let query = "SELECT body ->> 'saved_at' FROM thing WHERE kind = 'counters'";
        let text: Option<Option<String>> =
            sqlx::query_scalar(query).fetch_optional(&mut self.connection).await.map_err(refused)?;
        Ok(text.flatten().and_then(|text| text.parse().ok()))
    }

    /// Writes a batch; durable on return.
    pub async fn write(&mut self, batch: &Batch) -> Result<(), sqlx::Error> {
        if batch.rows.is_empty() && batch.movements.is_empty() {
            return Ok(());
        }
        let (mut puts, mut removals) = (Vec::new(), Vec::new());
        for (kind, id, body) in &batch.rows {
            match body {
                Some(body) => puts.push(json!([kind.name(), id, body])),
                None => removals.push(json!([Kind::name(*kind), id])),
            }
        }
        let movement =
            |m: &Movement| json!([m.seq, m.at.0, m.kind, m.from, m.to, m.amount, m.receipt, m.reference]);
        let movements = batch.movements.iter().map(movement).collect();
        // One statement per table, whatever the size of the batch.
        let statements = [
            (
                "INSERT INTO thing (kind, id, body) \
                 SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true \
                 ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                puts,
            ),
            (
                "DELETE FROM thing WHERE (kind, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))",
                removals,
            ),
            (
                "INSERT INTO movement (seq, at_us, kind, from_account, to_account, amount_cents, receipt, reference) \
                 SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
                 value ->> 7 FROM json_each(?1)",
                movements,
            ),
        ];
        let mut commit = self.connection.begin().await?;
        for (sql, values) in statements {
            if !values.is_empty() {
                sqlx::query(sql)
                    .bind(serde_json::Value::from(values).to_string())
                    .execute(&mut *commit)
                    .await?;
            }
        }
        commit.commit().await
    }

    /// Closes the database in order.
    pub async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the emulator's database did not close in order");
        }
    }
}

fn movement(row: &sqlx::sqlite::SqliteRow) -> Result<Movement, String> {
    let seq: i64 = row.try_get(0).map_err(|error| error.to_string())?;
    let odd = |error: &dyn std::fmt::Display| format!("movement {seq}: {error}");
    let text = |column: usize| row.try_get::<String, _>(column).map_err(|error| odd(&error));
    let maybe = |column: usize| row.try_get::<Option<String>, _>(column).map_err(|error| odd(&error));
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(|error| odd(&error));
    Ok(Movement {
        seq: u64::try_from(seq).map_err(|error| odd(&error))?,
        at: Timestamp(number(1)?),
        kind: serde_json::from_value(text(2)?.into()).map_err(|error| odd(&error))?,
        from: text(3)?.parse().map_err(|error: String| odd(&error))?,
        to: text(4)?.parse().map_err(|error: String| odd(&error))?,
        amount: Cents(number(5)?),
        receipt: maybe(6)?,
        reference: maybe(7)?,
    })
}
