//! A backtest of made-up homes, through its public doors.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

use jirani_backtest::page::page;
use jirani_backtest::report::figures;
use jirani_backtest::value::{Prices, value, value_of};
use jirani_backtest::{BacktestError, Chance, Method, Options, Protocol, Set, Trial, score};
use jirani_booster::{Level, Settings};
use jirani_forecast::learn::{Plan, Target};
use std::fmt::Write as _;

fn even(seed: u64) -> f64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f64::from((mixed >> 40) as u32) / f64::from(1_u32 << 24)
}

/// Two homes over 90 days; whoever uses much today uses little tomorrow, which no
/// profile of a time of day can know.
fn file() -> String {
    let mut text = "timestamp_utc,household,pv_kwh,load_kwh,pv_kwp\n".to_owned();
    for home in 0..2_u64 {
        for hour in 0..90 * 24_u64 {
            let (day, of_day) = (hour / 24, hour % 24);
            let (month, date) = if day < 31 {
                (1, day + 1)
            } else if day < 59 {
                (2, day - 30)
            } else {
                (3, day - 58)
            };
            let busy = if (day + home).is_multiple_of(2) { 2.0 } else { 0.5 };
            let load = busy * (0.2 + 0.1 * even(hour * 2 + home));
            let sun = if (4..16).contains(&of_day) { 1.0 + even(day) } else { 0.0 };
            let _ = writeln!(
                text,
                "2026-{month:02}-{date:02}T{of_day:02}:00:00Z,home-{home},{sun:.3},{load:.3},3"
            );
        }
    }
    text
}

fn set() -> Set {
    Set::read(file().as_bytes(), Options::default()).unwrap()
}

fn protocol(target: Target) -> Protocol {
    let levels = [100, 400, 500, 900].map(|level| Level::from_permille(level).unwrap()).to_vec();
    let plan = Plan::standard(target, levels);
    let settings = Settings { rounds: 40, learning_rate: 0.15, leaf_rows_min: 10, ..plan.settings };
    Protocol {
        target,
        place: Some("-1.9,37.6".parse().unwrap()),
        clock_offset_s: 3 * 3_600,
        horizon_days: 1,
        test_days: 20,
        hidden_days: 0,
        refit_days: 10,
        calibration_days: 10,
        plan: Plan { settings, ..plan },
        without: Vec::new(),
    }
}

#[test]
fn what_no_profile_knows_is_learned_and_every_method_answers_the_same_questions() {
    let trial = Trial::run(&set(), &protocol(Target::Consumption)).unwrap();
    assert_eq!(trial.keys.len(), 2 * 20 * 24);
    let [yesterday, usual, learned] = Method::ALL.map(|method| score(&trial, method, |_| true));
    assert_eq!((yesterday.rows, usual.rows, learned.rows), (960, 960, 960));
    assert!(learned.normalised_pinball < 0.6 * usual.normalised_pinball, "{learned:?} {usual:?}");
    assert!(learned.normalised_pinball < 0.6 * yesterday.normalised_pinball, "{learned:?} {yesterday:?}");
    assert!(learned.coverage_80 > 0.7, "{learned:?}");
}

#[test]
fn nights_of_panels_count_neither_for_nor_against_what_is_covered() {
    let mut trial = Trial::run(&set(), &protocol(Target::Production)).unwrap();
    let open = trial.keys.iter().filter(|key| key.chance == Chance::Open).count();
    assert!((2 * 20 * 11..=2 * 20 * 13).contains(&open), "{open}");
    let found = score(&trial, Method::Learned, |_| true);
    assert_eq!(found.rows, 960, "what they lose is counted");
    let levels = trial.levels.len();
    for (place, key) in trial.keys.iter().enumerate() {
        if key.chance == Chance::Open {
            trial.said[2][place * levels..(place + 1) * levels].fill(-1.0);
        }
    }
    let wrong = score(&trial, Method::Learned, |_| true).coverage_80;
    assert!(found.coverage_80 > 0.5 && wrong < 1e-9, "{found:?} {wrong}");
}

