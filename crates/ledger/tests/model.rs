//! Random histories, against the naive model that recounts every row each time.

use jirani_ledger::invariants::{Expected, m1, m2, m3};
use jirani_ledger::{Account, Auditor, Book, Kind, Reason, Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, Timestamp};
use proptest::prelude::*;

/// Few accounts and ids, so that histories meet themselves.
fn accounts() -> impl Strategy<Value = Account> {
    prop_oneof![
        3 => Just(Account::MpesaCollection),
        3 => (1u32..4).prop_map(|id| Account::Household(HouseholdId(id))),
        1 => Just(Account::MpesaPayout),
        1 => Just(Account::OrdersClearing),
        1 => Just(Account::CollectionsUnallocated),
        1 => Just(Account::OperatorFees),
    ]
}

/// Small amounts mostly; else those at an edge of 64 bits, a power of two, or one of
/// their neighbours.
fn amounts() -> impl Strategy<Value = Cents> {
    let edges = prop_oneof![
        Just(0i64),
        Just(i64::MIN),
        Just(i64::MAX),
        Just(i64::MAX / 2),
        (0u32..63).prop_map(|bits| 1i64 << bits),
        (i64::MAX - 2_000)..i64::MAX,
    ];
    let near = (edges, -1i64..=1).prop_map(|(edge, by)| edge.saturating_add(by));
    prop_oneof![16 => 1i64..2_000, 3 => near].prop_map(Cents)
}

fn ids() -> impl Strategy<Value = TransferId> {
    (0u8..24).prop_map(|number| TransferId([number; 16]))
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Posted),
        3 => Just(Kind::Hold),
        2 => ids().prop_map(Kind::Post),
        2 => ids().prop_map(Kind::Void),
    ]
}

prop_compose! {
    fn transfers()(
        id in ids(), debit in accounts(), credit in accounts(), amount in amounts(), kind in kinds(), sale: bool
    ) -> Transfer {
        let reason = if sale { Reason::Sale } else { Reason::Credit };
        Transfer { id, debit, credit, amount, reason, kind, memo: String::new(), at: Timestamp(0) }
    }
}

/// A step of a history: anything, an end for an earlier hold that fits or almost
/// fits, or a repeat of an earlier step, true or not.
#[derive(Clone, Debug)]
enum Step {
    Any(Transfer),
    End { hold: prop::sample::Index, id: TransferId, void: bool, share: u8 },
    Again(prop::sample::Index),
    Twisted { of: prop::sample::Index, field: u8, by: Transfer },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => transfers().prop_map(Step::Any),
        2 => (any::<prop::sample::Index>(), ids(), any::<bool>(), 0u8..7)
            .prop_map(|(hold, id, void, share)| Step::End { hold, id, void, share }),
        1 => any::<prop::sample::Index>().prop_map(Step::Again),
        1 => (any::<prop::sample::Index>(), 0u8..6, transfers())
            .prop_map(|(of, field, by)| Step::Twisted { of, field, by }),
    ]
}

/// Groups of linked transfers, most of them of one.
fn groups() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let group = prop_oneof![
        3 => prop::collection::vec(step(), 1..2),
        1 => prop::collection::vec(step(), 2..5),
    ];
    prop::collection::vec(group, 1..40)
}

fn transfer(step: &Step, tried: &[Transfer], auditor: &Auditor) -> Option<Transfer> {
    let holds: Vec<&Transfer> = auditor.rows().iter().filter(|row| row.kind == Kind::Hold).collect();
    match step {
        Step::Any(transfer) => Some(transfer.clone()),
        Step::End { hold, id, void, share } if !holds.is_empty() => {
            let hold = *hold.get(&holds);
            let kind = if *void { Kind::Void(hold.id) } else { Kind::Post(hold.id) };
            // All of it mostly, a part, or a cent too much.
            let amount = match share {
                0 => hold.amount.0.saturating_add(1),
                1 | 2 => hold.amount.0 / 3,
                _ => hold.amount.0,
            };
            Some(Transfer { id: *id, kind, amount: Cents(amount), ..hold.clone() })
        }
        Step::Again(place) if !tried.is_empty() => Some(place.get(tried).clone()),
        Step::Twisted { of, field, by } if !tried.is_empty() => {
            let mut twisted = of.get(tried).clone();
            match field {
                0 => twisted.debit = by.debit,
                1 => twisted.credit = by.credit,
                2 => twisted.amount = by.amount,
                3 => twisted.reason = by.reason,
                4 => twisted.kind = by.kind,
                _ => twisted.memo = "m".repeat(300),
            }
            Some(twisted)
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_book_and_the_model_agree_on_every_group(groups in groups()) {
        let (mut book, mut auditor, mut tried) = (Book::default(), Auditor::default(), Vec::new());
        for steps in &groups {
            let group: Vec<Transfer> =
                steps.iter().filter_map(|step| transfer(step, &tried, &auditor)).collect();
            let before = book.balances();
            let outcome = book.apply_group(&group);
            prop_assert_eq!(&outcome, &auditor.apply_group(&group), "{:?}", group);
            if outcome.is_err() {
                prop_assert_eq!(&book.balances(), &before);
            }
            for (account, balance) in book.balances() {
                prop_assert_eq!(balance, auditor.balance(account), "{}", account);
            }
            prop_assert_eq!(m1(&book.balances()), Ok(()));
            prop_assert_eq!(m3(&book.balances()), Ok(()));
            let clearing = |account| book.balance(account).net();
            let expected = Expected {
                unallocated: clearing(Account::CollectionsUnallocated),
                orders: clearing(Account::OrdersClearing),
                mpesa: None,
            };
            prop_assert!(m2(&book.balances(), &expected).is_ok());
            tried.extend(group);
        }
    }
}
