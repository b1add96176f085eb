//! The official tasks of GEFCom2014's solar track (Hong et al., 2016): a month each,
//! trained only on what came before it, 99 quantiles, tasks 4 to 15 scored. The month's
//! weather forecasts are given at once, as the competition gave them.

use crate::Run;
use crate::homes::{plan, round};
use jirani_backtest::{Options, Set, WeatherKnown};
use jirani_booster::{Level, Settings, pinball};
use jirani_forecast::Place;
use jirani_forecast::learn::{Calibration, Home, Homes, Learned, Lessons, Parts, Said, Scene, Skies, Target};
use jirani_units::Timestamp;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;

/// First tasks' month: years times twelve and months counted from 0.
const FIRST: i64 = 2_013 * 12 + 3;
/// First month of the data.
const BEGIN: i64 = 2_012 * 12 + 3;
/// The levels that are learned, in percent; between them a line.
const LEVELS: [u16; 15] = [1, 3, 6, 10, 17, 25, 34, 43, 50, 58, 68, 77, 86, 94, 99];

fn month(number: i64) -> Timestamp {
    format!("{:04}-{:02}-01T00:00:00Z", number / 12, number % 12 + 1).parse().unwrap()
}

/// Mean pinball loss over the tasks.
pub fn run(run: &Run) -> Value {
    // A share of the capacity: of a site of 1 MW, so that Wh keep six digits.
    let options = Options { unit_wh: 1_000_000, rated_w: 1_000_000, weather: WeatherKnown::Always };
    let path = run.data.join("gefcom2014_solar_hourly.csv");
    let file =
        File::open(&path).unwrap_or_else(|error| panic!("{}: {error}; set JIRANI_DATA", path.display()));
    let set = Set::read(BufReader::new(file), options).unwrap();
    let place: Place = "-35.3,149.1".parse().unwrap();
    let all: Vec<&Skies> = set.homes.iter().filter_map(|home| home.skies.as_ref()).collect();
    let skies: Vec<Skies> = all.iter().map(|skies| (*skies).clone().with_around(&all)).collect();
    let homes: Vec<Home<'_>> = set
        .homes
        .iter()
        .zip(&skies)
        .zip(0..)
        .map(|((home, skies), number)| Home {
            number,
            grid: &home.grid,
            place: Some(place),
            rated_w: home.rated_w,
            clock_offset_s: 10 * 3_600,
            skies: Some(skies),
        })
        .collect();
    let mut plan = plan(Target::Production, &LEVELS.map(|level| level * 10));
    plan.homes = Homes::Apart;
    plan.settings = Settings {
        rounds: crate::knob("ROUNDS", 150),
        learning_rate: 0.05,
        leaf_rows_min: 60,
        row_percent: 60,
        column_percent: 50,
        ..plan.settings
    };
    // What was usual a month ago says less than the month's weather.
    plan.parts = Parts { usual: 0, direct: 100, corrected: 0 };
    // A part of the tasks, where a machine has no time for all at once.
    let asked = i64::from(crate::knob("FROM", 4))..=i64::from(crate::knob("TO", 15));
    let tasks = if run.validate { 1..=3 } else { asked };
    let (mut sum, mut count, mut inside, mut open) = (0.0, 0.0, 0.0, 0.0);
    // Forecasts of the tasks before, to mix and calibrate by; their truth has come.
    let mut kept: Vec<(Said, Vec<f32>)> = Vec::new();
    for task in (tasks.start() - PRACTICE).max(1)..=*tasks.end() {
        let now = FIRST + task - 1;
        let mut lessons = Lessons::new(Target::Production).unwrap();
        for past in BEGIN..now {
            for home in &homes {
                let (from, until) = (month(past), month(past + 1));
                lessons.add(home, from, 31 * 24, until, Homes::Apart).unwrap();
            }
        }
        let learned = Learned::learn(&lessons, &plan).unwrap();
        let (mut before, mut truths) = (Said::default(), Vec::new());
        for (said, came) in kept.iter().rev().take(usize::try_from(PRACTICE).unwrap()) {
            before.extend(said, 0..said.usual.len());
            truths.extend_from_slice(came);
        }
        let parts = before.best(&plan.levels, &truths, &[plan.parts; LEVELS.len()]);
        let calibration = Calibration::of(&plan.levels, &before.mixed(&parts), &truths);
        let (mut loss, mut hours) = (0.0, 0.0);
        let mut today = (Said::default(), Vec::new());
        for home in &homes {
            let scene = Scene::new(home, Target::Production, month(now)).unwrap();
            let slots = (month(now + 1).seconds() - month(now).seconds()) / 3_600;
            let raw = learned.raw(&scene, slots).unwrap();
            let raw = raw.mixed(&parts);
            let said = raw.finished(&calibration);
            for (place, (said, number)) in said.chunks_exact(LEVELS.len()).zip(scene.now()..).enumerate() {
                let Some(wh) = home.grid.value(Target::Production, number) else { continue };
                let truth = f64::from(wh) / 1e6;
                let said: Vec<f64> = said.iter().map(|wh| f64::from(*wh) / 1e6).collect();
                loss += (1..=99).map(|percent| pinball_at(percent, &said, truth)).sum::<f64>() / 99.0;
                hours += 1.0;
                if scene.most(number) > 0.0 {
                    today.0.extend(&raw.parts, place * LEVELS.len()..(place + 1) * LEVELS.len());
                    today.1.push(wh / scene.unit_wh());
                    if tasks.contains(&task) {
                        open += 1.0;
                        let (low, high) = (at(10, &said) - 1e-6, at(90, &said) + 1e-6);
                        inside += f64::from(u8::from((low..=high).contains(&truth)));
                    }
                }
            }
        }
        kept.push(today);
        eprintln!("  task {task}: {:.5}, {} rows learned", loss / hours, lessons.len());
        if tasks.contains(&task) {
            sum += loss / hours;
            count += 1.0;
        }
    }
    json!({ "gefcom_pinball": round(sum / count), "gefcom_coverage80": round(inside / open), "gefcom_tasks": count })
}

/// Tasks before one by whose forecasts it is mixed and calibrated.
const PRACTICE: i64 = 2;

fn pinball_at(percent: u16, said: &[f64], truth: f64) -> f64 {
    pinball(Level::from_permille(percent * 10).unwrap().share(), at(percent, said), truth)
}

fn at(percent: u16, said: &[f64]) -> f64 {
    let next = LEVELS.partition_point(|level| *level < percent).min(LEVELS.len() - 1);
    if next == 0 {
        return said[0];
    }
    let (low, high) = (f64::from(LEVELS[next - 1]), f64::from(LEVELS[next]));
    let part = ((f64::from(percent) - low) / (high - low)).min(1.0);
    said[next - 1] + part * (said[next] - said[next - 1])
}
