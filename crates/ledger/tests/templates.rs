//! Every posting template, on a ledger with a little of everything: the books hold
//! before and after (M1, M2, M3), a repeat changes nothing, and no two events share
//! an id.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::invariants::{Expected, m1, m2, m3};
use jirani_ledger::templates::collections::{self, CreditedFor};
use jirani_ledger::templates::orders::{self, PaidFrom, Part, Party};
use jirani_ledger::templates::payouts::{self, Payout};
use jirani_ledger::templates::reversals::{self, ReversedFrom};
use jirani_ledger::templates::review::{self, RefundedFrom};
use jirani_ledger::templates::shortcodes::{self, Shortcode, TaxPaidFrom};
use jirani_ledger::templates::{End, ended, held};
use jirani_ledger::{Account, Book, Posting, Reason, Refusal, Transfer};
use jirani_units::{Cents, HouseholdId, OrderId, PayoutId, Receipt, Timestamp};
use std::collections::HashMap;

const AMINA: HouseholdId = HouseholdId(1);
const BARAKA: HouseholdId = HouseholdId(2);
const AT: Timestamp = Timestamp(1_763_825_016_000_000);

fn receipt(number: u32) -> Receipt {
    format!("SKR{number:07}").parse().unwrap()
}

fn cents(amount: i64) -> Cents {
    Cents(amount)
}

/// Everybody has some money, clearing and suspense too.
fn book() -> Book {
    let mut book = Book::default();
    let funding = [
        collections::by_hand(&receipt(901), Some(AMINA), cents(50_000), AT).to_vec(),
        collections::by_hand(&receipt(902), Some(BARAKA), cents(50_000), AT).to_vec(),
        collections::by_hand(&receipt(903), None, cents(7_000), AT).to_vec(),
        vec![collections::collected(&receipt(904), cents(9_000), AT)],
        vec![shortcodes::float_deposited(&receipt(905), Shortcode::Payout, cents(90_000), AT)],
        vec![orders::from_balance(OrderId(900), Party::Household(AMINA), cents(1_500), AT)],
        reversals::reversed(&receipt(906), cents(300), ReversedFrom::Settled(BARAKA), AT),
    ];
    for group in funding {
        book.apply_group(&group).unwrap();
    }
    book
}

fn parts() -> Vec<(Part, Cents)> {
    vec![
        (Part::Sale(0, Party::Household(BARAKA)), cents(1_000)),
        (Part::Sale(1, Party::Operator), cents(200)),
        (Part::Fee, cents(180)),
        (Part::Tax, cents(116)),
        (Part::Rounding, cents(4)),
    ]
}

fn payout() -> Payout {
    Payout { id: PayoutId(3), household: AMINA, sent: cents(10_000), charge: cents(700) }
}

