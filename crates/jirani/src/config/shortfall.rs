use super::ConfigError;
use jirani_market::shortfall::Policy;
use jirani_settlement::ShortfallPolicy;
use jirani_units::Cents;
use serde::{Deserialize, Serialize};

/// `[shortfall]`: how much a home may owe, and what happens before its power is cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shortfall {
    /// Limit of a home for which none was set; 0 for prepaid.
    pub limit_cents: i64,
    /// First hour of the day in Nairobi at which power may be cut.
    pub cut_from_hour: u8,
    /// First hour at which it may no longer.
    pub cut_until_hour: u8,
    /// Hours from the 80 % message to cutting, at least.
    pub notice_hours: u32,
    /// Hours after which readings are too old to cut on.
    pub readings_hours: u32,
    /// Days that a dispute keeps the power on, at most.
    pub dispute_days: u32,
    /// Days from one dispute that does so to the next.
    pub dispute_again_days: u32,
    /// Emergency credit, once until it is repaid; 0 for none.
    pub emergency_cents: i64,
}

impl Default for Shortfall {
    fn default() -> Self {
        let ShortfallPolicy { limit, rules } = ShortfallPolicy::default();
        let whole = |seconds: i64, unit: i64| u32::try_from(seconds / unit).unwrap_or(u32::MAX);
        Self {
            limit_cents: limit.0,
            cut_from_hour: u8::try_from(rules.cut_from_hour).unwrap_or(8),
            cut_until_hour: u8::try_from(rules.cut_until_hour).unwrap_or(16),
            notice_hours: whole(rules.notice_s, 3_600),
            readings_hours: whole(rules.readings_s, 3_600),
            dispute_days: whole(rules.dispute_s, 86_400),
            dispute_again_days: whole(rules.dispute_again_s, 86_400),
            emergency_cents: rules.emergency.0,
        }
    }
}

impl Shortfall {
    /// The policy for settlement.
    pub fn policy(&self) -> ShortfallPolicy {
        let rules = Policy {
            cut_from_hour: i64::from(self.cut_from_hour),
            cut_until_hour: i64::from(self.cut_until_hour),
            notice_s: i64::from(self.notice_hours) * 3_600,
            readings_s: i64::from(self.readings_hours) * 3_600,
            dispute_s: i64::from(self.dispute_days) * 86_400,
            dispute_again_s: i64::from(self.dispute_again_days) * 86_400,
            emergency: Cents(self.emergency_cents),
            ..Policy::default()
        };
        ShortfallPolicy { limit: Cents(self.limit_cents), rules }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Invalid(what.to_owned()));
        if self.limit_cents < 0 || self.emergency_cents < 0 {
            return wrong("shortfall.limit_cents and emergency_cents must be 0 or more");
        }
        // Between 20:00 and 06:00 nobody is cut, whatever is set.
        if self.cut_from_hour < 6 || self.cut_until_hour > 20 || self.cut_from_hour >= self.cut_until_hour {
            return wrong(
                "shortfall.cut_from_hour and cut_until_hour must lie between 6 and 20, in this order",
            );
        }
        if self.notice_hours == 0 || self.readings_hours == 0 {
            return wrong(
                "shortfall.notice_hours and readings_hours must be 1 or more: nobody is cut unwarned",
            );
        }
        Ok(())
    }
}
