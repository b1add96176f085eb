//! Going through a node's list, from where the index stands to its newest entry.
//!
//! The list comes newest first and is kept oldest first. So the walk goes back to the
//! cursor once, remembering where pages begin, and then keeps page after page forwards:
//! a crash leaves a beginning, never a hole. A list of any length is walked in bounded
//! memory: pages beyond the last few are asked for again.

use super::decode;
use super::error::IndexError;
use super::history::{Fate, History, Listed, PAGE};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::event::EventKind;
use jirani_store::{ChainIndex, IndexCursor, IndexedTransaction};
use solana_signature::Signature;

/// Pages kept in memory between the walk back and the walk forwards.
const PAGES_KEPT: usize = 64;
/// List entries kept in one commit.
const BATCH: usize = 128;
/// Transactions asked for at once.
const AT_ONCE: usize = 16;

/// Brings an index up to date with a node.
pub struct Indexer<'a> {
    /// The deployment.
    pub program: EnergyProgram,
    /// The node.
    pub history: &'a dyn History,
    /// The index.
    pub index: &'a dyn ChainIndex,
}

/// How far an indexing has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// List entries gone through.
    pub listed: u64,
    /// Transactions with events among them.
    pub indexed: u64,
}

/// A page of the list on the way back.
struct Page {
    /// What it is older than; `None` for the newest.
    before: Option<Signature>,
    /// Its oldest entry.
    oldest: Signature,
    /// Its entries, unless they are asked for again.
    entries: Option<Vec<Listed>>,
}

impl Indexer<'_> {
    /// Indexes everything up to the newest finalised transaction. `told` hears how
    /// many list entries are done and how many there are.
    pub async fn catch_up(&self, mut told: impl FnMut(u64, u64) + Send) -> Result<CaughtUp, IndexError> {
        let mut cursor = self.index.index_cursor().await?;
        let (pages, total) = self.walk_back(cursor).await?;
        let mut done = CaughtUp::default();
        for page in pages.into_iter().rev() {
            let mut entries = self.entries(page, cursor).await?;
            entries.reverse();
            for batch in entries.chunks(BATCH) {
                let next = self.keep(cursor, batch).await?;
                done.listed += batch.len() as u64;
                done.indexed += next.transactions - cursor.map_or(0, |cursor| cursor.transactions);
                cursor = Some(next);
                told(done.listed, total);
            }
        }
        Ok(done)
    }

    /// All pages back to the cursor, newest first, and how many entries they have.
    async fn walk_back(&self, cursor: Option<IndexCursor>) -> Result<(Vec<Page>, u64), IndexError> {
        let until = cursor.map(|cursor| Signature::from(cursor.signature));
        let (mut pages, mut total) = (Vec::<Page>::new(), 0);
        let (mut before, mut newest_slot) = (None, u64::MAX);
        loop {
            let entries = self.history.page(&self.program.id, before, until).await?;
            check_order(&entries, newest_slot, cursor)?;
            let Some(last) = entries.last().copied() else { break };
            let full = entries.len() >= PAGE;
            total += entries.len() as u64;
            let entries = (pages.len() < PAGES_KEPT).then_some(entries);
            pages.push(Page { before, oldest: last.signature, entries });
            (before, newest_slot) = (Some(last.signature), last.slot);
            if !full {
                break;
            }
        }
        Ok((pages, total))
    }

    async fn entries(&self, page: Page, cursor: Option<IndexCursor>) -> Result<Vec<Listed>, IndexError> {
        if let Some(entries) = page.entries {
            return Ok(entries);
        }
        let until = cursor.map(|cursor| Signature::from(cursor.signature));
        let entries = self.history.page(&self.program.id, page.before, until).await?;
        check_order(&entries, u64::MAX, cursor)?;
        if entries.last().map(|last| last.signature) == Some(page.oldest) {
            Ok(entries)
        } else {
            Err(IndexError::Behind("the node's list differs from what it was a moment ago".to_owned()))
        }
    }

    /// Keeps some entries, oldest first, and moves the cursor over them.
    async fn keep(&self, cursor: Option<IndexCursor>, batch: &[Listed]) -> Result<IndexCursor, IndexError> {
        let done: Vec<Listed> = batch.iter().filter(|listed| listed.fate == Fate::Done).copied().collect();
        let told: Vec<IndexedTransaction> =
            stream::iter(done).map(|listed| self.read(listed)).buffered(AT_ONCE).try_collect().await?;
        let start = cursor.map_or(0, |cursor| cursor.transactions);
        let mut transactions: Vec<_> = told.into_iter().filter(|told| !told.events.is_empty()).collect();
        for (sequence, told) in (start + 1..).zip(&mut transactions) {
            told.sequence = sequence;
        }
        // The program's life begins with one event: a list that begins with another has
        // lost its beginning.
        if start == 0
            && let Some(first) = transactions.first().and_then(|told| told.events.first())
            && first.kind != EventKind::Initialised as u8
        {
            return Err(IndexError::Incomplete);
        }
        // INVARIANT: chunks are never empty.
        #[expect(clippy::expect_used, reason = "chunks are never empty")]
        let last = batch.last().expect("a batch has entries");
        let to = IndexCursor {
            signature: last.signature.into(),
            slot: last.slot,
            transactions: start + transactions.len() as u64,
        };
        self.index.extend_index(cursor, transactions, to).await?;
        Ok(to)
    }

    /// A transaction with its events; its sequence is given later.
    async fn read(&self, listed: Listed) -> Result<IndexedTransaction, IndexError> {
        let signature = &listed.signature;
        let Some(told) = self.history.transaction(signature).await? else {
            return Err(IndexError::Behind(format!("the node lists {signature} and does not have it")));
        };
        if told.slot != listed.slot {
            return Err(IndexError::Behind(format!("the node has {signature} in two slots")));
        }
        Ok(IndexedTransaction {
            sequence: 0,
            signature: listed.signature.into(),
            slot: told.slot,
            block_time: told.block_time,
            events: decode::events(&self.program, signature, &told)?,
        })
    }
}

/// A list runs back in time and ends at the cursor: what is older than that shows a
/// node that does not know it.
fn check_order(entries: &[Listed], newest: u64, cursor: Option<IndexCursor>) -> Result<(), IndexError> {
    let oldest = cursor.map_or(0, |cursor| cursor.slot);
    let mut above = newest;
    for listed in entries {
        if listed.slot > above || listed.slot < oldest {
            let signature = &listed.signature;
            return Err(IndexError::Behind(format!("{signature} stands where it cannot in the node's list")));
        }
        above = listed.slot;
    }
    Ok(())
}
