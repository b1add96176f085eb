//! What the writer keeps in memory, since nobody else writes: balances, the head
//! of the journal, and the numbers of streams. Small: a row per account and meter.
//!
//! Changes of a request stand apart until it is kept, so that undoing it costs
//! nothing.

use crate::sql::query;
use jirani_ledger::{Account, AccountBalance, chain};
use jirani_store::StoreError;
use jirani_units::{HouseholdId, MeterId};
use rusqlite::Connection;
use std::collections::HashMap;
use std::hash::Hash;

/// Last row of the journal.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) sequence: u64,
    pub(super) hash: [u8; 32],
}

/// A map whose changes can be undone until kept.
pub(super) struct Layered<K, V> {
    kept: HashMap<K, V>,
    fresh: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Copy> Layered<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.fresh.get(key).or_else(|| self.kept.get(key)).copied()
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        self.fresh.insert(key, value);
    }

    /// What the request has changed so far.
    pub(super) fn fresh(&self) -> impl Iterator<Item = (&K, &V)> {
        self.fresh.iter()
    }

    fn keep(&mut self) {
        self.kept.extend(self.fresh.drain());
    }
}

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        Self { kept: HashMap::new(), fresh: HashMap::new() }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Cache {
    pub(super) balances: Layered<Account, AccountBalance>,
    head: Option<Head>,
    pub(super) fresh_head: Option<Head>,
    /// Number of the stream of (meter, epoch).
    pub(super) streams: Layered<(MeterId, u32), i64>,
    /// Households known to have readings in a stream.
    pub(super) owners: Layered<(HouseholdId, i64), ()>,
    /// Last (epoch, seq) of a meter.
    pub(super) latest: Layered<MeterId, (u32, u64)>,
    full: bool,
    /// Whether the request is the only one in its transaction.
    pub(super) alone: bool,
    /// The transaction ended before its COMMIT.
    broken: Option<StoreError>,
}

impl Cache {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut cache = Self::default();
        cache.refill(connection)?;
        Ok(cache)
    }

    /// Reads everything anew if it was forgotten.
    pub(super) fn refill(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.full {
            return Ok(());
        }
        *self = Self::default();
        let balances = query(
            "SELECT account, debits_cents, credits_cents, debits_held_cents, credits_held_cents FROM balances",
        );
        let balances = balances
            .all(connection, |columns| Ok((columns.account()?, crate::read::ledger::balance(columns)?)))?;
        self.balances.kept.extend(balances);
        let streams = query("SELECT meter, epoch, id FROM streams");
        self.streams.kept.extend(
            streams.all(connection, |columns| Ok(((columns.meter()?, columns.u32()?), columns.take()?)))?,
        );
        let owners = query("SELECT household, stream FROM household_streams");
        self.owners
            .kept
            .extend(owners.all(connection, |columns| Ok(((columns.household()?, columns.take()?), ())))?);
        let latest = query("SELECT meter, epoch, seq FROM latest_readings");
        self.latest.kept.extend(
            latest.all(connection, |columns| Ok((columns.meter()?, (columns.u32()?, columns.u64()?))))?,
        );
        let head = query("SELECT sequence, hash FROM transfers ORDER BY sequence DESC LIMIT 1");
        self.head =
            head.one(connection, |columns| Ok(Head { sequence: columns.u64()?, hash: columns.bytes()? }))?;
        self.full = true;
        Ok(())
    }

    /// The journal's last row, counting the request's own.
    pub(super) fn head(&self) -> Head {
        self.fresh_head.or(self.head).unwrap_or(Head { sequence: 0, hash: chain::GENESIS })
    }

    /// The request stands.
    pub(super) fn keep(&mut self) {
        self.balances.keep();
        self.streams.keep();
        self.owners.keep();
        self.latest.keep();
        self.head = self.fresh_head.take().or(self.head);
    }

    /// The request is undone.
    pub(super) fn undo(&mut self) {
        self.balances.fresh.clear();
        self.streams.fresh.clear();
        self.owners.fresh.clear();
        self.latest.fresh.clear();
        self.fresh_head = None;
    }

    /// The transaction cannot go on.
    pub(super) fn note_broken(&mut self, error: StoreError) {
        self.broken = Some(error);
    }

    /// Whether, and why, the transaction cannot go on.
    pub(super) fn take_broken(&mut self) -> Option<StoreError> {
        self.broken.take()
    }

    /// The whole transaction is undone: nothing here is known to be true.
    pub(super) fn forget(&mut self) {
        self.full = false;
    }
}
