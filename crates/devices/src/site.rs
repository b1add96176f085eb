//! One device of one site.

use crate::error::DeviceError;
use std::collections::BTreeMap;

/// Longest id of a device.
pub const DEVICE_ID_MAX: usize = 40;
/// Longest value of a parameter.
const PARAMETER_MAX: usize = 200;

/// A device as the operator has listed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDevice {
    /// Its id on this site: `a-z`, `0-9`, `-` and `_`. Its key is made from it, so another
    /// id is another meter.
    pub id: String,
    /// Name of its definition.
    pub definition: String,
    /// 1, 2, 3, ...: another number makes the next value a new baseline, for a device that
    /// was replaced or set back.
    pub generation: u32,
    /// Most it can draw, in W.
    pub import_rating_w: u32,
    /// Most it can push, in W.
    pub export_rating_w: u32,
    /// Rated power of its panels, in W; 0 without.
    pub pv_rated_w: u32,
    /// How often it is read, in seconds: divides a slot.
    pub interval_s: u32,
    /// Parameters of its definition.
    pub parameters: BTreeMap<String, String>,
}

impl SiteDevice {
    /// Checks what a definition does not know.
    pub fn check(&self) -> Result<(), DeviceError> {
        let wrong =
            |what: &str| Err(DeviceError::Site(format!("{}: {what}", crate::yaml::shortened(&self.id))));
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if !(1..=DEVICE_ID_MAX).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            return wrong("an id is made of a-z, 0-9, - and _, 1 to 40 of them");
        }
        if self.generation == 0 {
            return wrong("generation begins at 1");
        }
        if !(1..=900).contains(&self.interval_s) || 900 % self.interval_s != 0 {
            return wrong("interval_s divides 900 seconds");
        }
        let odd = |text: &String| {
            text.is_empty()
                || text.len() > PARAMETER_MAX
                || text.chars().any(|c| c.is_control() || "+#{}".contains(c))
        };
        if self.parameters.values().any(odd) {
            return wrong("a parameter is a short text without + # { }");
        }
        Ok(())
    }
}
