//! What became of each device's messages, for people who look for a fault.

use jirani_units::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A device's messages since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Messages that were taken.
    pub taken: u64,
    /// Messages that said nothing that is asked.
    pub nothing: u64,
    /// Readings made.
    pub readings: u64,
    /// Messages refused, by code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Resets and roll-overs.
    pub began_anew: u64,
    /// When something was last taken.
    pub last: Option<Timestamp>,
}

/// All devices' messages; shared.
#[derive(Clone, Default)]
pub struct Status(Arc<Mutex<BTreeMap<String, DeviceStatus>>>);

impl Status {
    /// A device's messages so far.
    pub fn of(&self, device: &str) -> DeviceStatus {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(device).cloned().unwrap_or_default()
    }

    pub(crate) fn note(&self, device: &str, note: impl FnOnce(&mut DeviceStatus)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note(all.entry(device.to_owned()).or_default());
    }
}
