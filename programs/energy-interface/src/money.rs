//! What an order costs, by the one function that program, market and tests share.

/// The highest retail price the program accepts, in cents per kWh. Kept under
/// 2^24 so that no sum of four fills can leave 64 bits.
pub const RETAIL_MAX: u32 = 1_000_000;

/// The due in cents: every fill at its price plus fee and tax, summed exactly,
/// rounded up once. Prices in cents per kWh, energies in Wh. `None` when a price
/// with fee and tax exceeds `retail`, or `retail` exceeds [`RETAIL_MAX`]: nobody
/// pays more than the operator asks.
pub fn due_cents(fills: impl Iterator<Item = (u32, u32)>, fee: u32, tax: u32, retail: u32) -> Option<u64> {
    if retail > RETAIL_MAX {
        return None;
    }
    let mut milli_cents: u64 = 0;
    for (price, energy_wh) in fills {
        let all_in = price.checked_add(fee)?.checked_add(tax)?;
        if all_in > retail {
            return None;
        }
        milli_cents = milli_cents.checked_add(u64::from(all_in) * u64::from(energy_wh))?;
    }
    Some(milli_cents.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ceiling_for_the_whole_order() {
        assert_eq!(due_cents([(1999, 1), (1999, 1)].into_iter(), 1, 0, 3000), Some(4));
        assert_eq!(due_cents([(1000, 1), (1000, 1)].into_iter(), 1, 0, 3000), Some(3), "2,002 thousandths");
    }

    #[test]
    fn never_above_retail() {
        assert_eq!(due_cents([(2000, 10)].into_iter(), 600, 401, 3000), None);
        assert!(due_cents([(2000, 10)].into_iter(), 600, 400, 3000).is_some());
        assert_eq!(due_cents([(u32::MAX, 1)].into_iter(), 1, 0, RETAIL_MAX), None);
    }

    #[test]
    fn four_of_the_largest_fills_fit() {
        let fills = [(RETAIL_MAX, u32::MAX); 4];
        assert_eq!(due_cents(fills.into_iter(), 0, 0, RETAIL_MAX), Some(4 * u64::from(u32::MAX) * 1000));
    }
}