#[test]
fn the_same_file_gives_the_same_figures_and_a_hidden_end_is_not_looked_at() {
    let protocol = protocol(Target::Consumption);
    let hidden = Protocol { hidden_days: 20, ..protocol.clone() };
    let trial = Trial::run(&set(), &hidden).unwrap();
    assert_eq!(figures(&trial), figures(&Trial::run(&set(), &hidden).unwrap()));
    // Another truth in the hidden days changes nothing.
    let changed = |line: &str| {
        if line.starts_with("2026-03-2") { line.replacen(",0.", ",9.", 1) } else { line.to_owned() }
    };
    let other: String = file().lines().map(|line| changed(line) + "\n").collect();
    assert_ne!(other, file());
    let other = Set::read(other.as_bytes(), Options::default()).unwrap();
    assert_eq!(figures(&trial), figures(&Trial::run(&other, &hidden).unwrap()));
}

#[test]
fn perfect_offers_capture_all_and_none_capture_nothing() {
    let trial = Trial::run(&set(), &protocol(Target::Surplus)).unwrap();
    let prices = Prices::REFERENCE;
    assert_eq!(prices.level().permille(), 400);
    assert_eq!(value_of(&trial, prices, |_, key| key.truth).all.capture(), Some(10_000));
    assert_eq!(value_of(&trial, prices, |_, _| 0.0).all.capture(), Some(0));
    let all = value_of(&trial, prices, |_, key| key.truth * 10.0);
    assert!(all.all.capture().unwrap() < 0, "what is offered and not there is dear");
    let learned = value(&trial, Method::Learned, prices);
    assert!(learned.all.capture().unwrap() > 3_000, "{learned:?}");
    let (_, worst) = learned.worst_home.unwrap();
    assert!(worst.policy - worst.nothing <= (learned.all.policy - learned.all.nothing) / 2);
}

#[test]
fn the_report_has_every_method_every_horizon_and_plots_that_hold_no_foreign_markup() {
    let mut set = set();
    set.homes[0].name = "<script>".to_owned();
    let trial = Trial::run(&set, &protocol(Target::Surplus)).unwrap();
    let found = figures(&trial);
    for method in ["same_time_yesterday", "climatology", "learned"] {
        let of = &found["methods"][method];
        assert_eq!(of["all"]["rows"], 960, "{found}");
        assert_eq!(of["by_horizon"].as_array().map(Vec::len), Some(5), "{found}");
        assert!(of["value"]["capture_basis_points"].is_i64(), "{found}");
    }
    let page = page(&trial, "homes & <more>");
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("</svg>").count(), 3);
    assert!(page.contains("homes &amp; &lt;more&gt;") && !page.contains("<script>"));
    assert!(!page.contains("NaN"));
}

#[test]
fn rows_that_are_no_measurements_are_left_out_and_counted() {
    let bad = "2026-01-05T03:00:00Z,home-0,-1,0.1,3\n2026-01-05T04:00:00Z,home-0,nan,0.1,3\nyesterday,home-0,1,1,3\n";
    let set = Set::read((file() + bad).as_bytes(), Options::default()).unwrap();
    assert_eq!((set.left_out, set.homes.len(), set.step_s), (3, 2, 3_600));
    let read = |text: &str| Set::read(text.as_bytes(), Options::default()).unwrap_err();
    assert!(matches!(read("household,pv_kwh\n"), BacktestError::Column("timestamp_utc")));
    assert!(matches!(read("timestamp_utc,household\n"), BacktestError::Column("pv_kwh or load_kwh")));
    assert!(matches!(read("timestamp_utc,household,pv_kwh\n"), BacktestError::Step));
    assert!(matches!(
        Trial::run(&set, &Protocol { test_days: 80, ..protocol(Target::Consumption) }),
        Err(BacktestError::TooShort(80))
    ));
}
