//! What a commit promises.

use super::samples::{collection, deposit, draw, fill, household, offer, order, payout, receipt};
use super::{Place, conflict, keep};
use crate::{Change, OrderState, ReceiptUse, Store, StoreError};
use jirani_ledger::{Account, Kind, Refusal};
use jirani_units::{Cents, HouseholdId, OfferId, OrderId, Wh};
use std::collections::BTreeSet;
use std::sync::Arc;

pub async fn all_changes_or_none(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Offer(offer(1))]).await;
    let all = |last: Change| {
        vec![
            Change::Post(deposit("a", 1, 100)),
            Change::Household(household(1)),
            Change::Order(order(1)),
            Change::Setting { key: "mint".into(), value: "x".into() },
            last,
        ]
    };
    conflict(&store, all(Change::Offer(offer(1)))).await;
    let refused = store.commit(all(Change::Post(draw("b", 2, 1, Kind::Posted)))).await;
    assert!(matches!(refused, Err(StoreError::Refused { index: 4, refusal: Refusal::InsufficientBalance })));
    let stale = all(Change::InboxDone { id: 77, outcome: "no such callback".into() });
    conflict(&store, stale).await;

    assert_eq!(store.balances().await.unwrap(), []);
    assert_eq!(store.journal_after(0, 10).await.unwrap(), []);
    assert_eq!(store.household(HouseholdId(1)).await.unwrap(), None);
    assert_eq!(store.order(OrderId(1)).await.unwrap(), None);
    assert_eq!(store.setting("mint").await.unwrap(), None);

    keep(&store, all(Change::Offer(offer(2)))).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.balance(Account::Household(HouseholdId(1))).await.unwrap().net(), Cents(100));
    assert_eq!(store.setting("mint").await.unwrap().as_deref(), Some("x"));
    assert!(store.offer(OfferId(2)).await.unwrap().is_some());
}

pub async fn a_record_changes_only_from_the_version_read(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Offer(offer(1))]).await;
    let read = store.offer(OfferId(1)).await.unwrap().unwrap();
    assert_eq!(read.version, 1);
    let mut first = read.clone();
    first.reserved_wh = Wh(700);
    keep(&store, vec![Change::Offer(first.clone())]).await;
    let mut second = read;
    second.reserved_wh = Wh(900);
    conflict(&store, vec![Change::Offer(second.clone())]).await;
    second.version = 9;
    conflict(&store, vec![Change::Offer(second)]).await;
    first.version = 2;
    assert_eq!(store.offer(OfferId(1)).await.unwrap(), Some(first));
    let mut never_made = order(5);
    never_made.version = 1;
    conflict(&store, vec![Change::Order(never_made)]).await;
}

pub async fn a_record_is_made_once(place: &dyn Place) {
    let store = place.open().await;
    let all = || {
        [
            Change::Household(household(1)),
            Change::Offer(offer(1)),
            Change::Order(order(1)),
            Change::Collection(collection(1)),
            Change::Receipt(receipt(1)),
            Change::Payout(payout(1)),
        ]
    };
    keep(&store, all().to_vec()).await;
    for again in all() {
        conflict(&store, vec![again]).await;
    }
}

pub async fn what_must_be_unique_is(place: &dyn Place) {
    let store = place.open().await;
    let mut settled = receipt(1);
    settled.used_for = ReceiptUse::Settled(OrderId(1));
    keep(
        &store,
        vec![
            Change::Household(household(1)),
            Change::Offer(offer(1)),
            Change::Order(order(1)),
            Change::Collection(collection(1)),
            Change::Receipt(settled.clone()),
            Change::Payout(payout(1)),
        ],
    )
    .await;

    let mut same_meter = household(2);
    same_meter.meter = household(1).meter;
    let mut same_offer_key = offer(2);
    same_offer_key.key = offer(1).key;
    let mut same_order_key = order(2);
    same_order_key.key = order(1).key;
    let mut same_secret = collection(2);
    same_secret.secret = collection(1).secret;
    let mut same_reference = collection(2);
    same_reference.reference = collection(1).reference;
    let mut order_settled_twice = receipt(2);
    order_settled_twice.used_for = settled.used_for;
    let mut same_originator = payout(2);
    same_originator.originator_id = payout(1).originator_id;
    let mut same_payout_secret = payout(2);
    same_payout_secret.secret = payout(1).secret;
    let mut same_payout_key = payout(2);
    same_payout_key.key = payout(1).key;
    for change in [
        Change::Household(same_meter),
        Change::Offer(same_offer_key.clone()),
        Change::Order(same_order_key.clone()),
        Change::Collection(same_secret),
        Change::Collection(same_reference),
        Change::Receipt(order_settled_twice),
        Change::Payout(same_originator),
        Change::Payout(same_payout_secret),
        Change::Payout(same_payout_key.clone()),
    ] {
        conflict(&store, vec![change]).await;
    }

    // A key is one person's own.
    same_offer_key.seller = HouseholdId(8);
    same_order_key.buyer = HouseholdId(8);
    same_payout_key.household = HouseholdId(8);
    keep(
        &store,
        vec![Change::Offer(same_offer_key), Change::Order(same_order_key), Change::Payout(same_payout_key)],
    )
    .await;
}

