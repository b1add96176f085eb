//! The forecast that needs no training: the sun's geometry scaled by how clear the
//! last days were, and what the household used at this time of the last days.

use crate::clear_sky::{clearness, mean_irradiance, pv_wh};
use crate::forecaster::{Forecast, ForecastInput, Forecaster, HORIZON_S, Point, Stage};
use crate::history::SlotEnergy;
use crate::number::{fraction, seconds};
use crate::quantiles::{Quantiles, of_samples};
use crate::typical;
use jirani_units::{Slot, Timestamp};

/// Clear sky and same time yesterday, with the last days for the spread.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClearSkyAndYesterday;

/// Days looked back at.
const DAYS: i64 = 7;
const DAY_S: i64 = 86_400;
/// Share of a clear sky's yield at each level before anything was observed: a
/// highland year with cumulus afternoons.
const PRIOR_CLEARNESS: [f64; 7] = [0.15, 0.25, 0.50, 0.75, 0.92, 1.02, 1.08];
/// Observations at one time of day that weigh as much as the prior.
const PRIOR_WEIGHT: f64 = 6.0;
/// Spread of a typical household's use around its mean, at each level.
const TYPICAL_SPREAD: [f64; 7] = [0.15, 0.25, 0.50, 0.85, 1.30, 2.00, 2.80];
/// Share of the rated power at each level where neither sun nor past is known.
const BLIND_SHARE: [f64; 7] = [0.0, 0.0, 0.0, 0.05, 0.30, 0.50, 0.65];
/// Light below which weather says no share of a clear sky, in W/m2.
const DUSK: f64 = 1.0;
/// The most light there is between clouds, as a share of a clear sky's.
const CLEAREST: f64 = 1.2;
/// What is left of the usual spread when the weather is known.
const STRAYS: f64 = 0.6;
/// How long the last two hours' sky is remembered, in seconds.
const MEMORY_S: f64 = 3.0 * 3_600.0;

impl Forecaster for ClearSkyAndYesterday {
    fn forecast(&self, input: &ForecastInput<'_>) -> Forecast {
        let past = Past::of(input);
        let load_scale = past.load_scale();
        let sky_now = past.sky_now();
        let mut slot = Slot::containing(input.issued_at, input.slot_length_s);
        let count = HORIZON_S / input.slot_length_s;
        let points = (0..count)
            .map(|_| {
                let point = Point {
                    start: slot.start,
                    production: past.production(slot.start, sky_now),
                    consumption: past.consumption(slot.start, load_scale),
                };
                slot = slot.next();
                point
            })
            .collect();
        Forecast { issued_at: input.issued_at, step_s: input.slot_length_s, stage: past.stage(), points }
    }

    fn name(&self) -> &'static str {
        "clear-sky-and-yesterday/1"
    }
}

/// Slots that had ended when the forecast was issued, and are not too old.
fn known<'a>(input: &ForecastInput<'a>) -> &'a [SlotEnergy] {
    let oldest = input.issued_at.plus_seconds(-(DAYS + 1) * DAY_S);
    let length = i64::from(input.slot_length_s);
    let from = input.history.partition_point(|slot| slot.start < oldest);
    let to = input.history.partition_point(|slot| slot.start.plus_seconds(length) <= input.issued_at);
    input.history.get(from..to).unwrap_or(&[])
}

struct Past<'a> {
    input: &'a ForecastInput<'a>,
    history: &'a [SlotEnergy],
    /// How clear the sky was in each slot of the history, where its yield says so. Known
    /// once: each is asked for by every slot ahead at about its time of day.
    clearness: Vec<Option<f64>>,
}

impl<'a> Past<'a> {
    fn of(input: &'a ForecastInput<'a>) -> Self {
        let history = known(input);
        let (rated, length) = (input.pv_rated_w, input.slot_length_s);
        let seen = |slot: &SlotEnergy| {
            let clear = pv_wh(rated, mean_irradiance(input.place?, slot.start, length), length);
            clearness(slot.production_wh, clear, rated, length)
        };
        Self { input, history, clearness: history.iter().map(seen).collect() }
    }

    fn stage(&self) -> Stage {
        match self.history.len() * self.input.slot_length_s as usize / 86_400 {
            0 => Stage::Cold,
            1..=6 => Stage::Young,
            _ => Stage::Grown,
        }
    }

    fn clearness(&self, place: usize) -> Option<f64> {
        self.clearness.get(place).copied().flatten()
    }

    /// Past slots at the time of day of `start`, `around` slots to each side, with
    /// how many days and how many slots away they are, and their place in the history.
    fn same_time(
        &self,
        start: Timestamp,
        around: i64,
    ) -> impl Iterator<Item = (i64, i64, usize, &SlotEnergy)> {
        let length = i64::from(self.input.slot_length_s);
        // Whole days back until the day is known.
        let ahead = start.since(self.input.issued_at).max(0) / 1_000_000;
        let nearest = 1 + ahead / DAY_S;
        (nearest..nearest + DAYS).flat_map(move |day| {
            (-around..=around).filter_map(move |beside| {
                let wanted = start.plus_seconds(beside * length - day * DAY_S);
                let place = self.history.binary_search_by_key(&wanted, |slot| slot.start).ok()?;
                Some((day - nearest, beside.abs(), place, self.history.get(place)?))
            })
        })
    }

