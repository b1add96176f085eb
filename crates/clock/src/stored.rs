//! Simulated time on disk.
//!
//! A ceiling is stored ahead of the time that services may see; a restart
//! begins at the ceiling, so time never goes back whatever was killed when.

use jirani_units::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};

/// How far ahead of the visible time the stored ceiling runs, in seconds, unless
/// [`StoredClock::ahead`] says otherwise.
const AHEAD_S: i64 = 60;

/// The file that keeps simulated time.
pub struct StoredClock {
    path: PathBuf,
    ceiling: Timestamp,
    ahead_s: i64,
}

/// The clock's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoredClockError {
    /// Reading or writing failed.
    #[error("clock.unreadable: cannot keep the simulated time in {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "clock.damaged: {path} does not hold a time; restore it from a backup or start with a new data folder"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl StoredClock {
    /// Opens `path`; a new file begins at `start`.
    pub fn open(path: &Path, start: Timestamp) -> Result<Self, StoredClockError> {
        let ceiling = match fs::read_to_string(path) {
            Ok(text) => {
                text.trim().parse().map_err(|_| StoredClockError::Damaged { path: path.to_owned() })?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => start,
            Err(source) => return Err(StoredClockError::Io { path: path.to_owned(), source }),
        };
        Ok(Self { path: path.to_owned(), ceiling, ahead_s: AHEAD_S })
    }

    /// Stores a ceiling `seconds` ahead at a time: one durable write for that much
    /// time, which is also what a restart may leap over at most.
    #[must_use]
    pub fn ahead(mut self, seconds: u32) -> Self {
        self.ahead_s = i64::from(seconds);
        self
    }

    /// Where a clock that continues from this file starts.
    pub fn start(&self) -> Timestamp {
        self.ceiling
    }

    /// Makes sure that a restart begins at `at` or later. Durable on return.
    pub fn reserve(&mut self, at: Timestamp) -> Result<(), StoredClockError> {
        if at <= self.ceiling {
            return Ok(());
        }
        let ceiling = at.plus_seconds(self.ahead_s);
        jirani_durable::replace(&self.path, format!("{ceiling}\n").as_bytes())
            .map_err(|source| StoredClockError::Io { path: self.path.clone(), source })?;
        self.ceiling = ceiling;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_begins_no_earlier_than_anything_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let start = Timestamp::from_seconds(1_000);
        let mut stored = StoredClock::open(&path, start).unwrap();
        assert_eq!(stored.start(), start);
        stored.reserve(start.plus_seconds(5)).unwrap();
        let again = StoredClock::open(&path, start).unwrap();
        assert!(again.start() >= start.plus_seconds(5));
    }

    #[test]
    fn a_damaged_file_is_named_not_guessed_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        fs::write(&path, "yesterday").unwrap();
        let error = StoredClock::open(&path, Timestamp(0)).map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("clock.damaged"), "{error}");
    }
}
