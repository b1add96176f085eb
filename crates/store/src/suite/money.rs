//! Money under load: many writers on few accounts, storms of repeats, groups, holds that
//! several want to end. Every case ends with the journal recounted and the sum of all
//! accounts at zero.

use super::samples::{deposit, draw};
use super::{Place, keep};
use crate::verify::verify_ledger;
use crate::{Change, Store, StoreError};
use jirani_ledger::{Account, Kind, Posting, Reason, Refusal, Transfer, TransferId};
use jirani_units::{Cents, HouseholdId};
use std::sync::Arc;
use tokio::task::JoinSet;

fn home(number: u32) -> Account {
    Account::Household(HouseholdId(number))
}

/// A sale from `debit` to `credit`, under an id made from `name`.
fn sale(name: &str, debit: u32, credit: u32, cents: i64) -> Transfer {
    Transfer {
        debit: home(debit),
        credit: home(credit),
        reason: Reason::Sale,
        ..draw(name, debit, cents, Kind::Posted)
    }
}

/// The books balance: recounted from the first row, and as a whole.
async fn books_balance(store: &Arc<dyn Store>) -> u64 {
    let rows = verify_ledger(&**store).await.unwrap().rows;
    let balances = store.balances().await.unwrap();
    let sum: i128 = balances.iter().map(|(_, balance)| i128::from(balance.net().0)).sum();
    assert_eq!(sum, 0);
    for (account, balance) in balances {
        assert!(!account.never_overdrawn() || balance.available() >= Cents::ZERO, "{account}: {balance:?}");
    }
    rows
}

pub async fn three_hot_accounts_bear_many_writers(place: &dyn Place) {
    const WRITERS: u32 = 12;
    const EACH: u32 = 30;
    let store = place.open().await;
    keep(&store, (0..3).map(|home| Change::Post(deposit(&home.to_string(), home, 500))).collect()).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let (mut applied, mut refused) = (0_u64, 0_u64);
            for number in 0..EACH {
                let (debit, credit) = ((writer + number) % 3, (writer + number + 1 + number % 2) % 3);
                let transfer =
                    sale(&format!("{writer}/{number}"), debit, credit, i64::from(40 + 17 * number));
                match store.commit(vec![Change::Post(transfer)]).await {
                    Ok(_) => applied += 1,
                    Err(StoreError::Refused { refusal: Refusal::InsufficientBalance, .. }) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            (applied, refused)
        });
    }
    let (applied, refused) =
        writers.join_all().await.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(applied > 0 && refused > 0, "{applied} applied, {refused} refused: too tame to tell anything");
    assert_eq!(books_balance(&store).await, 3 + applied);
    let mut held = Cents::ZERO;
    for number in 0..3 {
        held.0 += store.balance(home(number)).await.unwrap().available().0;
    }
    assert_eq!(held, Cents(1_500));
}

pub async fn a_storm_of_repeats_is_applied_once(place: &dyn Place) {
    const CALLERS: usize = 24;
    let store = place.open().await;
    keep(&store, vec![Change::Post(deposit("start", 1, 10_000))]).await;
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            let mut applied = 0;
            for number in 0..10 {
                let both = vec![
                    Change::Post(draw(&format!("{number}"), 1, 100, Kind::Posted)),
                    Change::Post(deposit(&format!("{number}"), 2, 50)),
                ];
                let postings = store.commit(both).await.unwrap().postings;
                // A pair is new or told again, never half of each.
                assert_eq!(postings[0], postings[1]);
                applied += u32::from(postings[0] == Posting::Applied);
            }
            applied
        });
    }
    assert_eq!(callers.join_all().await.into_iter().sum::<u32>(), 10);
    assert_eq!(store.balance(home(1)).await.unwrap().available(), Cents(9_000));
    assert_eq!(store.balance(home(2)).await.unwrap().available(), Cents(500));
    assert_eq!(books_balance(&store).await, 21);
}

