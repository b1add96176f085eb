//! Kilowatt-hours as written, to whole micro-watt-hours, without a float between.

/// Micro-Wh in a kWh, as a power of ten.
const DECIMALS: i32 = 9;
/// Longer texts are no measurement.
const TEXT_MAX: usize = 40;

/// Why a text is not an amount of energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotEnergy {
    /// Not a decimal number.
    NotANumber,
    /// Below zero.
    Negative,
    /// Beyond any meter.
    TooLarge,
}

/// Reads `1.25`, `.5`, `1.2e-05`. Digits below one micro-Wh are rounded, half up.
pub fn micro_wh(text: &str) -> Result<u64, NotEnergy> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_MAX {
        return Err(NotEnergy::NotANumber);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i8>().map_err(|_| NotEnergy::NotANumber)?),
        None => (unsigned, 0),
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, decimals].concat();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotEnergy::NotANumber);
    }
    // 40 digits at most need 133 bits; leading zeroes are no reason to refuse.
    let value: u128 = match digits.trim_start_matches('0') {
        "" => return Ok(0),
        significant if significant.len() > 36 => return Err(NotEnergy::TooLarge),
        significant => significant.parse().map_err(|_| NotEnergy::TooLarge)?,
    };
    if negative {
        return Err(NotEnergy::Negative);
    }
    let places = i32::try_from(decimals.len()).map_err(|_| NotEnergy::NotANumber)?;
    let shift = DECIMALS + i32::from(exponent) - places;
    let power = |shift: i32| u32::try_from(shift).ok().and_then(|shift| 10u128.checked_pow(shift));
    let micro = if shift >= 0 {
        power(shift).and_then(|scale| value.checked_mul(scale)).ok_or(NotEnergy::TooLarge)?
    } else {
        power(-shift).map_or(0, |scale| (value + scale / 2) / scale)
    };
    u64::try_from(micro).map_err(|_| NotEnergy::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn energy_is_read_to_the_last_digit() {
        for (text, micro) in [
            ("0.0", 0),
            ("2.2758", 2_275_800_000),
            ("8.846", 8_846_000_000),
            ("1", 1_000_000_000),
            (".5", 500_000_000),
            ("1.2e-05", 12_000),
            ("1E1", 10_000_000_000),
            ("0.000000001", 1),
            ("0.0000000005", 1),
            ("0.0000000004", 0),
            ("-0.0", 0),
            ("+3.0", 3_000_000_000),
        ] {
            assert_eq!(micro_wh(text), Ok(micro), "{text}");
        }
    }

    #[test]
    fn what_is_no_energy_is_refused() {
        for text in ["", ".", "NaN", "inf", "1,5", "1.2.3", "0x10", "1e", "1e999", "--1", "12 kWh"] {
            assert_eq!(micro_wh(text), Err(NotEnergy::NotANumber), "{text}");
        }
        assert_eq!(micro_wh("-0.001"), Err(NotEnergy::Negative));
        assert_eq!(micro_wh("99999999999999999999"), Err(NotEnergy::TooLarge));
        assert_eq!(micro_wh("9e99"), Err(NotEnergy::TooLarge));
    }

    proptest! {
        #[test]
        fn a_printed_amount_is_read_back(micro in 0u64..10_000_000_000_000) {
            let text = format!("{}.{:09}", micro / 1_000_000_000, micro % 1_000_000_000);
            prop_assert_eq!(micro_wh(&text), Ok(micro));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,50}") {
            let _ = micro_wh(&text);
        }
    }
}
