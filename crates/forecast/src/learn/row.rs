//! What the learner is told of a slot ahead: one row of numbers, NaN for what nobody
//! knew. Values are in the scene's units, so that homes of any size learn together.

use super::grid::Target;
use super::scene::Scene;
use super::usual::{Usual, mean};
use crate::solar::sun_position;
use std::f32::consts::TAU;

/// How many columns.
pub const WIDTH: usize = 55;

/// What the columns hold, in order; kept with a model and told by explanations.
pub const COLUMNS: [&str; WIDTH] = [
    "hours_ahead",
    "hour",
    "weekday",
    "season_sine",
    "season_cosine",
    "sun_height",
    "sun_azimuth",
    "clear_sky",
    "yesterday",
    "day_before",
    "week_before",
    "mean_of_3_days",
    "mean_of_7_days",
    "mean_of_28_days",
    "low_of_28_days",
    "middle_of_28_days",
    "high_of_28_days",
    "mean_of_7_days_beside",
    "mean_of_4_weekdays",
    "last_2_hours",
    "last_2_hours_unusual",
    "last_day",
    "last_week",
    "irradiance",
    "irradiance_hour_before",
    "irradiance_hour_after",
    "irradiance_2_hours_before",
    "irradiance_2_hours_after",
    "irradiance_of_day",
    "temperature",
    "temperature_of_day",
    "cloud",
    "humidity",
    "rain",
    "wind",
    "home",
    "irradiance_of_clear_sky",
    "irradiance_of_clear_sky_of_day",
    "irradiance_3_hours_before",
    "irradiance_3_hours_after",
    "cloud_hour_before",
    "cloud_hour_after",
    "cloud_of_day",
    "clearness_of_last_day",
    "clearness_of_3_days",
    "clearness_of_last_week",
    "highest_of_7_days",
    "mean_of_this_kind_of_day",
    "last_6_hours",
    "produced_in_7_days",
    "produced_yesterday",
    "used_in_7_days",
    "used_yesterday",
    "used_last_day",
    "irradiance_around",
];

/// Whether homes are told apart by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Homes {
    /// All homes are one: what is learned holds for a new one too.
    Alike,
    /// Each has its own ways, such as where its panels look.
    Apart,
}

/// The row of the slot with this number, and what is usual there.
pub fn row(scene: &Scene<'_>, number: i64, homes: Homes) -> ([f32; WIDTH], Usual) {
    let home = scene.home();
    let step_s = i64::from(home.grid.step_s());
    let per_day = home.grid.per_day();
    let per_hour = (3_600 / step_s).max(1);
    let local_s = scene.start(number).seconds() + home.clock_offset_s + step_s / 2;
    let usual = scene.expected(number);
    let lags: Vec<f32> = scene.alike(number, 7).collect();
    let over = |days: usize| mean(lags.iter().copied().take(days));
    let week_before = scene.value(number - 7 * per_day).unwrap_or(f32::NAN);
    let beside = |by: i64| mean(scene.alike(number + by * per_hour, 7));
    let weekday = (local_s.div_euclid(86_400) + 4).rem_euclid(7);
    let kind = kind_of_day(scene, number, weekday);
    let others = |target: Target| {
        let days =
            (1..=7).map(|day| scene.other(target, number - (scene.nearest(number) + day - 1) * per_day));
        let days: Vec<f32> = days.map(|value| value.unwrap_or(f32::NAN)).collect();
        if target == scene.target() { [f32::NAN; 2] } else { [mean(days.iter().copied()), days[0]] }
    };
    let ([produced, produced_yesterday], [used, used_yesterday]) =
        (others(Target::Production), others(Target::Consumption));
    let weekdays = mean((1..=4).map(|week| scene.value(number - 7 * week * per_day).unwrap_or(f32::NAN)));
    let (sine, cosine) = season(scene, local_s);
    let (height, azimuth) = sun(scene, number);
    let light = |by: i64| irradiance(scene, number + by * per_hour);
    let day_from = number - local_s.rem_euclid(86_400) / step_s;
    let of_day = |of: &dyn Fn(i64) -> f32| mean((0..24).map(|hour| of(day_from + hour * per_day / 24)));
    let cloud = |by: i64| scene.sky(number + by * per_hour).cloud_percent;
    let weathered = home.skies.is_some();
    let sky = scene.sky(number);
    let mut row = [
        whole(number - scene.now()) / whole(per_hour),
        whole(local_s.rem_euclid(86_400)) / 3_600.0,
        whole(weekday),
        sine,
        cosine,
        height,
        azimuth,
        scene.clear(number),
        lags.first().copied().unwrap_or(f32::NAN),
        lags.get(1).copied().unwrap_or(f32::NAN),
        week_before,
        over(3),
        over(7),
        usual.mean(),
        usual.at(0.1),
        usual.at(0.5),
        usual.at(0.9),
        mean([beside(-1), over(7), beside(1)].into_iter()),
        weekdays,
        scene.recent.hours,
        scene.recent.unusual,
        scene.recent.day,
        scene.recent.week,
        light(0),
        light(-1),
        light(1),
        light(-2),
        light(2),
        if weathered { of_day(&|number| irradiance(scene, number)) } else { f32::NAN },
        sky.temperature_c,
        if weathered { of_day(&|number| scene.sky(number).temperature_c) } else { f32::NAN },
        sky.cloud_percent,
        sky.humidity_percent,
        sky.rain_mm,
        sky.wind_ms,
        match homes {
            Homes::Alike => f32::NAN,
            Homes::Apart => f32::from(home.number),
        },
        light(0) / scene.clear(number).max(0.02),
        if weathered {
            of_day(&|number| irradiance(scene, number)) / of_day(&|number| scene.clear(number))
        } else {
            f32::NAN
        },
        light(-3),
        light(3),
        cloud(-1),
        cloud(1),
        if weathered { of_day(&|number| scene.sky(number).cloud_percent) } else { f32::NAN },
        scene.recent.clearness[0],
        scene.recent.clearness[1],
        scene.recent.clearness[2],
        lags.iter().copied().fold(f32::NAN, f32::max),
        kind,
        scene.recent.evening,
        produced,
        produced_yesterday,
        used,
        used_yesterday,
        if scene.target() == Target::Consumption { f32::NAN } else { scene.recent.used_day },
        sky.around / 1_000.0,
    ];
    if scene.nearest(number) > FRESH_DAYS {
        // How yesterday was says nothing of next week.
        for (value, name) in row.iter_mut().zip(COLUMNS) {
            if OF_LAST_DAYS.contains(&name) {
                *value = f32::NAN;
            }
        }
    }
    (row, usual)
}

