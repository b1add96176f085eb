//! The chain on disk: `localnet.db`, SQLite in WAL mode with `synchronous=FULL`,
//! one commit per group of transactions.

use crate::history::{Executed, Meta, Recent};
use crate::{LocalnetConfig, LocalnetError};
use solana_account::Account;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many transactions more than the limit history may hold before the oldest
/// are deleted: deleting one by one would cost a page write each.
const PRUNE_EVERY: u64 = 512;

/// Prepared statements that are kept: one per shape of a commit.
const STATEMENTS: usize = 256;
/// Transactions per page when history is read at the start.
const PAGE: i64 = 1_024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS account(address BLOB PRIMARY KEY, state BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS executed(
        seq INTEGER PRIMARY KEY,
        signature BLOB NOT NULL UNIQUE,
        slot INTEGER NOT NULL,
        block_time INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        meta BLOB NOT NULL
    ) STRICT;
";

/// What one commit makes durable.
#[derive(Default)]
pub struct Change {
    /// Accounts as they are now; no lamports means gone.
    pub accounts: BTreeMap<Address, Account>,
    /// Transactions, oldest first.
    pub executed: Vec<Arc<Executed>>,
    /// A slot no restart may go back behind.
    pub slot_ceiling: Option<u64>,
}

impl Change {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.executed.is_empty() && self.slot_ceiling.is_none()
    }
}

/// The database.
#[derive(Clone)]
pub struct Disk {
    writer: SqlitePool,
    reader: SqlitePool,
    history_limit: u64,
    path: String,
    recent: Recent,
}

/// What a restart continues from.
pub struct Stored {
    /// Name of the chain.
    pub genesis: Hash,
    /// Where slots continue.
    pub slot_ceiling: u64,
    /// Every account that changed since the first block.
    pub accounts: Vec<(Address, Account)>,
}

impl Disk {
    /// Opens or creates the database of a chain.
    pub async fn open(config: &LocalnetConfig) -> Result<Self, LocalnetError> {
        let path = config.data_dir.as_ref().map(|folder| folder.join("localnet.db"));
        let name = path.as_ref().map_or_else(|| "memory".to_owned(), |path| path.display().to_string());
        let failed = |reason: String| LocalnetError::Database { path: name.clone(), reason };
        if let Some(folder) = &config.data_dir {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        let options = match &path {
            Some(path) => SqliteConnectOptions::new().filename(path).create_if_missing(true),
            None => SqliteConnectOptions::new().in_memory(true),
        }
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .statement_cache_capacity(STATEMENTS);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .connect_with(options.clone())
        };
        let writer = pool(1).await.map_err(|error| failed(error.to_string()))?;
        sqlx::raw_sql(SCHEMA).execute(&writer).await.map_err(|error| failed(error.to_string()))?;
        // A database in memory is one connection's: its readers wait their turn.
        let reader = match path {
            Some(_) => pool(2).await.map_err(|error| failed(error.to_string()))?,
            None => writer.clone(),
        };
        Ok(Self {
            writer,
            reader,
            history_limit: u64::from(config.history_limit.max(1)),
            path: name,
            recent: Recent::default(),
        })
    }

    /// Reads everything; a new chain is called `genesis`.
    pub async fn load(&self, genesis: Hash) -> Result<Stored, LocalnetError> {
        let damaged = |what: &str| LocalnetError::Damaged { what: format!("{what} in {}", self.path) };
        sqlx::query("INSERT INTO fact VALUES ('genesis', ?) ON CONFLICT DO NOTHING")
            .bind(genesis.as_bytes().as_slice())
            .execute(&self.writer)
            .await
            .map_err(|error| self.failed(&error))?;
        let genesis = self.fact("genesis").await?.ok_or_else(|| damaged("no genesis"))?;
        let ceiling = self.fact("slot_ceiling").await?.map_or(Some(0), |value| le_u64(&value));
        let mut accounts = Vec::new();
        for row in sqlx::query("SELECT address, state FROM account ORDER BY address")
            .fetch_all(&self.reader)
            .await
            .map_err(|error| self.failed(&error))?
        {
            let entry = (|| Some((address(row.try_get(0).ok()?)?, decode_account(row.try_get(1).ok()?)?)))();
            accounts.push(entry.ok_or_else(|| damaged("an account that cannot be read"))?);
        }
        Ok(Stored {
            genesis: <[u8; 32]>::try_from(genesis.as_slice())
                .map(Hash::new_from_array)
                .map_err(|_| damaged("a genesis that is no hash"))?,
            slot_ceiling: ceiling.ok_or_else(|| damaged("a slot that is no number"))?,
            accounts,
        })
    }

