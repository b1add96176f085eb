//! The data folder: one process at a time, and what stands where.

use anyhow::{Context as _, bail};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// A data folder that this process alone works in.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Creates the folder where needed and takes its lock.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| {
            format!(
                "data.unusable: cannot create {}; set data_dir to a folder you may write to",
                path.display()
            )
        })?;
        let lock_path = path.join("lock");
        let lock =
            File::options().create(true).truncate(false).write(true).open(&lock_path).with_context(|| {
                format!(
                    "data.unusable: cannot write in {}; set data_dir to a folder you may write to",
                    path.display()
                )
            })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "data.in_use: another jirani works in {}; stop it first, or set data_dir to another folder",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("data.unusable: cannot lock {}", lock_path.display()))
            }
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where keys are.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// Where simulated time is.
    pub fn clock(&self) -> PathBuf {
        self.path.join("clock")
    }

    /// Where the embedded chain is.
    pub fn chain(&self) -> PathBuf {
        self.path.join("chain")
    }

    /// Where the emulator is.
    pub fn mpesa(&self) -> PathBuf {
        self.path.join("mpesa")
    }

    /// Where the village's meters are.
    pub fn village(&self) -> PathBuf {
        self.path.join("village")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_cannot_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let error = DataFolder::open(folder.path()).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("data.in_use"), "{error}");
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_said_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = format!("{:#}", DataFolder::open(&file.join("below")).map(|_| ()).unwrap_err());
        assert!(error.starts_with("data.unusable"), "{error}");
    }
}
