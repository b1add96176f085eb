//! How wrong answers were, over all and by how far ahead they looked.

use crate::trial::{Chance, Method, Trial};
use jirani_booster::{Level, pinball};

/// Levels that the normalised pinball loss is the mean over, in per mille.
pub const JUDGED: [u16; 3] = [100, 500, 900];
/// Ends of the buckets of horizons, in hours.
pub const HORIZONS_H: [i64; 7] = [1, 2, 6, 12, 24, 36, 48];

/// What is said of one method.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// Questions answered.
    pub rows: usize,
    /// Mean pinball loss at 10, 50 and 90 % over the mean of what came.
    pub normalised_pinball: f64,
    /// Mean error of the median over the mean of what came.
    pub normalised_error: f64,
    /// Share of what came between the 10 and the 90 % answers, ends included, where anything was
    /// left to chance: nights of panels count neither for nor against.
    pub coverage_80: f64,
}

/// How `method` did on the questions that `among` takes.
pub fn score(trial: &Trial, method: Method, among: impl Fn(&crate::Key) -> bool) -> Score {
    let at = |permille: u16| {
        trial.levels.iter().position(|level: &Level| level.permille() == permille).unwrap_or(0)
    };
    let judged = JUDGED.map(|permille| (f64::from(permille) / 1_000.0, at(permille)));
    let (mut loss, mut error, mut inside, mut open, mut truths, mut rows) =
        (0.0, 0.0, 0.0, 0.0, 0.0, 0_usize);
    for (place, key) in trial.keys.iter().enumerate().filter(|(_, key)| among(key)) {
        let said = trial.answer(method, place);
        let truth = f64::from(key.truth);
        let value = |level: usize| f64::from(said.get(level).copied().unwrap_or(0.0));
        loss += judged.iter().map(|(share, level)| pinball(*share, value(*level), truth)).sum::<f64>() / 3.0;
        error += (truth - value(judged[1].1)).abs();
        // Answers are kept with seven digits; so is what came.
        let near = 1e-3;
        if key.chance == Chance::None {
            truths += truth;
            rows += 1;
            continue;
        }
        open += 1.0;
        if truth >= value(judged[0].1) - near && truth <= value(judged[2].1) + near {
            inside += 1.0;
        }
        truths += truth;
        rows += 1;
    }
    let mean = truths.max(f64::MIN_POSITIVE);
    Score {
        rows,
        normalised_pinball: loss / mean,
        normalised_error: error / mean,
        coverage_80: if open > 0.0 { inside / open } else { 0.0 },
    }
}

/// How often what came was at or below each level's answer, in the levels' order; only
/// where the answer leaves room on both sides, for at night all are right.
pub fn reliability(trial: &Trial, method: Method) -> Vec<(Level, f64)> {
    trial
        .levels
        .iter()
        .enumerate()
        .map(|(level, name)| {
            let (mut below, mut rows) = (0.0, 0.0);
            for (place, key) in trial.keys.iter().enumerate() {
                let said = trial.answer(method, place);
                let spread = said.last().copied().unwrap_or(0.0) - said.first().copied().unwrap_or(0.0);
                if spread > 0.0 {
                    rows += 1.0;
                    below += f64::from(u8::from(key.truth <= said[level]));
                }
            }
            (*name, if rows > 0.0 { below / rows } else { f64::NAN })
        })
        .collect()
}
