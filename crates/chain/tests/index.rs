//! The index against nodes that tell the truth, that forget, that lag and that die.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, reason = "numbers of these tests are small")]

use async_trait::async_trait;
use jirani_chain::index::history::{Call, Fate, PAGE};
use jirani_chain::index::{History, IndexError, Indexer, Listed, MemoryIndex, Told};
use jirani_chain::{Address, ChainError};
use jirani_energy_interface::event::{Event, EventKind};
use jirani_energy_interface::instruction::Tag;
use jirani_energy_interface::{EnergyProgram, LOCAL_PROGRAM_ID};
use jirani_store::ChainIndex;
use jirani_store::chain_index::index_hash;
use solana_signature::Signature;
use std::sync::atomic::{AtomicUsize, Ordering};

fn signature(number: usize) -> Signature {
    let mut bytes = [3; 64];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Signature::from(bytes)
}

/// A node whose transaction `n` posts offer `n`; the first initialises, every seventh
/// failed, every eleventh holds nothing of ours; three share a slot.
struct Node {
    program: EnergyProgram,
    /// Transactions it has, oldest first: numbers from here to there.
    from: usize,
    to: AtomicUsize,
    /// Answers to questions for transactions before it is gone.
    answers: AtomicUsize,
}

impl Node {
    fn with(from: usize, to: usize) -> Self {
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        Self { program, from, to: AtomicUsize::new(to), answers: AtomicUsize::new(usize::MAX) }
    }

    fn numbers(&self) -> std::ops::Range<usize> {
        self.from..self.to.load(Ordering::SeqCst)
    }

    fn place(&self, wanted: Option<Signature>) -> Option<usize> {
        let number: [u8; 8] = wanted?.as_ref()[..8].try_into().unwrap();
        Some(u64::from_be_bytes(number) as usize).filter(|number| self.numbers().contains(number))
    }
}

#[async_trait]
impl History for Node {
    async fn page(
        &self,
        address: &Address,
        before: Option<Signature>,
        until: Option<Signature>,
    ) -> Result<Vec<Listed>, ChainError> {
        assert_eq!(*address, self.program.id);
        let newest = self.place(before).unwrap_or(self.numbers().end);
        let oldest = self.place(until).map_or(self.from, |found| found + 1);
        let fate = |number: usize| if number % 7 == 6 { Fate::Failed } else { Fate::Done };
        let listed = |number: usize| Listed {
            signature: signature(number),
            slot: number as u64 / 3,
            fate: fate(number),
        };
        Ok((oldest..newest).rev().take(PAGE).map(listed).collect())
    }

    async fn transaction(&self, wanted: &Signature) -> Result<Option<Told>, ChainError> {
        if self.answers.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.answers.store(0, Ordering::SeqCst);
            return Err(ChainError::Unreachable("gone".to_owned()));
        }
        let Some(number) = self.place(Some(*wanted)) else { return Ok(None) };
        let own = |inner, height, accounts, data| Call {
            instruction: 0,
            inner,
            height,
            program: self.program.id,
            accounts,
            data,
        };
        let kind = if number == 0 { EventKind::Initialised } else { EventKind::OfferPosted };
        let mut event = Event::new(kind, 900);
        event.number = number as u64;
        event.household_id = 7;
        let mut calls = vec![own(None, 1, vec![self.program.mint], vec![Tag::PostOffer as u8, 1])];
        if number % 11 != 10 {
            let bytes = bytemuck::bytes_of(&event).to_vec();
            calls.push(own(Some(0), 2, vec![self.program.config], bytes));
        }
        Ok(Some(Told { slot: number as u64 / 3, block_time: None, calls }))
    }
}

async fn catch_up(node: &Node, index: &MemoryIndex) -> Result<u64, IndexError> {
    let indexer = Indexer { program: node.program, history: node, index };
    indexer.catch_up(|_, _| {}).await.map(|done| done.indexed)
}

