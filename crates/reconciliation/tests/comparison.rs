//! The comparison's promises, on cases and on random books.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use jirani_reconciliation::{Decision, Kind, Ours, Purse, Report, Scope, Side, Theirs, compare};
use jirani_units::{Cents, Receipt, Timestamp};
use proptest::prelude::*;

const FROM: Timestamp = Timestamp::from_seconds(1_000_000);
const UNTIL: Timestamp = Timestamp::from_seconds(1_200_000);
const NOW: Timestamp = Timestamp::from_seconds(1_200_100);

fn receipt(number: u64) -> Receipt {
    format!("UJ3{number:07}").parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    FROM.plus_seconds(seconds)
}

fn theirs(number: u64, kind: Kind, cents: i64, seconds: i64) -> Theirs {
    Theirs {
        purse: Purse::Collection,
        kind,
        receipt: Some(receipt(number)),
        linked: None,
        amount_cents: Cents(cents),
        at: at(seconds),
        reference: String::new(),
    }
}

fn ours(number: u64, kind: Kind, cents: i64, seconds: i64) -> Ours {
    Ours {
        purse: Purse::Collection,
        kind,
        names: vec![receipt(number)],
        amount_cents: Cents(cents),
        earliest: at(seconds),
        latest: at(seconds),
        sequence: number,
        about: format!("receipt {number}"),
    }
}

fn side(lines: Vec<Theirs>, ours_total: i64) -> Side {
    let moved: i64 = lines.iter().map(|line| line.amount_cents.0).sum();
    Side {
        purses: vec![Purse::Collection],
        scope: Scope::Everything,
        opening: Some(Cents::ZERO),
        closing: Some(Cents(moved)),
        lines,
        ours_total: Cents(ours_total),
    }
}

fn counts(report: &Report) -> (u64, u64, u64, u64) {
    (
        report.matched.count,
        report.only_ours.total.count,
        report.only_theirs.total.count,
        report.different.total.count,
    )
}

#[test]
fn each_line_is_matched_or_stands_apart_with_its_age() {
    let lines = vec![
        theirs(1, Kind::Payment, 1_000, 10),
        theirs(2, Kind::Payment, 2_000, 20),
        theirs(3, Kind::Payment, 500, 199_000),
    ];
    let own = vec![
        ours(1, Kind::Payment, 1_000, 11),
        ours(2, Kind::Payment, 1_900, 21),
        ours(4, Kind::Payment, 700, 30),
    ];
    let report = compare(vec![side(lines, 3_600)], own, FROM, UNTIL, NOW);
    assert_eq!(counts(&report), (1, 1, 1, 1));
    let book = &report.books[0];
    assert_eq!(book.difference_cents, Some(Cents(-100)));
    assert_eq!((book.explained_cents, book.unexplained_cents), (Cents(-100), Some(Cents::ZERO)));
    // 700 of ours stand apart for more than two days, 500 of theirs for minutes.
    assert_eq!(report.only_ours.ages.map(|age| age.amount_cents.0), [0, 0, 700, 0]);
    assert_eq!(report.only_theirs.ages.map(|age| age.amount_cents.0), [500, 0, 0, 0]);
    assert_eq!(report.different.lines[0].difference(), Cents(100));
}

#[test]
fn a_payment_and_its_charge_share_a_number_and_are_two_lines() {
    let mut lines = vec![theirs(1, Kind::Payout, -9_000, 5), theirs(1, Kind::Charge, -500, 5)];
    let own = vec![ours(1, Kind::Charge, -500, 6), ours(1, Kind::Payout, -9_000, 6)];
    let report = compare(vec![side(lines.clone(), -9_500)], own.clone(), FROM, UNTIL, NOW);
    assert_eq!(counts(&report), (2, 0, 0, 0));
    // The same line twice is once too often.
    lines.push(theirs(1, Kind::Charge, -500, 5));
    let report = compare(vec![side(lines, -9_500)], own, FROM, UNTIL, NOW);
    assert_eq!(counts(&report), (2, 0, 1, 0));
}

#[test]
fn a_reversal_is_known_by_its_own_number_or_by_what_it_reverses() {
    let line = Theirs { linked: Some(receipt(1)), ..theirs(9, Kind::Reversal, -1_000, 40) };
    for named in [1, 9] {
        let own = vec![ours(named, Kind::Reversal, -1_000, 50)];
        let report = compare(vec![side(vec![line.clone()], -1_000)], own, FROM, UNTIL, NOW);
        assert_eq!(counts(&report), (1, 0, 0, 0), "{named}");
    }
}

