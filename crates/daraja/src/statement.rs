//! An organisation's statement, as M-Pesa's portal gives it: a CSV file of thirteen
//! columns, newest or oldest line first, with a preamble or without.
//!
//! Tolerant of the order and number of columns, of case and spaces in their names, of
//! thousands' commas, of `Paid In` and `Withdrawn` with or without signs, and of a
//! byte order mark. Bounded: [`STATEMENT_BYTES_MAX`], [`STATEMENT_LINES_MAX`]. A line
//! whose amount or time cannot be read is counted, never guessed at; one that did not
//! complete moved nothing and is left out.

use crate::callback::loose::signed_cents;
use crate::nairobi;
use jirani_units::{Cents, Receipt, Timestamp};

/// The largest file that is read, in bytes.
pub const STATEMENT_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// The most lines that are read.
pub const STATEMENT_LINES_MAX: usize = 100_000;
/// Lines before the one that names the columns, at most.
const PREAMBLE_MAX: usize = 20;
/// The longest text that is kept of a field, in characters.
const TEXT_MAX: usize = 120;

/// What a line of a statement is about, by its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// A customer paid.
    Payment,
    /// Paid out to a customer.
    Payout,
    /// M-Pesa's charge.
    Charge,
    /// Taken back, or given back.
    Reversal,
    /// Between accounts of the organisation.
    FloatMove,
    /// From the bank.
    Deposit,
    /// To the bank.
    Withdrawal,
    /// Anything else.
    Other,
}

/// A completed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// M-Pesa's number; a charge repeats that of what was charged for.
    pub receipt: Option<Receipt>,
    /// When it was completed.
    pub at: Timestamp,
    /// What it is about.
    pub kind: StatementKind,
    /// What came; below zero: what went. Never zero.
    pub amount: Cents,
    /// The balance after it, where told.
    pub balance: Option<Cents>,
    /// The number of what this one reverses.
    pub linked: Option<Receipt>,
    /// The account reference that a payer typed.
    pub reference: String,
}

/// A statement that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Completed lines, oldest first.
    pub lines: Vec<StatementLine>,
    /// Lines that nobody can read: a person's business.
    pub unreadable: u32,
}

impl Statement {
    /// The balance before the first line, where it is told.
    pub fn opening(&self) -> Option<Cents> {
        let first = self.lines.first()?;
        first.balance?.0.checked_sub(first.amount.0).map(Cents)
    }

    /// The balance after the last line, where it is told.
    pub fn closing(&self) -> Option<Cents> {
        self.lines.last()?.balance
    }
}

/// Why a file is no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Too many bytes or lines.
    #[error("statement.too_large: the statement has more than 8 MiB or 100,000 lines; export a shorter time")]
    TooLarge,
    /// No line names the columns.
    #[error(
        "statement.no_columns: no line names the columns Receipt No., Completion Time, Paid In and Withdrawn; \
         export the statement as CSV from the M-PESA organisation portal"
    )]
    NoColumns,
}

/// Where the columns stand.
struct Columns {
    receipt: usize,
    completed: usize,
    paid_in: usize,
    withdrawn: usize,
    details: Option<usize>,
    status: Option<usize>,
    balance: Option<usize>,
    reason: Option<usize>,
    linked: Option<usize>,
    reference: Option<usize>,
}

impl Columns {
    fn of(record: &csv::ByteRecord) -> Option<Self> {
        let names: Vec<String> = record
            .iter()
            .map(|name| name.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase))
            .map(|name| name.map(char::from).collect())
            .collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        Some(Self {
            receipt: place(&["receiptno", "receiptnumber", "receipt"])?,
            completed: place(&["completiontime", "completed", "completiondate"])?,
            paid_in: place(&["paidin"])?,
            withdrawn: place(&["withdrawn", "paidout"])?,
            details: place(&["details"]),
            status: place(&["transactionstatus", "status"]),
            balance: place(&["balance"]),
            reason: place(&["reasontype", "transactiontype"]),
            linked: place(&["linkedtransactionid"]),
            reference: place(&["acno", "accountno", "accountreference"]),
        })
    }
}

enum Line {
    Read(StatementLine),
    /// It moved nothing.
    Void,
    Unreadable,
}

