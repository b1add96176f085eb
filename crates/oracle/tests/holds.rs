//! Held meters: nothing they counted is minted before two operators have said so, whatever
//! becomes of the meter, and nobody says so alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;
#[path = "support/village.rs"]
mod village;

use jirani_meter::Registers;
use jirani_store::{Change, MeterRecord, MeterState};
use jirani_units::HouseholdId;
use std::collections::BTreeMap;
use support::{SLOT_S, START, enrolment, id_of};
use village::{GRACE_S, QUIET, Village};

const HELD: &str = "reading.equivocation";
const ALL_QUIET: [(u32, [u64; 3]); 3] = [(1, QUIET), (2, QUIET), (3, QUIET)];

fn held() -> Change {
    let held = Some(HELD.to_owned());
    Change::Meter(Box::new(MeterRecord { held, ..enrolment(2, MeterState::Active) }))
}

fn homes(rows: &BTreeMap<u32, (u64, u64)>) -> Vec<u32> {
    rows.keys().copied().collect()
}

/// Codes of what happened to a home's meter, newest first.
async fn history(village: &Village, seed: u32) -> Vec<String> {
    let events = village.store.meter_events(Some(id_of(seed)), 20).await.unwrap();
    events.into_iter().map(|event| event.code).collect()
}

#[tokio::test]
async fn a_held_meter_is_replaced_and_what_it_counted_waits_for_two_operators_all_the_same() {
    let mut village = Village::new().await;
    assert_eq!(homes(&village.slot(ALL_QUIET).await), [1, 2, 3, 4]);
    village.store.commit(vec![held()]).await.unwrap();
    let doubtful = [(1, QUIET), (2, [600, 0, 0]), (3, QUIET)];
    assert_eq!(homes(&village.slot(doubtful).await), [1, 3]);

    village.replace(2, 20).await;
    let record = village.store.meter(id_of(20)).await.unwrap().unwrap();
    assert_eq!(record.held.as_deref(), Some(HELD), "the hold goes over to the new meter");
    assert_eq!(history(&village, 20).await[..2], ["meter.active", "meter.hold_kept"]);
    assert_eq!(homes(&village.slot(ALL_QUIET).await), [1, 3]);

    let (desk, mut heard) = (village.desk(), village.events.subscribe());
    desk.release("Amina", id_of(20), "the copy was found".to_owned()).await.unwrap();
    assert_eq!(homes(&village.slot(ALL_QUIET).await), [1, 3], "one operator has asked, no more");
    desk.approve("Baraka", id_of(20), village.revision(id_of(20)).await).await.unwrap();
    let released = village.until(&mut heard, id_of(20), |record| record.held.is_none()).await;
    assert_eq!(released.request, None);
    let rows = village.slot(ALL_QUIET).await;
    assert_eq!(rows.get(&2), Some(&(0, 60 + 600 + 3 * 60)), "all of it, and nothing twice: {rows:?}");
    village.stop().await;
}

#[tokio::test]
async fn a_hold_that_comes_while_slots_are_made_up_for_stops_the_very_next_one() {
    let mut village = Village::new().await;
    village.stop().await;
    for _ in 1..=3 {
        village.say(ALL_QUIET).await;
    }
    village.run_to(START.plus_seconds(4 * SLOT_S)).await;
    *village.chain.meanwhile.lock().unwrap() = Some((village.store.clone(), held()));
    village.start();
    village.run_to(START.plus_seconds(4 * SLOT_S + i64::from(GRACE_S))).await;
    let told: Vec<Vec<u32>> = (1..=3).map(|slot| homes(&village.told(slot))).collect();
    assert_eq!(told, [vec![1, 2, 3, 4], vec![1, 3], vec![1, 3]]);
    village.stop().await;
}

#[tokio::test]
async fn who_asks_for_a_release_neither_approves_it_nor_takes_it_back_nor_asks_for_something_else() {
    let mut village = Village::new().await;
    village.slot(ALL_QUIET).await;
    let desk = village.desk();
    let (meter, why) = (id_of(2), || "looked at it".to_owned());
    assert_eq!(desk.release("Amina", meter, why()).await.unwrap_err().code(), "meter.wrong_state");
    village.store.commit(vec![held()]).await.unwrap();
    desk.release("Amina", meter, why()).await.unwrap();
    assert_eq!(
        desk.approve("Amina", meter, village.revision(meter).await).await.unwrap_err().code(),
        "meter.same_operator"
    );
    assert_eq!(desk.reject("Amina", meter, why()).await.unwrap_err().code(), "meter.same_operator");
    assert_eq!(desk.release("Baraka", meter, why()).await.unwrap_err().code(), "meter.requested_before");
    let other = desk.begin_epoch("Amina", meter, (9, Registers::default()), why()).await;
    assert_eq!(other.unwrap_err().code(), "meter.requested_before");

    let read = village.revision(meter).await;
    let rejected = desk.reject("Baraka", meter, why()).await.unwrap();
    // Who has read the request that is over does not approve the next one by it.
    desk.release("Amina", meter, why()).await.unwrap();
    assert_eq!(desk.approve("Charles", meter, read).await.unwrap_err().code(), "meter.changed");
    desk.reject("Baraka", meter, why()).await.unwrap();
    assert_eq!((rejected.request, rejected.held.as_deref()), (None, Some(HELD)));
    assert_eq!(homes(&village.slot(ALL_QUIET).await), [1, 3]);
    village.stop().await;
}

