//! What the ledger promises.

use super::samples::{deposit, draw};
use super::{Place, keep};
use crate::verify::verify_ledger;
use crate::{Change, StoreError};
use jirani_ledger::{Account, Auditor, Kind, Posting, Reason, Refusal, Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, Timestamp};

const AMINA: Account = Account::Household(HouseholdId(1));

pub async fn a_repeat_changes_nothing(place: &dyn Place) {
    let store = place.open().await;
    let first = keep(&store, vec![Change::Post(deposit("a", 1, 100))]).await;
    assert_eq!(first.postings, [Posting::Applied]);
    let mut later = deposit("a", 1, 100);
    (later.at, later.memo) = (Timestamp(1), "told again".into());
    let both = vec![Change::Post(later), Change::Post(deposit("b", 1, 5)), Change::Post(deposit("b", 1, 5))];
    let again = keep(&store, both.clone()).await;
    assert_eq!(again.postings, [Posting::AlreadyApplied, Posting::Applied, Posting::AlreadyApplied]);
    drop(store);
    let store = place.open().await;
    assert_eq!(keep(&store, both).await.postings, [Posting::AlreadyApplied; 3]);
    assert_eq!(store.balance(AMINA).await.unwrap().net(), Cents(105));
    assert_eq!(verify_ledger(&*store).await.unwrap().rows, 2);
}

pub async fn a_refusal_names_its_change(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Post(deposit("a", 1, 100))]).await;
    let setting = || Change::Setting { key: "k".into(), value: "v".into() };
    for (transfer, expected) in [
        (deposit("a", 1, 101), Refusal::IdReusedAmount),
        (deposit("b", 1, 0), Refusal::AmountNotPositive),
        (draw("c", 1, 101, Kind::Posted), Refusal::InsufficientBalance),
        (draw("d", 1, 100, Kind::Void(TransferId([9; 16]))), Refusal::UnknownHold),
        (deposit("e", 1, i64::MAX), Refusal::Overflow),
    ] {
        match store.commit(vec![setting(), Change::Post(transfer)]).await {
            Err(StoreError::Refused { index: 1, refusal }) => assert_eq!(refusal, expected),
            other => panic!("expected {expected:?}, got {other:?}"),
        }
    }
    assert_eq!(store.setting("k").await.unwrap(), None);
}

pub async fn a_hold_can_end_in_the_commit_that_made_it(place: &dyn Place) {
    let store = place.open().await;
    let hold = draw("hold", 1, 60, Kind::Hold);
    let post = draw("post", 1, 60, Kind::Post(hold.id));
    let void = draw("void", 1, 60, Kind::Void(hold.id));
    keep(&store, [deposit("a", 1, 100), hold, post.clone()].map(Change::Post).to_vec()).await;
    assert_eq!(store.balance(AMINA).await.unwrap().available(), Cents(40));
    let refused = store.commit(vec![Change::Post(void)]).await;
    assert!(matches!(refused, Err(StoreError::Refused { refusal: Refusal::HoldEnded, .. })));
    assert_eq!(keep(&store, vec![Change::Post(post)]).await.postings, [Posting::AlreadyApplied]);

    // A hold that lasts: across commits, and across a restart.
    let hold = draw("second", 1, 40, Kind::Hold);
    keep(&store, vec![Change::Post(hold.clone())]).await;
    drop(store);
    let store = place.open().await;
    let balance = store.balance(AMINA).await.unwrap();
    assert_eq!((balance.net(), balance.available()), (Cents(40), Cents(0)));
    keep(&store, vec![Change::Post(draw("end", 1, 40, Kind::Void(hold.id)))]).await;
    assert_eq!(store.balance(AMINA).await.unwrap().available(), Cents(40));
    verify_ledger(&*store).await.unwrap();
}

/// A small generator of its own: the suite has no other use for random numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn account(&mut self) -> Account {
        match self.roll(6) {
            0 | 1 => Account::MpesaCollection,
            2 | 3 => Account::Household(HouseholdId(u32::try_from(self.roll(3)).unwrap())),
            4 => Account::OrdersClearing,
            _ => Account::OperatorFees,
        }
    }

    fn transfer(&mut self, auditor: &Auditor) -> Transfer {
        let holds: Vec<&Transfer> = auditor.rows().iter().filter(|row| row.kind == Kind::Hold).collect();
        let id = TransferId::derive("random", &self.roll(1_000).to_be_bytes());
        if self.roll(12) == 0 && !auditor.rows().is_empty() {
            return auditor.rows()[usize::try_from(self.roll(auditor.rows().len() as u64)).unwrap()].clone();
        }
        if self.roll(4) == 0 && !holds.is_empty() {
            let hold = holds[usize::try_from(self.roll(holds.len() as u64)).unwrap()];
            let kind = if self.roll(2) == 0 { Kind::Post(hold.id) } else { Kind::Void(hold.id) };
            return Transfer { id, kind, ..hold.clone() };
        }
        Transfer {
            id,
            debit: self.account(),
            credit: self.account(),
            amount: Cents(i64::try_from(self.roll(500)).unwrap()),
            reason: Reason::Sale,
            kind: if self.roll(3) == 0 { Kind::Hold } else { Kind::Posted },
            memo: "random".to_owned(),
            at: Timestamp(i64::try_from(self.roll(1_000)).unwrap()),
        }
    }
}

