//! Files that are replaced whole: after a crash at any moment the old or the new one is there.
//!
//! For what a service keeps beside its database: a clock's ceiling, a cursor, a village, a
//! bridged device. One writer per file: the staged file has a fixed name, so that what a
//! crash leaves is written over by the next write and never piles up.

use std::fs::{self, File};
use std::io::{Result, Write as _};
use std::path::Path;

/// Replaces `path` by `bytes`, durable on return; makes its folder when there is none.
///
/// # Errors
/// What the system says; the file is then the old one, or the new one whose name is not
/// yet certain to survive a power cut.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let staged = path.with_extension("new");
    let mut file = File::create(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    // The name is the folder's to keep.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_with_its_folder_and_then_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("village/state.json");
        replace(&path, b"a long first content").unwrap();
        replace(&path, b"short").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"short");
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing staged stays");
    }

    #[test]
    fn what_a_crash_left_half_written_neither_counts_nor_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        replace(&path, b"before").unwrap();
        fs::write(path.with_extension("new"), b"af").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"before");
        replace(&path, b"after").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"after");
        assert!(!path.with_extension("new").exists());
    }
}
