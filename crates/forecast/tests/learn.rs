//! What learned forecasts promise, asked through their public doors, in a small world
//! whose truth is known: a sun behind clouds that are forecast, and evenings.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

use jirani_booster::{Level, Settings, pinball};
use jirani_forecast::learn::{
    Calibration, Grid, Home, Homes, Learned, LearnedForecaster, Lessons, Parts, Plan, Said, Scene, Skies,
    Sky, Target,
};
use jirani_forecast::{
    ClearSkyAndYesterday, ForecastInput, Forecaster as _, LEVELS, Place, SlotEnergy, clear_sky,
};
use jirani_units::Timestamp;

const HOUR: u32 = 3_600;
const DAYS: i64 = 80;
const RATED_W: u32 = 2_000;
/// 2026-01-01T00:00:00Z.
const BEGIN_S: i64 = 1_767_225_600;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_seconds(BEGIN_S + hour * 3_600)
}

fn even(seed: i64) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f64::from((mixed >> 40) as u32) / f64::from(1_u32 << 24)
}

/// How much light the clouds of a day let through.
fn clearness(hour: i64) -> f64 {
    0.2 + 0.8 * even(hour.div_euclid(24) * 7 + 3)
}

fn slot(home: i64, hour: i64) -> SlotEnergy {
    let light = clear_sky::mean_irradiance(Place::KITONYONI, at(hour), HOUR) * clearness(hour);
    let production = clear_sky::pv_wh(RATED_W, light, HOUR) * (0.9 + 0.2 * even(hour * 5 + home));
    let evening = (hour + 3).rem_euclid(24) >= 18;
    let consumption = if evening { 400.0 } else { 100.0 } * (0.5 + even(hour * 11 + home));
    SlotEnergy {
        start: at(hour),
        production_wh: production.round() as u64,
        consumption_wh: consumption.round() as u64,
    }
}

fn past(home: i64) -> Vec<SlotEnergy> {
    (0..DAYS * 24).map(|hour| slot(home, hour)).collect()
}

/// Weather of every hour, known a day before.
fn weather() -> Vec<(Timestamp, Timestamp, Sky)> {
    (0..DAYS * 24)
        .map(|hour| {
            let light = clear_sky::mean_irradiance(Place::KITONYONI, at(hour), HOUR) * clearness(hour);
            (at(hour), at(hour - 24), Sky { irradiance: light as f32, ..Sky::UNKNOWN })
        })
        .collect()
}

fn home<'a>(grid: &'a Grid, skies: &'a Skies) -> Home<'a> {
    Home {
        number: 0,
        grid,
        place: Some(Place::KITONYONI),
        rated_w: RATED_W,
        clock_offset_s: 3 * 3_600,
        skies: Some(skies),
    }
}

fn levels() -> Vec<Level> {
    LEVELS.iter().map(|level| Level::from_permille(u16::from(*level) * 10).unwrap()).collect()
}

fn plan(target: Target) -> Plan {
    let plan = Plan::standard(target, levels());
    Plan { settings: Settings { rounds: 30, learning_rate: 0.1, leaf_rows_min: 20, ..plan.settings }, ..plan }
}

/// Learned from three homes' first 70 days.
fn learned(target: Target) -> Learned {
    let skies = Skies::of(&weather(), HOUR);
    let mut lessons = Lessons::new(target).unwrap();
    for number in 0..3 {
        let grid = Grid::of(&past(number), HOUR).unwrap();
        for day in 30..70 {
            let issued_at = at(day * 24 - 3);
            lessons.add(&home(&grid, &skies), issued_at, 24, at(70 * 24), Homes::Alike).unwrap();
        }
    }
    Learned::learn(&lessons, &plan(target)).unwrap()
}

