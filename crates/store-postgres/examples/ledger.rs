//! How many durable transfers a second the ledger takes, in batches of 1,000 and of
//! 100, on both databases; and beside it how many the bare database takes into the same
//! tables, with the same constraints, indexes and fsyncs, from prepared statements that
//! know no rules. Prints one line of JSON.
//!
//! Both are measured in turn in short rounds and the medians taken, since a machine is
//! seldom alone.
#![allow(clippy::unwrap_used, reason = "a bench ends where it fails")]

use jirani_ledger::{Account, AccountBalance, Kind, Posting, Reason, Transfer, TransferId};
use jirani_store::{Change, Store};
use jirani_store_postgres::PostgresStore;
use jirani_store_postgres::cluster::Cluster;
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Cents, HouseholdId, Timestamp};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

const HOUSEHOLDS: u64 = 1_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1_500);

/// Transfers as a village makes them, under ids of their own: money comes in, is spent
/// with a neighbour, and some is paid out.
struct Traffic {
    next: u64,
}

impl Traffic {
    fn batch(&mut self, size: usize) -> Vec<Transfer> {
        (0..size).map(|_| self.transfer()).collect()
    }

    fn transfer(&mut self) -> Transfer {
        let number = self.next;
        self.next += 1;
        let household =
            |number: u64| Account::Household(HouseholdId(u32::try_from(number % HOUSEHOLDS).unwrap()));
        let (debit, credit, reason) = match number / HOUSEHOLDS % 4 {
            0 | 2 => (Account::MpesaCollection, household(number), Reason::Credit),
            1 => (household(number), household(number + 7), Reason::Sale),
            _ => (household(number), Account::MpesaPayout, Reason::Payout),
        };
        Transfer {
            id: TransferId::derive("bench", &number.to_be_bytes()),
            debit,
            credit,
            amount: Cents(100),
            reason,
            kind: Kind::Posted,
            memo: format!("order {number}"),
            at: Timestamp(1_795_000_000_000_000 + i64::try_from(number).unwrap()),
        }
    }
}

/// Transfers a second through `write`, for one round.
async fn round(traffic: &mut Traffic, size: usize, mut write: impl AsyncFnMut(Vec<Transfer>)) -> f64 {
    let (mut spent, mut done) = (Duration::ZERO, 0_u32);
    while spent < ROUND {
        let batch = traffic.batch(size);
        let begin = Instant::now();
        write(batch).await;
        spent += begin.elapsed();
        done += u32::try_from(size).unwrap();
    }
    f64::from(done) / spent.as_secs_f64()
}

async fn post(store: &dyn Store, batch: Vec<Transfer>) {
    let committed = store.commit(batch.into_iter().map(Change::Post).collect()).await.unwrap();
    assert!(committed.postings.iter().all(|posting| *posting == Posting::Applied));
}

/// What the bare databases are told besides the rows: counters of the accounts moved.
#[derive(Default)]
struct Bare {
    sequence: i64,
    balances: HashMap<Account, AccountBalance>,
}

impl Bare {
    /// Rows to insert, and the balances that they change.
    fn apply(&mut self, batch: &[Transfer]) -> (Vec<i64>, HashMap<Account, AccountBalance>) {
        let mut changed = HashMap::new();
        for transfer in batch {
            self.balances.entry(transfer.debit).or_default().debits.0 += transfer.amount.0;
            self.balances.entry(transfer.credit).or_default().credits.0 += transfer.amount.0;
            for account in [transfer.debit, transfer.credit] {
                changed.insert(account, self.balances[&account]);
            }
        }
        let first = self.sequence + 1;
        self.sequence += i64::try_from(batch.len()).unwrap();
        ((first..=self.sequence).collect(), changed)
    }
}

/// The bare file: every row by a prepared statement, in the thread that asks.
fn bare_sqlite(connection: &mut rusqlite::Connection, bare: &mut Bare, batch: &[Transfer]) {
    let (sequences, changed) = bare.apply(batch);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let mut insert = transaction
        .prepare_cached(
            "INSERT INTO transfers VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, NULL, ?7, ?8, 1, zeroblob(32))",
        )
        .unwrap();
    for (sequence, transfer) in sequences.iter().zip(batch) {
        let (debit, credit) = (transfer.debit.code(), transfer.credit.code());
        let row = rusqlite::params![
            sequence,
            transfer.id.0,
            debit,
            credit,
            transfer.amount.0,
            transfer.reason.code(),
            transfer.memo,
            transfer.at.0
        ];
        insert.execute(row).unwrap();
    }
    drop(insert);
    let mut upsert = transaction
        .prepare_cached(
            "INSERT INTO balances VALUES (?1, ?2, ?3, 0, 0, ?4) ON CONFLICT (account) DO UPDATE
             SET debits_cents = excluded.debits_cents, credits_cents = excluded.credits_cents",
        )
        .unwrap();
    for (account, balance) in changed {
        upsert
            .execute((account.code(), balance.debits.0, balance.credits.0, account.never_overdrawn()))
            .unwrap();
    }
    drop(upsert);
    transaction.commit().unwrap();
}

