//! What becomes of slots.

use super::Place;
use super::samples::{at, landed, slot};
use crate::StoreError;
use jirani_units::{HouseholdId, Timestamp, Wh};

pub async fn a_slot_is_rewritten_until_it_has_landed(place: &dyn Place) {
    let store = place.open().await;
    store.put_slot(slot(1, 1, 90)).await.unwrap();
    assert_eq!(store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), [slot(1, 1, 90)]);
    // A late reading changed a row, and one household is gone.
    let mut other = slot(1, 1, 89);
    other.rows[3].export_wh = Wh(77);
    other.evidence_root = [6; 32];
    store.put_slot(other.clone()).await.unwrap();
    assert_eq!(store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), [other.clone()]);
    let landed = landed(other);
    store.put_slot(landed.clone()).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.last_attested_slot(1).await.unwrap(), Some(landed.clone()));
    assert_eq!(store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);
    // What stands on chain is told again, but not told otherwise.
    store.put_slot(landed.clone()).await.unwrap();
    let mut altered = landed.clone();
    altered.rows[0].import_wh.0 += 1;
    for altered in [altered, slot(1, 1, 89)] {
        assert!(matches!(store.put_slot(altered).await, Err(StoreError::Conflict { .. })));
    }
    assert_eq!(store.last_attested_slot(1).await.unwrap(), Some(landed));
}

pub async fn only_landed_rows_are_attested(place: &dyn Place) {
    let store = place.open().await;
    for number in 1..=4 {
        store.put_slot(landed(slot(1, number, 3))).await.unwrap();
    }
    store.put_slot(slot(1, 5, 3)).await.unwrap();
    let ends = async |from: i64, to: i64| {
        let rows = store.attested_rows(HouseholdId(2), at(900 * from), at(900 * to)).await.unwrap();
        rows.iter().map(|(end, _, _)| end.since(at(0)) / 900_000_000).collect::<Vec<_>>()
    };
    assert_eq!(ends(0, 9).await, [1, 2, 3, 4]);
    assert_eq!(ends(1, 3).await, [2, 3]);
    assert_eq!(ends(3, 3).await, [0_i64; 0]);
    let rows = store.attested_rows(HouseholdId(2), at(0), at(900)).await.unwrap();
    let expected = landed(slot(1, 1, 3));
    assert_eq!(rows, [(expected.end, expected.rows[1], Some(expected.signatures[0].clone()))]);
    let nobody = store.attested_rows(HouseholdId(9), Timestamp(i64::MIN), Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(nobody, []);
}

pub async fn feeders_are_apart(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.last_attested_slot(1).await.unwrap(), None);
    store.put_slot(landed(slot(1, 1, 2))).await.unwrap();
    store.put_slot(landed(slot(1, 2, 2))).await.unwrap();
    store.put_slot(slot(2, 4, 2)).await.unwrap();
    store.put_slot(slot(2, 3, 2)).await.unwrap();
    assert_eq!(store.last_attested_slot(1).await.unwrap(), Some(landed(slot(1, 2, 2))));
    assert_eq!(store.last_attested_slot(2).await.unwrap(), None);
    assert_eq!(store.unattested_slots(1, Timestamp(i64::MIN), 1_000).await.unwrap(), []);
    let waiting = async |after: i64, limit| store.unattested_slots(2, Timestamp(after), limit).await.unwrap();
    assert_eq!(waiting(i64::MIN, 9).await, [slot(2, 3, 2), slot(2, 4, 2)]);
    assert_eq!(waiting(i64::MIN, 1).await, [slot(2, 3, 2)]);
    assert_eq!(waiting(slot(2, 3, 2).end.0, 9).await, [slot(2, 4, 2)]);
}

pub async fn the_last_slot_is_found_landed_or_not(place: &dyn Place) {
    let store = place.open().await;
    store.put_slot(landed(slot(1, 1, 2))).await.unwrap();
    store.put_slot(slot(1, 3, 2)).await.unwrap();
    store.put_slot(slot(2, 9, 2)).await.unwrap();
    for (until, found) in [
        (i64::MAX, Some(slot(1, 3, 2))),
        (slot(1, 3, 2).end.0, Some(slot(1, 3, 2))),
        (slot(1, 3, 2).end.0 - 1, Some(landed(slot(1, 1, 2)))),
        (slot(1, 1, 2).end.0 - 1, None),
    ] {
        assert_eq!(store.last_slot(1, Timestamp(until)).await.unwrap(), found);
    }
}
