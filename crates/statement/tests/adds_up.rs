//! Whatever happened on an account: opening and lines make the closing, one month
//! closes as the next one opens, and what was handed out never changes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::{Account, Book, Kind, Posting, Reason, Transfer, TransferId};
use jirani_statement::compose::Composer;
use jirani_statement::{Period, Statement, StatementError};
use jirani_units::{Cents, HouseholdId, OrderId, Timestamp, Wh};
use proptest::prelude::*;

const AMINA: Account = Account::Household(HouseholdId(1));

fn months() -> Vec<Period> {
    (6..=12).map(|month| format!("2026-{month:02}").parse().unwrap()).collect()
}

/// Something that is tried on Amina's account.
#[derive(Clone, Debug)]
struct Attempt {
    gain: bool,
    cents: i64,
    kind: u8,
    /// Days after the attempt before it; below zero for one that comes late.
    days: i64,
    share: i64,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let attempt = (any::<bool>(), 1i64..100_000, 0u8..6, -2i64..12, 1i64..4)
        .prop_map(|(gain, cents, kind, days, share)| Attempt { gain, cents, kind, days, share });
    prop::collection::vec(attempt, 0..80)
}

/// The rows that the rules let in, in order.
fn history(attempts: &[Attempt]) -> (Vec<(u64, Transfer)>, Book) {
    let (mut book, mut rows, mut open) = (Book::default(), Vec::new(), Vec::<Transfer>::new());
    let mut at = "2026-06-10T00:00:00Z".parse::<Timestamp>().unwrap();
    for (number, attempt) in attempts.iter().enumerate() {
        at = at.plus_seconds(attempt.days * 86_400 / 3 + 1);
        let (debit, credit) =
            if attempt.gain { (Account::MpesaCollection, AMINA) } else { (AMINA, Account::OrdersClearing) };
        let posted = Transfer {
            id: TransferId::derive("test", &number.to_be_bytes()),
            debit,
            credit,
            amount: Cents(attempt.cents),
            reason: Reason::Credit,
            kind: Kind::Posted,
            memo: String::new(),
            at,
        };
        let transfer = match (attempt.kind, open.pop()) {
            (0, held) => {
                open.extend(held);
                Transfer { kind: Kind::Hold, ..posted }
            }
            (1, Some(hold)) => {
                let amount = Cents((hold.amount.0 / attempt.share).max(1));
                Transfer { id: posted.id, kind: Kind::Post(hold.id), amount, at, ..hold }
            }
            (2, Some(hold)) => Transfer { id: posted.id, kind: Kind::Void(hold.id), at, ..hold },
            (_, held) => {
                open.extend(held);
                posted
            }
        };
        if book.apply(&transfer) == Ok(Posting::Applied) {
            if transfer.kind == Kind::Hold {
                open.push(transfer.clone());
            }
            rows.push((rows.len() as u64 + 1, transfer));
        }
    }
    (rows, book)
}

fn compose(rows: &[(u64, Transfer)], period: &Period) -> Statement {
    let mut composer = Composer::new(AMINA, period.clone());
    for (sequence, transfer) in rows {
        composer.row(*sequence, transfer).unwrap();
    }
    composer.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn opening_and_lines_make_the_closing(attempts in attempts()) {
        let (rows, book) = history(&attempts);
        let mut last: Option<Statement> = None;
        let mut lines = 0;
        for month in months() {
            let statement = compose(&rows, &month);
            let sum: i64 = statement.lines().iter().map(|line| line.amount.0).sum();
            prop_assert_eq!(statement.opening().0 + sum, statement.closing().0);
            let shown = statement.lines().last().map_or(statement.opening(), |line| line.balance);
            prop_assert_eq!(shown, statement.closing());
            let totals = statement.totals();
            prop_assert_eq!(totals.money_in.0 - totals.money_out.0, sum);
            if let Some(last) = &last {
                prop_assert_eq!(last.closing(), statement.opening());
            } else {
                prop_assert_eq!(statement.opening(), Cents(0));
            }
            lines += statement.lines().len();
            last = Some(statement);
        }
        // Months without a gap hold every row that moved money, once.
        let moving = rows.iter().filter(|(_, row)| matches!(row.kind, Kind::Posted | Kind::Post(_))).count();
        let beyond = rows.iter().any(|(_, row)| row.at >= months()[6].to());
        if !beyond {
            prop_assert_eq!(lines, moving);
            let last = last.unwrap();
            prop_assert_eq!(last.closing(), book.balance(AMINA).net());
            prop_assert_eq!(last.held(), book.balance(AMINA).debits_held);
        }
    }

    #[test]
    fn a_statement_that_is_closed_never_changes(attempts in attempts(), cut in 0usize..80) {
        let (rows, _) = history(&attempts);
        let early = &rows[..cut.min(rows.len())];
        for month in months() {
            // Closed: a row of a later month is there already.
            if early.iter().any(|(_, row)| row.at >= month.to()) {
                let (then, now) = (compose(early, &month), compose(&rows, &month));
                prop_assert_eq!(then.lines(), now.lines());
                prop_assert_eq!((then.opening(), then.closing(), then.held()), (now.opening(), now.closing(), now.held()));
            }
        }
    }
}

#[test]
fn a_payment_by_m_pesa_stands_with_its_energy_and_moves_no_balance() {
    let period: Period = "2026-10".parse().unwrap();
    let mut composer = Composer::new(AMINA, period.clone());
    let receipt = "SKR0000001".parse().unwrap();
    composer.paid_by_mpesa(period.from(), OrderId(7), Cents(1_873), Wh(730), Some(receipt)).unwrap();
    let statement = composer.finish().unwrap();
    assert_eq!((statement.opening(), statement.closing()), (Cents(0), Cents(0)));
    let totals = statement.totals();
    assert_eq!((totals.bought, totals.money_in, totals.money_out), (Wh(730), Cents(1_873), Cents(1_873)));
    assert_eq!(statement.lines()[0].receipt.as_ref().map(ToString::to_string), Some("SKR0000001".into()));
}

#[test]
fn a_statement_is_bounded() {
    let mut composer = Composer::new(AMINA, "2026-10".parse().unwrap());
    let at = "2026-10-05T00:00:00Z".parse().unwrap();
    for number in 0..25_000 {
        composer.paid_by_mpesa(at, OrderId(number), Cents(1), Wh(1), None).unwrap();
    }
    let one_more = composer.paid_by_mpesa(at, OrderId(25_000), Cents(1), Wh(1), None);
    assert!(matches!(one_more, Err(StatementError::TooLong { limit: 50_000 })));
}
