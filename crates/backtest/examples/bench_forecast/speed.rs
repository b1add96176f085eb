//! A thousand homes: learned from a million rows, forecast for 48 hours of quarter hours at
//! seven levels. The homes are copies of real ones, each a little another.

use crate::Run;
use crate::export::write;
use crate::homes::{plan, read, round};
use jirani_booster::{Matrix, train};
use jirani_forecast::LEVELS;
use jirani_forecast::history::SlotEnergy;
use jirani_forecast::learn::row::{COLUMNS, WIDTH};
use jirani_forecast::learn::{Grid, Home, Homes, Learned, Lessons, Scene, Target};
use jirani_units::Timestamp;
use serde_json::{Value, json};

const HOMES: usize = 1_000;
const QUARTER_S: u32 = 900;

/// Trains, forecasts, and says how long each took.
pub fn run(run: &Run) -> Value {
    let rows = usize::from(crate::knob("THOUSAND_ROWS", 1_000)) * 1_000;
    let set = read(run, "citylearn2022_fontana_hourly.csv");
    let place = Some("34.09,-117.44".parse().unwrap());
    let home =
        |grid| Home { number: 0, grid, place, rated_w: 4_000, clock_offset_s: -7 * 3_600, skies: None };
    // One real table of hours, repeated with another home's noise until it is large enough.
    let mut lessons = Lessons::new(Target::Consumption).unwrap();
    let (first, last) = set.span();
    for day in first / 24 + 30..last / 24 - 90 {
        for found in &set.homes {
            let (from, until) = (day * 86_400 + 25_200, (day + 1) * 86_400 + 25_200);
            let (from, until) = (Timestamp::from_seconds(from), Timestamp::from_seconds(until));
            lessons.add(&home(&found.grid), from, 24, until, Homes::Alike).unwrap();
        }
    }
    let real: Vec<(&[f32], &f32)> = lessons.matrix().iter().zip(lessons.truths()).collect();
    let mut noise = Noise(1);
    let mut matrix = Matrix::new(WIDTH).unwrap();
    let mut truths = Vec::new();
    for &(row, truth) in real.iter().cycle().take(rows) {
        let by = 0.9 + 0.2 * noise.next();
        let mut row: Vec<f32> = row.to_vec();
        // What is measured in the home's units.
        for value in &mut row[8..23] {
            *value *= by;
        }
        matrix.push(&row).unwrap();
        truths.push(truth * (0.9 + 0.2 * noise.next()));
    }
    let plan = plan(Target::Consumption, &LEVELS.map(|level| u16::from(level) * 10));
    let begin = crate::spent_s();
    drop(train(&matrix, &truths, &plan.levels, &plan.settings).unwrap());
    let train_s = crate::spent_s() - begin;
    if let Some(folder) = &run.export {
        std::fs::create_dir_all(folder).unwrap();
        write(folder, "speed_train", &matrix, &truths);
        let levels: Vec<f64> = plan.levels.iter().map(|level| level.share()).collect();
        let about = json!({ "columns": &COLUMNS[..], "levels": levels, "settings": plan.settings, "booster_train_s": train_s });
        std::fs::write(folder.join("speed.json"), about.to_string()).unwrap();
    }
    drop((matrix, truths));
    let learned = Learned::learn(&lessons, &plan).unwrap();
    let grids: Vec<Grid> =
        (0..HOMES).map(|number| quarters(&set.homes[number % set.homes.len()].grid, &mut noise)).collect();
    let issued_at = Timestamp::from_seconds(grids[0].span().1 * i64::from(QUARTER_S));
    let begin = crate::spent_s();
    let mut said = 0;
    for grid in &grids {
        let home = home(grid);
        let scene = Scene::new(&home, Target::Consumption, issued_at).unwrap();
        said += learned.forecast(&scene, 192).unwrap().len();
    }
    let predict_s = crate::spent_s() - begin;
    assert_eq!(said, HOMES * 192 * LEVELS.len());
    json!({ "train_rows": rows, "train_s": round(train_s), "predict_1000_s": round(predict_s), "rss_bytes": peak_bytes() })
}

/// The last 30 days of an hourly past as quarter hours, a little another.
fn quarters(grid: &Grid, noise: &mut Noise) -> Grid {
    let (_, end) = grid.span();
    let mut slots = Vec::new();
    for hour in end - 30 * 24..end {
        let Some(wh) = grid.value(Target::Consumption, hour) else { continue };
        for quarter in 0..4 {
            let start = Timestamp::from_seconds(hour * 3_600 + quarter * 900);
            let wh = (wh / 4.0 * (0.5 + noise.next())).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a home's quarter hour"
            )]
            slots.push(SlotEnergy { start, production_wh: 0, consumption_wh: wh as u64 });
        }
    }
    Grid::of(&slots, QUARTER_S).unwrap()
}

struct Noise(u64);

impl Noise {
    /// Between 0 and 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / f32::from(u16::MAX)
    }
}

/// The most memory that the process has had.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) * 1_024
}