/// Every business event, by name, as the groups that happen one after the other.
fn events() -> Vec<(&'static str, Vec<Vec<Transfer>>)> {
    let one = |transfer: Transfer| vec![vec![transfer]];
    let two = |transfer: Transfer, end: End| {
        let hold = held(transfer);
        vec![vec![hold.clone()], vec![ended(&hold, end, AT)]]
    };
    let r = receipt;
    let waiting = |why| one(collections::credited(&r(904), AMINA, cents(9_000), why, AT));
    let reversed = |number, amount, from| vec![reversals::reversed(&r(number), cents(amount), from, AT)];
    let moved = shortcodes::float_moved("move-1", Shortcode::Collection, Shortcode::Payout, cents(5_000), AT);
    let original = collections::by_hand(&r(907), Some(AMINA), cents(800), AT);
    vec![
        ("collected", one(collections::collected(&r(1), cents(100), AT))),
        ("by hand", vec![collections::by_hand(&r(2), Some(AMINA), cents(2_500), AT).to_vec()]),
        ("by hand, unknown", vec![collections::by_hand(&r(3), None, cents(2_500), AT).to_vec()]),
        ("credited by hand", waiting(CreditedFor::ByHand)),
        ("late", waiting(CreditedFor::Late(OrderId(5)))),
        ("short", waiting(CreditedFor::Short(OrderId(5)))),
        ("double", waiting(CreditedFor::Double(OrderId(5)))),
        ("given up", waiting(CreditedFor::GivenUp(OrderId(5)))),
        ("excess", one(collections::excess(OrderId(5), &r(904), AMINA, cents(50), AT))),
        ("suspended", one(collections::suspended(&r(904), cents(9_000), AT))),
        ("from balance", one(orders::from_balance(OrderId(6), Party::Household(AMINA), cents(1_500), AT))),
        ("returned", one(orders::returned(OrderId(900), Party::Household(AMINA), cents(1_500), AT))),
        ("bought by the operator", one(orders::from_balance(OrderId(8), Party::Operator, cents(300), AT))),
        ("settled from balance", vec![orders::settled(OrderId(900), PaidFrom::Balance, parts(), AT)]),
        ("settled by M-Pesa", vec![orders::settled(OrderId(5), PaidFrom::Mpesa, parts(), AT)]),
        ("paid out", vec![payouts::holds(&payout(), AT), payouts::paid(&payout(), cents(700), AT)]),
        ("paid out, cheaper", vec![payouts::holds(&payout(), AT), payouts::paid(&payout(), cents(500), AT)]),
        ("paid out, free", vec![payouts::holds(&payout(), AT), payouts::paid(&payout(), cents(0), AT)]),
        ("payout failed", vec![payouts::holds(&payout(), AT), payouts::failed(&payout(), AT)]),
        ("reversed in clearing", reversed(10, 9_000, ReversedFrom::Unallocated)),
        ("reversed in suspense", reversed(11, 7_000, ReversedFrom::Suspense)),
        ("reversed after settlement", reversed(12, 1_500, ReversedFrom::Settled(AMINA))),
        ("reversed from balance", reversed(13, 900, ReversedFrom::Balance(AMINA, cents(48_500)))),
        ("reversed, spent in part", reversed(14, 60_000, ReversedFrom::Balance(AMINA, cents(48_500)))),
        ("recovered", one(reversals::recovered(BARAKA, cents(300), original[1].id, AT))),
        ("written off", one(reversals::written_off(&r(906), BARAKA, cents(300), AT))),
        ("float deposited", one(shortcodes::float_deposited(&r(15), Shortcode::Charges, cents(400), AT))),
        ("float moved", two(moved.clone(), End::Posted(cents(5_000)))),
        ("float move refused", two(moved, End::Voided)),
        ("swept", one(shortcodes::swept(&r(16), Shortcode::Collection, cents(20_000), AT))),
        ("charged", one(shortcodes::charged(&r(17), cents(33), AT))),
        ("found", one(shortcodes::found(&r(18), Shortcode::Payout, cents(1_100), AT))),
        ("taxes paid", one(shortcodes::taxes_paid("PRN1", TaxPaidFrom::Bank, cents(116), AT))),
        (
            "taxes paid by M-Pesa",
            one(shortcodes::taxes_paid("PRN2", TaxPaidFrom::Shortcode(Shortcode::Collection), cents(1), AT)),
        ),
        ("attached", one(review::attached(&r(903), BARAKA, cents(7_000), AT))),
        (
            "refunded",
            two(
                review::refunded(&r(903), RefundedFrom::Suspense, cents(7_000), AT),
                End::Posted(cents(7_000)),
            ),
        ),
        (
            "refund refused",
            two(review::refunded(&r(903), RefundedFrom::Suspense, cents(7_000), AT), End::Voided),
        ),
        ("refunded in clearing", one(review::refunded(&r(904), RefundedFrom::Unallocated, cents(9_000), AT))),
        (
            "refunded from balance",
            one(review::refunded(&r(901), RefundedFrom::Balance(AMINA), cents(100), AT)),
        ),
        ("corrected", vec![original.to_vec(), vec![review::corrected(2, &original[1], AT).unwrap()]]),
    ]
}