/// Reads a statement.
pub fn parse_statement(file: &[u8]) -> Result<Statement, StatementError> {
    if file.len() > STATEMENT_BYTES_MAX {
        return Err(StatementError::TooLarge);
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut record = csv::ByteRecord::new();
    let mut columns = None;
    for _ in 0..PREAMBLE_MAX {
        if !reader.read_byte_record(&mut record).unwrap_or(false) {
            break;
        }
        columns = Columns::of(&record);
        if columns.is_some() {
            break;
        }
    }
    let columns = columns.ok_or(StatementError::NoColumns)?;
    let mut statement = Statement::default();
    for seen in 0.. {
        match reader.read_byte_record(&mut record) {
            Ok(true) if seen >= STATEMENT_LINES_MAX => return Err(StatementError::TooLarge),
            Ok(true) => match line(&columns, &record) {
                Line::Read(line) => statement.lines.push(line),
                Line::Void => {}
                Line::Unreadable => statement.unreadable += 1,
            },
            Ok(false) => break,
            // Reading from memory fails in no other way than for its form.
            Err(_) => {
                statement.unreadable += 1;
                break;
            }
        }
    }
    oldest_first(&mut statement.lines);
    Ok(statement)
}

/// A file in the other order is turned round before it is sorted, so that lines of
/// one second stay in the order in which they happened.
fn oldest_first(lines: &mut [StatementLine]) {
    if let [first, .., last] = &lines
        && (first.at > last.at || (first.at == last.at && runs_backwards(lines)))
    {
        lines.reverse();
    }
    lines.sort_by_key(|line| line.at);
}

/// Whether the balances of the first two lines follow each other from below.
fn runs_backwards(lines: &[StatementLine]) -> bool {
    let [first, second, ..] = lines else { return false };
    let (Some(upper), Some(lower)) = (first.balance, second.balance) else { return false };
    upper.0.checked_sub(first.amount.0) == Some(lower.0)
}

fn line(columns: &Columns, record: &csv::ByteRecord) -> Line {
    let text = |place: usize| {
        let bytes = record.get(place).unwrap_or_default();
        String::from_utf8_lossy(bytes).trim().chars().take(TEXT_MAX).collect::<String>()
    };
    let maybe = |place: Option<usize>| place.map(&text).unwrap_or_default();
    if record.iter().all(|field| field.trim_ascii().is_empty()) {
        return Line::Void;
    }
    let status = maybe(columns.status).to_ascii_lowercase();
    if !status.is_empty() && status != "completed" {
        return Line::Void;
    }
    let amounts = (cents(&text(columns.paid_in)), cents(&text(columns.withdrawn)));
    let (Some(paid_in), Some(withdrawn)) = amounts else { return Line::Unreadable };
    let number = text(columns.receipt);
    let receipt = number.parse().ok();
    let Some(at) = time(&text(columns.completed)) else { return Line::Unreadable };
    // Both at once, or a receipt that is none, is no line of a statement.
    if (paid_in != 0 && withdrawn != 0) || (receipt.is_none() && !number.is_empty()) {
        return Line::Unreadable;
    }
    let amount = Cents(paid_in.abs() - withdrawn.abs());
    if amount == Cents::ZERO {
        return Line::Void;
    }
    let linked = maybe(columns.linked).parse().ok();
    let kind = kind(&maybe(columns.reason), &maybe(columns.details), amount);
    let balance = columns.balance.map(&text).filter(|text| !text.is_empty());
    Line::Read(StatementLine {
        receipt,
        at,
        kind,
        amount,
        balance: balance.and_then(|text| cents(&text)).map(Cents),
        linked,
        reference: maybe(columns.reference),
    })
}

/// Cents of `1,234.50`; zero of nothing.
fn cents(text: &str) -> Option<i64> {
    let text: String = text.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    if text.is_empty() { Some(0) } else { signed_cents(&text) }
}

/// Nairobi's time, also as `03-10-2026 13:15:22` and `03/10/2026 13:15:22`.
fn time(text: &str) -> Option<Timestamp> {
    let dotted = match text.as_bytes() {
        [_, _, b'-' | b'/', _, _, b'-' | b'/', ..] => text.replacen(['-', '/'], ".", 2),
        _ => text.to_owned(),
    };
    nairobi::parse(&dotted)
}

fn kind(reason: &str, details: &str, amount: Cents) -> StatementKind {
    let of = |text: &str| {
        let text = text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(&["revers"]) {
            Some(StatementKind::Reversal)
        } else if says(&["charge", "fee"]) {
            Some(StatementKind::Charge)
        } else if says(&["opening float", "business cash", "deposit", "bank"]) {
            Some(if amount.is_positive() { StatementKind::Deposit } else { StatementKind::Withdrawal })
        } else if says(&[
            "float",
            "organization",
            "organisation",
            "utility account",
            "b2b",
            "business pay to bulk",
        ]) {
            Some(StatementKind::FloatMove)
        } else if says(&["business payment", "salary", "promotion", "payout", "b2c"]) {
            Some(StatementKind::Payout)
        } else if says(&["pay bill", "paybill", "customer", "merchant payment", "buy goods"]) {
            Some(StatementKind::Payment)
        } else {
            None
        }
    };
    of(reason).or_else(|| of(details)).unwrap_or(StatementKind::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTAL: &str = "\u{feff}Organization Statement,,\nShort Code:,600966,\n\n\
        Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance \
        Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.\n\
        UJ32ABCDE3,03-10-2026 13:15:24,03-10-2026 13:15:24,\"Reversal, of UJ32ABCDE1\",Completed,,\"-1,200.00\",\
        \"2,300.50\",true,Transaction Reversal,,UJ32ABCDE1,\n\
        UJ32ABCDE2,03-10-2026 13:15:23,,Pay Bill,Cancelled,9.00,,,,Pay Utility,,,\n\
        UJ32ABCDE1,2026-10-03 13:15:22,,Pay Bill from 2547,Completed,\"1,200.00\",,3500.50,true,Pay Bill,,,ORD0192\n\
        UJ32ABCDE0,not a time,,Pay Bill,Completed,1.00,,,,,,,\n";

    #[test]
    fn a_file_of_the_portal_is_read_oldest_first() {
        let statement = parse_statement(PORTAL.as_bytes()).unwrap();
        assert_eq!(statement.unreadable, 1);
        assert_eq!((statement.opening(), statement.closing()), (Some(Cents(230_050)), Some(Cents(230_050))));
        let [paid, back] = &statement.lines[..] else { panic!("{statement:?}") };
        assert_eq!((paid.kind, paid.amount), (StatementKind::Payment, Cents(120_000)));
        assert_eq!(paid.at.to_string(), "2026-10-03T10:15:22Z");
        assert_eq!(paid.reference, "ORD0192");
        assert_eq!((back.kind, back.amount), (StatementKind::Reversal, Cents(-120_000)));
        assert_eq!(back.linked, paid.receipt);
    }

    #[test]
    fn words_say_what_a_line_is_about() {
        for (reason, details, cents, kind) in [
            ("pay bill", "", 1, StatementKind::Payment),
            ("pay bill charge", "", -1, StatementKind::Charge),
            ("payout", "", -1, StatementKind::Payout),
            ("payout charge", "", -1, StatementKind::Charge),
            ("business cash", "", 1, StatementKind::Deposit),
            ("opening float", "", 1, StatementKind::Deposit),
            ("business cash", "", -1, StatementKind::Withdrawal),
            ("float move", "", -1, StatementKind::FloatMove),
            ("reversal", "", -1, StatementKind::Reversal),
            ("", "Business Payment to 2547", -1, StatementKind::Payout),
            ("Pay Utility", "Organization Settlement", -1, StatementKind::FloatMove),
            ("?", "", 1, StatementKind::Other),
        ] {
            assert_eq!(super::kind(reason, details, Cents(cents)), kind, "{reason} {details}");
        }
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        assert_eq!(parse_statement(b""), Err(StatementError::NoColumns));
        assert_eq!(parse_statement(b"a,b\n1,2\n"), Err(StatementError::NoColumns));
        assert_eq!(parse_statement(&vec![b'a'; STATEMENT_BYTES_MAX + 1]), Err(StatementError::TooLarge));
        let mut long = b"Receipt No.,Completion Time,Paid In,Withdrawn\n".to_vec();
        long.extend(b"x,y,1,\n".repeat(STATEMENT_LINES_MAX + 1));
        assert_eq!(parse_statement(&long), Err(StatementError::TooLarge));
    }
}
