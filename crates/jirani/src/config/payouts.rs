use super::ConfigError;
use jirani_daraja::{ChargeBand, PayoutCharges};
use jirani_settlement::PayoutPolicy;
use jirani_units::Cents;
use serde::{Deserialize, Serialize};

/// `[payouts]`: how much goes out, to whom, and what M-Pesa takes for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payouts {
    /// The least that is paid out, in whole shillings; M-Pesa's own least is 10.
    pub least_shillings: i64,
    /// The most that leaves one household's balance in a day of Nairobi, charges included.
    pub household_daily_cents: i64,
    /// The same for all households together.
    pub all_daily_cents: i64,
    /// Hours in which nothing is paid out to a number after it was changed.
    pub cool_down_hours: u32,
    /// M-Pesa's charges, by rising amount; the last band holds for all above it.
    pub charges: Vec<Band>,
}

/// One band of the charges.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Last whole shilling of the band.
    pub up_to_shillings: i64,
    /// The charge.
    pub charge_cents: i64,
}

impl Default for Payouts {
    fn default() -> Self {
        let policy = PayoutPolicy::default();
        let bands = PayoutCharges::default().bands.into_iter();
        Self {
            least_shillings: policy.least_shillings,
            household_daily_cents: policy.household_daily.0,
            all_daily_cents: policy.all_daily.0,
            cool_down_hours: u32::try_from(policy.cool_down_s / 3_600).unwrap_or(48),
            charges: bands
                .map(|band| Band { up_to_shillings: band.up_to_shillings, charge_cents: band.charge_cents })
                .collect(),
        }
    }
}

impl Payouts {
    /// The rules for settlement.
    pub fn policy(&self) -> PayoutPolicy {
        PayoutPolicy {
            least_shillings: self.least_shillings,
            household_daily: Cents(self.household_daily_cents),
            all_daily: Cents(self.all_daily_cents),
            cool_down_s: i64::from(self.cool_down_hours) * 3_600,
        }
    }

    /// The table for the client.
    pub fn charges(&self) -> PayoutCharges {
        let band = |band: &Band| ChargeBand {
            up_to_shillings: band.up_to_shillings,
            charge_cents: band.charge_cents,
        };
        PayoutCharges { bands: self.charges.iter().map(band).collect() }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Invalid(what.to_owned()));
        if self.least_shillings < 10 {
            return wrong("payouts.least_shillings must be 10 or more: M-Pesa pays out no less");
        }
        if self.household_daily_cents <= 0 || self.all_daily_cents < self.household_daily_cents {
            return wrong("payouts.all_daily_cents must be at least household_daily_cents, and that above 0");
        }
        if !self.charges().is_valid() {
            return wrong("payouts.charges must have rising up_to_shillings and no negative charge_cents");
        }
        Ok(())
    }
}
