//! Where the sun stands: the series of Spencer (1971) for declination and the
//! equation of time, as in NOAA's "General Solar Position Calculations",
//! <https://gml.noaa.gov/grad/solcalc/solareqns.PDF>. Good to a quarter of a
//! degree, which is a few W/m2: far below what clouds do.

use crate::number::seconds;
use crate::place::Place;
use jirani_units::Timestamp;
use std::f64::consts::TAU;

/// The sun's place in the sky, refraction left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunPosition {
    /// Angle from straight up, in degrees: above 90 the sun is down.
    pub zenith_deg: f64,
    /// Clockwise from north, in degrees.
    pub azimuth_deg: f64,
}

impl SunPosition {
    /// Cosine of the zenith angle: negative when the sun is down.
    pub fn cos_zenith(self) -> f64 {
        self.zenith_deg.to_radians().cos()
    }
}

const YEAR_DAYS: f64 = 365.2425;
/// 2000-01-01T00:00:00Z in seconds since 1970.
const Y2000_S: f64 = 946_684_800.0;

/// Angle of the year in radians: 0 on the first of January.
fn year_angle(at: Timestamp) -> f64 {
    let days = (seconds(at.0) - Y2000_S) / 86_400.0;
    TAU * (days.rem_euclid(YEAR_DAYS) - 0.5) / YEAR_DAYS
}

/// The sun's declination in radians.
pub fn declination(at: Timestamp) -> f64 {
    let g = year_angle(at);
    0.006_918 - 0.399_912 * g.cos() + 0.070_257 * g.sin() - 0.006_758 * (2.0 * g).cos()
        + 0.000_907 * (2.0 * g).sin()
        - 0.002_697 * (3.0 * g).cos()
        + 0.001_48 * (3.0 * g).sin()
}

/// Minutes by which a sundial is ahead of the mean sun.
pub fn equation_of_time_min(at: Timestamp) -> f64 {
    let g = year_angle(at);
    229.18
        * (0.000_075 + 0.001_868 * g.cos()
            - 0.032_077 * g.sin()
            - 0.014_615 * (2.0 * g).cos()
            - 0.040_849 * (2.0 * g).sin())
}

/// Where the sun stands over `place` at `at`.
pub fn sun_position(place: Place, at: Timestamp) -> SunPosition {
    let latitude = place.latitude().to_radians();
    let declination = declination(at);
    let utc_min = seconds(at.0).rem_euclid(86_400.0) / 60.0;
    let solar_min = utc_min + equation_of_time_min(at) + 4.0 * place.longitude();
    let hour_angle = (solar_min / 4.0 - 180.0).to_radians();
    let cos_zenith = (latitude.sin() * declination.sin()
        + latitude.cos() * declination.cos() * hour_angle.cos())
    .clamp(-1.0, 1.0);
    let south =
        hour_angle.sin().atan2(hour_angle.cos() * latitude.sin() - declination.tan() * latitude.cos());
    SunPosition {
        zenith_deg: cos_zenith.acos().to_degrees(),
        azimuth_deg: (south.to_degrees() + 180.0).rem_euclid(360.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The worked example of Reda & Andreas, "Solar Position Algorithm for Solar
    /// Radiation Applications", NREL/TP-560-34302: zenith 50.11162 deg, azimuth
    /// 194.34024 deg (elevation and refraction move it by less than 0.02 deg).
    #[test]
    fn the_published_example_is_met_within_a_quarter_of_a_degree() {
        let golden: Place = "39.742476,-105.1786".parse().unwrap();
        let sun = sun_position(golden, at("2003-10-17T19:30:30Z"));
        assert!((sun.zenith_deg - 50.111_62).abs() < 0.25, "{sun:?}");
        assert!((sun.azimuth_deg - 194.340_24).abs() < 0.4, "{sun:?}");
    }

    /// Almanac values of declination (degrees) and of the equation of time (minutes).
    #[test]
    fn declination_and_equation_of_time_follow_the_almanac() {
        for (when, degrees) in [
            ("2026-06-21T08:24:00Z", 23.44),
            ("2026-12-21T20:50:00Z", -23.44),
            ("2026-03-20T14:46:00Z", 0.0),
            ("2026-09-23T00:05:00Z", 0.0),
        ] {
            let found = declination(at(when)).to_degrees();
            assert!((found - degrees).abs() < 0.3, "{when}: {found}");
        }
        for (when, minutes) in [
            ("2026-02-11T12:00:00Z", -14.2),
            ("2026-05-14T12:00:00Z", 3.7),
            ("2026-07-26T12:00:00Z", -6.5),
            ("2026-11-03T12:00:00Z", 16.4),
        ] {
            let found = equation_of_time_min(at(when));
            assert!((found - minutes).abs() < 0.6, "{when}: {found}");
        }
    }

    #[test]
    fn at_an_equinox_noon_on_the_equator_the_sun_stands_overhead() {
        let equator = Place::new(0, 0).unwrap();
        let sun = sun_position(equator, at("2026-03-20T12:07:30Z"));
        assert!(sun.zenith_deg < 0.7, "{sun:?}");
        assert!(sun_position(equator, at("2026-03-20T00:00:00Z")).zenith_deg > 170.0);
    }

    #[test]
    fn morning_sun_is_in_the_east_and_evening_sun_in_the_west() {
        let morning = sun_position(Place::KITONYONI, at("2026-03-20T05:00:00Z"));
        let evening = sun_position(Place::KITONYONI, at("2026-03-20T14:00:00Z"));
        assert!((80.0..100.0).contains(&morning.azimuth_deg), "{morning:?}");
        assert!((260.0..280.0).contains(&evening.azimuth_deg), "{evening:?}");
    }
}
