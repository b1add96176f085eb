//! What is usual at a time of day: the values of the last days, sorted.
//!
//! The forecast to beat, and the ground that the learned one stands on.

/// Days that are looked back at.
pub const DAYS: i64 = 28;

/// Values at one time of day, rising.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usual(Vec<f32>);

impl Usual {
    /// From values in any order; what is not finite is left out.
    pub fn of(mut values: Vec<f32>) -> Self {
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f32::total_cmp);
        Self(values)
    }

    /// How many days are known.
    pub fn days(&self) -> usize {
        self.0.len()
    }

    /// The `share` quantile, between 0 and 1; NaN if nothing is known. Each value stands
    /// at the middle of its weight; between two, a line.
    pub fn at(&self, share: f64) -> f32 {
        let Some(last) = self.0.len().checked_sub(1) else { return f32::NAN };
        #[expect(clippy::cast_precision_loss, reason = "some dozens of days")]
        let place = (share * self.0.len() as f64 - 0.5).clamp(0.0, last as f64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the days")]
        let lower = place.floor() as usize;
        let part = super::grid::narrow(place - place.floor());
        let low = self.0[lower];
        let high = self.0[(lower + 1).min(last)];
        low + part * (high - low)
    }

    /// The mean; NaN if nothing is known.
    pub fn mean(&self) -> f32 {
        mean(self.0.iter().copied())
    }
}

/// The mean of what is finite; NaN without any.
pub fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values
        .filter(|value| value.is_finite())
        .fold((0.0_f32, 0.0_f32), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { f32::NAN }
}
