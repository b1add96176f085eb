//! The files of evidence: readings' signed bytes, copied from the store in the order in
//! which they became durable there, into hash-chained segments.
//!
//! An acknowledgement never waits for them: the database is where a reading is durable
//! first, and what a lost file held is written again from it, hash for hash. What the
//! database knows of the files ([`SegmentRecord`]) is committed after they are synced, so a
//! file that ends before it was tampered with, or lost.

use jirani_clock::ServiceClock;
use jirani_evidence::{EvidenceError, Folder, Limits, Segment, Verified, Writer, verify};
use jirani_store::{Event, Events, SegmentRecord, Store, StoreError};
use jirani_units::Clock as _;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Real time between two syncs at least: what comes together is written together.
const PACE: Duration = Duration::from_secs(1);
/// Real time after which the store is asked anew, whatever was heard: other gateways store,
/// too.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Rows of a page.
const PAGE: u32 = 1_000;
const DAY_US: i64 = 86_400_000_000;

/// Where the files are, and when one is full.
#[derive(Clone, Debug)]
pub struct SegmentsConfig {
    /// The folder.
    pub folder: PathBuf,
    /// Most bytes of a segment.
    pub bytes: u64,
    /// Longest time between a segment's first record and its seal, seconds.
    pub age_s: u64,
}

/// Files of evidence that do not hold, or do not agree with the database.
#[derive(Debug, thiserror::Error)]
pub enum SegmentsError {
    /// A file.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Both hold, and say different things.
    #[error("evidence.differs: {file}: {what}")]
    Differs {
        /// The file.
        file: String,
        /// What differs, and where.
        what: String,
    },
    /// The task that reads files ended.
    #[error("evidence.interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// Files that hold and agree with the database.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The chain of files.
    pub verified: Verified,
    /// Readings that are durable and not yet in a file.
    pub behind: u64,
}

/// Keeps the files up with the store.
pub struct Segments {
    store: Arc<dyn Store>,
    clock: ServiceClock,
    events: Events,
    folder: Folder,
    limits: Limits,
    logged_day: i64,
}

impl Segments {
    /// Prepares; nothing is read or written yet.
    pub fn new(config: &SegmentsConfig, store: Arc<dyn Store>, clock: ServiceClock, events: Events) -> Self {
        let limits = Limits { bytes: config.bytes, age_s: config.age_s };
        Self { store, clock, events, folder: Folder::at(&config.folder), limits, logged_day: 0 }
    }

    /// Writes until cancelled; what is durable then is in the files when this returns. A
    /// folder that cannot be written is told and tried again: readings go on without it.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), SegmentsError> {
        while let Err(error) = self.follow(&cancel).await {
            if cancel.is_cancelled() {
                return Err(error);
            }
            tracing::error!("the files of evidence are behind, next attempt in {ASK_AGAIN:?}: {error}");
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(ASK_AGAIN) => {}
            }
        }
        Ok(())
    }

    async fn follow(&mut self, cancel: &CancellationToken) -> Result<(), SegmentsError> {
        let mut heard = self.events.subscribe();
        let mut writer = self.open().await?;
        loop {
            writer = self.copy(writer).await?;
            if cancel.is_cancelled() {
                return Ok(());
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(ASK_AGAIN) => {}
                () = async { while !matches!(heard.recv().await, Ok(Event::Reading { .. }) | Err(_)) {} } => {
                    tokio::select! {
                        () = cancel.cancelled() => {}
                        () = tokio::time::sleep(PACE) => {}
                    }
                    heard = heard.resubscribe();
                }
            }
        }
    }

    /// Opens the files, sets aside what is not what was written, and writes again what is
    /// missing, as it was.
    async fn open(&mut self) -> Result<Writer, SegmentsError> {
        let known = SegmentRecord::newest(&*self.store, u64::MAX).await?;
        let (folder, now) = (self.folder.clone(), self.clock.now().0);
        let expected = known.clone();
        let (mut writer, found) = tokio::task::spawn_blocking(move || {
            set_aside_what_differs(&folder, &expected)?;
            // Nothing is sealed but where it was.
            Writer::open(&folder, Limits { bytes: u64::MAX, age_s: u64::MAX }, now)
        })
        .await??;
        let durable = known.last().map_or(0, SegmentRecord::last);
        if found.records() < durable {
            tracing::warn!(
                from = found.records() + 1,
                to = durable,
                "lost files of evidence are written again"
            );
        }
        for segment in &known {
            while writer.next_position() <= segment.last() {
                let left = segment.last() + 1 - writer.next_position();
                let rows = self.store.stored_after(writer.next_position() - 1, page(left)).await?;
                if rows.is_empty() {
                    let what = format!("the database has no reading {}", writer.next_position());
                    return Err(SegmentsError::Differs { file: self.file(segment.number), what });
                }
                (writer, _) =
                    append(writer, rows.into_iter().map(|(_, row)| row.bytes).collect(), now).await?;
            }
            let is_open = writer.segment().is_some_and(|open| open.header.number == segment.number);
            if let (Some(at), true) = (segment.sealed_at_us, is_open) {
                writer.seal_as(at)?;
            }
        }
        writer.limit(self.limits);
        self.note(&found.segments).await?;
        Ok(writer)
    }

    /// Copies everything that is durable and in no file yet.
    async fn copy(&mut self, mut writer: Writer) -> Result<Writer, SegmentsError> {
        loop {
            let rows = self.store.stored_after(writer.next_position() - 1, PAGE).await?;
            if rows.is_empty() {
                return Ok(writer);
            }
            let now = self.clock.now();
            let touched;
            (writer, touched) =
                append(writer, rows.into_iter().map(|(_, row)| row.bytes).collect(), now.0).await?;
            self.note(&touched).await?;
            let day = now.0.div_euclid(DAY_US);
            if let Some(head) = touched.last().filter(|_| day != self.logged_day) {
                self.logged_day = day;
                // Whoever keeps this line knows later that nothing before it was rewritten.
                tracing::info!(
                    segment = head.header.number,
                    position = head.header.first + head.records - 1,
                    hash = hex::encode(head.hash),
                    "head of the evidence"
                );
            }
        }
    }

    /// Tells the database how far the files are durable.
    async fn note(&self, segments: &[Segment]) -> Result<(), StoreError> {
        if segments.is_empty() {
            return Ok(());
        }
        let records: Vec<SegmentRecord> = segments.iter().map(record_of).collect();
        self.store.commit(SegmentRecord::changes(&records)?).await.map(drop)
    }

    fn file(&self, number: u64) -> String {
        self.folder.file(number).display().to_string()
    }
}

