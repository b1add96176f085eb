//! Decimal text into integers, exactly.
//!
//! Energy is counted in microjoules: every unit that meters speak is a whole number of
//! them, so that W·min and kWh add up without a rest. What a text says beyond a microjoule
//! is dropped, never rounded up; since a counter's *differences* are taken of absolute
//! values, what is dropped never adds up.

use crate::error::DeviceError;
use jirani_units::JSON_INTEGER_MAX;

/// Microjoules of one Wh.
pub const MICROJOULES_PER_WH: u128 = 3_600_000_000;
/// The most that a counter may show.
pub(crate) const MICROJOULES_MAX: u128 = JSON_INTEGER_MAX as u128 * MICROJOULES_PER_WH;
/// Longest text of a number.
const TEXT_MAX: usize = 64;
/// Digits that are read; further ones behind the point are dropped.
const DIGITS_MAX: u32 = 20;
/// Largest exponent, either way.
const EXPONENT_MAX: i32 = 18;

/// What a value is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Watt hours.
    WattHours,
    /// Kilowatt hours.
    KilowattHours,
    /// Megawatt hours.
    MegawattHours,
    /// Watt minutes.
    WattMinutes,
    /// Joules.
    Joules,
    /// Watts.
    Watts,
    /// Kilowatts.
    Kilowatts,
    /// Volts.
    Volts,
    /// Amperes.
    Amperes,
    /// Hertz.
    Hertz,
}

impl Unit {
    /// The names in definitions.
    pub const NAMES: [&'static str; 10] = ["Wh", "kWh", "MWh", "Wmin", "J", "W", "kW", "V", "A", "Hz"];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Wh" => Self::WattHours,
            "kWh" => Self::KilowattHours,
            "MWh" => Self::MegawattHours,
            "Wmin" => Self::WattMinutes,
            "J" => Self::Joules,
            "W" => Self::Watts,
            "kW" => Self::Kilowatts,
            "V" => Self::Volts,
            "A" => Self::Amperes,
            "Hz" => Self::Hertz,
            _ => return None,
        })
    }

    /// Microjoules of one, for units of energy.
    pub const fn microjoules(self) -> Option<u128> {
        Some(match self {
            Self::WattHours => MICROJOULES_PER_WH,
            Self::KilowattHours => 1_000 * MICROJOULES_PER_WH,
            Self::MegawattHours => 1_000_000 * MICROJOULES_PER_WH,
            Self::WattMinutes => 60_000_000,
            Self::Joules => 1_000_000,
            _ => return None,
        })
    }

    /// Thousandths of the unit that is shown (W, V, A, Hz) of one; 0 for energy.
    pub(crate) const fn thousandths(self) -> u128 {
        match self {
            Self::Watts | Self::Volts | Self::Amperes | Self::Hertz => 1_000,
            Self::Kilowatts => 1_000_000,
            _ => 0,
        }
    }
}

/// A sign and a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scaled {
    pub(crate) negative: bool,
    pub(crate) size: u128,
}

/// `text` times `factor`, what is below one dropped.
pub(crate) fn scaled(text: &str, factor: u128) -> Result<Scaled, DeviceError> {
    let shown = || text.chars().take(24).collect::<String>();
    let not_a_number = || DeviceError::NotANumber(shown());
    let out_of_range = || DeviceError::OutOfRange(shown());
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_MAX {
        return Err(not_a_number());
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| not_a_number())?),
        None => (unsigned, 0),
    };
    if !(-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent) {
        return Err(out_of_range());
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(not_a_number());
    }
    let (mut size, mut digits, mut shift) = (0_u128, 0_u32, exponent);
    for (place, character) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = character.to_digit(10).ok_or_else(not_a_number)?;
        let behind = place >= whole.len();
        if digits == DIGITS_MAX {
            if behind {
                continue;
            }
            return Err(out_of_range());
        }
        size = size * 10 + u128::from(digit);
        digits += u32::from(size > 0);
        shift -= i32::from(behind);
    }
    let ten = |power: i32| 10_u128.checked_pow(power.unsigned_abs());
    let scaled = size.checked_mul(factor).ok_or_else(out_of_range)?;
    let size = if shift >= 0 {
        ten(shift).and_then(|ten| scaled.checked_mul(ten)).ok_or_else(out_of_range)?
    } else {
        // A divisor beyond 128 bits leaves nothing.
        ten(shift).map_or(0, |ten| scaled / ten)
    };
    Ok(Scaled { negative: negative && size > 0, size })
}

/// A counter's text in microjoules.
pub(crate) fn energy(name: &str, text: &str, unit: Unit) -> Result<u128, DeviceError> {
    let factor = unit.microjoules().ok_or_else(|| DeviceError::Malformed(format!("{name} is no energy")))?;
    let Scaled { negative, size } = scaled(text, factor)?;
    if negative {
        return Err(DeviceError::Negative(name.to_owned()));
    }
    if size > MICROJOULES_MAX {
        return Err(DeviceError::OutOfRange(name.to_owned()));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_to_the_microjoule() {
        for (text, unit, microjoules) in [
            ("1", Unit::WattHours, 3_600_000_000),
            ("0.000001", Unit::WattHours, 3_600),
            ("1.5", Unit::KilowattHours, 5_400_000_000_000),
            ("00012.345", Unit::KilowattHours, 44_442_000_000_000),
            ("60", Unit::WattMinutes, 3_600_000_000),
            ("1", Unit::WattMinutes, 60_000_000),
            ("2776175.11", Unit::WattHours, 9_994_230_396_000_000),
            ("1.25e3", Unit::WattHours, 4_500_000_000_000),
            ("125E-2", Unit::WattHours, 4_500_000_000),
            // A float's own noise: what lies beyond a microjoule is dropped.
            ("0.30000000000000004", Unit::KilowattHours, 1_080_000_000_000),
            ("-0", Unit::WattHours, 0),
            (" 7 ", Unit::Joules, 7_000_000),
            ("9007199254740991", Unit::WattHours, MICROJOULES_MAX),
        ] {
            assert_eq!(energy("import", text, unit), Ok(microjoules), "{text} {unit:?}");
        }
    }

    #[test]
    fn what_is_no_counter_is_refused_by_its_reason() {
        for (text, code) in [
            ("NaN", "device.not_a_number"),
            ("inf", "device.not_a_number"),
            ("", "device.not_a_number"),
            (".", "device.not_a_number"),
            ("1,5", "device.not_a_number"),
            ("0x10", "device.not_a_number"),
            ("1e", "device.not_a_number"),
            ("1.2.3", "device.not_a_number"),
            ("unavailable", "device.not_a_number"),
            ("-1", "device.negative"),
            ("-0.001", "device.negative"),
            ("9007199254740992", "device.out_of_range"),
            ("1e19", "device.out_of_range"),
            ("123456789012345678901", "device.out_of_range"),
        ] {
            assert_eq!(energy("import", text, Unit::WattHours).unwrap_err().code(), code, "{text}");
        }
        let long = "9".repeat(65);
        assert_eq!(energy("import", &long, Unit::WattHours).unwrap_err().code(), "device.not_a_number");
    }
}