#[test]
fn nothing_that_came_after_the_issue_moves_a_forecast() {
    let issued_at = at(75 * 24 - 3);
    for target in [Target::Production, Target::Consumption, Target::Surplus] {
        let learned = learned(target);
        let said = |past: &[SlotEnergy], weather: &[(Timestamp, Timestamp, Sky)]| {
            let (grid, skies) = (Grid::of(past, HOUR).unwrap(), Skies::of(weather, HOUR));
            let home = home(&grid, &skies);
            learned.forecast(&Scene::new(&home, target, issued_at).unwrap(), 48).unwrap()
        };
        let (mut later, mut other_weather) = (past(0), weather());
        for slot in later.iter_mut().filter(|slot| slot.start >= issued_at) {
            (slot.production_wh, slot.consumption_wh) = (slot.consumption_wh + 7, slot.production_wh + 3);
        }
        for entry in other_weather.iter_mut().filter(|entry| entry.1 > issued_at) {
            entry.2.irradiance = 1.0;
        }
        assert_ne!((&later, &other_weather), (&past(0), &weather()));
        assert_eq!(said(&past(0), &weather()), said(&later, &other_weather), "{target:?}");
        // What was known does move it.
        let mut before = past(0);
        for slot in before.iter_mut().filter(|slot| slot.start < issued_at) {
            slot.production_wh /= 3;
            slot.consumption_wh *= 3;
        }
        assert_ne!(said(&past(0), &weather()), said(&before, &weather()), "{target:?}");
    }
}

#[test]
fn what_is_absurd_is_judged_by_what_was_known_then() {
    let learned = learned(Target::Consumption);
    let issued_at = at(75 * 24 - 3);
    let skies = Skies::of(&weather(), HOUR);
    let said = |past: &[SlotEnergy], seen: &mut dyn FnMut(&Scene<'_>)| {
        let grid = Grid::of(past, HOUR).unwrap();
        let home = home(&grid, &skies);
        let scene = Scene::new(&home, Target::Consumption, issued_at).unwrap();
        seen(&scene);
        learned.forecast(&scene, 48).unwrap()
    };
    let mut past = past(0);
    let spike = 70 * 24 + 5;
    past[spike].consumption_wh *= 1_000;
    let number = past[spike].start.seconds() / 3_600;
    let mut left_out = |scene: &Scene<'_>| assert_eq!(scene.value(number), None);
    let before = said(&past, &mut left_out);
    // Had the home's use become a thousand times as high since, the spike was still absurd.
    for slot in past.iter_mut().filter(|slot| slot.start >= issued_at) {
        slot.consumption_wh *= 1_000;
    }
    assert_eq!(said(&past, &mut left_out), before);
}

#[test]
fn each_level_is_mixed_as_would_have_lost_least_once_enough_has_come() {
    let levels = [100, 500, 900].map(|permille| Level::from_permille(permille).unwrap());
    let plan = [Parts { usual: 30, direct: 40, corrected: 30 }; 3];
    let rows = 2_000;
    let truths: Vec<f32> = (0..rows).map(|place| even(place) as f32).collect();
    // The usual part knows the lowest level, the corrected one the others.
    let all = |levels: [f32; 3]| std::iter::repeat_n(levels, truths.len()).flatten().collect::<Vec<f32>>();
    let said =
        Said { usual: all([0.1, 0.9, 0.2]), direct: all([0.6, 0.9, 0.2]), corrected: all([0.6, 0.5, 0.9]) };
    let found = said.best(&levels, &truths, &plan);
    assert_eq!(found[0], Parts { usual: 100, direct: 0, corrected: 0 });
    assert!(found[1].corrected >= 90 && found[2].corrected >= 90, "{found:?}");
    assert!(found.iter().all(|parts| parts.are_whole()));
    let few = said.best(&levels, &truths[..100], &plan);
    assert_eq!(few, plan, "a hundred hours say nothing");
    let mixed = said.mixed(&found);
    assert!(mixed.chunks_exact(3).all(|row| row.windows(2).all(|pair| pair[0] <= pair[1])));
}

