//! The ledger's rules on examples: every refusal, in order of precedence.

use jirani_ledger::invariants::{Difference, Expected, Imbalance, Totals, m1, m2, m3};
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
fn an_id_stands_for_one_event_and_the_refusal_says_what_differs() {
    let original = transfer("deposit", Account::MpesaCollection, AMINA, 1_000, Kind::Posted);
    for (other, refusal) in [
        (Transfer { kind: Kind::Hold, ..original.clone() }, Refusal::IdReusedKind),
        (Transfer { kind: Kind::Post(id("no such hold")), ..original.clone() }, Refusal::IdReusedKind),
        (Transfer { debit: Account::Suspense, ..original.clone() }, Refusal::IdReusedDebit),
        (Transfer { credit: BARAKA, ..original.clone() }, Refusal::IdReusedCredit),
        (Transfer { amount: Cents(1_001), ..original.clone() }, Refusal::IdReusedAmount),
        (Transfer { reason: Reason::Sale, ..original.clone() }, Refusal::IdReusedReason),
    ] {
        assert_eq!(book().apply(&other), Err(refusal));
    }
    let mut book = book();
    hold(&mut book, 600);
    let end = transfer("end", AMINA, Account::MpesaPayout, 600, Kind::Void(id("hold")));
    assert_eq!(book.apply(&end), Ok(Posting::Applied));
    let of_another = Transfer { kind: Kind::Void(id("another hold")), ..end };
    assert_eq!(book.apply(&of_another), Err(Refusal::IdReusedHold));
}

#[test]
fn only_a_hold_can_be_ended() {
    for (kind, refusal) in [
        (Kind::Post(id("no such hold")), Refusal::UnknownHold),
        (Kind::Void(id("no such hold")), Refusal::UnknownHold),
        (Kind::Post(id("deposit")), Refusal::NotAHold),
        (Kind::Void(id("deposit")), Refusal::NotAHold),
    ] {
        let end = transfer("end", Account::MpesaCollection, AMINA, 1_000, kind);
        assert_eq!(book().apply(&end), Err(refusal));
    }
}

#[test]
fn the_end_of_a_hold_repeats_its_accounts_and_keeps_to_its_amount() {
    let mut book = book();
    hold(&mut book, 600);
    for (debit, credit, cents, kind, refusal) in [
        (BARAKA, Account::MpesaPayout, 600, Kind::Post(id("hold")), Refusal::HoldDebitDiffers),
        (AMINA, Account::MpesaCharges, 600, Kind::Post(id("hold")), Refusal::HoldCreditDiffers),
        (AMINA, Account::MpesaPayout, 601, Kind::Post(id("hold")), Refusal::HoldAmountDiffers),
        (AMINA, Account::MpesaPayout, 601, Kind::Void(id("hold")), Refusal::HoldAmountDiffers),
        (AMINA, Account::MpesaPayout, 599, Kind::Void(id("hold")), Refusal::HoldAmountDiffers),
    ] {
        let end = transfer("end", debit, credit, cents, kind);
        assert_eq!(book.apply(&end), Err(refusal));
    }
}

#[test]
fn the_end_of_a_hold_is_for_the_reason_of_the_hold() {
    let mut book = book();
    hold(&mut book, 600);
    let end = transfer("end", AMINA, Account::MpesaPayout, 600, Kind::Post(id("hold")));
    let other = Transfer { reason: Reason::Sale, ..end };
    assert_eq!(book.apply(&other), Err(Refusal::HoldReasonDiffers));
}

#[test]
fn a_hold_posted_in_part_lets_go_of_the_rest() {
    let mut book = book();
    hold(&mut book, 600);
    let part = transfer("part", AMINA, Account::MpesaPayout, 250, Kind::Post(id("hold")));
    assert_eq!(book.apply(&part), Ok(Posting::Applied));
    let amina = book.balance(AMINA);
    assert_eq!((amina.net(), amina.available(), amina.debits_held), (Cents(750), Cents(750), Cents(0)));
    assert_eq!(book.balance(Account::MpesaPayout).credits_held, Cents(0));
    let rest = transfer("rest", AMINA, Account::MpesaPayout, 350, Kind::Post(id("hold")));
    assert_eq!(book.apply(&rest), Err(Refusal::HoldEnded));
    assert_eq!(m1(&book.balances()), Ok(()));
}

#[test]
fn a_group_is_applied_whole_or_not_at_all() {
    let group = |last: i64| {
        [
            transfer("hold", AMINA, Account::MpesaPayout, 600, Kind::Hold),
            transfer("post", AMINA, Account::MpesaPayout, 500, Kind::Post(id("hold"))),
            transfer("in", Account::MpesaCollection, BARAKA, 7, Kind::Posted),
            transfer("on", BARAKA, AMINA, last, Kind::Posted),
        ]
    };
    let mut book = book();
    let before = book.balances();
    let refused = book.apply_group(&group(8)).unwrap_err();
    assert_eq!((refused.index, refused.refusal), (3, Refusal::InsufficientBalance));
    assert_eq!(book.balances(), before);
    // Nothing of it is left behind: the same ids and the same hold serve again.
    assert_eq!(book.apply_group(&group(7)), Ok(vec![Posting::Applied; 4]));
    assert_eq!(book.apply_group(&group(7)), Ok(vec![Posting::AlreadyApplied; 4]));
    assert_eq!((book.balance(AMINA).net(), book.balance(BARAKA).net()), (Cents(507), Cents(0)));
}

#[test]
fn a_memo_is_short() {
    let memo = |bytes: usize| Transfer {
        memo: "x".repeat(bytes),
        ..transfer("memo", Account::MpesaCollection, AMINA, 1, Kind::Posted)
    };
    assert_eq!(book().apply(&memo(256)), Ok(Posting::Applied));
    assert_eq!(book().apply(&memo(257)), Err(Refusal::MemoTooLong));
}

#[test]
fn only_what_is_the_operators_may_be_swept() {
    let mut book = book();
    for (name, account, cents) in [("f", Account::OperatorFloat, 500), ("s", Account::OperatorSales, 90)] {
        book.apply(&transfer(name, Account::MpesaPayout, account, cents, Kind::Posted)).unwrap();
    }
    let owed = Account::ReversalsReceivable(HouseholdId(2));
    book.apply(&transfer("r", owed, Account::MpesaCollection, 40, Kind::Posted)).unwrap();
    assert_eq!(Totals::of(&book.balances()).sweepable(), Cents(550));
    book.apply(&transfer("w", Account::OperatorSweeps, Account::MpesaPayout, 550, Kind::Posted)).unwrap();
    let totals = Totals::of(&book.balances());
    assert_eq!(totals.sweepable(), Cents(0));
    // What is left on the shortcodes is the households' to the cent.
    assert_eq!(totals.mpesa, totals.households);
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