/// Days ahead for which the last days are told.
const FRESH_DAYS: i64 = 3;
/// What is told of the last days only.
const OF_LAST_DAYS: [&str; 13] = [
    "yesterday",
    "day_before",
    "week_before",
    "mean_of_3_days",
    "last_2_hours",
    "last_2_hours_unusual",
    "last_6_hours",
    "last_day",
    "clearness_of_last_day",
    "clearness_of_3_days",
    "produced_yesterday",
    "used_yesterday",
    "used_last_day",
];

/// The mean at this time of day over the last four weeks' days of work or of rest, whichever
/// the slot's day is.
fn kind_of_day(scene: &Scene<'_>, number: i64, weekday: i64) -> f32 {
    let rest = |weekday: i64| weekday == 0 || weekday == 6;
    let (nearest, per_day) = (scene.nearest(number), scene.home().grid.per_day());
    mean(
        (nearest..nearest + super::usual::DAYS)
            .filter(|day| rest((weekday - day).rem_euclid(7)) == rest(weekday))
            .map(|day| scene.value(number - day * per_day).unwrap_or(f32::NAN)),
    )
}

/// Forecast irradiance in kW/m2, by the clouds if nobody says.
fn irradiance(scene: &Scene<'_>, number: i64) -> f32 {
    if scene.home().skies.is_none() {
        return f32::NAN;
    }
    let sky = scene.sky(number);
    if sky.irradiance.is_finite() {
        sky.irradiance / 1_000.0
    } else {
        scene.clear(number) * sky.through_clouds()
    }
}

/// The time of the year for what follows the sun. Use is not told: of one year of a home
/// only habits of dates would be learned.
fn season(scene: &Scene<'_>, local_s: i64) -> (f32, f32) {
    if scene.target() == Target::Consumption {
        return (f32::NAN, f32::NAN);
    }
    let angle = TAU * whole(local_s.div_euclid(86_400).rem_euclid(365)) / 365.0;
    (angle.sin(), angle.cos())
}

fn sun(scene: &Scene<'_>, number: i64) -> (f32, f32) {
    let Some(place) = scene.home().place else { return (f32::NAN, f32::NAN) };
    let middle = scene.start(number).plus_seconds(i64::from(scene.home().grid.step_s() / 2));
    let sun = sun_position(place, middle);
    (super::grid::narrow(sun.cos_zenith()), super::grid::narrow(sun.azimuth_deg))
}

#[expect(clippy::cast_precision_loss, reason = "hours, days and slots of a horizon")]
fn whole(value: i64) -> f32 {
    value as f32
}
