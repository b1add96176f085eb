//! Who vouches for a meter's readings.

use serde::{Deserialize, Serialize};

/// A meter's trust class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The meter signs what it measures, with a key that never leaves it.
    #[default]
    DeviceSigned,
    /// The site signs what a foreign device said: whoever holds the site's key, or can speak
    /// in the device's name, can say anything the ratings allow.
    GatewayAttested,
}

impl Trust {
    /// As it is stored and told.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeviceSigned => "device_signed",
            Self::GatewayAttested => "gateway_attested",
        }
    }
}