#[test]
fn levels_never_cross_the_night_is_dark_and_nothing_is_above_the_rated_power() {
    let learned = learned(Target::Production);
    let (grid, skies) = (Grid::of(&past(1), HOUR).unwrap(), Skies::of(&weather(), HOUR));
    let home = home(&grid, &skies);
    let scene = Scene::new(&home, Target::Production, at(75 * 24 - 3)).unwrap();
    let said = learned.forecast(&scene, 48).unwrap();
    let mut days = 0;
    for (said, number) in said.chunks_exact(7).zip(scene.now()..) {
        assert!(said.windows(2).all(|pair| pair[0] <= pair[1]), "{said:?}");
        assert!(said[0] >= 0.0 && said[6] <= 2_000.0, "{said:?}");
        let light = clear_sky::mean_irradiance(Place::KITONYONI, scene.start(number), HOUR);
        if light <= 0.0 {
            assert!(said[6] <= 0.0, "{said:?}");
        } else {
            days += 1;
        }
    }
    assert!(days > 20);
}

#[test]
fn where_clouds_are_forecast_the_learned_sun_beats_the_usual_one() {
    let learned = learned(Target::Production);
    let (grid, skies) = (Grid::of(&past(2), HOUR).unwrap(), Skies::of(&weather(), HOUR));
    let home = home(&grid, &skies);
    let (mut ours, mut usual) = (0.0, 0.0);
    for day in 71..79 {
        let scene = Scene::new(&home, Target::Production, at(day * 24 - 3)).unwrap();
        let said = learned.forecast(&scene, 24).unwrap();
        for (said, number) in said.chunks_exact(7).zip(scene.now()..) {
            let truth = f64::from(grid.value(Target::Production, number).unwrap());
            for (said, level) in said.iter().zip(levels()) {
                ours += pinball(level.share(), f64::from(*said), truth);
                let before = scene.usual(number).at(level.share()) * scene.unit_wh();
                usual += pinball(level.share(), f64::from(before), truth);
            }
        }
    }
    assert!(ours < 0.7 * usual, "{ours} against {usual}");
}

#[test]
fn a_forecast_that_was_too_sure_is_stretched_until_it_covers() {
    let levels = levels();
    let said: Vec<f32> =
        std::iter::repeat_n([0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65], 2_000).flatten().collect();
    let truths: Vec<f32> = (0..2_000).map(|place| even(place) as f32).collect();
    let calibration = Calibration::of(&levels, &said, &truths);
    let mut one = [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65];
    calibration.stretch(3, &mut one);
    // At most two and a half times: who errs by more is wrong in other ways.
    for (found, wanted) in one.iter().zip([0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875]) {
        assert!((found - wanted).abs() < 0.02, "{one:?}");
    }
    let few = Calibration::of(&levels, &said[..70], &truths[..10]);
    assert_eq!(few, Calibration::none(7), "ten forecasts say nothing");
}

#[test]
fn an_explanation_adds_up_to_what_is_said_and_names_the_light() {
    let levels = levels();
    // As if forecasts had been twice too sure.
    let said: Vec<f32> =
        std::iter::repeat_n([0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65], 2_000).flatten().collect();
    let truths: Vec<f32> = (0..2_000).map(|place| 0.25 + even(place) as f32 / 2.0).collect();
    let learned = learned(Target::Production).calibrated(Calibration::of(&levels, &said, &truths));
    let (grid, skies) = (Grid::of(&past(0), HOUR).unwrap(), Skies::of(&weather(), HOUR));
    let home = home(&grid, &skies);
    let scene = Scene::new(&home, Target::Production, at(75 * 24 - 3)).unwrap();
    // Noon of the coming day.
    let number = scene.now() + 12;
    let forecast = learned.forecast(&scene, 13).unwrap();
    for (level, said) in levels.iter().zip(&forecast[12 * 7..]) {
        let found = learned.explain(&scene, number, *level).unwrap().unwrap();
        let moved: f64 = found.movers.iter().map(|mover| mover.added_wh).sum();
        assert!((found.average_wh + moved + found.adjusted_wh - found.said_wh).abs() < 0.5, "{found:?}");
        assert!((f64::from(*said) - found.said_wh).abs() < 0.01, "{said} for {found:?}");
    }
    let lowest = learned.explain(&scene, number, levels[0]).unwrap().unwrap();
    assert!(lowest.adjusted_wh < -1.0, "what was stretched is told: {lowest:?}");
    let found = learned.explain(&scene, number, Level::MEDIAN).unwrap().unwrap();
    assert!(found.movers.iter().take(4).any(|mover| mover.column.starts_with("irradiance")), "{found:?}");
}