#[test]
fn our_own_money_is_known_by_kind_amount_and_day() {
    let nameless = |seconds| Ours { names: Vec::new(), ..ours(5, Kind::FloatMove, -30_000, seconds) };
    for (line, seconds, matched) in [
        (theirs(7, Kind::FloatMove, -30_000, 100), 100, 1),
        (theirs(7, Kind::FloatMove, -30_000, 80_000), 100, 1),
        (theirs(7, Kind::FloatMove, -30_000, 100_000), 100, 0),
        (theirs(7, Kind::FloatMove, -30_001, 100), 100, 0),
        (theirs(7, Kind::Payment, -30_000, 100), 100, 0),
    ] {
        let sides = vec![side(vec![line.clone()], -30_000)];
        let report = compare(sides, vec![nameless(seconds)], FROM, UNTIL, NOW);
        assert_eq!(report.matched.count, matched, "{line:?}");
    }
}

#[test]
fn what_may_be_outside_the_time_compared_is_no_finding() {
    let before = Ours { earliest: at(-60), latest: at(60), ..ours(1, Kind::Payout, -100, 0) };
    let after = Ours { earliest: at(199_990), latest: at(200_000), ..ours(2, Kind::Payout, -10, 0) };
    let report = compare(vec![side(Vec::new(), -111)], vec![before, after], FROM, UNTIL, NOW);
    assert_eq!(counts(&report), (0, 0, 0, 0));
    assert_eq!(report.books[0].ours.closing_cents, Cents(-101));
    assert_eq!(report.books[0].ours.opening_cents, Cents(-101));
}

#[test]
fn what_their_side_does_not_list_is_no_finding() {
    let own = vec![ours(1, Kind::Reversal, -100, 10), ours(2, Kind::Payment, 300, 10)];
    let list = Side { scope: Scope::Payments, opening: None, closing: None, ..side(Vec::new(), 200) };
    let report = compare(vec![list], own, FROM, UNTIL, NOW);
    assert_eq!(counts(&report), (0, 1, 0, 0));
    assert_eq!(report.books[0].theirs, None);
    assert_eq!(report.books[0].difference_cents, None);
}

#[test]
fn a_statement_that_does_not_add_up_has_a_gap() {
    let torn = Side { closing: Some(Cents(950)), ..side(vec![theirs(1, Kind::Payment, 1_000, 1)], 1_000) };
    let report = compare(vec![torn], vec![ours(1, Kind::Payment, 1_000, 1)], FROM, UNTIL, NOW);
    assert_eq!(report.books[0].gap_cents, Cents(-50));
    assert_eq!(report.books[0].unexplained_cents, Some(Cents(-50)));
}

