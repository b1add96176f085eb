//! The parser of statements, on bytes grown from real files: whatever comes of it, it
//! must return, and what it returns must keep the rules that money rests on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use jirani_daraja::statement::{STATEMENT_LINES_MAX, StatementKind, parse_statement};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Says how many lines were read.
fn holds(file: &[u8]) -> usize {
    let Ok(statement) = parse_statement(file) else { return 0 };
    assert!(statement.lines.len() <= STATEMENT_LINES_MAX);
    for line in &statement.lines {
        assert!(line.amount.0 != 0 && line.amount.0.abs() < 10_i64.pow(18));
        assert!(line.reference.chars().count() <= 120);
        match line.kind {
            StatementKind::Deposit => assert!(line.amount.0 > 0),
            StatementKind::Withdrawal => assert!(line.amount.0 < 0),
            _ => {}
        }
    }
    assert!(statement.lines.is_sorted_by_key(|line| line.at), "oldest first");
    let _ = (statement.opening(), statement.closing());
    statement.lines.len()
}

#[test]
fn the_seeds_are_read() {
    assert_eq!(seeds().iter().map(|seed| holds(seed)).sum::<usize>(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000)
    ))]

    #[test]
    fn bytes_cut_spliced_and_altered(
        (one, other) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        (cut, joint) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let seeds = seeds();
        let (one, other) = (one.get(&seeds), other.get(&seeds));
        let mut bytes = one[..cut.index(one.len() + 1)].to_vec();
        bytes.extend_from_slice(&other[joint.index(other.len() + 1)..]);
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        holds(&bytes);
    }

    #[test]
    fn fields_of_any_text(fields in prop::collection::vec("[-0-9,.\": A-Za-z\\n]{0,24}", 0..60)) {
        let mut file = b"Receipt No.,Completion Time,Paid In,Withdrawn,Balance,Reason Type\n".to_vec();
        for line in fields.chunks(6) {
            file.extend_from_slice(line.join(",").as_bytes());
            file.push(b'\n');
        }
        holds(&file);
    }

    #[test]
    fn a_file_in_either_order_says_the_same(amounts in prop::collection::vec(1_i64..1_000_000, 1..30)) {
        let mut balance = 0;
        let lines: Vec<String> = (0..).zip(&amounts).map(|(n, amount): (usize, _)| {
            balance += amount;
            let (whole, cents) = (amount / 100, amount % 100);
            format!(
                "UJ3000{n:04},2026-10-03 10:00:{:02},{whole}.{cents:02},,{}.{:02}\n",
                // Several in one second.
                n / 3, balance / 100, balance % 100,
            )
        }).collect();
        let head = "Receipt No.,Completion Time,Paid In,Withdrawn,Balance\n";
        let forwards = format!("{head}{}", lines.concat());
        let backwards = format!("{head}{}", lines.iter().rev().cloned().collect::<String>());
        let read = parse_statement(forwards.as_bytes()).unwrap();
        prop_assert_eq!(read.closing().map(|cents| cents.0), Some(amounts.iter().sum()));
        prop_assert_eq!(read.opening().map(|cents| cents.0), Some(0));
        prop_assert_eq!(parse_statement(backwards.as_bytes()).unwrap(), read);
    }
}
