//! Writing: one commit for all transactions that arrived meanwhile.

use super::{Disk, account, lock, signed};
use crate::LocalnetConfig;
use crate::history::Executed;
use crate::{memo, postings};
use rusqlite::{Connection, params};
use solana_account::AccountSharedData;
use solana_address::Address;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often the oldest transactions are deleted: one by one they would cost a
/// page write each.
const PRUNE_EVERY: u64 = 512;

/// What one commit makes durable.
#[derive(Default)]
pub struct Change {
    /// Accounts as they are now; `None` is gone.
    pub accounts: BTreeMap<Address, Option<AccountSharedData>>,
    /// Transactions, oldest first.
    pub executed: Vec<(Arc<Executed>, VersionedTransaction)>,
    /// A slot no restart may go back behind.
    pub slot_ceiling: Option<u64>,
}

impl Change {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.executed.is_empty() && self.slot_ceiling.is_none()
    }

    /// Adds what happened after this.
    pub fn append(&mut self, mut later: Self) {
        self.accounts.append(&mut later.accounts);
        self.executed.append(&mut later.executed);
        self.slot_ceiling = later.slot_ceiling.or(self.slot_ceiling);
    }
}

/// The connection that writes.
pub struct Writer {
    connection: Arc<Mutex<Connection>>,
    disk: Disk,
    limit: u64,
    age: Option<Duration>,
}

impl Writer {
    pub(super) fn new(connection: Arc<Mutex<Connection>>, disk: Disk, config: &LocalnetConfig) -> Self {
        let limit = u64::from(config.history_limit.max(1));
        Self { connection, disk, limit, age: config.history_age }
    }

    /// Stores a change; durable and seen by readers on return. After an error nothing of
    /// it is stored, and the same change, only it, may be tried again.
    pub fn commit(&self, change: &Change) -> rusqlite::Result<()> {
        let connection = lock(&self.connection);
        let commit = connection.unchecked_transaction()?;
        write_accounts(&commit, change)?;
        let mut plan = self.disk.tail.plan();
        for (executed, transaction) in &change.executed {
            let touched = postings::touched(transaction, executed.meta.loaded());
            if let Some((segment, finished)) = plan.insert(&self.disk.tail, executed.seq, touched) {
                let mut insert = commit.prepare_cached("INSERT INTO posting VALUES (?, ?, ?)")?;
                for (address, offsets) in &finished {
                    insert.execute(params![signed(segment), address.as_ref(), postings::encode(offsets)])?;
                }
            }
            write_executed(&commit, executed, transaction)?;
            if executed.seq.is_multiple_of(PRUNE_EVERY) {
                self.prune(&commit, executed)?;
            }
        }
        if let Some(ceiling) = change.slot_ceiling {
            put(&commit, "slot_ceiling", &ceiling.to_le_bytes())?;
        }
        commit.commit()?;
        drop(connection);
        self.disk.tail.add(plan);
        for (executed, _) in &change.executed {
            self.disk.recent.insert(executed.clone());
        }
        Ok(())
    }

    /// Deletes what is more or older than history may be.
    fn prune(&self, connection: &Connection, newest: &Executed) -> rusqlite::Result<()> {
        let mut first_kept = (newest.seq + 1).saturating_sub(self.limit);
        if let Some(age) = self.age {
            let oldest = newest.block_time.saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
            let young: i64 = connection.query_row(
                "SELECT seq FROM head WHERE block_time >= ? ORDER BY seq LIMIT 1",
                [oldest],
                |row| row.get(0),
            )?;
            first_kept = first_kept.max(u64::try_from(young).unwrap_or(0));
        }
        connection.execute("DELETE FROM head WHERE seq < ?", [signed(first_kept)])?;
        connection.execute("DELETE FROM body WHERE seq < ?", [signed(first_kept)])?;
        connection
            .execute("DELETE FROM posting WHERE segment < ?", [signed(postings::segment(first_kept))])?;
        Ok(())
    }
}

fn write_executed(
    connection: &Connection,
    executed: &Executed,
    transaction: &VersionedTransaction,
) -> rusqlite::Result<()> {
    let signature: &[u8] = executed.signature.as_ref();
    connection.prepare_cached("INSERT INTO head VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        signed(executed.seq),
        prefix(signature),
        signature,
        signed(executed.slot),
        executed.block_time,
        executed.meta.err_json(),
        memo::of(&transaction.message),
    ])?;
    let meta = wincode::serialize(&executed.meta)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.prepare_cached("INSERT INTO body VALUES (?, ?, ?)")?.execute(params![
        signed(executed.seq),
        executed.bytes,
        meta
    ])?;
    Ok(())
}

fn write_accounts(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let mut keep = connection.prepare_cached(
        "INSERT INTO account VALUES (?, ?) ON CONFLICT(address) DO UPDATE SET state = excluded.state",
    )?;
    let mut forget = connection.prepare_cached("DELETE FROM account WHERE address = ?")?;
    let mut state = Vec::new();
    for (address, account) in &change.accounts {
        if let Some(account) = account {
            account::encode(account, &mut state);
            keep.execute(params![address.as_ref(), state])?;
        } else {
            forget.execute([address.as_ref()])?;
        }
    }
    Ok(())
}

pub(super) fn put(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![name, value])
}

/// The first eight bytes of a signature, as SQLite's integer.
pub(super) fn prefix(signature: &[u8]) -> i64 {
    signature.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
}
