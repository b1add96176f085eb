//! A simulated mini-grid: households with panels and loads, the operator's
//! generator and battery, and people who trade.
//!
//! Promises: meters run the code of `jirani-meter` and speak real MQTT, people
//! speak the HTTP API like anybody else; every slot balances physically; the same
//! seed gives the same village; killed at any moment it goes on with registers
//! that never fall. Energy is whole Wh, never a fraction lost.
//! Stands outside the system it exercises: it knows no service, only their doors.

mod client;
pub mod drive;
pub mod equipment;
pub mod error;
mod file;
mod link;
mod meters;
mod names;
pub mod physics;
pub mod profile;
pub mod progress;
pub mod registry;
mod schedule;
mod seed;
pub mod trader;
mod village;

pub use drive::{DriveError, drive};
pub use error::VillageError;
pub use profile::{BuiltInRequest, FileRequest, HomeEnergy, ProfileError, Source};
pub use progress::{Progress, VillageReport};
pub use registry::registry;
pub use village::{Village, VillageConfig};
