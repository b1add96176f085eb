use serde::{Deserialize, Serialize};

/// `[site]`: the mini-grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// What people call it.
    pub name: String,
    /// Latitude in microdegrees, north positive.
    pub latitude_microdegrees: i32,
    /// Longitude in microdegrees, east positive.
    pub longitude_microdegrees: i32,
    /// Settlement interval in seconds; divides a day.
    pub slot_length_s: u32,
    /// How long after a slot's end its readings are waited for, in seconds.
    pub grace_s: u32,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "Kitonyoni".to_owned(),
            latitude_microdegrees: -1_900_000,
            longitude_microdegrees: 37_600_000,
            slot_length_s: 900,
            grace_s: 60,
        }
    }
}
