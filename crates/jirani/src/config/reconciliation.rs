use super::ConfigError;
use jirani_settlement::ReconciliationPolicy;
use jirani_units::Cents;
use serde::{Deserialize, Serialize};

/// `[reconciliation]`: when a person is called.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reconciliation {
    /// Minutes a line stands apart from M-Pesa's books before a review is opened.
    pub review_after_minutes: u32,
    /// Hours the outcome of a payment may be unknown before the operator is told.
    pub unknown_above_hours: u32,
    /// Money in clearing above which the operator is told.
    pub clearing_above_cents: i64,
    /// Money in suspense above which the operator is told.
    pub suspense_above_cents: i64,
    /// Float of the payout shortcode below which the operator is told.
    pub float_below_cents: i64,
}

impl Default for Reconciliation {
    fn default() -> Self {
        let policy = ReconciliationPolicy::default();
        Self {
            review_after_minutes: u32::try_from(policy.review_after_s / 60).unwrap_or(120),
            unknown_above_hours: u32::try_from(policy.unknown_above_s / 3_600).unwrap_or(24),
            clearing_above_cents: policy.clearing_above.0,
            suspense_above_cents: policy.suspense_above.0,
            float_below_cents: policy.float_below.0,
        }
    }
}

impl Reconciliation {
    /// The rules for settlement.
    pub fn policy(&self) -> ReconciliationPolicy {
        ReconciliationPolicy {
            review_after_s: i64::from(self.review_after_minutes) * 60,
            unknown_above_s: i64::from(self.unknown_above_hours) * 3_600,
            clearing_above: Cents(self.clearing_above_cents),
            suspense_above: Cents(self.suspense_above_cents),
            float_below: Cents(self.float_below_cents),
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let amounts = [self.clearing_above_cents, self.suspense_above_cents, self.float_below_cents];
        if amounts.iter().any(|cents| *cents < 0) {
            return Err(ConfigError::Invalid("reconciliation: no amount may be below 0".to_owned()));
        }
        Ok(())
    }
}