/// The bare server: a statement for all rows, one for all balances.
async fn bare_postgres(connection: &mut PgConnection, bare: &mut Bare, batch: &[Transfer]) {
    let (sequences, changed) = bare.apply(batch);
    let numbers = |number: fn(&Transfer) -> i64| batch.iter().map(number).collect::<Vec<_>>();
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO transfers SELECT sequence, id, debit, credit, amount, reason, 0, NULL, memo, at, 1, id || id
         FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
         $8::bigint[]) AS rows (sequence, id, debit, credit, amount, reason, memo, at)",
    )
    .bind(sequences)
    .bind(batch.iter().map(|transfer| &transfer.id.0[..]).collect::<Vec<_>>())
    .bind(numbers(|transfer| transfer.debit.code()))
    .bind(numbers(|transfer| transfer.credit.code()))
    .bind(numbers(|transfer| transfer.amount.0))
    .bind(numbers(|transfer| transfer.reason.code().into()))
    .bind(batch.iter().map(|transfer| &transfer.memo[..]).collect::<Vec<_>>())
    .bind(numbers(|transfer| transfer.at.0))
    .execute(&mut *transaction)
    .await
    .unwrap();
    let changed: Vec<(Account, AccountBalance)> = changed.into_iter().collect();
    sqlx::query(
        "INSERT INTO balances SELECT account, debits, credits, 0, 0, never
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS rows (account, debits, credits, never)
         ON CONFLICT (account) DO UPDATE
         SET debits_cents = excluded.debits_cents, credits_cents = excluded.credits_cents",
    )
    .bind(changed.iter().map(|(account, _)| account.code()).collect::<Vec<_>>())
    .bind(changed.iter().map(|(_, balance)| balance.debits.0).collect::<Vec<_>>())
    .bind(changed.iter().map(|(_, balance)| balance.credits.0).collect::<Vec<_>>())
    .bind(changed.iter().map(|(account, _)| i64::from(account.never_overdrawn())).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
}

/// Median, as whole transfers a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are small and positive")]
fn median(mut rates: Vec<f64>) -> u64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2].round() as u64
}

async fn sqlite(folder: &Path, size: usize) -> (u64, u64) {
    let store = SqliteStore::open(&folder.join(format!("store-{size}.db"))).await.unwrap();
    let path = folder.join(format!("bare-{size}.db"));
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut bare = rusqlite::Connection::open(&path).unwrap();
    bare.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -16384",
    )
    .unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut traffic, mut bare_traffic, mut book) =
        (Traffic { next: 0 }, Traffic { next: 0 }, Bare::default());
    for _ in 0..ROUNDS {
        ours.push(round(&mut traffic, size, async |batch| post(&store, batch).await).await);
        theirs.push(
            round(&mut bare_traffic, size, async |batch| bare_sqlite(&mut bare, &mut book, &batch)).await,
        );
    }
    jirani_store::verify::verify_ledger(&store).await.unwrap();
    store.close().await;
    (median(ours), median(theirs))
}

async fn postgres(cluster: &Cluster, size: usize) -> (u64, u64) {
    let (name, bare_name) = (cluster.database().await.unwrap(), cluster.database().await.unwrap());
    let store = PostgresStore::open(&cluster.address(&name).unwrap()).await.unwrap();
    PostgresStore::open(&cluster.address(&bare_name).unwrap()).await.unwrap().close().await;
    let mut bare = PgConnection::connect(&cluster.url(&bare_name)).await.unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut traffic, mut bare_traffic, mut book) =
        (Traffic { next: 0 }, Traffic { next: 0 }, Bare::default());
    for _ in 0..ROUNDS {
        ours.push(round(&mut traffic, size, async |batch| post(&store, batch).await).await);
        let write = async |batch: Vec<Transfer>| bare_postgres(&mut bare, &mut book, &batch).await;
        theirs.push(round(&mut bare_traffic, size, write).await);
    }
    jirani_store::verify::verify_ledger(&store).await.unwrap();
    store.close().await;
    (median(ours), median(theirs))
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let cluster =
        Cluster::start(&std::env::temp_dir(), &["-c shared_buffers=256MB -c max_wal_size=4GB"]).unwrap();
    let mut figures = serde_json::Map::new();
    for size in [1_000, 100] {
        let (ours, bare) = sqlite(folder.path(), size).await;
        figures.insert(format!("sqlite_tps_{size}"), json!(ours));
        figures.insert(format!("sqlite_raw_tps_{size}"), json!(bare));
        let (ours, bare) = postgres(&cluster, size).await;
        figures.insert(format!("postgres_tps_{size}"), json!(ours));
        figures.insert(format!("postgres_raw_tps_{size}"), json!(bare));
    }
    println!("{}", serde_json::Value::Object(figures));
}
