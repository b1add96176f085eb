//! Homes a day ahead over their last 90 days, issued at local midnight.

use crate::Run;
use crate::export::export;
use jirani_backtest::value::{Prices, value};
use jirani_backtest::{Method, Options, Protocol, Set, Trial, score};
use jirani_booster::Level;
use jirani_forecast::learn::{Plan, Target};
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;

/// Runs one of the sets of homes.
pub fn run(run: &Run, name: &str) -> Value {
    let (file, target, place, clock, without): (_, _, _, _, &[&str]) = match name {
        "fontana_load" => (FONTANA, Target::Consumption, "34.09,-117.44", -7, &[]),
        "fontana_pv" => (FONTANA, Target::Production, "34.09,-117.44", -7, &["fontana-15"]),
        "value" => (FONTANA, Target::Surplus, "34.09,-117.44", -7, &["fontana-14", "fontana-15"]),
        _ => (AUSGRID, Target::Consumption, "-33.87,151.21", 10, &[]),
    };
    let set = read(run, file);
    let levels: &[u16] = if target == Target::Surplus { &[100, 400, 500, 900] } else { &[100, 500, 900] };
    let protocol = Protocol {
        target,
        place: Some(place.parse().unwrap()),
        clock_offset_s: clock * 3_600,
        horizon_days: 1,
        test_days: 90,
        hidden_days: if run.validate { 90 } else { 0 },
        refit_days: i64::from(crate::knob("REFIT", 30)),
        calibration_days: i64::from(crate::knob("CALIBRATION", 28)),
        plan: plan(target, levels),
        without: without.iter().map(|name| (*name).to_owned()).collect(),
    };
    if let Some(folder) = &run.export {
        export(folder, name, &set, &protocol);
    }
    let trial = Trial::run(&set, &protocol).unwrap();
    for method in Method::ALL {
        eprintln!("  {:<22}{:?}", method.name(), score(&trial, method, |_| true));
    }
    let found = score(&trial, Method::Learned, |_| true);
    if target != Target::Surplus {
        return json!({
            format!("{name}_npin"): round(found.normalised_pinball),
            format!("{name}_coverage80"): round(found.coverage_80),
        });
    }
    let share = |method| value(&trial, method, Prices::REFERENCE);
    for method in Method::ALL {
        eprintln!("  {:<22}{:?}", method.name(), share(method));
    }
    let worth = share(Method::Learned);
    let fraction = |basis_points: i64| f64::from(i32::try_from(basis_points).unwrap()) / 10_000.0;
    json!({
        "value_capture": worth.all.capture().map(fraction),
        "value_worst_home": worth.worst_home.map(|(home, earned)| json!([trial.homes[home], earned.capture().map(fraction)])),
        "value_worst_day": worth.worst_day.map(|(day, earned)| json!([day, earned.capture().map(fraction)])),
    })
}

const FONTANA: &str = "citylearn2022_fontana_hourly.csv";
const AUSGRID: &str = "ausgrid12_30min.csv";

/// The homes of a file.
pub fn read(run: &Run, file: &str) -> Set {
    let path = run.data.join(file);
    let file =
        File::open(&path).unwrap_or_else(|error| panic!("{}: {error}; set JIRANI_DATA", path.display()));
    Set::read(BufReader::new(file), Options::default()).unwrap()
}

/// The standard plan, or what the environment says while one is being chosen.
pub fn plan(target: Target, levels: &[u16]) -> Plan {
    let mut plan =
        Plan::standard(target, levels.iter().map(|level| Level::from_permille(*level).unwrap()).collect());
    let settings = &mut plan.settings;
    settings.rounds = crate::knob("ROUNDS", settings.rounds);
    settings.leaves = u8::try_from(crate::knob("LEAVES", u16::from(settings.leaves))).unwrap();
    settings.learning_rate = f32::from(crate::knob("RATE", 70)) / 1_000.0;
    settings.leaf_rows_min = u32::from(crate::knob("LEAF_ROWS", 0)).max(settings.leaf_rows_min);
    let parts = &mut plan.parts;
    parts.usual = u8::try_from(crate::knob("USUAL", u16::from(parts.usual))).unwrap();
    parts.direct = u8::try_from(crate::knob("DIRECT", u16::from(parts.direct))).unwrap();
    parts.corrected = 100 - parts.usual - parts.direct;
    plan
}

/// Four digits: what a run repeats.
pub fn round(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