    fn production(&self, start: Timestamp, sky_now: Option<f64>) -> Quantiles {
        let (rated, length) = (self.input.pv_rated_w, self.input.slot_length_s);
        if rated == 0 {
            return Quantiles::default();
        }
        let Some(place) = self.input.place else { return self.production_without_sun(start) };
        let clear = mean_irradiance(place, start, length);
        let expected = pv_wh(rated, clear, length);
        let weather = self.input.weather.binary_search_by_key(&start, |slot| slot.start).ok();
        let through = weather
            .and_then(|found| self.input.weather.get(found))
            .filter(|_| clear > DUSK)
            .map(|slot| (slot.irradiance / clear).clamp(0.0, CLEAREST));
        let per_hour = 3_600 / i64::from(length).clamp(1, 3_600);
        let mut samples: Vec<(f64, f64)> = self
            .same_time(start, per_hour)
            .filter_map(|(_, _, past, _)| self.clearness(past).map(|share| (share, 1.0)))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "at most a few hundred samples")]
        let trust = samples.len() as f64 / (samples.len() as f64 + PRIOR_WEIGHT);
        let seen = of_samples(&mut samples).unwrap_or(PRIOR_CLEARNESS);
        let ahead = seconds(start.since(self.input.issued_at)).max(0.0);
        let memory = 0.8 * (1.0 - ahead / MEMORY_S).max(0.0);
        let full = f64::from(self.input.pv_rated_w) * f64::from(length) / 3_600.0;
        Quantiles::from_values(std::array::from_fn(|i| {
            let usual = |i: usize| trust * seen[i] + (1.0 - trust) * PRIOR_CLEARNESS[i];
            let usual = match through {
                // The past says what these panels make of a clear sky and how far skies
                // stray; the weather says around what.
                Some(through) => usual(5) * through + STRAYS * (usual(i) - usual(3)),
                None => usual(i),
            };
            let share = sky_now.map_or(usual, |sky| usual + memory * (sky - usual));
            (expected * share).min(full)
        }))
    }

    /// Same time of the last days, for who does not say where the panels are.
    fn production_without_sun(&self, start: Timestamp) -> Quantiles {
        let mut samples: Vec<(f64, f64)> = self
            .same_time(start, 2)
            .map(|(day, _, _, slot)| (fraction(slot.production_wh), recency(day)))
            .collect();
        let full = f64::from(self.input.pv_rated_w) * f64::from(self.input.slot_length_s) / 3_600.0;
        Quantiles::from_values(
            of_samples(&mut samples).unwrap_or_else(|| BLIND_SHARE.map(|share| share * full)),
        )
    }

    /// How clear the sky was in the last two hours of daylight before issue.
    fn sky_now(&self) -> Option<f64> {
        let since = self.input.issued_at.plus_seconds(-2 * 3_600);
        let recent =
            self.history.iter().zip(&self.clearness).rev().take_while(|(slot, _)| slot.start >= since);
        let shares: Vec<f64> = recent.filter_map(|(_, clearness)| *clearness).collect();
        #[expect(clippy::cast_precision_loss, reason = "two hours of slots")]
        let count = shares.len() as f64;
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / count)
    }

    fn consumption(&self, start: Timestamp, load_scale: f64) -> Quantiles {
        let typical = self.typical(start) * load_scale;
        let expected = TYPICAL_SPREAD.map(|spread| spread * typical);
        let mut days = 0.0;
        let mut samples: Vec<(f64, f64)> = self
            .same_time(start, 1)
            .map(|(day, beside, _, slot)| {
                if beside == 0 {
                    days += 1.0;
                }
                // Yesterday counts most, the very slot more than its neighbours.
                let weight = recency(day) * if beside == 0 { 2.0 } else { 1.0 };
                (fraction(slot.consumption_wh), weight)
            })
            .collect();
        let Some(seen) = of_samples(&mut samples) else { return Quantiles::from_values(expected) };
        // One day of history says where the middle is but little of the spread.
        let trust = days / (days + 0.5);
        let middle = (seen[3] - expected[3]) * trust;
        Quantiles::from_values(std::array::from_fn(|i| {
            trust * seen[i] + (1.0 - trust) * (expected[i] + middle)
        }))
    }

    fn typical(&self, start: Timestamp) -> f64 {
        let offset = self.input.place.map_or(typical::EAST_AFRICA_S, crate::Place::clock_offset_s);
        typical::consumption_wh(start, self.input.slot_length_s, offset)
    }

    /// How much more than a typical household this one used in the slots seen.
    fn load_scale(&self) -> f64 {
        let used: f64 = self.history.iter().map(|slot| fraction(slot.consumption_wh)).sum();
        let typical: f64 = self.history.iter().map(|slot| self.typical(slot.start)).sum();
        // A quarter of a typical day of doubt, so that one slot decides nothing.
        (used + 500.0) / (typical + 500.0)
    }
}