#[tokio::test]
async fn a_new_epoch_is_asked_for_by_one_and_approved_by_another_and_begins_between_two_slots() {
    let mut village = Village::new().await;
    village.slot(ALL_QUIET).await;
    let (desk, mut heard) = (village.desk(), village.events.subscribe());
    let (meter, opening) = (id_of(2), Registers { import_wh: 7, export_wh: 0, generation_wh: 0 });
    let early = desk.begin_epoch("Amina", meter, (1, opening), String::new()).await;
    assert_eq!(early.unwrap_err().code(), "meter.invalid");
    let asked = desk.begin_epoch("Amina", meter, (2, opening), "a new board".to_owned()).await.unwrap();
    assert_eq!(asked.epoch, 1);
    village.slot(ALL_QUIET).await;
    let home = || async { village.store.household(HouseholdId(2)).await.unwrap().unwrap() };
    assert_eq!(home().await.meter_epoch, 1, "one operator has asked, no more");
    assert!(village.store.spans().await.unwrap().is_empty());
    assert_eq!(
        desk.approve("Amina", meter, village.revision(meter).await).await.unwrap_err().code(),
        "meter.same_operator"
    );

    desk.approve("Baraka", meter, village.revision(meter).await).await.unwrap();
    village.until(&mut heard, meter, |record| record.epoch == 2 && record.request.is_none()).await;
    assert_eq!(home().await.meter_epoch, 2);
    let spans = village.store.spans().await.unwrap();
    assert_eq!((spans.len(), &spans[1].by[..], spans[1].offsets.import_wh), (2, "Baraka", 2 * 60 - 7));
    let steps = ["meter.epoch_begun", "meter.epoch_approved", "meter.epoch_asked"];
    assert_eq!(history(&village, 2).await, steps);
    village.stop().await;
}

#[tokio::test]
async fn a_reading_that_comes_while_an_epoch_begins_is_counted_before_it() {
    let mut village = Village::new().await;
    village.slot(ALL_QUIET).await;
    let (desk, mut heard, meter) = (village.desk(), village.events.subscribe(), id_of(2));
    let late = village.reading(2, [25, 0, 0], START.plus_seconds(SLOT_S + 30));
    *village.gate.late.lock().unwrap() = Some(late);
    desk.begin_epoch("Amina", meter, (2, Registers::default()), "a new board".to_owned()).await.unwrap();
    desk.approve("Baraka", meter, village.revision(meter).await).await.unwrap();
    village.until(&mut heard, meter, |record| record.epoch == 2 && record.request.is_none()).await;
    let spans = village.store.spans().await.unwrap();
    assert_eq!((spans.len(), spans[1].offsets.import_wh), (2, 60 + 25));
    village.stop().await;
}

#[tokio::test]
async fn what_can_be_done_no_more_when_it_is_approved_is_ended_with_its_reason() {
    let mut village = Village::new().await;
    village.slot(ALL_QUIET).await;
    let (desk, mut heard) = (village.desk(), village.events.subscribe());
    let meter = id_of(2);
    desk.begin_epoch("Amina", meter, (2, Registers::default()), "a new board".to_owned()).await.unwrap();
    // Meanwhile the meter has proven that its registers go on.
    village.go_on_in_a_new_epoch(2).await;
    desk.approve("Baraka", meter, village.revision(meter).await).await.unwrap();
    village.until(&mut heard, meter, |record| record.request.is_none()).await;
    assert_eq!(history(&village, 2).await[0], "meter.request_void");
    assert_eq!(village.store.spans().await.unwrap().len(), 2);
    let rows = village.slot(ALL_QUIET).await;
    assert_eq!(rows.get(&2), Some(&(0, 120)), "{rows:?}");
    village.stop().await;
}

#[tokio::test]
async fn who_claimed_a_meter_takes_the_claim_back_only_until_the_meter_has_proven_its_key() {
    let mut village = Village::new().await;
    let (desk, meter, why) = (village.desk(), id_of(5), || "a wrong home".to_owned());
    let claim = || village.claim(1, 5);
    desk.claim("Amina", claim()).await.unwrap();
    desk.reject("Amina", meter, why()).await.unwrap();
    desk.claim("Amina", claim()).await.unwrap();
    let challenged = desk.challenge("Amina", meter).await.unwrap();
    let answered = MeterRecord { state: MeterState::Answered, ..challenged };
    village.store.commit(vec![Change::Meter(Box::new(answered))]).await.unwrap();
    // Another claim would stand where Baraka is about to approve this one.
    assert_eq!(desk.reject("Amina", meter, why()).await.unwrap_err().code(), "meter.same_operator");
    assert_eq!(desk.reject("Baraka", meter, why()).await.unwrap().state, MeterState::Rejected);
    village.stop().await;
}
