use jirani_units::{MeterId, Timestamp};

/// A meter whose readings the site signs for a foreign device. Kept for good: the key that
/// makes its name belongs to the site and to this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedMeterRecord {
    /// The meter.
    pub meter: MeterId,
    /// The device's id on this site.
    pub device: String,
    /// Since when.
    pub since: Timestamp,
}