pub async fn random_histories_follow_the_model(place: &dyn Place) {
    let store = place.open().await;
    let (mut dice, mut auditor) = (Dice(20_261_122), Auditor::default());
    for household in 0..3 {
        let start = deposit(&household.to_string(), household, 20_000);
        auditor.apply(&start).unwrap();
        keep(&store, vec![Change::Post(start)]).await;
    }
    for _ in 0..150 {
        // What a commit refuses half-way, it has not done at all.
        let mut trial = auditor.clone();
        let transfers: Vec<Transfer> = (0..=dice.roll(4)).map(|_| dice.transfer(&trial)).collect();
        let expected: Result<Vec<Posting>, (usize, Refusal)> = transfers
            .iter()
            .enumerate()
            .map(|(index, transfer)| trial.apply(transfer).map_err(|refusal| (index, refusal)))
            .collect();
        let outcome = store.commit(transfers.into_iter().map(Change::Post).collect()).await;
        match (outcome, expected) {
            (Ok(committed), Ok(postings)) => {
                assert_eq!(committed.postings, postings);
                auditor = trial;
            }
            (Err(StoreError::Refused { index, refusal }), Err(expected)) => {
                assert_eq!((index, refusal), expected);
            }
            (outcome, expected) => panic!("expected {expected:?}, got {outcome:?}"),
        }
    }
    assert!(auditor.rows().len() > 50, "too few of the transfers were applied to tell anything");
    let rows = store.journal_after(0, 1_000).await.unwrap();
    assert_eq!(rows.into_iter().map(|row| row.transfer).collect::<Vec<_>>(), auditor.rows());
    for (account, balance) in store.balances().await.unwrap() {
        assert_eq!(balance, auditor.balance(account), "{account}");
    }
    verify_ledger(&*store).await.unwrap();
}

pub async fn rows_are_read_in_order(place: &dyn Place) {
    let store = place.open().await;
    for number in 1..=5 {
        keep(&store, vec![Change::Post(deposit(&number.to_string(), 1, number))]).await;
        keep(&store, vec![Change::Post(deposit(&format!("other {number}"), 2, number))]).await;
    }
    keep(&store, vec![Change::Post(draw("out", 1, 15, Kind::Posted))]).await;
    let sequences = |rows: &[crate::JournalRow]| rows.iter().map(|row| row.sequence).collect::<Vec<_>>();
    let rows = store.journal_after(0, 4).await.unwrap();
    assert_eq!(sequences(&rows), [1, 2, 3, 4]);
    assert_eq!(rows[2].transfer, deposit("2", 1, 2));
    assert_eq!(sequences(&store.journal_after(9, 100).await.unwrap()), [10, 11]);
    assert_eq!(sequences(&store.journal_after(11, 100).await.unwrap()), [0_u64; 0]);
    let of_amina = store.journal_of(AMINA, 100).await.unwrap();
    assert_eq!(sequences(&of_amina), [11, 9, 7, 5, 3, 1]);
    assert_eq!(sequences(&store.journal_of(AMINA, 2).await.unwrap()), [11, 9]);
    assert_eq!(store.journal_of(Account::Suspense, 10).await.unwrap(), []);
    let after = async |after, limit| store.journal_of_after(AMINA, after, limit).await.unwrap();
    assert_eq!(sequences(&after(0, 100).await), [1, 3, 5, 7, 9, 11]);
    assert_eq!(sequences(&after(0, 2).await), [1, 3]);
    assert_eq!(sequences(&after(3, 100).await), [5, 7, 9, 11]);
    assert_eq!(after(11, 100).await, []);
    assert_eq!(store.balance(Account::Suspense).await.unwrap(), crate::AccountBalance::default());
}

pub async fn a_batch_far_beyond_one_statement_is_kept_whole(place: &dyn Place) {
    let store = place.open().await;
    let batch: Vec<Change> = (0..1_003)
        .map(|number: u32| Change::Post(deposit(&number.to_string(), number % 150, i64::from(number) + 1)))
        .collect();
    let postings = keep(&store, batch.clone()).await.postings;
    assert_eq!(postings, vec![Posting::Applied; 1_003]);
    assert_eq!(keep(&store, batch).await.postings, vec![Posting::AlreadyApplied; 1_003]);
    let collected = store.balance(Account::MpesaCollection).await.unwrap();
    assert_eq!(collected.debits, Cents(1_003 * 1_004 / 2));
    assert_eq!(store.balances().await.unwrap().len(), 151);
    assert_eq!(verify_ledger(&*store).await.unwrap().rows, 1_003);
}
