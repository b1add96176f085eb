//! Reversals, reviews, commands to relays, notices, and what a day's payouts add up to.

use super::samples::{at, household, payout, receipt};
use super::{Place, conflict, keep};
use crate::{Change, NoticeRecord, PayoutState, RelayRecord, ReversalRecord, ReversalState, ReviewRecord};
use jirani_market::shortfall::RelayPosition;
use jirani_units::{Cents, HouseholdId};

pub async fn a_reversal_is_kept_once_and_waits_until_it_is_booked(place: &dyn Place) {
    let store = place.open().await;
    let reversal = |number: u64| ReversalRecord {
        receipt: receipt(number).receipt,
        reversal: (number == 1).then(|| receipt(100 + number).receipt),
        amount: Cents(2_100),
        payer: None,
        state: ReversalState::Waiting,
        heard_at: at(number.try_into().unwrap()),
        version: 0,
    };
    keep(&store, vec![Change::Reversal(reversal(2)), Change::Reversal(reversal(1))]).await;
    conflict(&store, vec![Change::Reversal(reversal(2))]).await;
    drop(store);
    let store = place.open().await;
    let waiting = store.waiting_reversals().await.unwrap();
    assert_eq!(waiting, [1, 2].map(|number| ReversalRecord { version: 1, ..reversal(number) }));
    let booked =
        ReversalRecord { state: ReversalState::Booked, payer: Some(HouseholdId(4)), ..waiting[0].clone() };
    keep(&store, vec![Change::Reversal(booked.clone())]).await;
    conflict(&store, vec![Change::Reversal(booked.clone())]).await;
    let stored = store.reversal(&receipt(1).receipt).await.unwrap();
    assert_eq!(stored, Some(ReversalRecord { version: 2, ..booked }));
    assert_eq!(store.reversal(&receipt(3).receipt).await.unwrap(), None);
    assert_eq!(store.waiting_reversals().await.unwrap().len(), 1);
}

pub async fn a_person_closes_a_review_once(place: &dyn Place) {
    let store = place.open().await;
    let review = |number: i64| ReviewRecord {
        key: format!("collection/{number}"),
        code: "unknown_outcome".to_owned(),
        detail: "nobody can say".to_owned(),
        opened_at: at(number),
        closed_at: None,
        outcome: None,
        version: 0,
    };
    keep(&store, vec![Change::Review(review(2)), Change::Review(review(1))]).await;
    conflict(&store, vec![Change::Review(review(1))]).await;
    let open = store.open_reviews(10).await.unwrap();
    assert_eq!(open, [1, 2].map(|number| ReviewRecord { version: 1, ..review(number) }));
    assert_eq!(store.open_reviews(1).await.unwrap(), open[..1]);
    let closed = ReviewRecord {
        closed_at: Some(at(9)),
        outcome: Some("paid, says the statement".to_owned()),
        ..open[0].clone()
    };
    keep(&store, vec![Change::Review(closed.clone())]).await;
    conflict(&store, vec![Change::Review(closed.clone())]).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.open_reviews(10).await.unwrap(), open[1..]);
    let stored = store.review("collection/1").await.unwrap();
    assert_eq!(stored, Some(ReviewRecord { version: 2, ..closed }));
    assert_eq!(store.review("collection/3").await.unwrap(), None);
}

pub async fn a_notice_is_kept_once_and_the_newest_comes_first(place: &dyn Place) {
    let store = place.open().await;
    let notice = |number: i64, household: Option<u32>| NoticeRecord {
        key: format!("receipt/{number}"),
        household: household.map(HouseholdId),
        code: "paid_late".to_owned(),
        en: format!("number {number}"),
        sw: format!("nambari {number}"),
        at: at(number),
    };
    let all = [notice(1, Some(4)), notice(2, None), notice(3, Some(4)), notice(4, Some(5))];
    keep(&store, all.iter().cloned().map(Change::Notice).collect()).await;
    let mut again = notice(1, Some(4));
    again.en = String::from("worded anew");
    keep(&store, vec![Change::Notice(again)]).await;
    drop(store);
    let store = place.open().await;
    let of = async |household, limit| store.notices_of(household, limit).await.unwrap();
    assert_eq!(of(Some(HouseholdId(4)), 10).await, [all[2].clone(), all[0].clone()]);
    assert_eq!(of(Some(HouseholdId(4)), 1).await, [all[2].clone()]);
    assert_eq!(of(None, 10).await, [all[1].clone()]);
    assert_eq!(of(Some(HouseholdId(6)), 10).await, []);
}

pub async fn what_was_paid_out_is_counted_from_a_moment_on(place: &dyn Place) {
    let store = place.open().await;
    let states = [
        PayoutState::Planned,
        PayoutState::Unknown,
        PayoutState::Accepted,
        PayoutState::Paid,
        PayoutState::Failed { code: "1".to_owned() },
    ];
    let mut changes = Vec::new();
    for (id, state) in (1..).zip(states) {
        let mut record = payout(id);
        (record.created_at, record.state) = (at(id.try_into().unwrap()), state);
        changes.push(Change::Payout(record));
    }
    keep(&store, changes).await;
    for (since, cents) in [(0, 22_000), (1, 22_000), (2, 16_500), (4, 5_500), (5, 0)] {
        assert_eq!(store.paid_out_since(at(since)).await.unwrap(), Cents(cents), "{since}");
    }
}

pub async fn a_relay_has_one_command_that_waits_until_it_is_obeyed(place: &dyn Place) {
    let store = place.open().await;
    let home = |id| Change::Household(household(id));
    keep(&store, vec![home(1), home(2)]).await;
    let opens = |id: u32| RelayRecord {
        household: HouseholdId(id),
        number: 1,
        position: RelayPosition::Open,
        not_after: Some(at(900)),
        ordered_at: at(10),
        obeyed_at: None,
        version: 0,
    };
    keep(&store, vec![Change::Relay(opens(2)), Change::Relay(opens(1))]).await;
    conflict(&store, vec![Change::Relay(opens(1))]).await;
    drop(store);
    let store = place.open().await;
    let pending = store.pending_relays().await.unwrap();
    assert_eq!(pending, [1, 2].map(|id| RelayRecord { version: 1, ..opens(id) }));
    let obeyed = RelayRecord { obeyed_at: Some(at(20)), ..pending[0].clone() };
    keep(&store, vec![Change::Relay(obeyed.clone())]).await;
    conflict(&store, vec![Change::Relay(obeyed)]).await;
    assert_eq!(store.pending_relays().await.unwrap(), pending[1..]);
    let closes = RelayRecord {
        number: 2,
        position: RelayPosition::Closed,
        not_after: None,
        ordered_at: at(30),
        version: 2,
        ..opens(1)
    };
    keep(&store, vec![Change::Relay(closes.clone())]).await;
    let stored = store.relay(HouseholdId(1)).await.unwrap();
    assert_eq!(stored, Some(RelayRecord { version: 3, ..closes }));
    assert_eq!(store.relay(HouseholdId(3)).await.unwrap(), None);
}
