//! Random histories, against the naive model that recounts every row each time.

use jirani_ledger::invariants::{Expected, m1, m2, m3};
use jirani_ledger::{Account, Auditor, Book, Kind, Posting, Reason, Transfer, TransferId};
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

/// Small amounts mostly, and those at the edges.
fn amounts() -> impl Strategy<Value = Cents> {
    prop_oneof![
        16 => 1i64..2_000,
        1 => Just(0),
        1 => Just(-1),
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
        1 => (i64::MAX - 2_000)..i64::MAX,
    ]
    .prop_map(Cents)
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

/// A step of a history: anything, an end for an earlier hold that fits, or a
/// repeat of an earlier step.
#[derive(Clone, Debug)]
enum Step {
    Any(Transfer),
    End { hold: prop::sample::Index, id: TransferId, void: bool },
    Again(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => transfers().prop_map(Step::Any),
        2 => (any::<prop::sample::Index>(), ids(), any::<bool>())
            .prop_map(|(hold, id, void)| Step::End { hold, id, void }),
        1 => any::<prop::sample::Index>().prop_map(Step::Again),
    ];
    prop::collection::vec(step, 1..60)
}

fn transfer(step: &Step, tried: &[Transfer], auditor: &Auditor) -> Option<Transfer> {
    let holds: Vec<&Transfer> = auditor.rows().iter().filter(|row| row.kind == Kind::Hold).collect();
    match step {
        Step::Any(transfer) => Some(transfer.clone()),
        Step::End { hold, id, void } if !holds.is_empty() => {
            let hold = *hold.get(&holds);
            let kind = if *void { Kind::Void(hold.id) } else { Kind::Post(hold.id) };
            Some(Transfer { id: *id, kind, ..hold.clone() })
        }
        Step::Again(place) if !tried.is_empty() => Some(place.get(tried).clone()),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_book_and_the_model_agree_on_every_step(steps in steps()) {
        let (mut book, mut auditor, mut tried) = (Book::default(), Auditor::default(), Vec::new());
        for step in &steps {
            let Some(transfer) = transfer(step, &tried, &auditor) else { continue };
            let before = book.balances();
            let outcome = book.apply(&transfer);
            prop_assert_eq!(outcome, auditor.apply(&transfer), "{:?}", transfer);
            if outcome != Ok(Posting::Applied) {
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
            tried.push(transfer);
        }
    }
}
