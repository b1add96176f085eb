//! The folder of segments, and its verification as a whole.

use crate::codec::Hash;
use crate::error::EvidenceError;
use crate::segment::{Next, Record, Segment, SegmentReader};
use std::path::{Path, PathBuf};

/// Where the segments are: `00000001.seg`, `00000002.seg`, ...
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Names a folder; nothing is made or read.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of a segment.
    pub fn file(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number:08}.seg"))
    }

    /// The highest number there is; 0 when there is none.
    pub fn last(&self) -> Result<u64, EvidenceError> {
        let unavailable = |source| EvidenceError::Unavailable { path: self.0.clone(), source };
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(unavailable(error)),
        };
        let mut last = 0;
        for entry in entries {
            let name = entry.map_err(unavailable)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".seg")?.parse::<u64>().ok());
            last = last.max(number.unwrap_or(0));
        }
        Ok(last)
    }
}

/// A chain that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Its segments, in order.
    pub segments: Vec<Segment>,
    /// Bytes behind the last whole record: what was being written when something stopped
    /// it. The next start cuts them off.
    pub torn_bytes: u64,
}

impl Verified {
    /// Records of all segments.
    pub fn records(&self) -> u64 {
        self.segments.last().map_or(0, |last| last.header.first + last.records - 1)
    }

    /// The chain's last hash; zeroes of an empty one.
    pub fn head(&self) -> Hash {
        self.segments.last().map_or([0; 32], |last| last.hash)
    }
}

/// Reads every byte of every segment and shows each record to `look`, in order; the first
/// that does not fit is the error. `look` may refuse one, which ends the reading.
pub fn verify<E: From<EvidenceError>>(
    folder: &Folder,
    mut look: impl FnMut(&Segment, Record) -> Result<(), E>,
) -> Result<Verified, E> {
    let mut verified = Verified::default();
    let last = folder.last()?;
    for number in 1..=last {
        let path = folder.file(number);
        if !path.is_file() {
            return Err(EvidenceError::Missing { path }.into());
        }
        let mut reader = SegmentReader::open(&path)?;
        let header = reader.segment().header;
        let changed = |what| EvidenceError::Changed { path: path.clone(), offset: 0, what };
        if header.number != number {
            return Err(changed("it says that it is another segment").into());
        }
        if header.before != verified.head() || header.first != verified.records() + 1 {
            return Err(changed("it does not continue the segment before it").into());
        }
        loop {
            match reader.step()? {
                Next::Record(record) => look(reader.segment(), record)?,
                Next::Sealed | Next::End => break,
                Next::Torn if number == last => {
                    let length = std::fs::metadata(&path).map(|file| file.len());
                    let length =
                        length.map_err(|source| EvidenceError::Unavailable { path: path.clone(), source })?;
                    verified.torn_bytes = length.saturating_sub(reader.segment().bytes);
                    break;
                }
                Next::Torn => {
                    let offset = reader.segment().bytes;
                    let what = "a sealed segment ends within a record";
                    return Err(EvidenceError::Changed { path, offset, what }.into());
                }
            }
        }
        if number < last && reader.segment().seal.is_none() {
            let offset = reader.segment().bytes;
            let what = "it has no footer, and there are later segments";
            return Err(EvidenceError::Changed { path, offset, what }.into());
        }
        verified.segments.push(*reader.segment());
    }
    Ok(verified)
}
