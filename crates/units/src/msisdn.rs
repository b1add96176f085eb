//! Kenyan mobile numbers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `254` and nine digits of a Kenyan mobile line. Parsed once at the door.
/// `Debug` and [`Msisdn::masked`] hide the middle, so logs never hold a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Msisdn(u64);

/// Not a Kenyan mobile number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Kenyan mobile number: write it like 0712 345 678")]
pub struct InvalidMsisdn;

impl Msisdn {
    /// As M-Pesa wants it: `254712345678`.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// For logs and shared screens: `0712 *** 678`.
    pub fn masked(self) -> String {
        let national = self.0 % 1_000_000_000;
        format!("0{} *** {:03}", national / 1_000_000, national % 1_000)
    }
}

impl std::str::FromStr for Msisdn {
    type Err = InvalidMsisdn;

    /// Accepts `07..`, `01..`, `7..`, `254..` and `+254..`, with spaces or dashes.
    fn from_str(text: &str) -> Result<Self, InvalidMsisdn> {
        if text.len() > 24 {
            return Err(InvalidMsisdn);
        }
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let national = digits
            .strip_prefix("+254")
            .or_else(|| digits.strip_prefix("254"))
            .or_else(|| digits.strip_prefix('0'))
            .unwrap_or(&digits);
        let valid = national.len() == 9
            && national.bytes().all(|b| b.is_ascii_digit())
            && matches!(national.as_bytes()[0], b'1' | b'7');
        if !valid {
            return Err(InvalidMsisdn);
        }
        let national: u64 = national.parse().map_err(|_| InvalidMsisdn)?;
        Ok(Self(254_000_000_000 + national))
    }
}

impl TryFrom<String> for Msisdn {
    type Error = InvalidMsisdn;

    fn try_from(text: String) -> Result<Self, InvalidMsisdn> {
        text.parse()
    }
}

impl From<Msisdn> for String {
    fn from(msisdn: Msisdn) -> Self {
        msisdn.0.to_string()
    }
}

impl fmt::Display for Msisdn {
    /// For the owner's own screen: `0712 345 678`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0 % 1_000_000_000;
        write!(f, "0{} {:03} {:03}", n / 1_000_000, n / 1_000 % 1_000, n % 1_000)
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Msisdn;

    #[test]
    fn every_way_people_write_a_number_means_the_same() {
        for text in ["0712 345 678", "712345678", "254712345678", "+254 712-345-678"] {
            let msisdn: Msisdn = text.parse().unwrap();
            assert_eq!(msisdn.number(), 254_712_345_678);
            assert_eq!(msisdn.to_string(), "0712 345 678");
            assert_eq!(format!("{msisdn:?}"), "Msisdn(0712 *** 678)");
        }
    }

    #[test]
    fn what_is_not_a_kenyan_mobile_number_is_refused() {
        for text in ["", "0812345678", "07123456789", "25571234567", "07l2345678", "+1 712 345 678"] {
            assert!(text.parse::<Msisdn>().is_err(), "{text}");
        }
    }
}