fn holds(book: &Book) {
    let balances = book.balances();
    assert_eq!((m1(&balances), m3(&balances)), (Ok(()), Ok(())));
    let clearing = |account| book.balance(account).net();
    let expected = Expected {
        unallocated: clearing(Account::CollectionsUnallocated),
        orders: clearing(Account::OrdersClearing),
        mpesa: None,
    };
    assert!(m2(&balances, &expected).is_ok());
}

#[test]
fn every_event_keeps_the_books_and_happens_once() {
    for (name, groups) in events() {
        let mut book = book();
        for group in &groups {
            assert_eq!(book.apply_group(group), Ok(vec![Posting::Applied; group.len()]), "{name}");
            holds(&book);
        }
        let after = book.balances();
        for group in &groups {
            assert_eq!(book.apply_group(group), Ok(vec![Posting::AlreadyApplied; group.len()]), "{name}");
        }
        assert_eq!(book.balances(), after, "{name}");
    }
}

#[test]
fn no_two_events_share_an_id_unless_one_must_forbid_the_other() {
    let mut seen: HashMap<_, (&str, Transfer)> = HashMap::new();
    for (name, groups) in events() {
        for transfer in groups.into_iter().flatten() {
            if let Some((earlier, row)) = seen.insert(transfer.id, (name, transfer.clone())) {
                // The same receipt, order or payout: one of the two, or the same row.
                assert_eq!(
                    (row.reason, row.debit),
                    (transfer.reason, transfer.debit),
                    "{earlier} and {name} share an id"
                );
            }
        }
    }
}

#[test]
fn every_reason_has_a_template() {
    let made: Vec<Reason> = events()
        .into_iter()
        .flat_map(|(_, groups)| groups.into_iter().flatten().map(|transfer| transfer.reason))
        .collect();
    for reason in Reason::ALL {
        assert!(made.contains(&reason), "{reason:?}");
    }
}

#[test]
fn a_seller_is_never_touched_by_a_reversal() {
    let mut book = book();
    book.apply_group(&orders::settled(OrderId(5), PaidFrom::Mpesa, parts(), AT)).unwrap();
    let seller = book.balance(Account::Household(BARAKA));
    book.apply_group(&reversals::reversed(&receipt(20), cents(1_500), ReversedFrom::Settled(AMINA), AT))
        .unwrap();
    assert_eq!(book.balance(Account::Household(BARAKA)), seller);
    assert_eq!(book.balance(Account::ReversalsReceivable(AMINA)).net_debit(), cents(1_500));
    assert_eq!(book.balance(Account::Household(AMINA)).net(), cents(48_500));
}

#[test]
fn a_reversal_takes_what_is_left_of_the_balance_and_the_rest_is_owed() {
    let mut book = book();
    let from = ReversedFrom::Balance(AMINA, book.balance(Account::Household(AMINA)).available());
    book.apply_group(&reversals::reversed(&receipt(21), cents(60_000), from, AT)).unwrap();
    assert_eq!(book.balance(Account::Household(AMINA)).net(), cents(0));
    assert_eq!(book.balance(Account::ReversalsReceivable(AMINA)).net_debit(), cents(11_500));
}

#[test]
fn a_charge_below_what_was_held_goes_back() {
    let mut book = book();
    book.apply_group(&payouts::holds(&payout(), AT)).unwrap();
    assert_eq!(book.balance(Account::Household(AMINA)).available(), cents(37_800));
    book.apply_group(&payouts::paid(&payout(), cents(500), AT)).unwrap();
    assert_eq!(book.balance(Account::Household(AMINA)).available(), cents(38_000));
    let failed = book.apply_group(&payouts::failed(&payout(), AT)).unwrap_err();
    assert_eq!(failed.refusal, Refusal::HoldEnded);
}