/// Reads every file and compares it with the database: each record with the reading at its
/// place, each segment with what was durable of it.
pub async fn verify_segments(
    store: Arc<dyn Store>,
    folder: &std::path::Path,
) -> Result<Agreement, SegmentsError> {
    // First, so that files that grow meanwhile are ahead of it, never behind.
    let known = SegmentRecord::newest(&*store, u64::MAX).await?;
    let (folder, handle) = (Folder::at(folder), tokio::runtime::Handle::current());
    tokio::task::spawn_blocking(move || {
        let mut page: VecDeque<_> = VecDeque::new();
        let mut at_known = [0; 32];
        let durable = known.last().map_or(0, SegmentRecord::last);
        let verified = verify(&folder, |segment, record| {
            let differs = |what: &str| SegmentsError::Differs {
                file: folder.file(segment.header.number).display().to_string(),
                what: format!("record {} at byte {} {what}", record.position, record.offset),
            };
            if page.is_empty() {
                page = handle.block_on(store.stored_after(record.position - 1, PAGE))?.into();
            }
            match page.pop_front() {
                Some((place, row)) if place == record.position && row.bytes == record.bytes => {}
                Some(_) => return Err(differs("is another reading than the database's")),
                None => return Err(differs("is not in the database")),
            }
            if record.position == durable {
                at_known = record.hash;
            }
            Ok(())
        })?;
        let file = |number| folder.file(number).display().to_string();
        for segment in &known {
            let found = verified.segments.iter().find(|found| found.header.number == segment.number);
            let agrees = found.is_some_and(|found| {
                let whole = record_of(found) == *segment;
                // The newest may have grown since, or been sealed.
                let grown = segment.sealed_at_us.is_none()
                    && found.header.first == segment.first
                    && hex::encode(at_known) == segment.hash;
                whole || grown
            });
            if !agrees {
                let what =
                    format!("it does not hold the {} records that were durable in it", segment.records);
                return Err(SegmentsError::Differs { file: file(segment.number), what });
            }
        }
        let mut behind = 0;
        loop {
            let more = handle.block_on(store.stored_after(verified.records() + behind, PAGE))?;
            if more.is_empty() {
                return Ok(Agreement { verified, behind });
            }
            behind += more.len() as u64;
        }
    })
    .await?
}

fn record_of(segment: &Segment) -> SegmentRecord {
    SegmentRecord {
        number: segment.header.number,
        first: segment.header.first,
        records: segment.records,
        bytes: segment.bytes,
        hash: hex::encode(segment.hash),
        sealed_at_us: segment.seal.map(|seal| seal.at_us),
    }
}

fn page(left: u64) -> u32 {
    u32::try_from(left).unwrap_or(PAGE).min(PAGE)
}

async fn append(
    mut writer: Writer,
    records: Vec<Vec<u8>>,
    now_us: i64,
) -> Result<(Writer, Vec<Segment>), SegmentsError> {
    tokio::task::spawn_blocking(move || {
        let touched = writer.append(records.iter().map(Vec::as_slice), now_us)?;
        Ok((writer, touched))
    })
    .await?
}

/// Files from the first on that does not hold, or is not what was durable, get another
/// name: they are evidence, too, and the chain is made again from the database.
fn set_aside_what_differs(folder: &Folder, known: &[SegmentRecord]) -> Result<(), EvidenceError> {
    let last = folder.last()?;
    let from = match verify(folder, |_, _| Ok::<(), EvidenceError>(())) {
        Ok(verified) => {
            let differs = |(found, known): (&Segment, &SegmentRecord)| {
                known.sealed_at_us.is_some() && found.seal.is_some() && record_of(found) != *known
            };
            match verified.segments.iter().zip(known).position(differs) {
                Some(place) => place as u64 + 1,
                None => return Ok(()),
            }
        }
        Err(error @ (EvidenceError::Changed { .. } | EvidenceError::Missing { .. })) => {
            tracing::error!("{error}");
            let (EvidenceError::Changed { path, .. } | EvidenceError::Missing { path }) = &error else {
                return Err(error);
            };
            let named = (1..=last).find(|number| folder.file(*number) == *path);
            // A file that is too short to have a header is dropped by the writer.
            let is_short = std::fs::metadata(path).is_ok_and(|file| file.len() < 88);
            if is_short && named == Some(last) {
                return Ok(());
            }
            named.unwrap_or(1)
        }
        Err(error) => return Err(error),
    };
    for number in from..=last {
        let path = folder.file(number);
        if path.is_file() {
            tracing::error!("{} is set aside: it is not what was written", path.display());
            std::fs::rename(&path, path.with_extension("seg.damaged"))
                .map_err(|source| EvidenceError::Unavailable { path, source })?;
        }
    }
    Ok(())
}
