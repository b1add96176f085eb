//! Where on Earth.

use std::fmt;
use std::str::FromStr;

/// A place, in millionths of a degree: north and east are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// -90,000,000 to 90,000,000.
    pub latitude_microdegrees: i32,
    /// -180,000,000 to 180,000,000.
    pub longitude_microdegrees: i32,
}

/// Not a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("forecast.not_a_place: write latitude and longitude in degrees, like -1.9,37.6")]
pub struct InvalidPlace;

impl Place {
    /// Kitonyoni in Makueni, Kenya, a market town with a solar mini-grid.
    pub const KITONYONI: Self =
        Self { latitude_microdegrees: -1_900_000, longitude_microdegrees: 37_600_000 };

    /// From millionths of a degree.
    pub fn new(latitude_microdegrees: i32, longitude_microdegrees: i32) -> Result<Self, InvalidPlace> {
        let valid = (-90_000_000..=90_000_000).contains(&latitude_microdegrees)
            && (-180_000_000..=180_000_000).contains(&longitude_microdegrees);
        if valid { Ok(Self { latitude_microdegrees, longitude_microdegrees }) } else { Err(InvalidPlace) }
    }

    /// Latitude in degrees.
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude_microdegrees) / 1e6
    }

    /// Longitude in degrees.
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude_microdegrees) / 1e6
    }

    /// Seconds that the mean sun is ahead of UTC here, to the hour: a stand-in for
    /// the time zone where only the place is known.
    pub fn clock_offset_s(self) -> i64 {
        i64::from((self.longitude_microdegrees + 7_500_000).div_euclid(15_000_000)) * 3_600
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (latitude, longitude) = text.split_once(',').ok_or(InvalidPlace)?;
        Self::new(microdegrees(latitude.trim())?, microdegrees(longitude.trim())?)
    }
}

fn microdegrees(text: &str) -> Result<i32, InvalidPlace> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || !all_digits(whole) || !all_digits(decimals) {
        return Err(InvalidPlace);
    }
    let decimals: String = decimals.chars().chain("000000".chars()).take(6).collect();
    let value: i32 = format!("{whole}{decimals}").parse().map_err(|_| InvalidPlace)?;
    Ok(sign * value)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.latitude(), self.longitude())
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_read_as_people_write_it() {
        let fontana: Place = "34.09, -117.44".parse().unwrap();
        assert_eq!(
            (fontana.latitude_microdegrees, fontana.longitude_microdegrees),
            (34_090_000, -117_440_000)
        );
        assert_eq!(fontana.clock_offset_s(), -8 * 3_600);
        assert_eq!("-1.9,37.6".parse::<Place>().unwrap(), Place::KITONYONI);
        assert_eq!(Place::KITONYONI.clock_offset_s(), 3 * 3_600);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "1", "91,0", "0,181", "north,south", "1,2,3", "1.5e1,0", "-,3", "NaN,0"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
