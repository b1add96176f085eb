//! Weather as the learner sees it, with the time from which it was known.

use crate::forecaster::WeatherSlot;
use jirani_units::Timestamp;

/// Weather of one slot; what nobody says is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Global horizontal irradiance in W/m2, mean over the slot.
    pub irradiance: f32,
    /// Air temperature in degrees Celsius.
    pub temperature_c: f32,
    /// Cloud cover in percent.
    pub cloud_percent: f32,
    /// Relative humidity in percent.
    pub humidity_percent: f32,
    /// Rain in mm.
    pub rain_mm: f32,
    /// Wind in m/s.
    pub wind_ms: f32,
    /// Irradiance as above, the mean of this place and others near it.
    pub around: f32,
}

impl Sky {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        irradiance: f32::NAN,
        temperature_c: f32::NAN,
        cloud_percent: f32::NAN,
        humidity_percent: f32::NAN,
        rain_mm: f32::NAN,
        wind_ms: f32::NAN,
        around: f32::NAN,
    };

    /// The share of a clear sky's light that comes through, as told by the cloud cover:
    /// Kasten and Czeplak (1980). NaN where the cover is unknown or no percentage.
    pub fn through_clouds(self) -> f32 {
        if (0.0..=100.0).contains(&self.cloud_percent) {
            1.0 - 0.75 * (self.cloud_percent / 100.0).powf(3.4)
        } else {
            f32::NAN
        }
    }
}

/// Weather on the grid of slots, each with the time from which it was known.
#[derive(Clone, Debug, Default)]
pub struct Skies {
    first: i64,
    slots: Vec<Option<(Timestamp, Sky)>>,
}

/// The longest span of weather that is kept.
const SLOTS_MAX: i64 = 105_216;

impl Skies {
    /// From `(start, known from, weather)` in any order; of two for one slot the later
    /// issue counts.
    pub fn of(entries: &[(Timestamp, Timestamp, Sky)], step_s: u32) -> Self {
        let step = i64::from(step_s.max(1));
        let number = |start: &Timestamp| start.seconds().div_euclid(step);
        let last = entries.iter().map(|(start, ..)| number(start)).max().unwrap_or(0);
        let recent = |start: &Timestamp| number(start) > last.saturating_sub(SLOTS_MAX);
        let kept = || entries.iter().filter(|(start, ..)| recent(start));
        let first = kept().map(|(start, ..)| number(start)).min().unwrap_or(0);
        let length = if entries.is_empty() { 0 } else { usize::try_from(last - first + 1).unwrap_or(0) };
        let mut slots: Vec<Option<(Timestamp, Sky)>> = vec![None; length];
        for (start, known_from, sky) in kept() {
            let place = usize::try_from(number(start) - first).ok();
            if let Some(slot) = place.and_then(|place| slots.get_mut(place))
                && slot.is_none_or(|(before, _)| before <= *known_from)
            {
                *slot = Some((*known_from, *sky));
            }
        }
        Self { first, slots }
    }

    /// A weather forecast, known from `issued_at` on.
    pub fn of_forecast(weather: &[WeatherSlot], issued_at: Timestamp, step_s: u32) -> Self {
        let narrow = |value: Option<f64>| value.map_or(f32::NAN, super::grid::narrow);
        let entries: Vec<_> = weather
            .iter()
            .map(|slot| {
                let sky = Sky {
                    irradiance: narrow(Some(slot.irradiance)),
                    temperature_c: narrow(slot.temperature_c),
                    cloud_percent: narrow(slot.cloud_percent),
                    ..Sky::UNKNOWN
                };
                (slot.start, issued_at, sky)
            })
            .collect();
        Self::of(&entries, step_s)
    }

    /// The same, each slot with the mean irradiance of all these places as far as it was known
    /// no later than this one's: a cloud may pass beside where it was forecast.
    #[must_use]
    pub fn with_around(mut self, places: &[&Self]) -> Self {
        for (slot, number) in self.slots.iter_mut().zip(self.first..) {
            if let Some((known_from, sky)) = slot {
                sky.around =
                    super::usual::mean(places.iter().map(|place| place.at(number, *known_from).irradiance));
            }
        }
        self
    }

    /// What was known at `issued_at` of the slot with this number.
    pub fn at(&self, number: i64, issued_at: Timestamp) -> Sky {
        usize::try_from(number - self.first)
            .ok()
            .and_then(|place| self.slots.get(place).copied().flatten())
            .filter(|(known_from, _)| *known_from <= issued_at)
            .map_or(Sky::UNKNOWN, |(_, sky)| sky)
    }
}