#[test]
fn a_stored_model_answers_as_before_and_another_versions_is_refused() {
    let learned = learned(Target::Consumption);
    let text = serde_json::to_string(&learned).unwrap();
    let read: Learned = serde_json::from_str(&text).unwrap();
    assert_eq!(read, learned);
    for (sound, broken) in [
        ("\"forecast_version\":2", "\"forecast_version\":1"),
        ("\"hours_ahead\"", "\"hours_behind\""),
        ("\"usual\":", "\"usual\":1"),
        ("\"levels\":[50,", "\"levels\":[500,"),
    ] {
        let text = text.replacen(sound, broken, 1);
        assert!(serde_json::from_str::<Learned>(&text).is_err(), "{broken}");
    }
}

#[test]
fn what_a_bad_file_says_is_put_right_or_left_out() {
    let sound = past(0);
    let mut bad = sound.clone();
    bad.reverse();
    bad.push(SlotEnergy { start: at(5).plus_seconds(60), production_wh: 9, consumption_wh: 9 });
    bad.insert(0, SlotEnergy { consumption_wh: 1, ..sound[100] });
    let (grid, wanted) = (Grid::of(&bad, HOUR).unwrap(), Grid::of(&sound, HOUR).unwrap());
    let (first, last) = wanted.span();
    assert_eq!(grid.span(), (first, last));
    for number in first..last {
        assert_eq!(grid.value(Target::Consumption, number), wanted.value(Target::Consumption, number));
    }
    assert!(Grid::of(&sound, 7).is_err() && Grid::of(&sound, 0).is_err());
    assert_eq!(Grid::of(&[], HOUR).unwrap().span().0, Grid::of(&[], HOUR).unwrap().span().1);
}

#[test]
fn blends_that_are_no_whole_are_refused() {
    let (grid, skies) = (Grid::of(&past(0), HOUR).unwrap(), Skies::default());
    let mut lessons = Lessons::new(Target::Consumption).unwrap();
    lessons.add(&home(&grid, &skies), at(40 * 24), 24, at(50 * 24), Homes::Alike).unwrap();
    let plan = plan(Target::Consumption);
    let wrong = Plan { parts: Parts { usual: 50, direct: 50, corrected: 50 }, ..plan.clone() };
    assert!(Learned::learn(&lessons, &wrong).unwrap_err().to_string().starts_with("forecast.parts"));
    let none = Lessons::new(Target::Consumption).unwrap();
    assert!(Learned::learn(&none, &plan).unwrap_err().to_string().starts_with("booster.no_rows"));
}

#[test]
fn behind_the_common_door_old_homes_are_learned_and_new_ones_are_not_left_without() {
    let forecaster =
        LearnedForecaster::new(learned(Target::Production), learned(Target::Consumption)).unwrap();
    let history = past(0);
    let input = ForecastInput {
        issued_at: at(DAYS * 24),
        slot_length_s: HOUR,
        place: Some(Place::KITONYONI),
        pv_rated_w: RATED_W,
        history: &history,
        weather: &[],
    };
    let (ours, plain) = (forecaster.forecast(&input), ClearSkyAndYesterday.forecast(&input));
    assert_eq!(ours.points.len(), 48);
    assert_ne!(ours.points, plain.points);
    assert!(ours.points.iter().zip(&plain.points).all(|(ours, plain)| ours.start == plain.start));
    let new = ForecastInput { history: &history[..3], issued_at: at(3), ..input };
    assert_eq!(forecaster.forecast(&new), ClearSkyAndYesterday.forecast(&new));
    assert!(LearnedForecaster::new(learned(Target::Consumption), learned(Target::Consumption)).is_none());
}
