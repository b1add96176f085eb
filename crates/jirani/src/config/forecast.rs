use super::ConfigError;
use jirani_advisor::LearningConfig;
use serde::{Deserialize, Serialize};

/// `[forecast]`: whether and how forecasts are learned from the site's own homes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForecastSettings {
    /// Whether forecasts are learned and scored.
    pub learn: bool,
    /// Days from one learning to the next.
    pub every_days: u16,
    /// The most rows that are learned from, of each of production and use.
    pub rows_max: u32,
}

impl Default for ForecastSettings {
    fn default() -> Self {
        Self { learn: true, every_days: 7, rows_max: 100_000 }
    }
}

impl ForecastSettings {
    /// The most rows anybody may ask for: some ten minutes of one core.
    const ROWS_MAX: u32 = 1_000_000;

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError::Invalid(what));
        if self.every_days == 0 {
            return wrong("forecast.every_days must be at least 1".to_owned());
        }
        if !(1_000..=Self::ROWS_MAX).contains(&self.rows_max) {
            return wrong(format!("forecast.rows_max must be 1000 to {}", Self::ROWS_MAX));
        }
        Ok(())
    }

    /// As the learner takes them.
    pub fn learning(&self) -> LearningConfig {
        LearningConfig {
            every_days: self.every_days,
            rows_max: usize::try_from(self.rows_max).unwrap_or(usize::MAX),
        }
    }
}