    /// Stores a change; durable on return. Says from which transaction on history
    /// is still kept, when that changed.
    ///
    /// All of it is one text of several statements, so that it costs one round to
    /// the database's thread. Texts depend on the numbers of rows only, and stay
    /// prepared. After an error the database may be amid a transaction and must not
    /// be written any more.
    pub async fn commit(&self, change: Change) -> Result<Option<u64>, sqlx::Error> {
        let (gone, kept): (Vec<_>, Vec<_>) =
            change.accounts.into_iter().partition(|(_, account)| account.lamports == 0);
        let pruned = change
            .executed
            .iter()
            .find(|executed| executed.seq > self.history_limit && executed.seq.is_multiple_of(PRUNE_EVERY))
            .map(|executed| executed.seq - self.history_limit + 1);
        let mut sql = String::from("BEGIN IMMEDIATE;");
        for rows in powers_of_two(kept.len()) {
            sql.push_str("INSERT INTO account VALUES ");
            sql.push_str(&vec!["(?, ?)"; rows].join(", "));
            sql.push_str(" ON CONFLICT(address) DO UPDATE SET state = excluded.state;");
        }
        sql.push_str(&"DELETE FROM account WHERE address = ?;".repeat(gone.len()));
        sql.push_str(&"INSERT INTO executed VALUES (?, ?, ?, ?, ?, ?);".repeat(change.executed.len()));
        if change.slot_ceiling.is_some() {
            sql.push_str("INSERT OR REPLACE INTO fact VALUES ('slot_ceiling', ?);");
        }
        if pruned.is_some() {
            sql.push_str("DELETE FROM executed WHERE seq < ?;");
        }
        sql.push_str("COMMIT;");

        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (address, account) in &kept {
            query = query.bind(address.to_bytes().to_vec()).bind(encode_account(account));
        }
        for (address, _) in &gone {
            query = query.bind(address.to_bytes().to_vec());
        }
        for executed in &change.executed {
            let meta =
                wincode::serialize(&executed.meta).map_err(|error| sqlx::Error::Encode(error.into()))?;
            query = query
                .bind(signed(executed.seq))
                .bind(executed.signature.as_ref().to_vec())
                .bind(signed(executed.slot))
                .bind(executed.block_time)
                .bind(executed.bytes.clone())
                .bind(meta);
        }
        if let Some(ceiling) = change.slot_ceiling {
            query = query.bind(ceiling.to_le_bytes().to_vec());
        }
        if let Some(first) = pruned {
            query = query.bind(signed(first));
        }
        query.execute(&self.writer).await?;
        for executed in change.executed {
            self.recent.insert(executed);
        }
        Ok(pruned)
    }

    /// One transaction of history.
    pub async fn by_signature(&self, signature: &Signature) -> Result<Option<Arc<Executed>>, LocalnetError> {
        if let Some(executed) = self.recent.get(signature) {
            return Ok(Some(executed));
        }
        let row = sqlx::query(
            "SELECT seq, signature, slot, block_time, bytes, meta FROM executed WHERE signature = ?",
        )
        .bind(signature.as_ref())
        .fetch_optional(&self.reader)
        .await
        .map_err(|error| self.failed(&error))?;
        Ok(row.map(|row| self.decode(&row)).transpose()?.map(Arc::new))
    }

    /// One transaction of history, by position.
    pub async fn by_seq(&self, seq: u64) -> Result<Option<Executed>, LocalnetError> {
        let row =
            sqlx::query("SELECT seq, signature, slot, block_time, bytes, meta FROM executed WHERE seq = ?")
                .bind(signed(seq))
                .fetch_optional(&self.reader)
                .await
                .map_err(|error| self.failed(&error))?;
        row.map(|row| self.decode(&row)).transpose()
    }

    /// Closes the database: waits for what is under way and folds the log in.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// The next page of history after `seq`, oldest first.
    pub async fn after(&self, seq: u64) -> Result<Vec<Executed>, LocalnetError> {
        let rows = sqlx::query(
            "SELECT seq, signature, slot, block_time, bytes, meta FROM executed WHERE seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(signed(seq))
        .bind(PAGE)
        .fetch_all(&self.reader)
        .await
        .map_err(|error| self.failed(&error))?;
        rows.iter().map(|row| self.decode(row)).collect()
    }

    async fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, LocalnetError> {
        sqlx::query_scalar("SELECT value FROM fact WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.reader)
            .await
            .map_err(|error| self.failed(&error))
    }

    fn decode(&self, row: &sqlx::sqlite::SqliteRow) -> Result<Executed, LocalnetError> {
        let read = || {
            Some(Executed {
                seq: u64::try_from(row.try_get::<i64, _>(0).ok()?).ok()?,
                signature: Signature::try_from(row.try_get::<&[u8], _>(1).ok()?).ok()?,
                slot: u64::try_from(row.try_get::<i64, _>(2).ok()?).ok()?,
                block_time: row.try_get(3).ok()?,
                bytes: row.try_get(4).ok()?,
                meta: wincode::deserialize::<Meta>(row.try_get(5).ok()?).ok()?,
            })
        };
        read().ok_or_else(|| LocalnetError::Damaged {
            what: format!("a transaction that cannot be read in {}", self.path),
        })
    }

    fn failed(&self, error: &sqlx::Error) -> LocalnetError {
        LocalnetError::Database { path: self.path.clone(), reason: error.to_string() }
    }
}

/// A number as a sum of 32s and smaller powers of two: few texts for many numbers.
fn powers_of_two(mut rows: usize) -> Vec<usize> {
    let mut groups = Vec::new();
    for size in [32, 16, 8, 4, 2, 1] {
        while rows >= size {
            groups.push(size);
            rows -= size;
        }
    }
    groups
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn le_u64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

fn address(bytes: &[u8]) -> Option<Address> {
    Address::try_from(bytes).ok()
}

/// Lamports, rent epoch, executable, owner, data.
fn encode_account(account: &Account) -> Vec<u8> {
    let mut state = Vec::with_capacity(49 + account.data.len());
    state.extend_from_slice(&account.lamports.to_le_bytes());
    state.extend_from_slice(&account.rent_epoch.to_le_bytes());
    state.push(u8::from(account.executable));
    state.extend_from_slice(account.owner.as_ref());
    state.extend_from_slice(&account.data);
    state
}

fn decode_account(state: &[u8]) -> Option<Account> {
    Some(Account {
        lamports: le_u64(state.get(..8)?)?,
        rent_epoch: le_u64(state.get(8..16)?)?,
        executable: *state.get(16)? == 1,
        owner: address(state.get(17..49)?)?,
        data: state.get(49..)?.to_vec(),
    })
}