/// An order's settlement as one group: buyer to clearing, clearing to two sellers.
fn group(name: &str, buyer: u32, cents: i64) -> Vec<Change> {
    let leg = |part: &str, debit, credit, cents| Transfer {
        debit,
        credit,
        reason: Reason::Sale,
        ..draw(&format!("{name}/{part}"), 1, cents, Kind::Posted)
    };
    vec![
        Change::Post(leg("in", home(buyer), Account::OrdersClearing, 2 * cents)),
        Change::Post(leg("one", Account::OrdersClearing, home(8), cents)),
        Change::Setting { key: name.to_owned(), value: "settled".to_owned() },
        Change::Post(leg("other", Account::OrdersClearing, home(9), cents)),
    ]
}

pub async fn groups_stand_or_fall_together_under_load(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, (1..=3).map(|home| Change::Post(deposit(&home.to_string(), home, 1_000))).collect()).await;
    let mut groups = JoinSet::new();
    for number in 0..45_u32 {
        let store = Arc::clone(&store);
        groups.spawn(async move {
            let name = format!("order/{number}");
            // Each buyer can pay for ten of fifteen.
            let settled = store.commit(group(&name, 1 + number % 3, 50)).await;
            match settled {
                Ok(_) => {}
                Err(StoreError::Refused { index: 0, refusal: Refusal::InsufficientBalance }) => return 0,
                Err(error) => panic!("{error}"),
            }
            assert_eq!(store.setting(&name).await.unwrap().as_deref(), Some("settled"));
            1
        });
    }
    assert_eq!(groups.join_all().await.into_iter().sum::<i64>(), 30);
    assert_eq!(store.balance(Account::OrdersClearing).await.unwrap().net(), Cents::ZERO);
    for seller in [8, 9] {
        assert_eq!(store.balance(home(seller)).await.unwrap().available(), Cents(1_500));
    }
    assert_eq!(books_balance(&store).await, 93);

    // The last leg decides: more leaves clearing than came, so that nothing comes either.
    let mut greedy = group("greedy", 8, 10);
    if let Some(Change::Post(last)) = greedy.last_mut() {
        last.amount = Cents(11);
    }
    let refused = store.commit(greedy).await;
    assert!(
        matches!(refused, Err(StoreError::Refused { index: 3, refusal: Refusal::InsufficientBalance })),
        "{refused:?}"
    );
    assert_eq!(store.setting("greedy").await.unwrap(), None);
    assert_eq!(store.balance(home(8)).await.unwrap().available(), Cents(1_500));
    assert_eq!(books_balance(&store).await, 93);
}

/// A hold ends once: posted, posted in part, or let go when its time is over.
pub async fn a_hold_ends_once_whoever_ends_it(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Post(deposit("start", 1, 2_000))]).await;
    let hold = |number: u32| draw(&format!("hold/{number}"), 1, 100, Kind::Hold);
    keep(&store, (0..20).map(|number| Change::Post(hold(number))).collect()).await;
    assert_eq!(store.balance(home(1)).await.unwrap().available(), Cents::ZERO);
    let refused = store.commit(vec![Change::Post(draw("more", 1, 1, Kind::Posted))]).await;
    assert!(matches!(refused, Err(StoreError::Refused { refusal: Refusal::InsufficientBalance, .. })));

    let mut ends = JoinSet::new();
    for number in 0..20 {
        let hold = hold(number);
        for (name, kind, cents) in [
            ("whole", Kind::Post(hold.id), 100),
            ("part", Kind::Post(hold.id), 30),
            ("void", Kind::Void(hold.id), 100),
        ] {
            let store = Arc::clone(&store);
            let end = draw(&format!("{name}/{number}"), 1, cents, kind);
            ends.spawn(async move {
                match store.commit(vec![Change::Post(end)]).await {
                    Ok(_) => Some(if name == "void" { 0 } else { cents }),
                    Err(StoreError::Refused { refusal: Refusal::HoldEnded, .. }) => None,
                    Err(error) => panic!("{error}"),
                }
            });
        }
    }
    let ended: Vec<i64> = ends.join_all().await.into_iter().flatten().collect();
    assert_eq!(ended.len(), 20);
    let balance = store.balance(home(1)).await.unwrap();
    assert_eq!(balance.debits, Cents(ended.iter().sum()));
    assert_eq!((balance.debits_held, balance.available()), (Cents::ZERO, Cents(2_000 - balance.debits.0)));
    assert_eq!(books_balance(&store).await, 41);
}

