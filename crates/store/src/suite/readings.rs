//! What becomes of readings (R1).

use super::samples::{at, household, meter, quarantined, reading};
use super::{Place, keep};
use crate::{Appended, Change, HouseholdRecord, JudgedBy, MeterRecord, MeterState, ReadingRow, StoreError};
use jirani_units::{HouseholdId, Timestamp, Wh};

const EVER: (Timestamp, Timestamp) = (Timestamp(i64::MIN), Timestamp(i64::MAX));

fn sequences(rows: &[ReadingRow]) -> Vec<u64> {
    rows.iter().map(|row| row.seq).collect()
}

pub async fn a_reading_counts_once(place: &dyn Place) {
    let store = place.open().await;
    let batch = || vec![reading(1, 1, 1), reading(2, 1, 1), reading(1, 1, 2)];
    assert_eq!(store.append_readings(batch(), vec![]).await.unwrap(), [Appended::New; 3]);
    assert_eq!(store.append_readings(batch(), vec![]).await.unwrap(), [Appended::Duplicate; 3]);
    drop(store);
    let store = place.open().await;
    let mixed = vec![reading(1, 1, 2), reading(1, 1, 3), reading(1, 1, 0), reading(1, 1, 1)];
    let expected = [Appended::Duplicate, Appended::New, Appended::New, Appended::Duplicate];
    assert_eq!(store.append_readings(mixed, vec![]).await.unwrap(), expected);
    assert_eq!(store.append_readings(vec![], vec![]).await.unwrap(), []);
    assert_eq!(store.count_readings().await.unwrap(), (5, 0));
    assert_eq!(store.reading(meter(1), 1, 3).await.unwrap(), Some(reading(1, 1, 3)));
    assert_eq!(store.reading(meter(1), 1, 4).await.unwrap(), None);
    assert_eq!(store.reading(meter(1), 2, 3).await.unwrap(), None);
    assert_eq!(store.reading(meter(1), 1, u64::MAX).await.unwrap(), None);
}

pub async fn a_repeat_within_a_batch_counts_once(place: &dyn Place) {
    let store = place.open().await;
    let mut other = reading(1, 1, 1);
    other.bytes.push(0);
    let batch = vec![reading(1, 1, 1), reading(1, 1, 1), other, reading(1, 1, 2)];
    let expected = [Appended::New, Appended::Duplicate, Appended::Equivocation, Appended::New];
    assert_eq!(store.append_readings(batch, vec![]).await.unwrap(), expected);
    assert_eq!(store.count_readings().await.unwrap(), (2, 1));
}

pub async fn other_bytes_under_one_identity_are_evidence(place: &dyn Place) {
    let store = place.open().await;
    store.append_readings(vec![reading(1, 1, 1)], vec![]).await.unwrap();
    let mut other = reading(1, 1, 1);
    (other.bytes, other.import_wh) = (b"another story".to_vec(), Wh(1_000_000));
    let again = vec![other.clone(), other.clone()];
    assert_eq!(store.append_readings(again, vec![]).await.unwrap(), [Appended::Equivocation; 2]);
    assert_eq!(store.readings(HouseholdId(1), EVER.0, EVER.1, 10).await.unwrap(), [reading(1, 1, 1)]);
    let kept = store.quarantine(10).await.unwrap();
    assert_eq!(kept.len(), 2);
    let evidence = &kept[0].1;
    assert_eq!((evidence.meter, evidence.code.as_str()), (Some(meter(1)), "reading.equivocation"));
    assert_eq!((&evidence.bytes, evidence.received_at), (&other.bytes, other.received_at));
}

pub async fn the_latest_is_by_epoch_and_number(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.latest_readings().await.unwrap(), []);
    store.append_readings(vec![reading(1, 1, 9), reading(1, 1, 3), reading(2, 5, 1)], vec![]).await.unwrap();
    store.append_readings(vec![reading(1, 1, 8), reading(2, 4, 99)], vec![]).await.unwrap();
    assert_eq!(store.latest_readings().await.unwrap(), [reading(1, 1, 9), reading(2, 5, 1)]);
    drop(store);
    let store = place.open().await;
    store.append_readings(vec![reading(1, 1, 7), reading(2, 6, 0)], vec![]).await.unwrap();
    assert_eq!(store.latest_readings().await.unwrap(), [reading(1, 1, 9), reading(2, 6, 0)]);
}