/// What an index of the first `to` transactions holds, and its hash.
async fn expected(to: usize) -> (u64, [u8; 32]) {
    let index = MemoryIndex::default();
    catch_up(&Node::with(0, to), &index).await.unwrap();
    let held = (0..to).filter(|number| number % 7 != 6 && number % 11 != 10).count();
    let cursor = index.index_cursor().await.unwrap().unwrap();
    assert_eq!(cursor.transactions, held as u64);
    assert_eq!(cursor.signature, <[u8; 64]>::from(signature(to - 1)));
    (cursor.transactions, index_hash(&index).await.unwrap())
}

#[tokio::test]
async fn a_list_of_many_pages_is_indexed_whole_and_in_order() {
    for to in [1, 2, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 70 * PAGE + 5] {
        let (held, _) = expected(to).await;
        let index = MemoryIndex::default();
        let mut told = Vec::new();
        let node = Node::with(0, to);
        let indexer = Indexer { program: node.program, history: &node, index: &index };
        indexer.catch_up(|done, all| told.push((done, all))).await.unwrap();
        assert_eq!(told.last(), Some(&(to as u64, to as u64)), "the progress ends at the end");
        let kept = index.into_transactions();
        assert_eq!(kept.len() as u64, held);
        assert!(kept.is_sorted_by_key(|told| told.events[0].number), "older first");
    }
}

#[tokio::test]
async fn kept_live_or_made_anew_it_is_the_same() {
    let (_, whole) = expected(2_500).await;
    let node = Node::with(0, 0);
    let index = MemoryIndex::default();
    for to in [1, 2, 9, 10, 400, 401, 1_600, 2_500] {
        node.to.store(to, Ordering::SeqCst);
        catch_up(&node, &index).await.unwrap();
        assert_eq!(catch_up(&node, &index).await.unwrap(), 0, "nothing new, nothing done");
    }
    assert_eq!(index_hash(&index).await.unwrap(), whole);
}

#[tokio::test]
async fn cut_off_anywhere_it_holds_a_beginning_and_goes_on() {
    let (held, whole) = expected(1_300).await;
    let index = MemoryIndex::default();
    let node = Node::with(0, 1_300);
    let mut rounds = 0;
    loop {
        node.answers.store(150, Ordering::SeqCst);
        rounds += 1;
        let ended = catch_up(&node, &index).await;
        let kept = index.indexed_after(0, 1_000).await.unwrap();
        assert!((1..).zip(&kept).all(|(next, told)| told.sequence == next), "a hole");
        if ended.is_ok() {
            break;
        }
        assert!(matches!(ended, Err(IndexError::Chain(ChainError::Unreachable(_)))));
    }
    assert!(rounds > 5, "it was cut off");
    assert_eq!(index.index_cursor().await.unwrap().unwrap().transactions, held);
    assert_eq!(index_hash(&index).await.unwrap(), whole);
}

#[tokio::test]
async fn a_node_that_has_fallen_behind_changes_nothing() {
    let index = MemoryIndex::default();
    catch_up(&Node::with(0, 600), &index).await.unwrap();
    let before = index_hash(&index).await.unwrap();
    for to in [300, 590] {
        let ended = catch_up(&Node::with(0, to), &index).await;
        assert!(matches!(ended, Err(IndexError::Behind(_))), "{ended:?}");
        assert_eq!(index_hash(&index).await.unwrap(), before);
    }
    catch_up(&Node::with(0, 700), &index).await.unwrap();
    assert_eq!(index_hash(&index).await.unwrap(), expected(700).await.1);
}

#[tokio::test]
async fn a_node_that_forgot_the_beginning_is_refused() {
    let index = MemoryIndex::default();
    let ended = catch_up(&Node::with(40, 600), &index).await;
    assert!(matches!(ended, Err(IndexError::Incomplete)), "{ended:?}");
    assert_eq!(index.index_cursor().await.unwrap(), None);
}
