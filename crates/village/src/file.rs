//! What a village must not forget: registers, numbers and unacknowledged readings
//! of its meters, and how far it is. Written whole, before anything is published:
//! whatever is killed when, the next start goes on with registers that never fall.

use crate::error::VillageError;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The file in the village's folder.
const NAME: &str = "village.json";
const VERSION: u32 = 1;

/// A village at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredVillage {
    version: u32,
    /// Which village this is.
    pub identity: Identity,
    /// Slots whose energy is in the registers.
    pub slots_counted: u64,
    /// What the battery holds.
    pub battery_wh: u64,
    /// Sun that nobody could take so far.
    pub curtailed_wh: u64,
    /// Load that nobody could serve so far.
    pub unserved_wh: u64,
    /// Slots that passed while the village was down.
    pub slots_missed: u64,
    /// Meters, in the order of their records.
    pub meters: Vec<StoredMeter>,
}

/// What tells one village from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Everything random follows from it.
    pub seed: u64,
    /// Homes.
    pub households: u32,
    /// Settlement interval in seconds.
    pub slot_length_s: u32,
    /// Microseconds since 1970 at the beginning of slot 0.
    pub start_us: i64,
    /// Where the profiles come from.
    pub source: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} homes, {}-second slots from {}, seed {}, {}",
            self.households,
            self.slot_length_s,
            jirani_units::Timestamp(self.start_us),
            self.seed,
            self.source
        )
    }
}

/// A meter at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredMeter {
    pub epoch: u32,
    pub last_seq: u64,
    pub last_time_us: u64,
    pub import_wh: u64,
    pub export_wh: u64,
    pub generation_wh: u64,
    /// First 8 bytes of the last reading's hash, in hexadecimal.
    pub previous: String,
    /// Readings nobody has acknowledged, but for the slots' first: number and bytes in
    /// hexadecimal.
    pub unacknowledged: Vec<(u64, String)>,
    /// The slots' first ones.
    #[serde(default)]
    pub boundaries: Vec<(u64, String)>,
    /// Whether the relay is open.
    #[serde(default)]
    pub relay_open: bool,
    /// Number of the last relay command that was obeyed.
    #[serde(default)]
    pub last_command: u64,
    /// Number of the last other command that was obeyed.
    #[serde(default)]
    pub last_order: u64,
    /// Seconds between readings that the operator wants; 0 for every slot.
    #[serde(default)]
    pub interval_s: u32,
    /// Flags that no reading has told of yet.
    #[serde(default)]
    pub untold: u32,
}

impl StoredVillage {
    /// A village that has not begun.
    pub fn new(identity: Identity, battery_wh: u64, meters: usize) -> Self {
        Self {
            version: VERSION,
            identity,
            slots_counted: 0,
            battery_wh,
            curtailed_wh: 0,
            unserved_wh: 0,
            slots_missed: 0,
            meters: vec![StoredMeter::default(); meters],
        }
    }
}

/// Where a village rests; nowhere for one that need not survive.
#[derive(Debug)]
pub struct VillageFile(Option<PathBuf>);

impl VillageFile {
    pub fn in_folder(folder: Option<&Path>) -> Self {
        Self(folder.map(|folder| folder.join(NAME)))
    }

    /// The village at rest here, if there is one.
    pub fn read(&self) -> Result<Option<StoredVillage>, VillageError> {
        let Some(path) = &self.0 else { return Ok(None) };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(VillageError::Unreadable { path: path.clone(), source }),
        };
        let damaged = |problem: String| VillageError::Damaged { path: path.clone(), problem };
        let stored: StoredVillage =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if stored.version != VERSION {
            return Err(damaged(format!("version {} is unknown", stored.version)));
        }
        Ok(Some(stored))
    }

    /// Durable on return.
    pub fn write(&self, village: &StoredVillage) -> Result<(), VillageError> {
        let Some(path) = &self.0 else { return Ok(()) };
        let unreadable = |source| VillageError::Unreadable { path: path.clone(), source };
        let text = serde_json::to_vec(village).map_err(|error| unreadable(error.into()))?;
        jirani_durable::replace(path, &text).map_err(unreadable)
    }

    /// What is wrong with what was read.
    pub fn damaged(&self, problem: &str) -> VillageError {
        let path = self.0.clone().unwrap_or_default();
        VillageError::Damaged { path, problem: problem.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn village() -> StoredVillage {
        let identity = Identity {
            seed: 1,
            households: 12,
            slot_length_s: 900,
            start_us: 0,
            source: "built-in at -1.9,37.6".to_owned(),
        };
        let mut village = StoredVillage::new(identity, 500, 2);
        village.meters[1].unacknowledged.push((7, "0a0b".to_owned()));
        village
    }

    #[test]
    fn a_village_is_found_as_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = VillageFile::in_folder(Some(folder.path()));
        assert_eq!(file.read().unwrap(), None);
        file.write(&village()).unwrap();
        assert_eq!(file.read().unwrap(), Some(village()));
    }

    #[test]
    fn a_half_written_successor_is_never_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = VillageFile::in_folder(Some(folder.path()));
        file.write(&village()).unwrap();
        fs::write(folder.path().join("village.new"), "{\"version\":1,\"ident").unwrap();
        assert_eq!(file.read().unwrap(), Some(village()));
    }

    #[test]
    fn a_damaged_file_is_named_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "{\"version\":1}").unwrap();
        let error = VillageFile::in_folder(Some(folder.path())).read().unwrap_err().to_string();
        assert!(error.starts_with("village.damaged") && !error.contains('\n'), "{error}");
    }
}
