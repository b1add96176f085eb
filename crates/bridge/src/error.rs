//! Why a bridge cannot go on.

use jirani_devices::DeviceError;
use jirani_meter::{MeterError, WireError};
use std::path::PathBuf;

/// The text begins with the stable code.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The broker's address is none.
    #[error("bridge.bad_url: {url} is no MQTT address (mqtt://host:1883): {reason}")]
    BadUrl {
        /// What was given.
        url: String,
        /// Why it is none.
        reason: String,
    },
    /// Two devices of one name, or on one topic.
    #[error("bridge.device_twice: {0}")]
    Twice(String),
    /// A device that cannot be.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The gateway's key is none.
    #[error("bridge.gateway_key: {0}")]
    GatewayKey(WireError),
    /// The meter's core refused.
    #[error(transparent)]
    Meter(#[from] MeterError),
    /// A file that cannot be read or written.
    #[error("bridge.file: {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it was.
    #[error(
        "bridge.damaged: {path}: {problem}; restore it from a backup, or move it away to go on from the stored readings"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
