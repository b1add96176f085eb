//! Statements, the list of sales and the ledger's own commands, through the binary, on
//! what a village really did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_store::{HouseholdKind, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::Timestamp;
use std::path::Path;
use std::process::Output;
use support::binary;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    binary().env("JIRANI__DATA_DIR", folder).args(arguments).output().unwrap()
}

/// What a command that must go well prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A day's trade of a small village.
fn village(folder: &Path) {
    let arguments = ["village", "run", "--households", "4", "--days", "2", "--data-dir"];
    let output = binary().args(arguments).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The homes, and the month of the newest journal row in Nairobi.
async fn look(folder: &Path) -> (Vec<u32>, String) {
    let store = SqliteStore::open_read_only(&folder.join("jirani.db")).unwrap();
    let homes = store.households().await.unwrap();
    let homes = homes.iter().filter(|record| record.kind == HouseholdKind::Home).map(|record| record.id.0);
    let mut newest = Timestamp(0);
    let mut after = 0;
    loop {
        let rows = store.journal_after(after, 1_000).await.unwrap();
        let Some(last) = rows.last() else { break };
        (after, newest) = (last.sequence, last.transfer.at);
    }
    let month = newest.plus_seconds(3 * 3_600).to_string()[..7].to_owned();
    let homes = homes.collect();
    store.close().await;
    (homes, month)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_village_did_adds_up_on_paper() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    village(folder);
    let (homes, month) = look(folder).await;

    let verified = printed(folder, &["ledger", "verify"]);
    assert!(verified.starts_with("Rows  ") && verified.contains("Head  "), "{verified}");
    let accounts = printed(folder, &["ledger", "accounts"]);
    assert!(accounts.contains("operator_taxes") && accounts.contains("mpesa_collection"), "{accounts}");

    // Every home's statement: cents from the opening through every line to the closing.
    let mut traded = 0;
    for home in &homes {
        let home = home.to_string();
        let text = printed(folder, &["statement", "--household", &home, "--month", &month]);
        let mut rows = csv_rows(&text).into_iter().skip(1);
        let mut balance: i64 = rows.next().unwrap()[9].parse().unwrap();
        for row in rows {
            if let (Ok(gained), Ok(given)) = (row[7].parse::<i64>(), row[8].parse::<i64>()) {
                balance += gained - given;
                traded += usize::from(!row[5].is_empty() || !row[6].is_empty());
            }
            assert_eq!(row[9], balance.to_string(), "{text}");
        }
    }
    assert!(traded > 0, "nobody traded: the test tells nothing");

    // The list of sales: its taxes are the ledger's.
    let list = printed(folder, &["ledger", "tax", "--month", &month, "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["totals"]["all"]["tax_cents"], list["taxes_account"]["sales_cents"]);
    let lines = list["totals"]["all"]["lines"].as_u64().unwrap();
    assert!(lines > 0);
    let csv = printed(folder, &["ledger", "tax", "--month", &month]);
    assert_eq!(csv.lines().count() as u64, lines + 1);

    // On paper, in Kiswahili.
    let paper = folder.join("taarifa.pdf");
    let home = homes[0].to_string();
    let out = paper.to_str().unwrap();
    printed(
        folder,
        &[
            "statement",
            "--household",
            &home,
            "--month",
            &month,
            "--format",
            "pdf",
            "--language",
            "sw",
            "--out",
            out,
        ],
    );
    assert!(std::fs::read(&paper).unwrap().starts_with(b"%PDF-"));

    wrong_wishes_are_refused(folder, &month);
    a_tampered_ledger_makes_no_paper(folder, &home, &month);
}

fn csv_rows(text: &str) -> Vec<Vec<String>> {
    // Only words and money as people write it are ever quoted; numbers stand before them.
    text.lines()
        .map(|line| {
            let (mut fields, mut quoted) = (vec![String::new()], false);
            for letter in line.chars() {
                match letter {
                    '"' => quoted = !quoted,
                    ',' if !quoted => fields.push(String::new()),
                    other => fields.last_mut().unwrap().push(other),
                }
            }
            fields
        })
        .collect()
}

fn wrong_wishes_are_refused(folder: &Path, month: &str) {
    let nobody = refused(folder, &["statement", "--household", "4000", "--month", month], 1);
    assert!(nobody.contains("statement.no_household"), "{nobody}");
    let early = refused(folder, &["statement", "--household", "1", "--month", "2999-01"], 1);
    assert!(early.contains("statement.in_the_future"), "{early}");
    let no_month = refused(folder, &["statement", "--household", "1", "--month", "October"], 2);
    assert!(no_month.contains("2026-10"), "{no_month}");
    let no_file = refused(folder, &["statement", "--household", "1", "--month", month, "--format", "pdf"], 2);
    assert!(no_file.contains("--out"), "{no_file}");
    let nothing = refused(&folder.join("nothing"), &["ledger", "verify"], 2);
    assert!(nothing.contains("ledger.nothing"), "{nothing}");
}

/// Somebody goes around the program and the schema.
fn a_tampered_ledger_makes_no_paper(folder: &Path, home: &str, month: &str) {
    let code = (40i64 << 32) + home.parse::<i64>().unwrap();
    let database = rusqlite::Connection::open(folder.join("jirani.db")).unwrap();
    let changed = database
        .execute("UPDATE balances SET credits_cents = credits_cents + 1 WHERE account = ?1", [code])
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);
    let statement = refused(folder, &["statement", "--household", home, "--month", month], 1);
    assert!(statement.contains("statement.balance_differs"), "{statement}");
    let verify = refused(folder, &["ledger", "verify"], 1);
    assert!(verify.contains(&format!("ledger.balance_differs: household/{home}")), "{verify}");

    let database = rusqlite::Connection::open(folder.join("jirani.db")).unwrap();
    database.execute_batch("DROP TRIGGER transfers_stay").unwrap();
    database
        .execute("UPDATE transfers SET amount_cents = amount_cents + 100 WHERE sequence = 3", [])
        .unwrap();
    drop(database);
    let verify = refused(folder, &["ledger", "verify"], 1);
    assert!(verify.contains("journal row 3 was altered: its content"), "{verify}");
}
