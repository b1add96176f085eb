//! Energy as a running total, so that any cut of it is exact.

/// Micro-Wh in a Wh.
pub const MICRO: u64 = 1_000_000;

/// Running totals at the ends of even steps, in micro-Wh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    step_s: u64,
    /// One more than there are steps; begins with 0.
    totals: Vec<u64>,
}

impl Series {
    /// From the micro-Wh of each step.
    pub fn new(step_s: u64, steps: impl Iterator<Item = u64>) -> Self {
        let mut total = 0u64;
        let mut totals = vec![0];
        for step in steps {
            // A step is at most 100 kW for two hours: a year of them is far below 2^64.
            total = total.saturating_add(step);
            totals.push(total);
        }
        Self { step_s: step_s.max(1), totals }
    }

    /// Micro-Wh from the beginning to `at_s` seconds after it: a step's energy is
    /// spread evenly over its seconds.
    pub fn total(&self, at_s: u64) -> u64 {
        let last = self.totals.len() - 1;
        let step = usize::try_from(at_s / self.step_s).unwrap_or(last);
        if step >= last {
            return self.totals[last];
        }
        let energy = u128::from(self.totals[step + 1] - self.totals[step]);
        let part = energy * u128::from(at_s % self.step_s) / u128::from(self.step_s);
        self.totals[step] + u64::try_from(part).unwrap_or(0)
    }

    /// Most energy of one step, in micro-Wh.
    pub fn largest_step(&self) -> u64 {
        self.totals.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }
}

/// A series seen through seeded variation: turned in time within its span (what
/// falls out at the end comes in at the beginning) and scaled.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub series: &'a Series,
    /// Seconds after the series' beginning where the run begins.
    pub from_s: u64,
    /// Length of the run in seconds.
    pub span_s: u64,
    /// Below `span_s`.
    pub shift_s: u64,
    /// 1,000 leaves it as it is.
    pub permille: u32,
}

impl View<'_> {
    /// Whole Wh from the run's beginning to `at_s` seconds into it.
    fn total_wh(&self, at_s: u64) -> u64 {
        let series = |at_s: u64| self.series.total(self.from_s + at_s);
        let (begin, turned) = (series(self.shift_s), self.shift_s + at_s.min(self.span_s));
        let micro = if turned <= self.span_s {
            series(turned) - begin
        } else {
            series(self.span_s) - begin + series(turned - self.span_s) - series(0)
        };
        let scaled = u128::from(micro) * u128::from(self.permille) / 1_000 / u128::from(MICRO);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    /// Whole Wh between two moments; what is not whole is in the next piece.
    pub fn wh(&self, from_s: u64, to_s: u64) -> u64 {
        self.total_wh(to_s) - self.total_wh(from_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_hour_is_spread_over_its_quarters_and_fractions_are_carried() {
        let series = Series::new(3_600, [2_275_800_000u64 / 1_000, 1_500_000].into_iter());
        let view = View { series: &series, from_s: 0, span_s: 7_200, shift_s: 0, permille: 1_000 };
        let quarters: Vec<u64> = (0..8).map(|i| view.wh(i * 900, (i + 1) * 900)).collect();
        assert_eq!(quarters, [0, 1, 0, 1, 0, 1, 0, 0], "2.2758 Wh and 1.5 Wh are 3 whole Wh");
    }

    proptest! {
        #[test]
        fn no_cut_loses_energy(
            steps in proptest::collection::vec(0u64..10_000_000_000, 1..200),
            step_s in prop_oneof![Just(300u64), Just(900), Just(1_800), Just(3_600)],
            cut_s in prop_oneof![Just(60u64), Just(900), Just(3_600)],
        ) {
            let series = Series::new(step_s, steps.iter().copied());
            let span_s = step_s * steps.len() as u64;
            let view = View { series: &series, from_s: 0, span_s, shift_s: 0, permille: 1_000 };
            let pieces: u64 = (0..span_s.div_ceil(cut_s)).map(|i| view.wh(i * cut_s, (i + 1) * cut_s)).sum();
            prop_assert_eq!(pieces, steps.iter().sum::<u64>() / MICRO);
        }

        #[test]
        fn turning_a_span_keeps_its_energy(
            steps in proptest::collection::vec(0u64..10_000_000_000, 2..100), shift in 0usize..100, permille in 500u32..1_500,
        ) {
            let series = Series::new(3_600, steps.iter().copied());
            let span_s = 3_600 * steps.len() as u64;
            let shift_s = (shift % steps.len()) as u64 * 3_600;
            let view = View { series: &series, from_s: 0, span_s, shift_s, permille };
            let pieces: u64 = (0..steps.len() as u64 * 4).map(|i| view.wh(i * 900, (i + 1) * 900)).sum();
            let whole = u128::from(steps.iter().sum::<u64>()) * u128::from(permille) / 1_000 / u128::from(MICRO);
            prop_assert_eq!(u128::from(pieces), whole);
        }
    }
}