pub async fn the_fills_of_an_order_never_change(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Order(order(1))]).await;
    let mut read = store.order(OrderId(1)).await.unwrap().unwrap();
    read.state = OrderState::AwaitingPayment;
    let mut other = read.clone();
    other.fills = vec![fill(1, 1)];
    conflict(&store, vec![Change::Order(other)]).await;
    keep(&store, vec![Change::Order(read)]).await;
    let stored = store.order(OrderId(1)).await.unwrap().unwrap();
    assert_eq!((stored.fills, stored.version), (order(1).fills, 2));
}

/// Many tasks change one record and one balance; each tries until it was the one.
pub async fn writers_at_once_lose_nothing(place: &dyn Place) {
    const WRITERS: u64 = 16;
    const EACH: u64 = 8;
    let store = place.open().await;
    let mut empty = offer(1);
    (empty.energy_wh, empty.reserved_wh, empty.sold_wh) = (Wh(1_000_000), Wh(0), Wh(0));
    keep(&store, vec![Change::Offer(empty)]).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..EACH {
                    add_one(&store, &format!("{writer}/{number}")).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let stored = store.offer(OfferId(1)).await.unwrap().unwrap();
    assert_eq!((stored.reserved_wh, stored.version), (Wh(WRITERS * EACH), 1 + WRITERS * EACH));
    let balance = store.balance(Account::Household(HouseholdId(1))).await.unwrap();
    assert_eq!(balance.net().0.unsigned_abs(), WRITERS * EACH);
    crate::verify::verify_ledger(&*store).await.unwrap();
}

async fn add_one(store: &Arc<dyn Store>, name: &str) {
    loop {
        let mut read = store.offer(OfferId(1)).await.unwrap().unwrap();
        read.reserved_wh.0 += 1;
        match store.commit(vec![Change::Post(deposit(name, 1, 1)), Change::Offer(read)]).await {
            Ok(_) => return,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Commits that arrive together share a transaction, but not each other's fate.
pub async fn one_refusal_leaves_its_neighbours_alone(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Post(deposit("start", 1, 1_000))]).await;
    let commits: Vec<_> = (0..60)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                // Every third wants more than there is.
                let cents = if number % 3 == 0 { 1_000_000 } else { 1 };
                let transfer = draw(&number.to_string(), 1, cents, Kind::Posted);
                let setting = Change::Setting { key: number.to_string(), value: "kept".into() };
                store.commit(vec![setting, Change::Post(transfer)]).await.is_ok()
            })
        })
        .collect();
    for (number, commit) in commits.into_iter().enumerate() {
        let kept = commit.await.unwrap();
        assert_eq!(kept, number % 3 != 0);
        assert_eq!(store.setting(&number.to_string()).await.unwrap().is_some(), kept);
    }
    let balance = store.balance(Account::Household(HouseholdId(1))).await.unwrap();
    assert_eq!(balance.available(), Cents(960));
    assert_eq!(crate::verify::verify_ledger(&*store).await.unwrap().rows, 41);
}

pub async fn numbers_are_handed_out_once(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.next_number("offer").await.unwrap(), 1);
    assert_eq!(store.next_number("offer").await.unwrap(), 2);
    assert_eq!(store.next_number("order").await.unwrap(), 1);
    let takers: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut taken = Vec::new();
                for _ in 0..50 {
                    taken.push(store.next_number("offer").await.unwrap());
                }
                taken
            })
        })
        .collect();
    let mut seen = BTreeSet::from([1, 2]);
    for taker in takers {
        for number in taker.await.unwrap() {
            assert!(seen.insert(number), "{number} was handed out twice");
        }
    }
    drop(store);
    let store = place.open().await;
    let next = store.next_number("offer").await.unwrap();
    assert!(seen.last().is_some_and(|last| next > *last), "{next} was handed out before");
}