#[test]
fn money_in_suspense_has_one_owner() {
    let mut book = book();
    book.apply(&review::attached(&receipt(903), BARAKA, cents(7_000), AT)).unwrap();
    let other = review::attached(&receipt(903), AMINA, cents(7_000), AT);
    assert_eq!(book.apply(&other), Err(Refusal::IdReusedCredit));
    let back = review::refunded(&receipt(903), RefundedFrom::Suspense, cents(7_000), AT);
    assert_eq!(book.apply(&back), Err(Refusal::InsufficientBalance));
}

#[test]
fn a_row_is_about_the_order_or_payout_that_its_id_proves() {
    for transfer in orders::settled(OrderId(900), PaidFrom::Balance, parts(), AT) {
        assert_eq!(orders::order_of(&transfer), Some(OrderId(900)));
        let claimed = Transfer { memo: "order 901".into(), ..transfer };
        assert_eq!(orders::order_of(&claimed), None);
    }
    let sale = orders::share(OrderId(7), Part::Sale(2, Party::Operator), PaidFrom::Mpesa, cents(1), AT);
    assert_eq!(orders::fill_of(&sale), Some((OrderId(7), 2)));
    for transfer in payouts::holds(&payout(), AT).into_iter().chain(payouts::failed(&payout(), AT)) {
        assert_eq!(payouts::payout_of(&transfer), Some(PayoutId(3)));
        assert_eq!(payouts::payout_of(&Transfer { memo: "payout 4".into(), ..transfer }), None);
    }
}

#[test]
fn holds_their_ends_and_corrections_are_not_undone() {
    let hold = &payouts::holds(&payout(), AT)[0];
    assert_eq!(review::corrected(9, hold, AT), None);
    assert_eq!(review::corrected(9, &payouts::failed(&payout(), AT)[0], AT), None);
    let row = collections::collected(&receipt(1), cents(5), AT);
    let undone = review::corrected(1, &row, AT).unwrap();
    assert_eq!(review::corrected(2, &undone, AT), None);
}

/// The ids that settlement has posted under since the first release: to be made by
/// anybody from the receipt, order or payout alone.
#[test]
fn ids_are_fixed() {
    let hex = |transfer: &Transfer| {
        transfer.id.0.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    };
    let receipt: Receipt = "SKR0000001".parse().unwrap();
    let made: Vec<String> = [
        collections::collected(&receipt, cents(1), AT),
        collections::credited(&receipt, AMINA, cents(1), CreditedFor::ByHand, AT),
        collections::excess(OrderId(17), &receipt, AMINA, cents(1), AT),
        collections::suspended(&receipt, cents(1), AT),
        orders::from_balance(OrderId(17), Party::Household(AMINA), cents(1), AT),
        orders::returned(OrderId(17), Party::Household(AMINA), cents(1), AT),
        orders::share(OrderId(17), Part::Tax, PaidFrom::Mpesa, cents(1), AT),
        payouts::holds(&payout(), AT).remove(1),
        payouts::failed(&payout(), AT).remove(0),
    ]
    .iter()
    .map(hex)
    .collect();
    assert_eq!(made, GOLDEN);
}

const GOLDEN: [&str; 9] = [
    "1d9e0db0c83a141e55a4fd11ec8022c2",
    "f1d305e77fda09387da91e902c60745c",
    "45925acab09ea702819c9a9b118aab99",
    "a60eb278584316949dbcd8212bb2a471",
    "cc1b9f289ca8b209587c28786f3b22a9",
    "6f4036bb07091359946e9d59a29f6b6b",
    "8b2d169f03607a73070f853cbbd98cb9",
    "4bb35441292fba004cda033d8450505f",
    "92585fd30ec30e5459f6bcffc9dfcc9e",
];
