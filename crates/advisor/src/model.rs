//! What was learned, as a file: versioned, summed, replaced whole, the one before kept.
//!
//! The first line names the form and the sum of the rest, so that a file that was cut or
//! changed is refused before anything of it is believed; the rest is JSON, which refuses
//! models of other versions by itself.

use jirani_forecast::learn::Learned;
use jirani_units::Timestamp;
use sha2::{Digest as _, Sha256};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const HEAD: &str = "jirani-forecast-model 1 ";
/// The longest file read, in bytes; a model of seven levels is some 10 MB.
const BYTES_MAX: u64 = 128 * 1_024 * 1_024;

/// Why there is no stored model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// What the system says.
    #[error("forecast.model_file: {0}")]
    System(#[from] std::io::Error),
    /// Cut, changed, or of another version.
    #[error("forecast.model_damaged: {0} is not a whole model of this version; it is learned anew")]
    Damaged(PathBuf),
}

/// A model with what is known of its making.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// When it was learned: its version.
    pub learned_at: Timestamp,
    /// Whether its lessons had weather; without, it must not be told any.
    pub weathered: bool,
    /// Of what panels make.
    pub production: Learned,
    /// Of what is used.
    pub consumption: Learned,
}

/// Which of two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The last.
    Current,
    /// The one before.
    Previous,
}

/// What becomes of the model that a new one follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It stands in for the new one.
    StandsIn,
    /// It goes: another that is better stands in.
    Goes,
}

fn path(folder: &Path, which: Which) -> PathBuf {
    folder.join(match which {
        Which::Current => "model.json",
        Which::Previous => "model-previous.json",
    })
}

/// The stored model; `None` where none was ever stored.
pub fn load(folder: &Path, which: Which) -> Result<Option<Model>, ModelError> {
    let path = path(folder, which);
    let length = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let damaged = || ModelError::Damaged(path.clone());
    if length > BYTES_MAX {
        return Err(damaged());
    }
    let bytes = std::fs::read(&path)?;
    let json = whole(&bytes).ok_or_else(damaged)?;
    serde_json::from_slice(json).map(Some).map_err(|_| damaged())
}

/// What stands behind a first line that tells its sum; `None` if it does not.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (head, json) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    (head == first_line(json).as_bytes()).then_some(json)
}

/// Stores a model; the one that stood there becomes the previous one if it is to stand in for
/// it, unless it is damaged.
pub fn store(folder: &Path, model: &Model, before: Before) -> Result<(), ModelError> {
    match std::fs::read(path(folder, Which::Current)) {
        _ if before == Before::Goes => {}
        Ok(before) if whole(&before).is_some() => {
            jirani_durable::replace(&path(folder, Which::Previous), &before)?;
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let json = serde_json::to_vec(model).map_err(std::io::Error::from)?;
    let mut bytes = first_line(&json).into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(&json);
    Ok(jirani_durable::replace(&path(folder, Which::Current), &bytes)?)
}

fn first_line(json: &[u8]) -> String {
    Sha256::digest(json).iter().fold(HEAD.to_owned(), |line, byte| format!("{line}{byte:02x}"))
}
