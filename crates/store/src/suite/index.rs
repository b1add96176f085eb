//! The index of the chain.

use super::Place;
use crate::chain_index::{IndexCursor, IndexedEvent, IndexedTransaction, index_hash};
use crate::{ChainIndex, StoreError};
use jirani_units::HouseholdId;
use std::sync::Arc;

fn signature(sequence: u64) -> [u8; 64] {
    let mut signature = [7; 64];
    signature[..8].copy_from_slice(&sequence.to_be_bytes());
    signature
}

/// A transaction of one slot for two; its events are about households 1 and 2, and
/// a feeder.
fn transaction(sequence: u64) -> IndexedTransaction {
    let event = |inner, kind, household| IndexedEvent {
        instruction: u16::from(inner > 1),
        inner,
        kind,
        household,
        number: u64::MAX - sequence,
        at: 1_795_000_000 + i64::try_from(sequence).unwrap(),
        event: vec![228, kind, 3],
        call: vec![30; usize::from(inner)],
        accounts: if kind == 5 { Vec::new() } else { vec![9; 64] },
    };
    IndexedTransaction {
        sequence,
        signature: signature(sequence),
        slot: 40 + sequence / 2,
        block_time: (!sequence.is_multiple_of(3)).then_some(1_795_000_000),
        events: vec![event(0, 6, 1), event(2, 5, 1), event(5, 9, 2)],
    }
}

fn cursor(transactions: u64) -> IndexCursor {
    IndexCursor { signature: signature(transactions), slot: 40 + transactions / 2, transactions }
}

async fn filled(index: &Arc<dyn ChainIndex>, from: u64, to: u64) {
    let start = (from > 0).then(|| cursor(from));
    index.extend_index(start, (from + 1..=to).map(transaction).collect(), cursor(to)).await.unwrap();
}

pub async fn the_index_comes_back_in_the_order_of_the_chain(place: &dyn Place) {
    let index = place.open_index().await;
    assert_eq!(index.index_cursor().await.unwrap(), None);
    assert_eq!(index.indexed_after(0, 10).await.unwrap(), []);
    filled(&index, 0, 3).await;
    filled(&index, 3, 150).await;
    // Nothing of ours in what was listed last.
    let silent = IndexCursor { signature: [1; 64], slot: 900, transactions: 150 };
    index.extend_index(Some(cursor(150)), Vec::new(), silent).await.unwrap();
    drop(index);
    let index = place.open_index().await;
    assert_eq!(index.index_cursor().await.unwrap(), Some(silent));
    let all: Vec<IndexedTransaction> = (1..=150).map(transaction).collect();
    assert_eq!(index.indexed_after(0, 1_000).await.unwrap(), all);
    assert_eq!(index.indexed_after(2, 3).await.unwrap(), all[2..5]);
    assert_eq!(index.indexed_after(150, 3).await.unwrap(), []);
}

pub async fn the_index_has_no_hole_and_no_repeat(place: &dyn Place) {
    let index = place.open_index().await;
    filled(&index, 0, 4).await;
    let kept = index_hash(&*index).await.unwrap();
    let extend = async |from: Option<IndexCursor>, rows: Vec<IndexedTransaction>, to: IndexCursor| {
        let refused = index.extend_index(from, rows, to).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    };
    // From elsewhere than where it stands, with a hole, too few, backwards, again.
    extend(None, vec![transaction(1)], cursor(1)).await;
    extend(Some(cursor(3)), vec![transaction(4)], cursor(4)).await;
    extend(Some(cursor(4)), vec![transaction(6)], cursor(5)).await;
    extend(Some(cursor(4)), vec![transaction(5)], cursor(6)).await;
    extend(Some(cursor(4)), Vec::new(), IndexCursor { slot: 3, ..cursor(4) }).await;
    let again = IndexedTransaction { signature: signature(2), ..transaction(5) };
    extend(Some(cursor(4)), vec![again], cursor(5)).await;
    assert_eq!(index_hash(&*index).await.unwrap(), kept);
    filled(&index, 4, 5).await;
    assert_ne!(index_hash(&*index).await.unwrap(), kept);
}

pub async fn an_index_made_anew_is_the_same_byte_for_byte(place: &dyn Place) {
    let index = place.open_index().await;
    let empty = index_hash(&*index).await.unwrap();
    filled(&index, 0, 70).await;
    let first = index_hash(&*index).await.unwrap();
    index.clear_index().await.unwrap();
    assert_eq!(index.index_cursor().await.unwrap(), None);
    assert_eq!(index_hash(&*index).await.unwrap(), empty);
    for step in 0..70 {
        filled(&index, step, step + 1).await;
    }
    assert_eq!(index_hash(&*index).await.unwrap(), first);
}

pub async fn a_households_events_come_newest_first(place: &dyn Place) {
    let index = place.open_index().await;
    filled(&index, 0, 20).await;
    let told = index.indexed_of(HouseholdId(1), 2).await.unwrap();
    let expected = |sequence, event: usize| {
        let whole = transaction(sequence);
        IndexedTransaction { events: vec![whole.events[event].clone()], ..whole }
    };
    // The attestation of feeder 1 is not household 1's.
    assert_eq!(told, [expected(20, 0), expected(19, 0)]);
    assert_eq!(index.indexed_of(HouseholdId(2), 1).await.unwrap(), [expected(20, 2)]);
    assert_eq!(index.indexed_of(HouseholdId(3), 9).await.unwrap(), []);
}
