//! Small files of scores: replaced whole, begun anew where they cannot be read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// The longest file read, in bytes.
const BYTES_MAX: u64 = 256 * 1_024 * 1_024;

/// What the file holds; a damaged one is left out and said.
pub(crate) fn load<T: DeserializeOwned + Default>(path: &Path) -> T {
    let read = || -> std::io::Result<Option<T>> {
        match std::fs::metadata(path) {
            Ok(found) if found.len() <= BYTES_MAX => Ok(Some(serde_json::from_slice(&std::fs::read(path)?)?)),
            Ok(_) => Err(std::io::Error::other("the file is too long")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    };
    match read() {
        Ok(found) => found.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "scores cannot be read and begin anew");
            T::default()
        }
    }
}

/// Stores a copy, away from the threads that serve: writing so much takes a while.
pub(crate) async fn store<T: Serialize + Send + 'static>(path: PathBuf, scores: T) {
    let stored = tokio::task::spawn_blocking(move || {
        jirani_durable::replace(&path, &serde_json::to_vec(&scores).map_err(std::io::Error::from)?)
    });
    if let Ok(Err(error)) = stored.await {
        tracing::warn!(%error, "scores are not kept; a restart forgets them");
    }
}