/// Mends one fault of a transfer.
type Mend<'a> = &'a dyn Fn(&mut Transfer);

/// A transfer with every fault at once, mended one by one: each time the first that is
/// left is told.
pub async fn refusals_come_in_their_order(place: &dyn Place) {
    let store = place.open().await;
    let used = draw("used", 1, 60, Kind::Posted);
    let hold = draw("hold", 1, 40, Kind::Hold);
    let ended = draw("ended", 1, 10, Kind::Hold);
    let void = draw("void", 1, 10, Kind::Void(ended.id));
    let other = deposit("other", 2, 30);
    let changes = [deposit("start", 1, 200), used.clone(), hold.clone(), ended.clone(), void, other.clone()];
    keep(&store, changes.map(Change::Post).to_vec()).await;
    let before = (store.balances().await.unwrap(), store.journal_after(0, 100).await.unwrap());

    let mut worst = Transfer {
        id: used.id,
        debit: home(5),
        credit: home(5),
        amount: Cents(0),
        reason: Reason::Sale,
        kind: Kind::Void(other.id),
        memo: "x".repeat(257),
        at: used.at,
    };
    let mend: [(Refusal, Mend<'_>); 18] = [
        (Refusal::AmountNotPositive, &|t| t.amount = Cents(41)),
        (Refusal::SameAccount, &|t| t.credit = home(6)),
        (Refusal::MemoTooLong, &|t| t.memo = String::from("mended")),
        (Refusal::IdReusedKind, &|t| {
            (t.id, t.kind) = (TransferId::derive("draw", b"void"), Kind::Void(other.id));
        }),
        (Refusal::IdReusedHold, &|t| (t.id, t.kind) = (used.id, Kind::Posted)),
        (Refusal::IdReusedDebit, &|t| t.debit = home(1)),
        (Refusal::IdReusedCredit, &|t| t.credit = Account::MpesaPayout),
        (Refusal::IdReusedAmount, &|t| t.amount = Cents(60)),
        (Refusal::IdReusedReason, &|t| {
            (t.id, t.kind, t.debit) = (TransferId([9; 16]), Kind::Void(TransferId([8; 16])), home(5));
        }),
        (Refusal::UnknownHold, &|t| t.kind = Kind::Void(other.id)),
        (Refusal::NotAHold, &|t| (t.kind, t.credit) = (Kind::Void(ended.id), home(6))),
        (Refusal::HoldDebitDiffers, &|t| t.debit = home(1)),
        (Refusal::HoldCreditDiffers, &|t| t.credit = Account::MpesaPayout),
        (Refusal::HoldAmountDiffers, &|t| t.amount = Cents(10)),
        (Refusal::HoldReasonDiffers, &|t| t.reason = Reason::Payout),
        (Refusal::HoldEnded, &|t| (t.kind, t.amount) = (Kind::Posted, Cents(i64::MAX))),
        (Refusal::InsufficientBalance, &|t| (t.debit, t.credit) = (Account::MpesaCollection, home(1))),
        (Refusal::Overflow, &|t| t.amount = Cents(1)),
    ];
    assert_eq!(mend.each_ref().map(|(refusal, _)| *refusal), Refusal::ALL);
    for (expected, mend) in mend {
        match store.commit(vec![Change::Post(worst.clone())]).await {
            Err(StoreError::Refused { index: 0, refusal }) => assert_eq!(refusal, expected, "{worst:?}"),
            other => panic!("expected {expected:?} for {worst:?}, got {other:?}"),
        }
        mend(&mut worst);
    }
    assert_eq!((store.balances().await.unwrap(), store.journal_after(0, 100).await.unwrap()), before);
    assert_eq!(keep(&store, vec![Change::Post(worst)]).await.postings, [Posting::Applied]);
    assert_eq!(books_balance(&store).await, 7);
}
