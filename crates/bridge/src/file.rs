//! What a bridged device must not forget. Written whole before anything is published.
//!
//! `<folder>/<device>.json` holds its counters, its meter's state and the readings that
//! nobody has acknowledged; `<folder>/<device>.records` the exact bytes of signed records,
//! one a line, each behind the number of the reading that rests on it and the hash of the
//! line before, so that none can be taken out or changed unseen.

use crate::error::BridgeError;
use jirani_devices::Tally;
use jirani_meter::{MeterState, Queue, Registers, SignedReading};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

/// A device at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredDevice {
    version: u32,
    /// Generation of the device that the tally counts.
    pub(crate) generation: u32,
    pub(crate) tally: Tally,
    /// The meter's registers when the tally began.
    pub(crate) base: StoredRegisters,
    pub(crate) epoch: u32,
    pub(crate) last_seq: u64,
    pub(crate) last_time_us: u64,
    pub(crate) registers: StoredRegisters,
    /// First 8 bytes of the last reading's hash, in hexadecimal.
    pub(crate) previous: String,
    /// Readings nobody has acknowledged: number and bytes in hexadecimal.
    pub(crate) unacknowledged: Vec<(u64, String)>,
}

/// Registers at rest, Wh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit stands in the names of what is written to disk")]
pub(crate) struct StoredRegisters {
    pub(crate) import_wh: u64,
    pub(crate) export_wh: u64,
    pub(crate) generation_wh: u64,
}

impl From<Registers> for StoredRegisters {
    fn from(registers: Registers) -> Self {
        let Registers { import_wh, export_wh, generation_wh } = registers;
        Self { import_wh, export_wh, generation_wh }
    }
}

impl From<StoredRegisters> for Registers {
    fn from(registers: StoredRegisters) -> Self {
        let StoredRegisters { import_wh, export_wh, generation_wh } = registers;
        Self { import_wh, export_wh, generation_wh }
    }
}

impl StoredDevice {
    /// A device as it is now.
    pub(crate) fn of(
        generation: u32,
        tally: Tally,
        base: Registers,
        state: MeterState,
        queue: &impl Queue,
    ) -> Self {
        let mut unacknowledged = Vec::with_capacity(queue.len());
        queue.visit_oldest(queue.len(), &mut |reading: &SignedReading| {
            unacknowledged.push((reading.seq, hex::encode(reading.bytes.as_slice())));
        });
        Self {
            version: VERSION,
            generation,
            tally,
            base: base.into(),
            epoch: state.epoch,
            last_seq: state.last_seq,
            last_time_us: state.last_time_us,
            registers: state.registers.into(),
            previous: hex::encode(state.previous),
            unacknowledged,
        }
    }
}

/// Where a device rests.
#[derive(Clone, Debug)]
pub(crate) struct DeviceFile {
    state: PathBuf,
    records: PathBuf,
    /// Hash of the last line of the records; read when it is first needed.
    last_line: Option<[u8; 32]>,
}

impl DeviceFile {
    pub(crate) fn new(folder: &Path, device: &str) -> Self {
        let state = folder.join(format!("{device}.json"));
        Self { state, records: folder.join(format!("{device}.records")), last_line: None }
    }

    pub(crate) fn read(&self) -> Result<Option<StoredDevice>, BridgeError> {
        let text = match fs::read_to_string(&self.state) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(BridgeError::File { path: self.state.clone(), source }),
        };
        let stored: StoredDevice =
            serde_json::from_str(&text).map_err(|error| self.damaged(error.to_string()))?;
        if stored.version == VERSION {
            Ok(Some(stored))
        } else {
            Err(self.damaged(format!("version {} is unknown", stored.version)))
        }
    }

    /// Durable on return.
    pub(crate) fn write(&self, device: &StoredDevice) -> Result<(), BridgeError> {
        let failed = |source| BridgeError::File { path: self.state.clone(), source };
        let text = serde_json::to_vec(device).map_err(|error| failed(error.into()))?;
        jirani_durable::replace(&self.state, &text).map_err(failed)
    }

    /// Adds a signed record that reading `seq` rests on; durable on return.
    pub(crate) fn add_record(&mut self, seq: u64, record: &[u8]) -> Result<(), BridgeError> {
        let failed = |source| BridgeError::File { path: self.records.clone(), source };
        let before = match self.last_line {
            Some(hash) => hash,
            None => last_line(&self.records).map_err(failed)?,
        };
        let line = format!("{seq} {} {}", hex::encode(before), hex::encode(record));
        let add = || -> std::io::Result<()> {
            if let Some(folder) = self.records.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::options().create(true).append(true).open(&self.records)?;
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        };
        add().map_err(failed)?;
        self.last_line = Some(Sha256::digest(line.as_bytes()).into());
        Ok(())
    }

    pub(crate) fn damaged(&self, problem: impl Into<String>) -> BridgeError {
        BridgeError::Damaged { path: self.state.clone(), problem: problem.into() }
    }
}

/// Hash of the last whole line; zeroes before the first.
fn last_line(path: &Path) -> std::io::Result<[u8; 32]> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok([0; 32]),
        Err(error) => return Err(error),
    };
    let mut hash = [0; 32];
    for line in BufReader::new(file).lines() {
        hash = Sha256::digest(line?.as_bytes()).into();
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_records_are_chained_line_by_line_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        DeviceFile::new(folder.path(), "a").add_record(1, b"OCMF|one").unwrap();
        DeviceFile::new(folder.path(), "a").add_record(2, b"OCMF|two").unwrap();
        let text = fs::read_to_string(folder.path().join("a.records")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].split(' ').nth(1), Some("0".repeat(64).as_str()));
        let hash = hex::encode(Sha256::digest(lines[0].as_bytes()));
        assert_eq!(lines[1].split(' ').nth(1), Some(hash.as_str()));
        assert_eq!(lines[1].split(' ').nth(2), Some(hex::encode(b"OCMF|two").as_str()));
    }

    #[test]
    fn a_damaged_file_is_named_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.json"), "{\"version\":9").unwrap();
        let error = DeviceFile::new(folder.path(), "a").read().unwrap_err().to_string();
        assert!(error.starts_with("bridge.damaged") && !error.contains('\n'), "{error}");
    }
}
