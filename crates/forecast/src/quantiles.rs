//! Seven quantiles of one uncertain amount.

use crate::number::whole;

/// The levels, in percent.
pub const LEVELS: [u8; 7] = [5, 10, 25, 50, 75, 90, 95];

/// An amount in Wh at each of [`LEVELS`]; never falling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Quantiles([u64; 7]);

impl Quantiles {
    /// Sorted, rounded and cut off at zero, so that they cannot cross.
    pub fn from_values(mut values: [f64; 7]) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values.map(whole))
    }

    /// Wh at the levels, rising.
    pub const fn values(&self) -> [u64; 7] {
        self.0
    }

    /// The median in Wh.
    pub const fn median(&self) -> u64 {
        self.0[3]
    }

    /// Wh at `level` (0 to 1), straight lines between the seven, flat outside.
    pub fn at(&self, level: f64) -> f64 {
        let levels = LEVELS.map(|level| f64::from(level) / 100.0);
        let values = self.0.map(crate::number::fraction);
        if level <= levels[0] {
            return values[0];
        }
        for i in 1..levels.len() {
            if level <= levels[i] {
                let share = (level - levels[i - 1]) / (levels[i] - levels[i - 1]);
                return values[i - 1] + share * (values[i] - values[i - 1]);
            }
        }
        values[6]
    }
}

/// The seven quantiles of weighted samples; `None` without any.
pub(crate) fn of_samples(samples: &mut [(f64, f64)]) -> Option<[f64; 7]> {
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = samples.iter().map(|(_, weight)| weight).sum();
    if samples.is_empty() || total <= 0.0 {
        return None;
    }
    Some(LEVELS.map(|level| {
        let target = f64::from(level) / 100.0 * total;
        // Each sample stands at the middle of its weight; between two, a line.
        let mut before: Option<(f64, f64)> = None;
        let mut sum = 0.0;
        for &(value, weight) in samples.iter() {
            let middle = sum + weight / 2.0;
            if target <= middle {
                return match before {
                    Some((at, low)) if middle > at => low + (value - low) * (target - at) / (middle - at),
                    _ => value,
                };
            }
            before = Some((middle, value));
            sum += weight;
        }
        before.map_or(0.0, |(_, value)| value)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_single_sample_is_every_quantile() {
        assert_eq!(of_samples(&mut [(3.0, 1.0)]), Some([3.0; 7]));
        assert_eq!(of_samples(&mut []), None);
    }

    #[test]
    fn between_two_levels_a_quantile_lies_between_their_values() {
        let quantiles = Quantiles::from_values([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        assert!((quantiles.at(0.375) - 25.0).abs() < 1e-9);
        assert!((quantiles.at(0.0) - 0.0).abs() < 1e-9 && (quantiles.at(1.0) - 60.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn quantiles_never_cross_whatever_they_are_made_of(values in proptest::array::uniform7(-1e12f64..1e12)) {
            let quantiles = Quantiles::from_values(values).values();
            prop_assert!(quantiles.windows(2).all(|pair| pair[0] <= pair[1]));
        }

        #[test]
        fn sample_quantiles_rise_and_stay_among_the_samples(
            values in proptest::collection::vec((0f64..1e6, 0.1f64..3.0), 1..40),
        ) {
            let mut samples = values.clone();
            let found = of_samples(&mut samples).unwrap();
            prop_assert!(found.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6));
            let most = values.iter().map(|(value, _)| *value).fold(0.0, f64::max);
            prop_assert!(found.iter().all(|value| (0.0..=most + 1e-6).contains(value)));
        }
    }
}
