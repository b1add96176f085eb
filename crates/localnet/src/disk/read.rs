//! Reading: what a start continues from, and history.

use super::write::{prefix, put};
use super::{Disk, Stored, account, signed};
use crate::LocalnetError;
use crate::history::{Executed, Meta};
use crate::postings::{self, SEGMENT};
use rusqlite::{Connection, OptionalExtension as _, Row};
use solana_account::Account;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use std::sync::Arc;

/// Transactions per page when history is read at the start.
const PAGE: i64 = 1_024;

const WHOLE: &str =
    "SELECT head.seq, signature, slot, block_time, bytes, meta FROM head JOIN body USING (seq)";

/// What a list shows of a transaction.
pub struct Entry {
    /// Its signature.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// The chain's time.
    pub block_time: i64,
    /// JSON of its error; empty when there was none.
    pub err: String,
    /// Its memos.
    pub memo: Option<String>,
}

/// A page of an address's history.
pub struct PageQuery {
    /// The address.
    pub address: Address,
    /// Only what is older than this transaction.
    pub before: Option<Signature>,
    /// Only what is newer than this transaction.
    pub until: Option<Signature>,
    /// At most so many.
    pub limit: usize,
    /// Nothing of a later slot.
    pub through_slot: u64,
}

pub(super) fn stored(connection: &Connection, genesis: Hash, path: &str) -> Result<Stored, LocalnetError> {
    let failed =
        |error: rusqlite::Error| LocalnetError::Database { path: path.to_owned(), reason: error.to_string() };
    let damaged = |what: &str| LocalnetError::Damaged { what: format!("{what} in {path}") };
    let fact = |name: &str| -> Result<Option<Vec<u8>>, LocalnetError> {
        let value = connection.query_row("SELECT value FROM fact WHERE name = ?", [name], |row| row.get(0));
        value.optional().map_err(failed)
    };
    let genesis = if let Some(genesis) = fact("genesis")? {
        let bytes = <[u8; 32]>::try_from(genesis).map_err(|_| damaged("a genesis that is no hash"))?;
        Hash::new_from_array(bytes)
    } else {
        put(connection, "genesis", genesis.as_bytes()).map_err(failed)?;
        genesis
    };
    let slot_ceiling = match fact("slot_ceiling")? {
        None => 0,
        Some(bytes) => {
            bytes.try_into().map(u64::from_le_bytes).map_err(|_| damaged("a slot that is no number"))?
        }
    };
    let mut accounts = Vec::new();
    let mut every = connection.prepare("SELECT address, state FROM account").map_err(failed)?;
    let mut rows = every.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        accounts.push(read_account(row).ok_or_else(|| damaged("an account that cannot be read"))?);
    }
    // The same order every time, whatever the order on disk.
    accounts.sort_unstable_by_key(|(address, _)| *address);
    let last: Option<(i64, i64)> = connection
        .query_row("SELECT seq, block_time FROM head ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(failed)?;
    let (last_seq, time) = last.unwrap_or((0, i64::MIN));
    let last_seq = u64::try_from(last_seq).map_err(|_| damaged("a position below zero"))?;
    Ok(Stored { genesis, slot_ceiling, time, accounts, last_seq })
}

fn read_account(row: &Row<'_>) -> Option<(Address, Account)> {
    let address = Address::try_from(row.get_ref(0).ok()?.as_blob().ok()?).ok()?;
    Some((address, account::decode(row.get_ref(1).ok()?.as_blob().ok()?)?))
}

impl Disk {
    /// One transaction of history.
    pub async fn by_signature(&self, signature: Signature) -> Result<Option<Arc<Executed>>, LocalnetError> {
        if let Some(executed) = self.recent.get(&signature) {
            return Ok(Some(executed));
        }
        let disk = self.clone();
        self.ask(move |connection| {
            let Some(seq) = disk.position(connection, &signature)? else { return Ok(None) };
            let found = disk.read(connection, &format!("{WHOLE} WHERE head.seq = ?"), [signed(seq)])?;
            Ok(found.into_iter().next().map(Arc::new))
        })
        .await
    }

