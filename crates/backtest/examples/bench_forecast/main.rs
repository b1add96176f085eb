//! The figures of the forecast: real homes where their data is, the official scoring of
//! GEFCom2014, what decisions are worth, how fast it is.
//!
//! `bench_forecast [--validate] [--export FOLDER] NAME...`: with `--validate` the last 90
//! days (or the scored tasks) are hidden and those before them tested, which is how plans
//! are chosen; with `--export` the same rows are written for another learner. Prints
//! one line of JSON last. Data: `JIRANI_DATA`, or `../shared/data` beside the checkout.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench ends where it fails")]

mod export;
mod gefcom;
mod homes;
mod speed;

use serde_json::{Value, json};
use std::path::PathBuf;

/// What a bench is told.
struct Run {
    data: PathBuf,
    validate: bool,
    export: Option<PathBuf>,
}

fn main() {
    let mut run = Run { data: data(), validate: false, export: None };
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--validate" => run.validate = true,
            "--export" => run.export = arguments.next().map(PathBuf::from),
            name => names.push(name.to_owned()),
        }
    }
    let mut figures = json!({});
    for name in &names {
        let begin = std::time::Instant::now();
        let found: Value = match name.as_str() {
            "fontana_load" | "fontana_pv" | "ausgrid_load" | "value" => homes::run(&run, name),
            "gefcom" => gefcom::run(&run),
            "speed" => speed::run(&run),
            other => panic!("no bench {other}: fontana_load fontana_pv ausgrid_load value gefcom speed"),
        };
        eprintln!("{name}: {:.0} s {found}", begin.elapsed().as_secs_f64());
        for (key, value) in found.as_object().into_iter().flatten() {
            figures[key] = value.clone();
        }
    }
    println!("{figures}");
}

fn data() -> PathBuf {
    std::env::var_os("JIRANI_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    )
}

/// Seconds that the processor has spent on this thread, which is all there is: another's
/// work beside it is not ours.
fn spent_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// A whole number of a variable, for choosing plans by `--validate`.
fn knob(name: &str, otherwise: u16) -> u16 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
