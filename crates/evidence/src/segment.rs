//! Reading one segment, from its first byte on.

use crate::codec::{
    FOOTER_BYTES, HEADER_BYTES, Hash, Header, MAGIC, RECORD_MAX, RECORD_OVERHEAD, Seal, chained,
};
use crate::error::EvidenceError;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// A record as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the order of all records, from 1.
    pub position: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// What was signed.
    pub bytes: Vec<u8>,
    /// The chain's hash after it.
    pub hash: Hash,
}

/// A segment that was read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it says of itself.
    pub header: Header,
    /// How many records it has.
    pub records: u64,
    /// Bytes that hold, the footer included.
    pub bytes: u64,
    /// The chain's hash at its end.
    pub hash: Hash,
    /// Its seal, if it is sealed.
    pub seal: Option<Seal>,
}

/// How a file's reading ended where a record should begin.
pub(crate) enum Next {
    Record(Record),
    Sealed,
    /// The file ends here, between two records.
    End,
    /// It ends within a record: what was being written when something stopped it.
    Torn,
}

/// Reads a segment's records one by one.
pub struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    read: Segment,
}

impl SegmentReader {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        let unavailable = |source| EvidenceError::Unavailable { path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(unavailable)?);
        let mut bytes = [0; HEADER_BYTES];
        let changed = |what| EvidenceError::Changed { path: path.to_owned(), offset: 0, what };
        file.read_exact(&mut bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => changed("it is shorter than a header"),
            _ => unavailable(error),
        })?;
        if bytes[..8] != MAGIC[..] {
            return Err(changed("it is no segment"));
        }
        let (header, hash) =
            Header::decode(&bytes).ok_or_else(|| changed("the header is not what was written"))?;
        let read = Segment { header, records: 0, bytes: HEADER_BYTES as u64, hash, seal: None };
        Ok(Self { path: path.to_owned(), file, read })
    }

    /// What has been read so far.
    pub fn segment(&self) -> &Segment {
        &self.read
    }

    /// The next record; `None` at the end. A file that ends within a record is
    /// `evidence.changed`: only a writer may cut it.
    pub fn record(&mut self) -> Result<Option<Record>, EvidenceError> {
        match self.step()? {
            Next::Record(record) => Ok(Some(record)),
            Next::Sealed | Next::End => Ok(None),
            Next::Torn => Err(self.changed("the file ends within a record")),
        }
    }

    /// The record that begins at `offset`, chained to what the file says stands before it.
    pub fn record_at(mut self, offset: u64) -> Result<Option<Record>, EvidenceError> {
        loop {
            match self.record()? {
                Some(record) if record.offset == offset => return Ok(Some(record)),
                Some(record) if record.offset < offset => {}
                _ => return Ok(None),
            }
        }
    }

    pub(crate) fn step(&mut self) -> Result<Next, EvidenceError> {
        if self.read.seal.is_some() {
            return Ok(Next::Sealed);
        }
        let offset = self.read.bytes;
        let mut length = [0; 4];
        match self.fill(&mut length)? {
            0 => return Ok(Next::End),
            4 => {}
            _ => return Ok(Next::Torn),
        }
        let length = u32::from_le_bytes(length);
        if length == 0 {
            return self.seal();
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RECORD_MAX {
            return Err(self.changed("a record's length is not what was written"));
        }
        let mut bytes = vec![0; length];
        let mut hash = [0; 32];
        if self.fill(&mut bytes)? < length || self.fill(&mut hash)? < hash.len() {
            return Ok(Next::Torn);
        }
        if chained(&self.read.hash, &bytes) != hash {
            return Err(self.changed("a record is not what was written"));
        }
        let position = self.read.header.first + self.read.records;
        self.read.records += 1;
        self.read.bytes += (length + RECORD_OVERHEAD) as u64;
        self.read.hash = hash;
        Ok(Next::Record(Record { position, offset, bytes, hash }))
    }

    fn seal(&mut self) -> Result<Next, EvidenceError> {
        let mut bytes = [0; FOOTER_BYTES];
        if self.fill(&mut bytes[4..])? < FOOTER_BYTES - 4 {
            return Ok(Next::Torn);
        }
        let sealed =
            Seal::decode(&bytes, &self.read.hash).filter(|(seal, _)| seal.records == self.read.records);
        let (seal, hash) = sealed.ok_or_else(|| self.changed("the footer is not what was written"))?;
        self.read.bytes += FOOTER_BYTES as u64;
        (self.read.hash, self.read.seal) = (hash, Some(seal));
        if self.fill(&mut [0])? > 0 {
            return Err(self.changed("something was written behind the footer"));
        }
        Ok(Next::Sealed)
    }

    /// Reads as many bytes as there are, up to all.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<usize, EvidenceError> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(EvidenceError::Unavailable { path: self.path.clone(), source }),
            }
        }
        Ok(filled)
    }

    fn changed(&self, what: &'static str) -> EvidenceError {
        EvidenceError::Changed { path: self.path.clone(), offset: self.read.bytes, what }
    }

    /// The file, for writing on behind what was read; cut there.
    pub(crate) fn cut(self) -> std::io::Result<File> {
        let mut file = File::options().read(true).write(true).open(&self.path)?;
        file.set_len(self.read.bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }
}
