//! What M-Pesa charges. The tables are those of 2024 to 2026 as published by
//! price pages (not by Safaricom); both can be replaced in the configuration.

use jirani_units::Cents;

/// One band of the charges for payouts; the last one also holds above its end.
#[derive(Clone, Copy, Debug)]
pub struct ChargeBand {
    /// Last whole shilling of the band.
    pub up_to_shillings: i64,
    /// The charge.
    pub charge: Cents,
}

/// One band of the charges for payments to a PayBill; the last one also holds
/// above its end.
#[derive(Clone, Copy, Debug)]
pub struct PayBillBand {
    /// Last whole shilling of the band.
    pub up_to_shillings: i64,
    /// The customer's share where both pay (Mgao).
    pub customer: Cents,
    /// The business's share where both pay.
    pub business: Cents,
}

/// Who bears the charge of a payment to a PayBill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bouquet {
    /// Nobody: no charge is taken.
    Free,
    /// Both, each their share (Mgao).
    Shared,
    /// The customer all of it (M-Pesa's "Business Bouquet").
    Customer,
    /// The business all of it (M-Pesa's "Customer Bouquet").
    Business,
}

impl Bouquet {
    /// The customer's and the business's charge for this many shillings.
    pub fn share(self, bands: &[PayBillBand], shillings: i64) -> (Cents, Cents) {
        let band = bands.iter().find(|band| shillings <= band.up_to_shillings).or(bands.last());
        let (customer, business) = band.map_or((0, 0), |band| (band.customer.0, band.business.0));
        let (customer, business) = match self {
            Self::Free => (0, 0),
            Self::Shared => (customer, business),
            Self::Customer => (customer + business, 0),
            Self::Business => (0, customer + business),
        };
        (Cents(customer), Cents(business))
    }
}

/// B2C to registered customers; above 15,000 no readable source.
pub fn payout_bands() -> Vec<ChargeBand> {
    let band =
        |up_to_shillings, shillings: i64| ChargeBand { up_to_shillings, charge: Cents(shillings * 100) };
    vec![band(100, 0), band(1_500, 5), band(5_000, 9), band(20_000, 11)]
}

/// PayBill, customer's and business's share in shillings.
pub fn paybill_bands() -> Vec<PayBillBand> {
    [
        (100, 0, 0),
        (500, 5, 0),
        (1_000, 10, 0),
        (1_500, 10, 5),
        (2_500, 13, 7),
        (3_500, 16, 9),
        (5_000, 16, 18),
        (7_500, 17, 25),
        (10_000, 18, 30),
        (15_000, 18, 39),
        (20_000, 19, 43),
        (25_000, 20, 47),
        (30_000, 20, 52),
        (35_000, 21, 62),
        (40_000, 23, 76),
        (45_000, 23, 80),
        (250_000, 24, 84),
    ]
    .into_iter()
    .map(|(up_to_shillings, customer, business)| PayBillBand {
        up_to_shillings,
        customer: Cents(customer * 100),
        business: Cents(business * 100),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{Bouquet, paybill_bands};
    use jirani_units::Cents;

    #[test]
    fn who_bears_the_charge_changes_no_total() {
        let bands = paybill_bands();
        for (shillings, customer, business) in [(100, 0, 0), (101, 5, 0), (1_200, 10, 5), (999_999, 24, 84)] {
            let share = |bouquet: Bouquet| {
                let (customer, business) = bouquet.share(&bands, shillings);
                (customer.0 / 100, business.0 / 100)
            };
            assert_eq!(share(Bouquet::Shared), (customer, business));
            assert_eq!(share(Bouquet::Customer), (customer + business, 0));
            assert_eq!(share(Bouquet::Business), (0, customer + business));
            assert_eq!(share(Bouquet::Free), (0, 0));
        }
        assert_eq!(Bouquet::Free.share(&[], 10), (Cents::ZERO, Cents::ZERO));
    }
}