fn recency(days: i64) -> f64 {
    if days == 0 { 2.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clear_sky::clear_wh;
    use crate::place::Place;
    use proptest::prelude::*;

    const NOON: &str = "2026-03-20T09:30:00Z";

    fn past_days(
        days: i64,
        until: Timestamp,
        share_percent: u64,
        load: impl Fn(i64) -> u64,
    ) -> Vec<SlotEnergy> {
        (-days * 96..0)
            .map(|i| {
                let start = until.plus_seconds(i * 900);
                SlotEnergy {
                    start,
                    production_wh: clear_wh(Place::KITONYONI, 1_000, start, 900) * share_percent / 100,
                    consumption_wh: load(start.seconds().rem_euclid(86_400) / 900),
                }
            })
            .collect()
    }

    fn input(history: &[SlotEnergy]) -> ForecastInput<'_> {
        ForecastInput {
            issued_at: NOON.parse().unwrap(),
            slot_length_s: 900,
            place: Some(Place::KITONYONI),
            pv_rated_w: 1_000,
            history,
            weather: &[],
        }
    }

    #[test]
    fn yesterday_at_the_same_time_is_what_is_expected_today() {
        let now: Timestamp = NOON.parse().unwrap();
        let history = past_days(7, now, 80, |slot| 10 + u64::try_from(slot).unwrap());
        let forecast = ClearSkyAndYesterday.forecast(&input(&history));
        assert_eq!((forecast.points.len(), forecast.stage), (192, Stage::Grown));
        for point in &forecast.points {
            let slot = u64::try_from(point.start.seconds().rem_euclid(86_400) / 900).unwrap();
            assert!(point.consumption.median().abs_diff(10 + slot) <= 8, "{point:?}");
        }
    }

    #[test]
    fn a_week_of_haze_lowers_what_the_sun_is_expected_to_give() {
        let now: Timestamp = NOON.parse().unwrap();
        let hazy = past_days(7, now, 40, |_| 20);
        let clear = past_days(7, now, 95, |_| 20);
        let tomorrow_noon = 96;
        let of = |history: &[SlotEnergy]| {
            ClearSkyAndYesterday.forecast(&input(history)).points[tomorrow_noon].production.median()
        };
        let full = clear_wh(Place::KITONYONI, 1_000, now, 900);
        assert!(of(&hazy) < full / 2 && of(&clear) > full * 8 / 10);
    }

    #[test]
    fn nights_bring_nothing_and_a_home_without_panels_never_does() {
        let forecast = ClearSkyAndYesterday.forecast(&input(&[]));
        assert_eq!(forecast.stage, Stage::Cold);
        let midnight = forecast.points.iter().find(|p| p.start.to_string().contains("T21:00")).unwrap();
        assert_eq!(midnight.production, Quantiles::default());
        let dark = ClearSkyAndYesterday.forecast(&ForecastInput { pv_rated_w: 0, ..input(&[]) });
        assert!(dark.points.iter().all(|point| point.production == Quantiles::default()));
        assert!(dark.points.iter().all(|point| point.consumption.median() > 0));
    }

    #[test]
    fn the_future_is_never_looked_at() {
        let now: Timestamp = NOON.parse().unwrap();
        let past = past_days(3, now, 80, |_| 30);
        let mut leaked = past.clone();
        leaked.extend((0..96).map(|i| SlotEnergy {
            start: now.plus_seconds(i * 900),
            production_wh: 9_999,
            consumption_wh: 9_999,
        }));
        assert_eq!(
            ClearSkyAndYesterday.forecast(&input(&past)),
            ClearSkyAndYesterday.forecast(&input(&leaked))
        );
    }

    proptest! {
        #[test]
        fn quantiles_rise_whatever_the_past_was(
            past in proptest::collection::vec((0u64..2_000, 0u64..2_000, any::<bool>()), 0..800),
            with_place in any::<bool>(),
        ) {
            let now: Timestamp = NOON.parse().unwrap();
            let count = i64::try_from(past.len()).unwrap();
            let history: Vec<SlotEnergy> = past.iter().zip(-count..0).filter(|((_, _, kept), _)| *kept)
                .map(|(&(production_wh, consumption_wh, _), i)| SlotEnergy {
                    start: now.plus_seconds(i * 900), production_wh, consumption_wh,
                }).collect();
            let place = with_place.then_some(Place::KITONYONI);
            let forecast = ClearSkyAndYesterday.forecast(&ForecastInput { place, ..input(&history) });
            for point in forecast.points {
                for quantiles in [point.production, point.consumption] {
                    prop_assert!(quantiles.values().windows(2).all(|pair| pair[0] <= pair[1]));
                }
            }
        }
    }
}
