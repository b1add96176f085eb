//! The embedded MQTT broker: one process brings its own, so that nothing has to
//! be installed before the first reading arrives.
//!
//! Promises: nobody connects without the password of the name he gives, and no meter
//! that is shut out; a meter
//! publishes and subscribes under its own prefix only; only the gateway hears
//! readings and publishes acknowledgements and commands; sizes, rates and
//! sessions are bounded. Not promised: durability. What is in the broker's
//! memory is lost with it, which is why a meter frees a reading only for the
//! gateway's signed acknowledgement.
//! Stands beside any other MQTT 3.1.1 or 5 broker: gateway and meters know a URL.
//!
//! | topic | who publishes | who subscribes |
//! |---|---|---|
//! | `v1/<meter>/up` | the meter | the gateway |
//! | `v1/<meter>/claim` | the meter | the gateway |
//! | `v1/<meter>/status` (retained, last will) | the meter | the gateway |
//! | `v1/<meter>/ack`, `v1/<meter>/cmd` | the gateway | the meter |
//!
//! Foreign devices have topics of their own, under `devices/<id>/` (`device.rs`).

mod access;
mod device;
mod doors;
mod error;
mod own;
mod refusals;
mod retained;
mod running;
mod shared;

pub use access::{GATEWAY, meter_password};
pub use device::{BRIDGE, bridge_password, device_password};
pub use doors::Doors;
pub use error::BrokerError;
pub use own::own_client_id;
pub use running::{Broker, BrokerConfig, Limits, RunningBroker};
