//! How far the site has read the role's file, on the site's disk.
//!
//! Written after the callbacks are stored and before they are acknowledged: a
//! crash in between only has the same callbacks fetched again.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is on disk here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Name of the role's file; empty before the first callback.
    pub inbox: String,
    /// The last callback stored here.
    pub through: u64,
}

/// The position's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The system says no.
    #[error("inbox.cursor: {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "inbox.cursor_damaged: {0} is damaged; delete it, and what the inbox still holds is fetched again, which \
         changes nothing"
    )]
    Damaged(PathBuf),
}

/// The position's file.
pub struct Cursor {
    path: PathBuf,
    position: Position,
}

impl Cursor {
    /// Reads the file; there may be none yet.
    pub fn open(path: &Path) -> Result<Self, CursorError> {
        let position = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| CursorError::Damaged(path.to_owned()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Position::default(),
            Err(source) => return Err(CursorError::Io { path: path.to_owned(), source }),
        };
        Ok(Self { path: path.to_owned(), position })
    }

    /// What is on disk here.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Moves on; durable on return.
    pub fn advance(&mut self, position: Position) -> Result<(), CursorError> {
        serde_json::to_vec(&position)
            .map_err(io::Error::from)
            .and_then(|text| jirani_durable::replace(&self.path, &text))
            .map_err(|source| CursorError::Io { path: self.path.clone(), source })?;
        self.position = position;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox-position");
        let mut cursor = Cursor::open(&path).unwrap();
        assert_eq!(*cursor.position(), Position::default());
        let position = Position { inbox: "a".to_owned(), through: 7 };
        cursor.advance(position.clone()).unwrap();
        assert_eq!(*Cursor::open(&path).unwrap().position(), position);
        fs::write(&path, "{\"inbox\":").unwrap();
        assert!(matches!(Cursor::open(&path), Err(CursorError::Damaged(_))));
    }
}
