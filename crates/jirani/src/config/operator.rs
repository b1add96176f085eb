use super::ConfigError;
use jirani_market::limits::HELD_MAX;
use jirani_settlement::OperatorPolicy;
use jirani_units::Wh;
use serde::{Deserialize, Serialize};

/// `[operator]`: what the operator does as counterparty of last resort.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorSettings {
    /// The most it bids for in the call of one slot, at buy-back; 0 for nothing.
    pub bid_wh: u64,
    /// After so many days it buys back what a home pushed and could not sell; 0 for never
    /// by itself.
    pub buys_back_after_days: u16,
}

impl Default for OperatorSettings {
    fn default() -> Self {
        let policy = OperatorPolicy::default();
        Self { bid_wh: policy.bid.0, buys_back_after_days: policy.buys_back_after_days }
    }
}

impl OperatorSettings {
    /// The policy for settlement.
    pub fn policy(&self) -> OperatorPolicy {
        let buys_back_after_days = self.buys_back_after_days;
        OperatorPolicy { bid: Wh(self.bid_wh), buys_back_after_days, ..OperatorPolicy::default() }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.bid_wh > HELD_MAX.0 {
            return Err(ConfigError::Invalid(format!(
                "operator.bid_wh must be at most {}, what one order holds",
                HELD_MAX.0
            )));
        }
        Ok(())
    }
}
