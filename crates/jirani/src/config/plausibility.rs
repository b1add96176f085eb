use super::ConfigError;
use jirani_plausibility::Policy;
use serde::{Deserialize, Serialize};

/// `[plausibility]`: whether what meters say can be true.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plausibility {
    /// Households with a battery or an engine that the operator knows of.
    pub storage_households: Vec<u32>,
    /// Days for which a rule rests about a household after its finding was accepted.
    pub accepted_days: u32,
    /// Thresholds and severities.
    pub rules: Policy,
}

impl Default for Plausibility {
    fn default() -> Self {
        Self { storage_households: Vec::new(), accepted_days: 7, rules: Policy::default() }
    }
}

impl Plausibility {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match self.rules.unknown_rule() {
            Some(unknown) => Err(ConfigError::Invalid(format!(
                "plausibility.rules.severity: there is no rule {unknown}; docs/plausibility.md lists them"
            ))),
            None => Ok(()),
        }
    }
}
