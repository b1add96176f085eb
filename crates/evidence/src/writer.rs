//! Appending: records to the open segment, a seal when it is full, a new one behind it.

use crate::codec::{FOOTER_BYTES, HEADER_BYTES, Header, RECORD_MAX, RECORD_OVERHEAD, Seal, chained};
use crate::error::EvidenceError;
use crate::folder::{Folder, Verified, verify};
use crate::segment::{Segment, SegmentReader};
use std::fs::File;
use std::io::Write as _;

/// When a segment is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub bytes: u64,
    /// Age of its first record, seconds.
    pub age_s: u64,
}

/// Writes on where the last writer stopped.
pub struct Writer {
    folder: Folder,
    limits: Limits,
    /// The open segment and its file; none before the first record, and after a seal.
    open: Option<(File, Segment)>,
    /// What the next segment continues: number, records and hash so far.
    end: (u64, u64, [u8; 32]),
    staged: Vec<u8>,
    opened_at_us: i64,
}

impl Writer {
    /// Reads the folder whole, cuts a torn record off the last segment, and goes on behind
    /// it. Anything else that does not hold is an error: it is not for a writer to mend.
    pub fn open(folder: &Folder, limits: Limits, now_us: i64) -> Result<(Self, Verified), EvidenceError> {
        std::fs::create_dir_all(folder.path())
            .map_err(|source| EvidenceError::Unavailable { path: folder.path().to_owned(), source })?;
        drop_empty(folder)?;
        let verified = verify(folder, |_, _| Ok::<(), EvidenceError>(()))?;
        let end = (verified.segments.len() as u64, verified.records(), verified.head());
        let mut writer = Self {
            folder: folder.clone(),
            limits,
            open: None,
            end,
            staged: Vec::new(),
            opened_at_us: now_us,
        };
        if let Some(last) = verified.segments.last().filter(|last| last.seal.is_none()) {
            let path = folder.file(last.header.number);
            let mut reader = SegmentReader::open(&path)?;
            while reader.segment().records < last.records {
                reader.step()?;
            }
            let file = reader.cut().and_then(|file| file.sync_all().map(|()| file));
            let file = file.map_err(|source| EvidenceError::Unavailable { path, source })?;
            writer.open = Some((file, *last));
        }
        Ok((writer, verified))
    }

    /// The place that the next record gets.
    pub fn next_position(&self) -> u64 {
        self.end.1 + 1
    }

    /// The open segment, or none.
    pub fn segment(&self) -> Option<&Segment> {
        self.open.as_ref().map(|(_, segment)| segment)
    }

    /// Appends records and makes them durable; gives the segments that were sealed on the
    /// way and the open one, if there is one.
    pub fn append<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a [u8]>,
        now_us: i64,
    ) -> Result<Vec<Segment>, EvidenceError> {
        let mut touched = Vec::new();
        for content in records {
            if content.is_empty() || content.len() > RECORD_MAX {
                return Err(EvidenceError::TooLarge(content.len()));
            }
            if self.is_full(content.len(), now_us) {
                touched.push(self.seal(now_us)?);
            }
            if self.open.is_none() {
                self.begin(now_us)?;
            }
            let Some((_, segment)) = &mut self.open else { continue };
            segment.hash = chained(&segment.hash, content);
            segment.records += 1;
            segment.bytes += (content.len() + RECORD_OVERHEAD) as u64;
            // A record is at most 4096 bytes.
            self.staged.extend(u32::try_from(content.len()).unwrap_or(0).to_le_bytes());
            self.staged.extend(content);
            self.staged.extend(segment.hash);
            self.end = (segment.header.number, self.end.1 + 1, segment.hash);
        }
        self.sync()?;
        touched.extend(self.segment());
        Ok(touched)
    }

    /// Seals by other limits from now on.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Seals the open segment as of this moment; it must have been begun.
    pub fn seal_as(&mut self, at_us: i64) -> Result<Option<Segment>, EvidenceError> {
        if self.open.is_some() { self.seal(at_us).map(Some) } else { Ok(None) }
    }

    fn is_full(&self, more: usize, now_us: i64) -> bool {
        let Some((_, segment)) = &self.open else { return false };
        let bytes = segment.bytes + (more + RECORD_OVERHEAD + FOOTER_BYTES) as u64;
        let age_us = i64::try_from(self.limits.age_s.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        segment.records > 0
            && (bytes > self.limits.bytes || now_us.saturating_sub(self.opened_at_us) >= age_us)
    }

    fn begin(&mut self, now_us: i64) -> Result<(), EvidenceError> {
        let (last, records, before) = self.end;
        let header = Header { number: last + 1, first: records + 1, before };
        let path = self.folder.file(header.number);
        let (bytes, hash) = header.encode();
        let create = || {
            let mut file = File::create_new(&path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            // The name must outlive a loss of power, too.
            File::open(self.folder.path())?.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(|source| EvidenceError::Unavailable { path: path.clone(), source })?;
        self.opened_at_us = now_us;
        self.end = (header.number, records, hash);
        let segment = Segment { header, records: 0, bytes: HEADER_BYTES as u64, hash, seal: None };
        self.open = Some((file, segment));
        Ok(())
    }

    fn seal(&mut self, at_us: i64) -> Result<Segment, EvidenceError> {
        self.sync()?;
        let Some((mut file, mut segment)) = self.open.take() else {
            return Err(EvidenceError::Missing { path: self.folder.file(self.end.0) });
        };
        let seal = Seal { records: segment.records, at_us };
        let (bytes, hash) = seal.encode(&segment.hash);
        file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(|source| self.unavailable(source))?;
        segment.bytes += FOOTER_BYTES as u64;
        (segment.hash, segment.seal) = (hash, Some(seal));
        self.end = (segment.header.number, self.end.1, hash);
        Ok(segment)
    }

    fn sync(&mut self) -> Result<(), EvidenceError> {
        let staged = std::mem::take(&mut self.staged);
        let Some((file, _)) = self.open.as_mut().filter(|_| !staged.is_empty()) else { return Ok(()) };
        let written = file.write_all(&staged).and_then(|()| file.sync_data());
        written.map_err(|source| self.unavailable(source))
    }

    fn unavailable(&self, source: std::io::Error) -> EvidenceError {
        EvidenceError::Unavailable { path: self.folder.file(self.end.0), source }
    }
}

/// A last file that is shorter than a header was being begun when something stopped it:
/// there is nothing in it to lose.
fn drop_empty(folder: &Folder) -> Result<(), EvidenceError> {
    let path = folder.file(folder.last()?);
    let is_short = std::fs::metadata(&path).is_ok_and(|file| file.len() < HEADER_BYTES as u64);
    if is_short {
        std::fs::remove_file(&path).map_err(|source| EvidenceError::Unavailable { path, source })?;
    }
    Ok(())
}
