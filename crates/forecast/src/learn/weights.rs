//! How much each part of the blend says, level by level.
//!
//! A plan names where to begin. As soon as forecasts have met their truth, each level takes
//! the mixture that would have lost least over them: few homes or a season never seen make
//! the usual count for more, many homes and a long past what was learned.

use super::model::Parts;
use jirani_booster::{Level, pinball};

/// Past forecasts below which the plan's parts stand.
const PAST_MIN: usize = 500;
/// Steps between one mixture and the next, in percent.
const STEP: u8 = 10;
/// The least that a mixture must lose less than the plan's to take its place, in per mille.
const BETTER_PERMILLE: f64 = 2.0;

/// What the parts say of the same rows, each row by row one value a level, in units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The usual quantiles.
    pub usual: Vec<f32>,
    /// Those learned outright.
    pub direct: Vec<f32>,
    /// The usual ones, corrected.
    pub corrected: Vec<f32>,
}

impl Said {
    /// Adds another's rows.
    pub fn extend(&mut self, other: &Self, values: std::ops::Range<usize>) {
        for (all, more) in [
            (&mut self.usual, &other.usual),
            (&mut self.direct, &other.direct),
            (&mut self.corrected, &other.corrected),
        ] {
            all.extend_from_slice(more.get(values.clone()).unwrap_or(&[]));
        }
    }

    fn rows(&self) -> impl Iterator<Item = [f32; 3]> {
        self.usual
            .iter()
            .zip(&self.direct)
            .zip(&self.corrected)
            .map(|((usual, direct), corrected)| [*usual, *direct, *corrected])
    }

    /// Mixed by a weight for each level, sorted within each row.
    pub fn mixed(&self, weights: &[Parts]) -> Vec<f32> {
        let mut mixed: Vec<f32> =
            self.rows().zip(weights.iter().cycle()).map(|(said, parts)| parts.mix(said)).collect();
        for row in mixed.chunks_exact_mut(weights.len().max(1)) {
            row.sort_unstable_by(f32::total_cmp);
        }
        mixed
    }

    /// For each level the mixture that would have lost least of `truths`; `otherwise` where
    /// too few are known, or nothing else is clearly better.
    pub fn best(&self, levels: &[Level], truths: &[f32], otherwise: &[Parts]) -> Vec<Parts> {
        let of_level = |place: usize| self.rows().skip(place).step_by(levels.len()).zip(truths);
        let choose = |(place, (level, plan)): (usize, (&Level, &Parts))| {
            let loss = |parts: Parts| -> f64 {
                of_level(place)
                    .map(|(said, truth)| {
                        pinball(level.share(), f64::from(parts.mix(said)), f64::from(*truth))
                    })
                    .sum()
            };
            if truths.len() < PAST_MIN {
                return *plan;
            }
            let mut least = (loss(*plan) * (1.0 - BETTER_PERMILLE / 1_000.0), *plan);
            for parts in Parts::all(STEP) {
                let found = loss(parts);
                if found < least.0 {
                    least = (found, parts);
                }
            }
            least.1
        };
        levels.iter().zip(otherwise).enumerate().map(choose).collect()
    }
}

impl Parts {
    /// Whether they are a whole.
    pub fn are_whole(self) -> bool {
        u16::from(self.usual) + u16::from(self.direct) + u16::from(self.corrected) == 100
    }

    fn mix(self, [usual, direct, corrected]: [f32; 3]) -> f32 {
        let part = |percent: u8| f32::from(percent) / 100.0;
        part(self.usual) * usual + part(self.direct) * direct + part(self.corrected) * corrected
    }

    /// Every mixture in steps of so many percent.
    fn all(step: u8) -> impl Iterator<Item = Self> {
        let to = move |most: u8| (0..=most / step).map(move |count| count * step);
        to(100).flat_map(move |usual| {
            to(100 - usual).map(move |direct| Self { usual, direct, corrected: 100 - usual - direct })
        })
    }
}