#[test]
fn decisions_are_read_back_and_unknown_ones_are_refused() {
    let all = [
        r#"{"kind":"attach","receipt":"UJ32ABCDEF","household_id":4}"#,
        r#"{"kind":"payout_paid","payout_id":7,"receipt":"UJ32ABCDEF"}"#,
        r#"{"kind":"book_deposit","receipt":"UJ32ABCDEF","shortcode":"payout","amount_cents":100}"#,
        r#"{"kind":"explained"}"#,
    ];
    for text in all {
        let decision: Decision = serde_json::from_str(text).unwrap();
        assert!(decision.is_sound());
        assert_eq!(serde_json::to_string(&decision).unwrap(), text);
    }
    for text in [
        r#"{"kind":"attach","receipt":"UJ32ABCDEF"}"#,
        r#"{"kind":"attach","receipt":"U","household_id":4}"#,
        r#"{"kind":"give_away","receipt":"UJ32ABCDEF"}"#,
        r#"{"kind":"write_off","receipt":"UJ32ABCDEF","amount_cents":1}"#,
    ] {
        assert!(serde_json::from_str::<Decision>(text).is_err(), "{text}");
    }
    let none: Decision =
        serde_json::from_str(r#"{"kind":"book_charge","receipt":"UJ32ABCDEF","amount_cents":0}"#).unwrap();
    assert!(!none.is_sound());
}

const KINDS: [Kind; 6] =
    [Kind::Payment, Kind::Payout, Kind::Charge, Kind::Reversal, Kind::FloatMove, Kind::Deposit];
const PURSES: [Purse; 3] = [Purse::Collection, Purse::Payout, Purse::Charges];

prop_compose! {
    fn a_line()(
        purse in 0_usize..3, kind in 0_usize..6, number in 0_u64..12, linked in prop::option::of(0_u64..12),
        named in any::<bool>(), cents in prop_oneof![Just(100_i64), Just(-100), -5_000_i64..5_000],
        seconds in 0_i64..200_000,
    ) -> Theirs {
        Theirs {
            purse: PURSES[purse],
            linked: linked.map(receipt),
            receipt: named.then(|| receipt(number)),
            ..theirs(number, KINDS[kind], cents, seconds)
        }
    }
}

prop_compose! {
    fn a_row()(
        purse in 0_usize..3, kind in 0_usize..6, names in prop::collection::vec(0_u64..12, 0..3),
        cents in prop_oneof![Just(100_i64), Just(-100), -5_000_i64..5_000],
        seconds in -100_000_i64..300_000, span in 0_i64..50_000, sequence in any::<u64>(),
    ) -> Ours {
        Ours {
            purse: PURSES[purse],
            names: names.into_iter().map(receipt).collect(),
            latest: at(seconds + span),
            sequence,
            ..ours(0, KINDS[kind], cents, seconds)
        }
    }
}

fn sides(lines: &[Theirs], scope: Scope, known: (Option<i64>, Option<i64>), totals: [i64; 2]) -> Vec<Side> {
    [vec![Purse::Collection], vec![Purse::Payout, Purse::Charges]]
        .into_iter()
        .zip(totals)
        .map(|(purses, total)| Side {
            lines: lines.iter().filter(|line| purses.contains(&line.purse)).cloned().collect(),
            purses,
            scope,
            opening: known.0.map(Cents),
            closing: known.1.map(Cents),
            ours_total: Cents(total),
        })
        .collect()
}

proptest! {
    #[test]
    fn everything_adds_up_whatever_the_books_say(
        lines in prop::collection::vec(a_line(), 0..25),
        rows in prop::collection::vec(a_row(), 0..25),
        scope in prop_oneof![Just(Scope::Balances), Just(Scope::Payments), Just(Scope::Everything)],
        known in (prop::option::of(-9_000_i64..9_000), prop::option::of(-9_000_i64..9_000)),
        totals in prop::array::uniform2(-9_000_i64..9_000),
    ) {
        let report = compare(sides(&lines, scope, known, totals), rows.clone(), FROM, UNTIL, NOW);
        let (matched, only_ours, only_theirs, different) = counts(&report);
        prop_assert_eq!(matched + only_theirs + different, lines.len() as u64);
        prop_assert!(matched + only_ours + different <= rows.len() as u64);
        let mut explained = 0;
        for book in &report.books {
            explained += book.explained_cents.0;
            let ours = book.ours;
            prop_assert_eq!(ours.opening_cents.0 + ours.movements_cents.0, ours.closing_cents.0);
            prop_assert_eq!(book.theirs.is_some(), known != (None, None));
            if let (Some(theirs), Some(difference)) = (book.theirs, book.difference_cents) {
                prop_assert_eq!(theirs.opening_cents.0 + theirs.movements_cents.0, theirs.closing_cents.0);
                let end = theirs.closing_cents.0 + book.gap_cents.0;
                prop_assert_eq!(difference.0, end - ours.closing_cents.0);
                prop_assert_eq!(
                    difference.0,
                    book.explained_cents.0 + book.unexplained_cents.unwrap().0
                );
            }
        }
        let apart = report.only_theirs.total.amount_cents.0 - report.only_ours.total.amount_cents.0
            + report.different.total.amount_cents.0;
        prop_assert_eq!(explained, apart);
        for ages in [report.only_ours.ages, report.only_theirs.ages, report.different.ages] {
            prop_assert!(ages.iter().map(|age| age.count).sum::<u64>() <= lines.len().max(rows.len()) as u64);
        }
        let text = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn the_order_of_lines_says_nothing(
        lines in prop::collection::vec(a_line(), 0..15), rows in prop::collection::vec(a_row(), 0..15),
    ) {
        // No two at one moment: what has no number is told apart by time.
        let lines: Vec<Theirs> =
            (0..).zip(lines).map(|(seconds, line)| Theirs { at: at(seconds), ..line }).collect();
        let mut backwards = lines.clone();
        backwards.reverse();
        let one = compare(sides(&lines, Scope::Everything, (None, None), [0, 0]), rows.clone(), FROM, UNTIL, NOW);
        let other = compare(sides(&backwards, Scope::Everything, (None, None), [0, 0]), rows, FROM, UNTIL, NOW);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn equal_books_leave_nothing_apart(numbers in prop::collection::btree_map(0_u64..500, -5_000_i64..5_000, 0..40)) {
        let lines: Vec<Theirs> =
            numbers.iter().map(|(n, cents)| theirs(*n, Kind::Payment, *cents, (*n).try_into().unwrap())).collect();
        let rows = numbers.iter().map(|(n, cents)| ours(*n, Kind::Payment, *cents, (*n).try_into().unwrap())).collect();
        let total = numbers.values().sum();
        let report = compare(vec![side(lines, total)], rows, FROM, UNTIL, NOW);
        prop_assert_eq!(counts(&report), (numbers.len() as u64, 0, 0, 0));
        prop_assert_eq!(report.books[0].unexplained_cents, Some(Cents::ZERO));
    }
}
