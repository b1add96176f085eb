//! A process killed at any moment loses nothing that it was told is kept.
//!
//! The parent starts this very test program as a child that writes from several
//! tasks and prints a line for every write that was answered; kills it with
//! SIGKILL after some of them; opens the file and looks for every one. (A kill does
//! not test the fsync itself: the kernel still has the pages.)
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::Posting;
use jirani_store::suite::samples::{deposit, reading};
use jirani_store::verify::verify_ledger;
use jirani_store::{Appended, Change, Store as _};
use jirani_store_sqlite::SqliteStore;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::task::JoinSet;

const FILE: &str = "JIRANI_TEST_KILLED_FILE";
const ROUND: &str = "JIRANI_TEST_KILLED_ROUND";
const TASKS: u32 = 6;

/// A write that the child was told is kept.
#[derive(Debug)]
struct Kept {
    round: u32,
    task: u32,
    number: u64,
}

impl Kept {
    fn transfer(&self) -> Change {
        Change::Post(deposit(&format!("{}/{}/{}", self.round, self.task, self.number), 1, 7))
    }

    fn household(&self) -> u32 {
        100 * self.round + self.task
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of the test below"]
async fn child() {
    let (Ok(file), Ok(round)) = (std::env::var(FILE), std::env::var(ROUND)) else { return };
    let round = round.parse().unwrap();
    let store = Arc::new(SqliteStore::open(Path::new(&file)).await.unwrap());
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for number in 0.. {
                let write = Kept { round, task, number };
                let setting = Change::Setting { key: format!("{round}/{task}"), value: number.to_string() };
                store.commit(vec![setting, write.transfer()]).await.unwrap();
                store.append_readings(vec![reading(write.household(), 1, number)], vec![]).await.unwrap();
                println!("\nkept {task} {number}");
            }
        });
    }
    tasks.join_next().await;
}

/// Runs a child until it has told of `kills_after` writes; returns all it told of.
fn run_and_kill(file: &Path, round: u32, kill_after: usize) -> Vec<Kept> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(FILE, file)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut kept = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        // The last line may have been cut by the kill.
        if let ["kept", task, number] = words[..]
            && let (Ok(task), Ok(number)) = (task.parse(), number.parse())
        {
            kept.push(Kept { round, task, number });
            if kept.len() == kill_after {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert!(kept.len() >= kill_after, "the child ended by itself after {} writes", kept.len());
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answered_write_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jirani.db");
    let mut kept = Vec::new();
    for (round, kill_after) in (1..).zip([1, 40, 7, 150, 23, 90]) {
        kept.extend(run_and_kill(&file, round, kill_after));
        let store = SqliteStore::open(&file).await.unwrap();
        verify_ledger(&store).await.unwrap();
        for write in &kept {
            let again = store.commit(vec![write.transfer()]).await.unwrap();
            assert_eq!(again.postings, [Posting::AlreadyApplied], "{write:?}");
        }
        let readings = kept.iter().map(|write| reading(write.household(), 1, write.number)).collect();
        let again = store.append_readings(readings, vec![]).await.unwrap();
        assert!(again.iter().all(|outcome| *outcome == Appended::Duplicate));
        // What stood in one commit is there together or not at all.
        for task in 0..TASKS {
            let Some(last) = store.setting(&format!("{round}/{task}")).await.unwrap() else { continue };
            let last = Kept { round, task, number: last.parse().unwrap() };
            let again = store.commit(vec![last.transfer()]).await.unwrap();
            assert_eq!(again.postings, [Posting::AlreadyApplied], "{last:?}");
        }
        store.close().await;
    }
}
