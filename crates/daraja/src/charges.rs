//! What M-Pesa charges for a payout.

use jirani_units::Cents;
use serde::Deserialize;

/// One band of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeBand {
    /// Last whole shilling of the band.
    pub up_to_shillings: i64,
    /// The charge, in cents.
    pub charge_cents: i64,
}

/// Charges for B2C payments to registered customers, by amount. Tariffs
/// change: the table is configuration, the default the last one published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutCharges {
    /// Bands with rising ends; the last one also holds for all that is above it.
    pub bands: Vec<ChargeBand>,
}

impl Default for PayoutCharges {
    fn default() -> Self {
        let band =
            |up_to_shillings, shillings: i64| ChargeBand { up_to_shillings, charge_cents: shillings * 100 };
        Self { bands: vec![band(100, 0), band(1_500, 5), band(5_000, 9), band(20_000, 11)] }
    }
}

impl PayoutCharges {
    /// The charge for paying out this many whole shillings; nothing when the
    /// table is empty.
    pub fn charge(&self, shillings: i64) -> Cents {
        let band = self.bands.iter().find(|band| shillings <= band.up_to_shillings);
        Cents(band.or(self.bands.last()).map_or(0, |band| band.charge_cents))
    }

    /// Whether ends rise and no charge is negative.
    pub fn is_valid(&self) -> bool {
        self.bands.is_sorted_by(|a, b| a.up_to_shillings < b.up_to_shillings)
            && self.bands.iter().all(|band| band.charge_cents >= 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ChargeBand, PayoutCharges};
    use jirani_units::Cents;

    #[test]
    fn each_amount_pays_the_charge_of_its_band() {
        let charges = PayoutCharges::default();
        for (shillings, cents) in [
            (10, 0),
            (100, 0),
            (101, 500),
            (1_500, 500),
            (1_501, 900),
            (5_000, 900),
            (5_001, 1_100),
            (20_000, 1_100),
            (250_000, 1_100),
        ] {
            assert_eq!(charges.charge(shillings), Cents(cents), "KSh {shillings}");
        }
    }

    #[test]
    fn a_table_out_of_order_or_with_a_gift_is_not_valid() {
        assert!(PayoutCharges::default().is_valid());
        let band = |up_to_shillings, charge_cents| ChargeBand { up_to_shillings, charge_cents };
        assert!(!PayoutCharges { bands: vec![band(100, 0), band(100, 5)] }.is_valid());
        assert!(!PayoutCharges { bands: vec![band(100, -1)] }.is_valid());
    }
}
