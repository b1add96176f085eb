//! The very rows that the booster learns and is tested on, for another learner:
//! little-endian 32-bit floats, row by row, and what they are in a file beside them.

use jirani_backtest::{Protocol, Set};
use jirani_booster::{Matrix, pinball, train};
use jirani_forecast::learn::row::COLUMNS;
use jirani_forecast::learn::{Homes, Lessons, Scene};
use jirani_units::Timestamp;
use serde_json::json;
use std::fs;
use std::path::Path;

/// Writes the rows known before the test span and those in it, with what our booster
/// alone, without blend and calibration, makes of them.
pub fn export(folder: &Path, name: &str, set: &Set, protocol: &Protocol) {
    fs::create_dir_all(folder).unwrap();
    let step = i64::from(set.step_s);
    let (first, last) = set.span();
    let (first, last) = (first * step, last * step - protocol.hidden_days * 86_400);
    let split = (last - protocol.test_days * 86_400 + protocol.clock_offset_s).div_euclid(86_400);
    let begin = (first + protocol.clock_offset_s).div_euclid(86_400) + 29;
    let end = (last + protocol.clock_offset_s).div_euclid(86_400);
    let midnight = |day: i64| Timestamp::from_seconds(day * 86_400 - protocol.clock_offset_s);
    let rows = |days: std::ops::Range<i64>| {
        let mut lessons = Lessons::new(protocol.target).unwrap();
        let mut units = Vec::new();
        for day in days {
            for home in (0..set.homes.len()).filter_map(|place| protocol.home(set, place)) {
                let until = midnight(day + 1);
                lessons.add(&home, midnight(day), 86_400 / step, until, Homes::Alike).unwrap();
                let scene = Scene::new(&home, protocol.target, midnight(day));
                units.resize(lessons.len(), scene.map_or(0.0, |scene| scene.unit_wh()));
            }
        }
        (lessons, units)
    };
    let ((seen, _), (unseen, units)) = (rows(begin..split), rows(split..end));
    let levels = &protocol.plan.levels;
    let begin = crate::spent_s();
    let model = train(seen.matrix(), seen.truths(), levels, &protocol.plan.settings).unwrap();
    let seconds = crate::spent_s() - begin;
    let said = model.predict(unseen.matrix()).unwrap();
    let losses: Vec<f64> = levels
        .iter()
        .enumerate()
        .map(|(place, level)| {
            let answers = said.iter().skip(place).step_by(levels.len()).zip(unseen.truths());
            answers.map(|(said, truth)| pinball(level.share(), f64::from(*said), f64::from(*truth))).sum()
        })
        .collect();
    write(folder, &format!("{name}_train"), seen.matrix(), seen.truths());
    write(folder, &format!("{name}_test"), unseen.matrix(), unseen.truths());
    fs::write(folder.join(format!("{name}_test_unit.f32")), bytes(&mut units.into_iter())).unwrap();
    let settings = &protocol.plan.settings;
    let about = json!({
        "columns": &COLUMNS[..],
        "levels": levels.iter().map(|level| level.share()).collect::<Vec<f64>>(),
        "settings": settings,
        "booster_loss": losses,
        "booster_train_s": seconds,
    });
    fs::write(folder.join(format!("{name}.json")), about.to_string()).unwrap();
    eprintln!("  booster alone: {} rows, losses {losses:?}, {seconds:.1} s", seen.len());
}

fn bytes(values: &mut dyn Iterator<Item = f32>) -> Vec<u8> {
    values.flat_map(f32::to_le_bytes).collect()
}

/// A table and its targets.
pub fn write(folder: &Path, name: &str, matrix: &Matrix, truths: &[f32]) {
    let rows = bytes(&mut matrix.iter().flat_map(|row| row.iter().copied()));
    fs::write(folder.join(format!("{name}_x.f32")), rows).unwrap();
    fs::write(folder.join(format!("{name}_y.f32")), bytes(&mut truths.iter().copied())).unwrap();
}