    /// The transactions of a slot, oldest first.
    pub async fn of_slot(&self, slot: u64) -> Result<Vec<Executed>, LocalnetError> {
        let disk = self.clone();
        self.ask(move |connection| {
            disk.read(connection, &format!("{WHOLE} WHERE slot = ? ORDER BY head.seq"), [signed(slot)])
        })
        .await
    }

    /// The last transaction at or before a slot: its slot and time.
    pub async fn time_before(&self, slot: u64) -> Result<Option<(u64, i64)>, LocalnetError> {
        let disk = self.clone();
        self.ask(move |connection| {
            connection
                .query_row(
                    "SELECT slot, block_time FROM head WHERE slot <= ? ORDER BY slot DESC LIMIT 1",
                    [signed(slot)],
                    |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)),
                )
                .optional()
                .map(|found| found.map(|(slot, time)| (slot.unsigned_abs(), time)))
                .map_err(|error| disk.failed(&error))
        })
        .await
    }

    /// The slot of the oldest transaction, when older ones have been deleted.
    pub async fn first_slot(&self) -> Result<u64, LocalnetError> {
        let disk = self.clone();
        self.ask(move |connection| {
            let first: Option<(i64, i64)> = connection
                .query_row("SELECT seq, slot FROM head ORDER BY seq LIMIT 1", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
                .map_err(|error| disk.failed(&error))?;
            Ok(first.filter(|(seq, _)| *seq > 1).map_or(0, |(_, slot)| slot.unsigned_abs()))
        })
        .await
    }

    /// A page of an address's history, newest first.
    pub async fn page(&self, query: PageQuery) -> Result<Vec<Entry>, LocalnetError> {
        let disk = self.clone();
        self.ask(move |connection| {
            // One look at the database, and one lock instead of one for every row.
            let look = connection.unchecked_transaction().map_err(|error| disk.failed(&error))?;
            disk.page_of(&look, &query)
        })
        .await
    }

    fn page_of(&self, connection: &Connection, query: &PageQuery) -> Result<Vec<Entry>, LocalnetError> {
        let mut before = match &query.before {
            None => u64::MAX,
            Some(signature) => match self.position(connection, signature)? {
                Some(seq) => seq,
                // As on a cluster, nothing is before what nobody knows.
                None => return Ok(Vec::new()),
            },
        };
        let after = match &query.until {
            None => 0,
            Some(signature) => self.position(connection, signature)?.unwrap_or(0),
        };
        let mut seqs = Vec::new();
        let mut page = Vec::new();
        // What is too new at the caller's commitment, or deleted, is passed over, so
        // more than one round may be needed; each goes on where the last one ended.
        while page.len() < query.limit {
            seqs.clear();
            self.positions(connection, query, before, after, query.limit - page.len(), &mut seqs)?;
            let Some(last) = seqs.last() else { break };
            before = *last;
            self.entries(connection, &seqs, query.through_slot, &mut page)?;
        }
        Ok(page)
    }

    /// The newest positions of an address between two bounds, newest first.
    fn positions(
        &self,
        connection: &Connection,
        query: &PageQuery,
        before: u64,
        after: u64,
        limit: usize,
        seqs: &mut Vec<u64>,
    ) -> Result<(), LocalnetError> {
        let tail = self.tail.newest(&query.address, before, after, limit);
        seqs.extend(tail.seqs);
        let newest = tail.segment.min(before.div_ceil(SEGMENT));
        let oldest: Option<i64> = connection
            .prepare_cached("SELECT segment FROM posting ORDER BY segment LIMIT 1")
            .and_then(|mut first| first.query_row([], |row| row.get(0)).optional())
            .map_err(|error| self.failed(&error))?;
        let Some(oldest) = oldest else { return Ok(()) };
        let oldest = oldest.unsigned_abs().max(postings::segment(after));
        let mut find = connection
            .prepare_cached("SELECT offsets FROM posting WHERE segment = ? AND address = ?")
            .map_err(|error| self.failed(&error))?;
        for segment in (oldest..newest).rev() {
            if seqs.len() >= limit {
                break;
            }
            let offsets: Option<Vec<u8>> = find
                .query_row(rusqlite::params![signed(segment), query.address.as_ref()], |row| row.get(0))
                .optional()
                .map_err(|error| self.failed(&error))?;
            if let Some(offsets) = offsets {
                let offsets = postings::decode(&offsets);
                seqs.extend(postings::newest(segment, &offsets, before, after, limit - seqs.len()));
            }
        }
        Ok(())
    }

    /// What lists show of the transactions at these positions, of those that are still
    /// kept and not later than a slot.
    fn entries(
        &self,
        connection: &Connection,
        seqs: &[u64],
        through_slot: u64,
        page: &mut Vec<Entry>,
    ) -> Result<(), LocalnetError> {
        let read = |row: &Row<'_>| -> rusqlite::Result<Option<Entry>> {
            let Ok(signature) = Signature::try_from(row.get_ref(0)?.as_blob()?) else { return Ok(None) };
            Ok(Some(Entry {
                signature,
                slot: row.get::<_, i64>(1)?.unsigned_abs(),
                block_time: row.get(2)?,
                err: row.get(3)?,
                memo: row.get(4)?,
            }))
        };
        // One statement for all: finding it again costs as much as a row.
        let mut one = connection
            .prepare_cached("SELECT signature, slot, block_time, err, memo FROM head WHERE seq = ?")
            .map_err(|error| self.failed(&error))?;
        for seq in seqs {
            let found = one.query_row([signed(*seq)], read).optional();
            let Some(entry) = found.map_err(|error| self.failed(&error))? else { continue };
            let entry = entry.ok_or_else(|| self.damaged("a signature that is none"))?;
            if entry.slot <= through_slot {
                page.push(entry);
            }
        }
        Ok(())
    }

    fn position(&self, connection: &Connection, signature: &Signature) -> Result<Option<u64>, LocalnetError> {
        connection
            .prepare_cached("SELECT seq FROM head WHERE prefix = ? AND signature = ?")
            .and_then(|mut one| {
                let bytes: &[u8] = signature.as_ref();
                one.query_row(rusqlite::params![prefix(bytes), bytes], |row| row.get::<_, i64>(0)).optional()
            })
            .map(|seq| seq.map(i64::unsigned_abs))
            .map_err(|error| self.failed(&error))
    }

    /// The next page of history from `seq` on, oldest first.
    pub async fn from(&self, seq: u64) -> Result<Vec<Executed>, LocalnetError> {
        let disk = self.clone();
        self.ask(move |connection| {
            let text = format!("{WHOLE} WHERE head.seq >= ? ORDER BY head.seq LIMIT {PAGE}");
            disk.read(connection, &text, [signed(seq)])
        })
        .await
    }

    /// The first position of a slot or later; `None` when there is none.
    pub async fn first_from_slot(&self, slot: u64) -> Result<Option<u64>, LocalnetError> {
        let disk = self.clone();
        self.ask(move |connection| {
            connection
                .query_row(
                    "SELECT seq FROM head WHERE slot >= ? ORDER BY slot, seq LIMIT 1",
                    [signed(slot)],
                    |row| row.get::<_, i64>(0),
                )
                .optional()
                .map(|seq| seq.map(i64::unsigned_abs))
                .map_err(|error| disk.failed(&error))
        })
        .await
    }

    fn read(
        &self,
        connection: &Connection,
        text: &str,
        bound: [i64; 1],
    ) -> Result<Vec<Executed>, LocalnetError> {
        let mut query = connection.prepare_cached(text).map_err(|error| self.failed(&error))?;
        let mut rows = query.query(bound).map_err(|error| self.failed(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.failed(&error))? {
            found.push(decode(row).ok_or_else(|| self.damaged("a transaction that cannot be read"))?);
        }
        Ok(found)
    }
}

fn decode(row: &Row<'_>) -> Option<Executed> {
    Some(Executed {
        seq: u64::try_from(row.get::<_, i64>(0).ok()?).ok()?,
        signature: Signature::try_from(row.get_ref(1).ok()?.as_blob().ok()?).ok()?,
        slot: u64::try_from(row.get::<_, i64>(2).ok()?).ok()?,
        block_time: row.get(3).ok()?,
        bytes: row.get(4).ok()?,
        meta: wincode::deserialize::<Meta>(row.get_ref(5).ok()?.as_blob().ok()?).ok()?,
    })
}