pub async fn what_was_judged_against_another_reading_is_not_kept(place: &dyn Place) {
    let store = place.open().await;
    let keep = async |readings: Vec<ReadingRow>, against: Vec<(u32, Option<(u32, u64)>)>| {
        let judged = |(number, latest)| JudgedBy {
            meter: meter(number),
            latest,
            household_version: 0,
            enrolment_version: 0,
        };
        let judged_by = against.into_iter().map(judged).collect();
        store.append_judged(readings, vec![quarantined(1)], judged_by).await.unwrap()
    };
    let first = keep(vec![reading(1, 1, 1), reading(2, 1, 1)], vec![(1, None), (2, None)]).await;
    assert_eq!(first, Some(vec![Appended::New; 2]));
    // One of two has moved: nothing is kept of either, and nothing put in quarantine.
    let moved = keep(vec![reading(1, 1, 2), reading(2, 1, 2)], vec![(1, Some((1, 1))), (2, None)]).await;
    assert_eq!(moved, None);
    assert_eq!(store.count_readings().await.unwrap(), (2, 1));
    let again = vec![(1, Some((1, 1))), (2, Some((1, 1)))];
    let kept = keep(vec![reading(1, 1, 2), reading(2, 1, 1)], again).await;
    assert_eq!(kept, Some(vec![Appended::New, Appended::Duplicate]));
    let mut latest = store.latest_of(vec![meter(2), meter(1), meter(9)]).await.unwrap();
    latest.sort_by_key(|row| row.meter);
    assert_eq!(latest, [reading(1, 1, 2), reading(2, 1, 1)]);
}

pub async fn what_was_judged_by_an_enrolment_that_has_changed_is_not_kept(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Household(household(1)), Change::Household(household(2))]).await;
    let append = async |seq: u64, household_version: u64, enrolment_version: u64| {
        let latest = (seq > 1).then_some((1, seq - 1));
        let judged_by = vec![JudgedBy { meter: meter(1), latest, household_version, enrolment_version }];
        store.append_judged(vec![reading(1, 1, seq)], vec![quarantined(1)], judged_by).await.unwrap()
    };
    assert_eq!(append(1, 1, 0).await, Some(vec![Appended::New]));
    // Another meter has taken its place, in whichever process.
    let replaced = HouseholdRecord { meter: Some(meter(9)), version: 1, ..household(1) };
    keep(&store, vec![Change::Household(replaced)]).await;
    assert_eq!(append(2, 1, 0).await, None);
    assert_eq!(store.count_readings().await.unwrap(), (1, 1), "nothing is kept, not even in quarantine");
    let back = HouseholdRecord { version: 2, ..household(1) };
    keep(&store, vec![Change::Household(back)]).await;
    assert_eq!(append(2, 1, 0).await, None, "that it has it again is not what was known");
    assert_eq!(append(2, 3, 0).await, Some(vec![Appended::New]));
    // Its enrolment goes on, as when it is retired.
    let claimed = super::meters::claimed(1, 1);
    keep(&store, vec![Change::Meter(Box::new(claimed.clone()))]).await;
    assert_eq!(append(3, 3, 0).await, None);
    assert_eq!(append(3, 3, 1).await, Some(vec![Appended::New]));
    let retired = MeterRecord { state: MeterState::Retired, version: 1, ..claimed };
    keep(&store, vec![Change::Meter(Box::new(retired))]).await;
    assert_eq!(append(4, 3, 1).await, None);
    // What happens to another household concerns nobody else.
    let other = HouseholdRecord { version: 1, ..household(2) };
    keep(&store, vec![Change::Household(other)]).await;
    assert_eq!(append(4, 3, 2).await, Some(vec![Appended::New]));
}

pub async fn readings_are_told_in_the_order_in_which_they_were_kept(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.stored_after(0, 10).await.unwrap(), []);
    store.append_readings(vec![reading(2, 1, 5), reading(1, 1, 9)], vec![]).await.unwrap();
    // A repeat and other bytes have no place in it.
    let mut other = reading(1, 1, 9);
    other.bytes.push(0);
    let more = vec![reading(1, 1, 9), other, reading(1, 1, 3), reading(3, 2, 1)];
    store.append_readings(more, vec![]).await.unwrap();
    drop(store);
    let store = place.open().await;
    let order = [reading(2, 1, 5), reading(1, 1, 9), reading(1, 1, 3), reading(3, 2, 1)];
    let expected: Vec<_> = (1..).zip(order).collect();
    assert_eq!(store.stored_after(0, 10).await.unwrap(), expected);
    assert_eq!(store.stored_after(1, 2).await.unwrap(), expected[1..3]);
    assert_eq!(store.stored_after(4, 10).await.unwrap(), []);
    assert_eq!(store.stored_after(u64::MAX, 10).await.unwrap(), []);
}

