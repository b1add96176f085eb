//! The bridge: foreign meters at the gateway's door.
//!
//! An MQTT client that hears what devices say ([`jirani_devices`]), counts it in cumulative
//! registers, and runs the real meter's core for each device: it signs the device's readings
//! with a key of the site, publishes them on `v1/<meter>/up` as that meter, and frees them
//! for the gateway's signed acknowledgement only. Everything behind the gateway is the same
//! path as for any other meter; that the device did not sign by itself is its trust class
//! ([`jirani_units::Trust`]), which stands beside the meter's name in the store.
//!
//! Promises: what is published is on disk before, so that no number is given twice, whatever
//! is killed when; a device that says nonsense is counted by reason and slows no other.
//! Stands beside the oracle as a service: it could run on another machine near the devices,
//! and shares with the gateway nothing but the broker (docs/decisions/0016).

mod bridged;
mod error;
mod file;
mod key;
mod link;
mod service;
mod status;

pub use error::BridgeError;
pub use key::{device_key, device_meter};
pub use service::{Bridge, BridgeConfig};
pub use status::{DeviceStatus, Status};
