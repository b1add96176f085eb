//! From one engine to the other and back: equal, byte by byte.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod support;

use jirani_ledger::Kind;
use jirani_store::archive::{CopyError, fill, fingerprint, read_backup, write_backup};
use jirani_store::suite::samples::{
    callback, collection, deposit, draw, household, landed, offer, order, outbox, payout, quarantined,
    reading, receipt, session, slot,
};
use jirani_store::verify::verify_ledger;
use jirani_store::{Archive, Change, DeskRole, OutboxState, SessionRole, Store as _, StoreError};
use jirani_store_postgres::PostgresStore;
use jirani_store_sqlite::SqliteStore;
use std::io::Cursor;
use std::path::Path;

async fn sqlite(folder: &Path, name: &str) -> SqliteStore {
    SqliteStore::open(&folder.join(name)).await.unwrap()
}

async fn postgres() -> PostgresStore {
    PostgresStore::open(&support::database().await).await.unwrap()
}

/// A little of everything, and more transfers than a page.
async fn furnish(store: &dyn Archive) {
    let hold = draw("hold", 1, 50, Kind::Hold);
    let end = draw("end", 1, 50, Kind::Void(hold.id));
    let mut changes: Vec<Change> =
        (0..1_100).map(|number: u32| Change::Post(deposit(&number.to_string(), number % 40, 100))).collect();
    changes.extend([Change::Post(hold), Change::Post(end)]);
    changes.extend([
        Change::Household(household(1)),
        Change::Offer(offer(1)),
        Change::Order(order(1)),
        Change::Collection(collection(1)),
        Change::Receipt(receipt(1)),
        Change::Payout(payout(1)),
        Change::Session(session(SessionRole::Desk(DeskRole::Operator))),
        Change::Setting { key: "Zeichen ũ".into(), value: "a\tb\"\\".into() },
        Change::Setting { key: "a".into(), value: String::new() },
    ]);
    store.commit(changes).await.unwrap();
    let mut stored = store.offer(offer(1).id).await.unwrap().unwrap();
    stored.reserved_wh.0 += 1;
    store.commit(vec![Change::Offer(stored)]).await.unwrap();
    let readings = (1..=1_050).map(|seq| reading(u32::try_from(seq % 7).unwrap(), 1, seq)).collect();
    store.append_readings(readings, vec![quarantined(1), quarantined(2)]).await.unwrap();
    store.put_slot(landed(slot(1, 1, 90))).await.unwrap();
    store.put_slot(slot(2, 1, 3)).await.unwrap();
    store.receive(callback(1)).await.unwrap();
    let id = store.receive(callback(2)).await.unwrap();
    store.commit(vec![Change::InboxDone { id, outcome: "credited".into() }]).await.unwrap();
    store.put_outbox(outbox("settle/1", OutboxState::Landed { slot: 4 })).await.unwrap();
    store.next_number("offer").await.unwrap();
}

async fn copy(from: &dyn Archive, to: &dyn Archive) -> Result<(), CopyError> {
    let mut snapshot = from.snapshot().await.unwrap();
    fill(snapshot.as_mut(), to, |_| {}).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_again_is_the_same_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (first, middle, last) =
        (sqlite(folder.path(), "first").await, postgres().await, sqlite(folder.path(), "last").await);
    assert!(first.engine().await.unwrap().starts_with("SQLite 3"));
    assert!(middle.engine().await.unwrap().starts_with("PostgreSQL "));
    furnish(&first).await;
    copy(&first, &middle).await.unwrap();
    copy(&middle, &last).await.unwrap();

    let prints = fingerprint(first.snapshot().await.unwrap().as_mut()).await.unwrap();
    assert_eq!(prints, fingerprint(middle.snapshot().await.unwrap().as_mut()).await.unwrap());
    assert_eq!(prints, fingerprint(last.snapshot().await.unwrap().as_mut()).await.unwrap());
    let rows = |table: &str| prints.iter().find(|print| print.table == table).unwrap().rows;
    assert_eq!((rows("transfers"), rows("readings"), rows("attested_rows")), (1_102, 1_050, 93));
    assert!(prints.iter().filter(|print| print.rows > 0).count() > 15, "{prints:?}");
    let head = verify_ledger(&first).await.unwrap();
    assert_eq!(verify_ledger(&middle).await.unwrap(), head);
    assert_eq!(verify_ledger(&last).await.unwrap(), head);

    // The copy is a store like any other: it goes on where the first one stood.
    let more = || vec![Change::Post(deposit("more", 1, 5))];
    for store in [&first as &dyn Archive, &middle, &last] {
        store.commit(more()).await.unwrap();
        assert_eq!(store.receive(callback(3)).await.unwrap(), 3);
        store.append_readings(vec![reading(1, 1, 2_000), reading(9, 1, 1)], vec![]).await.unwrap();
    }
    assert_eq!(verify_ledger(&first).await.unwrap(), verify_ledger(&middle).await.unwrap());
    let prints = fingerprint(first.snapshot().await.unwrap().as_mut()).await.unwrap();
    assert_eq!(prints, fingerprint(middle.snapshot().await.unwrap().as_mut()).await.unwrap());
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (sqlite(folder.path(), "one").await, postgres().await);
    let (one, other) = (one.snapshot().await.unwrap(), other.snapshot().await.unwrap());
    assert_eq!(one.tables(), other.tables());
    assert!(one.tables().iter().all(|table| !table.key.is_empty()));
}

