//! What was measured of the firmware's image, and of which sources: an image whose
//! inputs are the record's is not built anew by every test.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

const RECORD: &str = "firmware/record.toml";
/// Everything that the image is made of, from the repository's root.
const INPUTS: &[&str] = &[
    "crates/meter/Cargo.toml",
    "crates/meter/src",
    "firmware/.cargo",
    "firmware/Cargo.lock",
    "firmware/Cargo.toml",
    "firmware/logic/Cargo.toml",
    "firmware/logic/src",
    "firmware/meter",
];

/// An image's weight, in bytes, and the hash of what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// SHA-256 of the inputs, with their places.
    pub inputs_sha256: String,
    /// What stands in flash.
    pub flash_bytes: u64,
    /// RAM that is taken from the start.
    pub ram_bytes: u64,
    /// What is left of it for the stack.
    pub stack_bytes: u64,
}

impl Record {
    /// The committed one, if it is of these very inputs.
    pub fn fitting(root: &Path) -> anyhow::Result<Option<Self>> {
        let path = root.join(RECORD);
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let record: Self = toml::from_str(&text)
            .with_context(|| format!("{RECORD} is damaged; run: cargo xtask firmware, and commit it"))?;
        let inputs = inputs(root)?;
        Ok(Some(record).filter(|record| record.inputs_sha256 == inputs))
    }

    /// Writes it, to be committed.
    pub fn write(&self, root: &Path) -> anyhow::Result<()> {
        let text = format!("# Written by `cargo xtask firmware`; not by hand.\n{}", toml::to_string(self)?);
        std::fs::write(root.join(RECORD), text).with_context(|| format!("cannot write {RECORD}"))
    }
}

/// SHA-256 of the inputs, each with its place and length before it.
pub fn inputs(root: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let content = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hasher.update(file.strip_prefix(root).unwrap_or(&file).to_string_lossy().as_bytes());
        hasher.update([0]);
        hasher.update(u64::try_from(content.len())?.to_le_bytes());
        hasher.update(&content);
    }
    Ok(hex::encode(hasher.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
