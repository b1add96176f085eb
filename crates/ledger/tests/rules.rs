//! The ledger's rules on examples: every refusal, in order of precedence.

use jirani_ledger::invariants::{Difference, Expected, Imbalance, m1, m2, m3};
use jirani_ledger::{Account, AccountBalance, Book, Kind, Posting, Reason, Refusal, Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, Timestamp};

const AMINA: Account = Account::Household(HouseholdId(1));
const BARAKA: Account = Account::Household(HouseholdId(2));

fn id(name: &str) -> TransferId {
    TransferId::derive("test", name.as_bytes())
}

fn transfer(name: &str, debit: Account, credit: Account, cents: i64, kind: Kind) -> Transfer {
    Transfer {
        id: id(name),
        debit,
        credit,
        amount: Cents(cents),
        reason: Reason::Credit,
        kind,
        memo: name.to_owned(),
        at: Timestamp(0),
    }
}

/// Amina has 1,000 cents.
fn book() -> Book {
    let mut book = Book::default();
    let deposit = transfer("deposit", Account::MpesaCollection, AMINA, 1_000, Kind::Posted);
    assert_eq!(book.apply(&deposit), Ok(Posting::Applied));
    book
}

fn hold(book: &mut Book, cents: i64) {
    let hold = transfer("hold", AMINA, Account::MpesaPayout, cents, Kind::Hold);
    assert_eq!(book.apply(&hold), Ok(Posting::Applied));
}

#[test]
fn an_amount_must_be_above_zero() {
    for cents in [0, -1, i64::MIN] {
        let nothing = transfer("nothing", AMINA, AMINA, cents, Kind::Posted);
        assert_eq!(book().apply(&nothing), Err(Refusal::AmountNotPositive));
    }
}

#[test]
fn money_does_not_move_to_where_it_is() {
    // The id is used already: the accounts are looked at first.
    let circle = transfer("deposit", AMINA, AMINA, 1, Kind::Posted);
    assert_eq!(book().apply(&circle), Err(Refusal::SameAccount));
}

#[test]
fn a_repeat_is_no_error_and_moves_nothing() {
    let mut book = book();
    let again = Transfer {
        memo: "in other words".into(),
        at: Timestamp(99),
        ..transfer("deposit", Account::MpesaCollection, AMINA, 1_000, Kind::Posted)
    };
    assert_eq!(book.apply(&again), Ok(Posting::AlreadyApplied));
    assert_eq!(book.balance(AMINA).net(), Cents(1_000));
}

#[test]
fn an_id_stands_for_one_event() {
    let original = transfer("deposit", Account::MpesaCollection, AMINA, 1_000, Kind::Posted);
    for other in [
        Transfer { amount: Cents(1_001), ..original.clone() },
        Transfer { credit: BARAKA, ..original.clone() },
        Transfer { debit: Account::Suspense, ..original.clone() },
        Transfer { reason: Reason::Sale, ..original.clone() },
        Transfer { kind: Kind::Hold, ..original.clone() },
        Transfer { kind: Kind::Post(id("no such hold")), ..original.clone() },
    ] {
        assert_eq!(book().apply(&other), Err(Refusal::IdReused));
    }
}

#[test]
fn only_a_hold_can_be_ended() {
    for kind in [Kind::Post(id("no such hold")), Kind::Void(id("no such hold")), Kind::Post(id("deposit"))] {
        let end = transfer("end", Account::MpesaCollection, AMINA, 1_000, kind);
        assert_eq!(book().apply(&end), Err(Refusal::UnknownHold));
    }
}

#[test]
fn the_end_of_a_hold_repeats_its_accounts_and_amount() {
    let mut book = book();
    hold(&mut book, 600);
    for (debit, credit, cents) in [
        (BARAKA, Account::MpesaPayout, 600),
        (AMINA, Account::MpesaCharges, 600),
        (AMINA, Account::MpesaPayout, 599),
        (AMINA, Account::MpesaPayout, 601),
    ] {
        let end = transfer("end", debit, credit, cents, Kind::Post(id("hold")));
        assert_eq!(book.apply(&end), Err(Refusal::HoldDiffers));
    }
}

#[test]
fn a_hold_ends_once() {
    for first in [Kind::Post(id("hold")), Kind::Void(id("hold"))] {
        for second in [Kind::Post(id("hold")), Kind::Void(id("hold"))] {
            let mut book = book();
            hold(&mut book, 600);
            assert!(book.apply(&transfer("first", AMINA, Account::MpesaPayout, 600, first)).is_ok());
            let second = transfer("second", AMINA, Account::MpesaPayout, 600, second);
            assert_eq!(book.apply(&second), Err(Refusal::HoldEnded));
        }
    }
}

