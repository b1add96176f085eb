use super::ConfigError;
use jirani_oracle::SegmentsConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `[evidence]`: hash-chained files of what meters signed, in the data folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceSettings {
    /// Whether this process writes them.
    pub on: bool,
    /// Megabytes after which a segment is sealed.
    pub segment_megabytes: u32,
    /// Hours after which it is sealed, whatever its size.
    pub segment_hours: u32,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self { on: true, segment_megabytes: 64, segment_hours: 24 }
    }
}

impl EvidenceSettings {
    /// Bounds.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.segment_megabytes == 0 || self.segment_hours == 0 {
            let what = "evidence.segment_megabytes and evidence.segment_hours must be at least 1";
            return Err(ConfigError::Invalid(what.to_owned()));
        }
        Ok(())
    }

    /// As the writer takes them, for the data folder.
    pub fn segments(&self, data: &Path) -> SegmentsConfig {
        SegmentsConfig {
            folder: data.join("evidence"),
            bytes: u64::from(self.segment_megabytes) << 20,
            age_s: u64::from(self.segment_hours) * 3_600,
        }
    }
}