pub async fn ranges_are_half_open_and_in_order(place: &dyn Place) {
    let store = place.open().await;
    let batch = [5, 2, 4, 1, 3].map(|seq| reading(1, 1, seq)).to_vec();
    store.append_readings(batch, vec![]).await.unwrap();
    store.append_readings(vec![reading(2, 1, 2), reading(1, 2, 6)], vec![]).await.unwrap();
    let range = async |from: i64, to: i64, limit| {
        let (from, to) = (at(900 * from), at(900 * to));
        sequences(&store.readings(HouseholdId(1), from, to, limit).await.unwrap())
    };
    assert_eq!(range(2, 4, 10).await, [2, 3]);
    assert_eq!(range(0, 10, 10).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(range(0, 10, 2).await, [1, 2]);
    assert_eq!(range(5, 10, 2).await, [5, 6]);
    assert_eq!(range(4, 4, 10).await, [0_u64; 0]);
    assert_eq!(store.readings(HouseholdId(9), EVER.0, EVER.1, 10).await.unwrap(), []);
}

pub async fn neighbours_in_time_are_of_one_epoch(place: &dyn Place) {
    let store = place.open().await;
    let batch = vec![reading(1, 1, 1), reading(1, 1, 3), reading(1, 2, 2), reading(2, 1, 2)];
    store.append_readings(batch, vec![]).await.unwrap();
    let around = async |epoch, time: Timestamp| {
        let (before, after) = store.readings_around(meter(1), epoch, time).await.unwrap();
        (before.map(|row| row.seq), after.map(|row| row.seq))
    };
    assert_eq!(around(1, at(900)).await, (Some(1), Some(3)));
    assert_eq!(around(1, at(1_800)).await, (Some(1), Some(3)));
    assert_eq!(around(1, at(2_700)).await, (Some(3), None));
    assert_eq!(around(1, at(899)).await, (None, Some(1)));
    assert_eq!(around(2, at(1_799)).await, (None, Some(2)));
    assert_eq!(around(3, at(1_800)).await, (None, None));
}

pub async fn a_meter_that_moved_house_is_two_households(place: &dyn Place) {
    let store = place.open().await;
    let mut moved = reading(1, 1, 2);
    moved.household = HouseholdId(5);
    store.append_readings(vec![reading(1, 1, 1), moved.clone()], vec![]).await.unwrap();
    assert_eq!(store.readings(HouseholdId(1), EVER.0, EVER.1, 10).await.unwrap(), [reading(1, 1, 1)]);
    assert_eq!(store.readings(HouseholdId(5), EVER.0, EVER.1, 10).await.unwrap(), [moved]);
}

pub async fn quarantine_is_kept_newest_first(place: &dyn Place) {
    let store = place.open().await;
    store.append_readings(vec![reading(1, 1, 1)], vec![quarantined(1), quarantined(2)]).await.unwrap();
    store.append_readings(vec![], vec![quarantined(3)]).await.unwrap();
    assert_eq!(store.count_readings().await.unwrap(), (1, 3));
    let rows = store.quarantine(2).await.unwrap();
    assert_eq!(rows.iter().map(|(_, row)| row.clone()).collect::<Vec<_>>(), [quarantined(3), quarantined(2)]);
    assert!(rows[0].0 > rows[1].0);
}

pub async fn what_cannot_be_kept_is_refused_whole(place: &dyn Place) {
    let store = place.open().await;
    let mut register = reading(1, 1, 2);
    register.export_wh = Wh(u64::MAX);
    for impossible in [reading(1, 1, u64::MAX), register] {
        let batch = vec![reading(1, 1, 1), impossible];
        let refused = store.append_readings(batch, vec![quarantined(1)]).await;
        assert!(matches!(refused, Err(StoreError::OutOfRange { .. })), "{refused:?}");
    }
    assert_eq!(store.count_readings().await.unwrap(), (0, 0));
    assert_eq!(store.append_readings(vec![reading(1, 1, 1)], vec![]).await.unwrap(), [Appended::New]);
}