#[test]
fn held_money_is_not_spent_but_still_the_households() {
    let mut book = book();
    hold(&mut book, 600);
    assert_eq!((book.balance(AMINA).net(), book.balance(AMINA).available()), (Cents(1_000), Cents(400)));
    let spend = |cents| transfer("spend", AMINA, Account::OrdersClearing, cents, Kind::Posted);
    assert_eq!(book.apply(&spend(401)), Err(Refusal::InsufficientBalance));
    assert_eq!(book.apply(&spend(400)), Ok(Posting::Applied));
}

#[test]
fn posting_a_hold_moves_its_money_and_voiding_gives_it_back() {
    let mut book = book();
    hold(&mut book, 600);
    let posted = transfer("post", AMINA, Account::MpesaPayout, 600, Kind::Post(id("hold")));
    assert_eq!(book.apply(&posted), Ok(Posting::Applied));
    assert_eq!((book.balance(AMINA).net(), book.balance(AMINA).available()), (Cents(400), Cents(400)));

    let mut book = self::book();
    hold(&mut book, 600);
    let voided = transfer("void", AMINA, Account::MpesaPayout, 600, Kind::Void(id("hold")));
    assert_eq!(book.apply(&voided), Ok(Posting::Applied));
    assert_eq!((book.balance(AMINA).net(), book.balance(AMINA).available()), (Cents(1_000), Cents(1_000)));
}

#[test]
fn what_belongs_to_others_is_never_overdrawn() {
    for account in [BARAKA, Account::CollectionsUnallocated, Account::OrdersClearing, Account::Suspense] {
        for kind in [Kind::Posted, Kind::Hold] {
            let draw = transfer("draw", account, Account::OperatorFees, 1, kind);
            assert_eq!(Book::default().apply(&draw), Err(Refusal::InsufficientBalance), "{account}");
        }
    }
}

#[test]
fn m_pesas_accounts_and_the_operators_follow_the_facts() {
    for account in Account::OPERATORS.into_iter().filter(|account| !account.never_overdrawn()) {
        let draw = transfer("draw", account, AMINA, 1, Kind::Posted);
        assert_eq!(Book::default().apply(&draw), Ok(Posting::Applied), "{account}");
    }
}

#[test]
fn a_sum_beyond_64_bits_is_refused() {
    let mut book = Book::default();
    let most = transfer("most", Account::MpesaCollection, AMINA, i64::MAX, Kind::Posted);
    assert_eq!(book.apply(&most), Ok(Posting::Applied));
    for kind in [Kind::Posted, Kind::Hold] {
        let more = transfer("more", Account::MpesaCollection, BARAKA, 1, kind);
        assert_eq!(book.apply(&more), Err(Refusal::Overflow));
    }
    assert_eq!(book.balance(BARAKA), AccountBalance::default());
}

#[test]
fn the_books_hold_what_is_owed() {
    let mut book = book();
    hold(&mut book, 600);
    book.apply(&transfer("float", Account::MpesaPayout, Account::OperatorFloat, 5_000, Kind::Posted))
        .unwrap();
    book.apply(&transfer(
        "wait",
        Account::MpesaCollection,
        Account::CollectionsUnallocated,
        700,
        Kind::Posted,
    ))
    .unwrap();
    book.apply(&transfer(
        "back",
        Account::ReversalsReceivable(HouseholdId(1)),
        Account::MpesaCollection,
        50,
        Kind::Posted,
    ))
    .unwrap();
    let balances = book.balances();
    assert_eq!(m1(&balances), Ok(()));
    assert_eq!(m3(&balances), Ok(()));
    let expected = Expected { unallocated: Cents(700), orders: Cents(0), mpesa: Some(Cents(6_650)) };
    let totals = m2(&balances, &expected).unwrap();
    assert_eq!((totals.mpesa, totals.households, totals.operator), (6_650, 1_000, 5_000));
    assert_eq!((totals.clearing, totals.receivable, totals.suspense), (700, 50, 0));
    let statement = Expected { mpesa: Some(Cents(6_651)), ..expected };
    assert_eq!(m2(&balances, &statement), Err(Difference::Statement { ours: 6_650, theirs: 6_651 }));
    let drained = Expected { unallocated: Cents(0), ..expected };
    let clearing = Difference::Clearing { account: Account::CollectionsUnallocated, held: 700, expected: 0 };
    assert_eq!(m2(&balances, &drained), Err(clearing));
}

#[test]
fn a_cent_from_nowhere_is_found() {
    let mut balances = book().balances();
    let place = balances.iter().position(|(account, _)| *account == AMINA).unwrap();
    balances[place].1.credits.0 += 1;
    assert_eq!(m1(&balances), Err(Imbalance { posted_cents: 1, held_cents: 0 }));
    assert!(matches!(
        m2(&balances, &Expected::default()),
        Err(Difference::Owed { mpesa: 1_000, owed: 1_001 })
    ));
    balances[place].1.debits.0 += 1_002;
    assert_eq!(m3(&balances).unwrap_err().account, AMINA);
    balances[place].1 = AccountBalance { credits_held: Cents(-1), ..AccountBalance::default() };
    assert_eq!(m3(&balances).unwrap_err().account, AMINA);
}
