//! A village in which somebody cheats: who is found is not attested until an operator has
//! decided, the others are, and nothing that was counted is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;
#[path = "support/village.rs"]
mod village;

use jirani_store::{FindingDecision, FindingState};
use jirani_units::HouseholdId;
use std::collections::BTreeMap;
use support::{SLOT_S, START};
use village::{QUIET, Village};

#[tokio::test]
async fn who_exports_at_night_is_held_the_others_go_on_and_nothing_is_lost() {
    let mut village = Village::new().await;
    let honest = village.slot([(1, QUIET), (2, QUIET), (3, QUIET)]).await;
    assert_eq!(honest.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4], "with the loss record");
    let sells = [(1, QUIET), (2, [0, 500, 0]), (3, QUIET)];
    for slot in 2..=3 {
        let rows = village.slot(sells).await;
        assert_eq!(rows, BTreeMap::from([(1, (0, 60 * slot)), (3, (0, 60 * slot))]), "losses wait, too");
    }
    let found = village.findings().await;
    assert_eq!(found.len(), 1, "one is enough: {found:?}");
    assert_eq!((found[0].household, &found[0].code[..]), (Some(HouseholdId(2)), "plausibility.night"));
    assert_eq!(found[0].from, START.plus_seconds(SLOT_S));
    assert!(found[0].evidence.contains(r#""export_wh":500"#), "{}", found[0].evidence);
    for (whom, count) in [(Some(HouseholdId(2)), 1), (None, 1), (Some(HouseholdId(1)), 0)] {
        assert_eq!(village.store.notices_of(whom, 10).await.unwrap().len(), count, "{whom:?}");
    }

    // A restart forgets nobody.
    village.stop().await;
    village.start();
    assert_eq!(village.slot(sells).await.len(), 2);

    // She showed the battery: all of it is attested at once, and the rule rests.
    village.decide(found[0].number, FindingDecision::Accept).await;
    let rows = village.slot(sells).await;
    assert_eq!(rows, BTreeMap::from([(1, (0, 300)), (2, (2_000, 60)), (3, (0, 300)), (4, (180, 1_520))]));
    assert_eq!(village.findings().await.len(), 1);
    village.stop().await;
}

#[tokio::test]
async fn who_was_refused_stays_held_whatever_the_meter_says_until_an_operator_closes_it() {
    let mut village = Village::new().await;
    village.slot([(1, QUIET), (2, QUIET), (3, QUIET)]).await;
    // More than a cable of 5 kW can carry in a quarter of an hour.
    let burns = [(1, QUIET), (2, [2_000, 0, 0]), (3, QUIET)];
    assert_eq!(village.slot(burns).await.keys().copied().collect::<Vec<_>>(), [1, 3]);
    let found = village.findings().await;
    assert_eq!((found.len(), &found[0].code[..]), (1, "plausibility.rated_power"));
    let kept = village.store.quarantine(10).await.unwrap();
    assert_eq!((kept.len(), &kept[0].1.code[..]), (1, "plausibility.rated_power"));

    let quiet = [(1, QUIET), (2, QUIET), (3, QUIET)];
    for (state, decision) in
        [(FindingState::Open, FindingDecision::Refuse), (FindingState::Refused, FindingDecision::Close)]
    {
        // Registers that go on in a new epoch have been proven to the gateway, no more.
        village.go_on_in_a_new_epoch(2).await;
        assert_eq!(village.slot(quiet).await.keys().copied().collect::<Vec<_>>(), [1, 3]);
        let finding = village.store.finding(found[0].number).await.unwrap().unwrap();
        assert_eq!(finding.state, state);
        village.decide(finding.number, decision).await;
    }
    let rows = village.slot(quiet).await;
    assert_eq!(rows.get(&2), Some(&(0, 2_240)), "all of it, once somebody has said so: {rows:?}");
    village.stop().await;
}

#[tokio::test]
async fn a_new_epoch_with_every_reading_escapes_no_rule() {
    let mut village = Village::new().await;
    village.slot([(1, QUIET), (2, QUIET), (3, QUIET)]).await;
    for _ in 2..=4 {
        village.go_on_in_a_new_epoch(2).await;
        let rows = village.slot([(1, QUIET), (2, [0, 500, 0]), (3, QUIET)]).await;
        assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [1, 3]);
    }
    let found = village.findings().await;
    let found: Vec<_> = found.iter().map(|one| (one.household.unwrap().0, &one.code[..])).collect();
    assert_eq!(found, [(2, "plausibility.night")]);
    village.stop().await;
}

#[tokio::test]
async fn what_grew_from_one_meter_to_the_next_is_judged_too() {
    let mut village = Village::new().await;
    village.slot([(1, QUIET), (2, QUIET), (3, QUIET)]).await;
    village.replace(2, 20).await;
    let rows = village.slot([(1, QUIET), (2, [0, 500, 0]), (3, QUIET)]).await;
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(village.findings().await[0].code, "plausibility.night");
    village.stop().await;
}

#[tokio::test]
async fn a_day_that_was_lived_before_is_found_when_it_is_over() {
    let mut village = Village::new().await;
    // The place's midnight is 21:00 UTC: days begin with slot 85 of the first one.
    let usage = |home: u64, slot: i64| {
        let of_day = u64::try_from((slot + 11).rem_euclid(96)).unwrap();
        let day = u64::try_from((slot + 11) / 96).unwrap();
        // Home 2 lives its first whole day again.
        let day = if home == 2 && day > 1 { 1 } else { day };
        [40 + (of_day * 7 + day * 13 + home * 29 + of_day * of_day * day) % 61, 0, 0]
    };
    for slot in 1..=(96 * 3 - 11) {
        village.slot([(1, usage(1, slot)), (2, usage(2, slot)), (3, usage(3, slot))]).await;
    }
    let found = village.findings().await;
    let found: Vec<_> = found.iter().map(|one| (one.household.unwrap().0, &one.code[..])).collect();
    assert_eq!(found, [(2, "plausibility.replay")]);
    village.stop().await;
}
