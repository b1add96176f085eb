//! Files of evidence beside a real database: written, torn, lost, tampered with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_clock::ServiceClock;
use jirani_oracle::{Agreement, Segments, SegmentsConfig, SegmentsError, verify_segments};
use jirani_store::{Events, ReadingRow, SegmentRecord, Store};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, Wh};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use support::{START, enrol, id_of, record};
use tokio_util::sync::CancellationToken;

struct Place {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("test.db")).await.unwrap());
        enrol(&*store, [record(1)]).await;
        Self { folder, store }
    }

    fn files(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    fn file(&self, number: u64) -> PathBuf {
        self.files().join(format!("{number:08}.seg"))
    }

    async fn store_readings(&self, seqs: std::ops::RangeInclusive<u64>) {
        let row = |seq: u64| ReadingRow {
            meter: id_of(1),
            epoch: 1,
            seq,
            household: HouseholdId(1),
            time: START.plus_seconds(i64::try_from(seq).unwrap()),
            import_wh: Wh(seq),
            export_wh: Wh(0),
            generation_wh: Wh(0),
            power_w: 0,
            bytes: format!("the signed bytes of reading {seq}").into_bytes(),
            received_at: START,
        };
        self.store.append_readings(seqs.map(row).collect(), vec![]).await.unwrap();
    }

    /// Runs the writer until everything durable is in the files.
    async fn write(&self) {
        let config = SegmentsConfig { folder: self.files(), bytes: 1_000, age_s: 3_600 };
        let clock = ServiceClock::advanced_from(START);
        let segments = Segments::new(&config, self.store.clone(), clock, Events::new(16));
        let cancel = CancellationToken::new();
        cancel.cancel();
        segments.run(cancel).await.unwrap();
    }

    async fn verify(&self) -> Result<Agreement, SegmentsError> {
        verify_segments(self.store.clone(), &self.files()).await
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        let files = (1..1_000).map(|number| self.file(number)).take_while(|file| file.is_file());
        files.map(|file| fs::read(file).unwrap()).collect()
    }
}

#[tokio::test]
async fn files_follow_the_database_over_restarts() {
    let place = Place::new().await;
    place.write().await;
    assert_eq!(place.verify().await.unwrap().verified.records(), 0);
    for (first, last) in [(1, 30), (31, 31), (32, 90)] {
        place.store_readings(first..=last).await;
        assert_eq!(place.verify().await.unwrap().behind, last - first + 1);
        place.write().await;
        let agreement = place.verify().await.unwrap();
        assert_eq!((agreement.verified.records(), agreement.behind), (last, 0));
    }
    let known = SegmentRecord::newest(&*place.store, u64::MAX).await.unwrap();
    assert!(known.len() > 3 && known.last().unwrap().last() == 90);
    let head = hex::encode(place.verify().await.unwrap().verified.head());
    assert_eq!(known.last().unwrap().hash, head);
    assert_eq!(SegmentRecord::newest(&*place.store, 2).await.unwrap(), known[known.len() - 2..]);
}

#[tokio::test]
async fn what_is_lost_is_written_again_byte_for_byte() {
    let place = Place::new().await;
    place.store_readings(1..=80).await;
    place.write().await;
    let honest = place.bytes();
    let last = honest.len() as u64;
    for gone in [vec![1], vec![last], vec![2, 3], (1..=last).collect()] {
        for number in &gone {
            fs::remove_file(place.file(*number)).unwrap();
        }
        assert!(place.verify().await.is_err(), "{gone:?}");
        place.write().await;
        assert!(place.bytes() == honest, "{gone:?}");
        place.verify().await.unwrap();
    }
    // A tail that was being written when the power went.
    for cut in [1, 40, 90] {
        let newest = honest.last().unwrap();
        fs::write(place.file(last), &newest[..newest.len() - cut.min(newest.len() - 1)]).unwrap();
        place.write().await;
        assert!(place.bytes() == honest, "cut by {cut}");
    }
}

#[tokio::test]
async fn a_changed_file_is_named_set_aside_and_made_again() {
    let place = Place::new().await;
    place.store_readings(1..=60).await;
    place.write().await;
    let honest = place.bytes();
    let mut bytes = honest[1].clone();
    bytes[200] ^= 1;
    fs::write(place.file(2), &bytes).unwrap();
    let error = place.verify().await.unwrap_err().to_string();
    assert!(error.starts_with("evidence.changed") && error.contains("00000002.seg"), "{error}");
    place.write().await;
    assert!(place.bytes() == honest);
    assert_eq!(fs::read(place.files().join("00000002.seg.damaged")).unwrap(), bytes);
    place.verify().await.unwrap();
}

#[tokio::test]
async fn a_chain_that_holds_but_is_not_the_databases_is_found() {
    let (place, other) = (Place::new().await, Place::new().await);
    place.store_readings(1..=60).await;
    other.store_readings(2..=61).await;
    place.write().await;
    other.write().await;
    for entry in fs::read_dir(other.files()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), place.files().join(entry.file_name())).unwrap();
    }
    let error = place.verify().await.unwrap_err().to_string();
    assert!(error.starts_with("evidence.differs") && error.contains("record 1 "), "{error}");
}
