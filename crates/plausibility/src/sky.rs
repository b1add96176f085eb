//! What the sun allows at a place, whichever way panels face.
//!
//! A clear sky's ceiling for panels of unknown direction: the direct beam of Meinel and
//! Meinel (1976), `1361 x 0.7^(AM^0.678)` W/m2 with the air mass of Kasten and Young (1989),
//! as if they faced the sun, and a quarter of Haurwitz' global irradiance for what comes from
//! the sky. Real panels do not face the sun all day: a day's ceiling is a share of the sum.

use crate::profile::HOURS;
use jirani_forecast::Place;
use jirani_forecast::clear_sky::haurwitz;
use jirani_forecast::solar::sun_position;
use jirani_units::Timestamp;

/// Degrees below the horizon from which no panel sees light worth a reading.
const DARK_DEG: f64 = -2.0;
/// The most a system gives, in W per kW of panels: inverters stop there.
const MOST_W_PER_KW: f64 = 1_100.0;
/// What is allowed as long as it is not dark, in W per kW of panels.
const TWILIGHT_W_PER_KW: f64 = 10.0;
const SAMPLE_S: u32 = 300;

/// The sun over a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sky {
    /// Whether the sun is below -2 degrees from beginning to end.
    pub light: Light,
    /// The most that 1 kW of panels can yield, in Wh.
    pub ceiling_wh_per_kw: u32,
}

/// Whether there is light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// From beginning to end the sun is below -2 degrees.
    Dark,
    /// At some moment it is not.
    Some,
}

impl Sky {
    /// Over `length_s` seconds from `start`.
    pub fn over(place: Place, start: Timestamp, length_s: u32) -> Self {
        let samples = (length_s / SAMPLE_S).clamp(2, 600);
        let step_us = i64::from(length_s) * 1_000_000 / i64::from(samples);
        let mut sum = 0.0;
        let mut light = Light::Dark;
        for sample in 0..=samples {
            let elevation_deg =
                90.0 - sun_position(place, Timestamp(start.0 + step_us * i64::from(sample))).zenith_deg;
            if elevation_deg >= DARK_DEG {
                light = Light::Some;
                // Both ends count half: the rule of trapezes.
                let weight = if sample == 0 || sample == samples { 0.5 } else { 1.0 };
                sum += weight * power_w_per_kw(elevation_deg);
            }
        }
        let wh = sum / f64::from(samples) * f64::from(length_s) / 3_600.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 1,100 W over 2^32 s"
        )]
        let ceiling_wh_per_kw = wh.ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
        Self { light, ceiling_wh_per_kw }
    }

    /// The most that panels of `panels_w` can yield, in Wh.
    pub fn ceiling_wh(self, panels_w: u32) -> u64 {
        u64::from(self.ceiling_wh_per_kw) * u64::from(panels_w) / 1_000
    }
}

fn power_w_per_kw(elevation_deg: f64) -> f64 {
    if elevation_deg <= 0.0 {
        return TWILIGHT_W_PER_KW;
    }
    let sine = elevation_deg.to_radians().sin();
    let air_mass = 1.0 / (sine + 0.505_72 * (elevation_deg + 6.079_95).powf(-1.636_4));
    let beam = 1_361.0 * 0.7_f64.powf(air_mass.powf(0.678));
    (beam + haurwitz(sine) / 4.0 + TWILIGHT_W_PER_KW).min(MOST_W_PER_KW)
}

/// The skies of a place's day, hour by hour: the same for all meters there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaySky {
    /// Number of the day by the place's sun, from 1970.
    pub day: i64,
    /// Its hours.
    pub hours: [Sky; HOURS],
}

impl DaySky {
    /// The day `day` over `place`.
    pub fn over(place: Place, day: i64) -> Self {
        let start = day_start(place, day);
        let hour = |hour: usize| {
            Sky::over(place, start.plus_seconds(i64::try_from(hour).unwrap_or(0) * 3_600), 3_600)
        };
        Self { day, hours: std::array::from_fn(hour) }
    }

    /// The day that `at` lies in: its number, and the hour within it.
    pub fn day_of(place: Place, at: Timestamp) -> (i64, usize) {
        let local_s = at.0.div_euclid(1_000_000) + place.clock_offset_s();
        let hour = local_s.rem_euclid(86_400) / 3_600;
        (local_s.div_euclid(86_400), usize::try_from(hour).unwrap_or(0))
    }

    /// When the day begins.
    pub fn start(place: Place, day: i64) -> Timestamp {
        day_start(place, day)
    }
}

fn day_start(place: Place, day: i64) -> Timestamp {
    Timestamp((day * 86_400 - place.clock_offset_s()) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sky(at: &str, length_s: u32) -> Sky {
        Sky::over(Place::KITONYONI, at.parse().unwrap(), length_s)
    }

    #[test]
    fn at_night_it_is_dark_and_nothing_can_be_yielded() {
        // Sunset at Kitonyoni is about 15:40 UTC, sunrise about 03:30 UTC.
        assert_eq!(sky("2026-11-20T20:00:00Z", 3_600), Sky { light: Light::Dark, ceiling_wh_per_kw: 0 });
        assert_eq!(sky("2026-11-20T15:20:00Z", 900).light, Light::Some, "dusk");
        assert_eq!(sky("2026-11-20T02:00:00Z", 7_200).light, Light::Some, "a night that ends in the morning");
    }

    #[test]
    fn at_noon_panels_reach_their_rating_and_little_more() {
        let noon = sky("2026-11-20T09:00:00Z", 3_600);
        assert!((1_050..=1_100).contains(&noon.ceiling_wh_per_kw), "{noon:?}");
        assert!(noon.ceiling_wh(4_000) <= 4_400);
    }

    #[test]
    fn a_day_begins_at_the_places_own_midnight() {
        let at: Timestamp = "2026-11-20T21:30:00Z".parse().unwrap();
        let (day, hour) = DaySky::day_of(Place::KITONYONI, at);
        assert_eq!(hour, 0);
        assert_eq!(DaySky::start(Place::KITONYONI, day), "2026-11-20T21:00:00Z".parse().unwrap());
    }
}