#[tokio::test]
async fn only_an_empty_store_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (sqlite(folder.path(), "from").await, postgres().await);
    to.commit(vec![Change::Setting { key: "a".into(), value: "b".into() }]).await.unwrap();
    let refused = copy(&from, &to).await.unwrap_err();
    assert!(matches!(&refused, CopyError::NotEmpty { table, rows: 1 } if table == "settings"), "{refused}");
}

#[tokio::test]
async fn a_snapshot_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    for store in [&sqlite(folder.path(), "store").await as &dyn Archive, &postgres().await] {
        store.commit(vec![Change::Post(deposit("a", 1, 5))]).await.unwrap();
        let mut snapshot = store.snapshot().await.unwrap();
        store.commit(vec![Change::Post(deposit("b", 1, 5))]).await.unwrap();
        let prints = fingerprint(snapshot.as_mut()).await.unwrap();
        assert_eq!(prints.iter().find(|print| print.table == "transfers").unwrap().rows, 1);
    }
}

#[tokio::test]
async fn a_backup_of_one_engine_is_restored_into_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (postgres().await, sqlite(folder.path(), "to").await);
    furnish(&from).await;
    let mut file = Vec::new();
    write_backup(from.snapshot().await.unwrap().as_mut(), "PostgreSQL", &mut file).await.unwrap();
    let mut backup = read_backup(Cursor::new(file)).unwrap();
    fill(backup.as_mut(), &to, |_| {}).await.unwrap();
    let prints = fingerprint(from.snapshot().await.unwrap().as_mut()).await.unwrap();
    assert_eq!(prints, fingerprint(to.snapshot().await.unwrap().as_mut()).await.unwrap());
    assert_eq!(verify_ledger(&from).await.unwrap(), verify_ledger(&to).await.unwrap());
}

#[tokio::test]
async fn a_backup_that_was_cut_or_altered_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let from = sqlite(folder.path(), "from").await;
    from.commit(vec![Change::Post(deposit("a", 1, 5)), Change::Household(household(1))]).await.unwrap();
    let mut whole = Vec::new();
    write_backup(from.snapshot().await.unwrap().as_mut(), "SQLite", &mut whole).await.unwrap();
    read_backup(Cursor::new(whole.clone())).unwrap();
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        let cut = read_backup(Cursor::new(whole[..length].to_vec())).map(|_| ()).unwrap_err();
        assert!(matches!(cut, StoreError::Damaged { .. }), "{length}: {cut}");
    }
    let memo = b"deposit a";
    let place = whole.windows(memo.len()).position(|window| window == memo).unwrap();
    let mut altered = whole.clone();
    altered[place + 8] = b'b';
    let refused = read_backup(Cursor::new(altered)).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("altered"), "{refused}");
    let mut longer = whole;
    longer.extend_from_slice(b"[]\n");
    assert!(read_backup(Cursor::new(longer)).is_err());
}

#[tokio::test]
async fn money_is_never_loaded() {
    let folder = tempfile::tempdir().unwrap();
    for store in [&sqlite(folder.path(), "store").await as &dyn Archive, &postgres().await] {
        let tables = store.snapshot().await.unwrap().tables().to_vec();
        for table in tables.into_iter().filter(|table| ["transfers", "balances"].contains(&&table.name[..])) {
            let refused = store.load(table, vec![]).await;
            assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
        }
    }
}
