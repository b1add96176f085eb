//! The data folder: one process at a time, and what stands where.

use anyhow::{Context as _, bail};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// A data folder that this process alone works in.
pub struct DataFolder {
    path: PathBuf,
    keeps: Keeps,
    _lock: File,
}

/// What of a system is kept in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// All of it.
    Everything,
    /// What is ours. The embedded chain, the M-Pesa emulator, the meters and the time, which
    /// stand for the world outside, are in memory: for folders that are gone at the end of a
    /// run.
    Ours,
}

impl DataFolder {
    /// Creates the folder where needed and takes its lock.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::open_for(path, Keeps::Everything)
    }

    /// As [`Self::open`], for as much as `keeps` says.
    pub fn open_for(path: &Path, keeps: Keeps) -> anyhow::Result<Self> {
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
            Ok(()) => Ok(Self { path: path.to_owned(), keeps, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "data.in_use: another jirani works in {}; stop it first, or set data_dir to another folder",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("data.unusable: cannot lock {}", lock_path.display()))
            }
        }
    }

    /// What is kept in it.
    pub const fn keeps(&self) -> Keeps {
        self.keeps
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

    /// Where images for meters are put.
    pub fn firmware(&self) -> PathBuf {
        self.path.join("firmware")
    }

    /// Where the embedded chain is; none in memory.
    pub fn chain(&self) -> Option<PathBuf> {
        self.outside("chain")
    }

    /// Where the emulator is; none in memory.
    pub fn mpesa(&self) -> Option<PathBuf> {
        self.outside("mpesa")
    }

    /// Where the bridged devices are: theirs are our meters.
    pub fn bridge(&self) -> PathBuf {
        self.path.join("bridge")
    }

    fn outside(&self, name: &str) -> Option<PathBuf> {
        match self.keeps {
            Keeps::Everything => Some(self.path.join(name)),
            Keeps::Ours => None,
        }
    }

    /// Where the village's meters are; none in memory.
    pub fn village(&self) -> Option<PathBuf> {
        self.outside("village")
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
