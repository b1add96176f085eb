//! How far a blend must be stretched around its middle so that what it calls one in
//! ten comes one time in ten.
//!
//! Split conformal prediction with the forecast's own spread as the scale (Lei et al.,
//! 2018; Romano et al., 2019), for each level by itself: of past forecasts, how many
//! of their own spreads away from the middle the truth was. One factor a level for all
//! homes: a home of its own would need months to say as much.

use jirani_booster::{Level, quantile};

/// Past forecasts below which nothing is stretched.
const PAST_MIN: usize = 200;
/// Factors are kept between these: beyond them the forecast is wrong, not narrow.
const FACTORS: (f32, f32) = (0.5, 2.5);

/// A factor for each level.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    factors: Vec<f32>,
}

impl Calibration {
    /// That leaves forecasts as they are.
    pub fn none(levels: usize) -> Self {
        Self { factors: vec![1.0; levels] }
    }

    /// From past forecasts (`said`, row by row one value a level) made before their
    /// `truths` were known.
    pub fn of(levels: &[Level], said: &[f32], truths: &[f32]) -> Self {
        let mut calibration = Self::none(levels.len());
        let Some(middle) = levels.iter().position(|level| *level == Level::MEDIAN) else {
            return calibration;
        };
        for (place, level) in levels.iter().enumerate() {
            // Where a forecast is sure, as at night, nothing can be learned of its spread.
            let mut scores: Vec<f32> = said
                .chunks_exact(levels.len())
                .zip(truths)
                .filter_map(|(said, truth)| {
                    let spread = said[place] - said[middle];
                    (spread.abs() > 1e-4).then(|| (truth - said[middle]) / spread)
                })
                .filter(|score| score.is_finite())
                .collect();
            if place == middle || scores.len() < PAST_MIN {
                continue;
            }
            // Above the middle the level's share of truths lies below; under it, mirrored.
            let share = if place > middle { level.share() } else { 1.0 - level.share() };
            if let Some(factor) = calibration.factors.get_mut(place) {
                *factor = quantile(&mut scores, share).clamp(FACTORS.0, FACTORS.1);
            }
        }
        calibration
    }

    /// Stretches one answer, in place; it may cross itself after and is to be sorted.
    pub fn stretch(&self, middle: usize, said: &mut [f32]) {
        let Some(&centre) = said.get(middle) else { return };
        for (value, factor) in said.iter_mut().zip(&self.factors) {
            *value = centre + factor * (*value - centre);
        }
    }

    /// The factors, one a level.
    pub fn factors(&self) -> &[f32] {
        &self.factors
    }

    /// Whether there is one sound factor for each of `levels`.
    pub(crate) fn fits(&self, levels: usize) -> bool {
        self.factors.len() == levels
            && self.factors.iter().all(|factor| (FACTORS.0..=FACTORS.1).contains(factor))
    }
}
