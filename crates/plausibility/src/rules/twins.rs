//! Twins: one panel, two meters. Neighbours' panels draw the same curve under the same sun, but
//! of two sizes; when two meters count the same energy hour by hour for days, and the feeder
//! misses just that energy, it was sold twice.

use super::feeder::{FeederWindow, LEAST_HOURS, Residual};
use crate::finding::{Finding, Rule, Severity};
use crate::policy::Policy;
use crate::profile::{Day, HOURS, History};

/// Days on end.
const DAYS: usize = 3;
/// Hours with generation that a day must have.
const SUNNY_HOURS: usize = 5;
const LEAST_WH: u32 = 20;
/// Two meters of class 1 count the same energy this much apart, in thousandths.
const APART_PERMILLE: u32 = 20;
/// How much of the generation may be missing, in thousandths: all of it, more or less.
const MISSING_PERMILLE: std::ops::RangeInclusive<i128> = 500..=1_500;

/// Whether two meters count the same panels today. As long as that may grow into twins, the
/// feeder's missing energy follows every export on it and accuses nobody.
pub fn may_be_twins(meters: &[(&Day, &History)]) -> bool {
    (0..meters.len()).any(|one| meters[one + 1..].iter().any(|other| alike(meters[one].0, other.0)))
}

/// Looks for pairs of meters that count the same panels; `window` is the feeder of the same
/// meters in the same order. Registers cannot tell whose panels they are: both are named.
pub fn judge_twins(
    meters: &[(&Day, &History)],
    window: FeederWindow<'_>,
    policy: &Policy,
) -> Vec<(usize, Finding)> {
    let mut found: Vec<(usize, Finding)> = Vec::new();
    if window.len() < LEAST_HOURS {
        return found;
    }
    let lately = &window[window.len() - LEAST_HOURS..];
    let mut residual = None;
    for one in 0..meters.len() {
        for other in one + 1..meters.len() {
            if !are_twins(meters[one], meters[other]) {
                continue;
            }
            let residual = residual.get_or_insert_with(|| Residual::of(lately));
            let Some((explained, total_wh)) = residual.explained_by(one, 2) else { continue };
            if !MISSING_PERMILLE.contains(&explained.slope_permille)
                || explained.fit_permille < i128::from(policy.feeder_fit_permille)
            {
                continue;
            }
            let whole = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
            for (named, twin) in [(one, other), (other, one)] {
                if found.iter().any(|(place, _)| *place == named) {
                    continue;
                }
                let evidence = vec![
                    ("days", i64::try_from(DAYS).unwrap_or(0)),
                    ("of_generation_permille", whole(explained.slope_permille)),
                    ("explained_permille", whole(explained.fit_permille)),
                    ("generation_wh", whole(total_wh)),
                    // Replaced by the household's number by who knows it.
                    ("original", i64::try_from(twin).unwrap_or(i64::MAX)),
                ];
                let finding = Finding { rule: Rule::Twins, severity: Severity::Hold, evidence };
                found.push((named, policy.graded(finding)));
            }
        }
    }
    found
}

fn are_twins(one: (&Day, &History), other: (&Day, &History)) -> bool {
    let days = |(day, history): (&'_ Day, &'_ History)| -> Vec<Day> {
        let past = history.days().rev().take(DAYS - 1).cloned();
        std::iter::once(day.clone()).chain(past).collect()
    };
    if !alike(one.0, other.0) {
        return false;
    }
    let (ours, theirs) = (days(one), days(other));
    ours.len() == DAYS && theirs.len() == DAYS && ours.iter().zip(&theirs).all(|(a, b)| alike(a, b))
}

fn alike(ours: &Day, theirs: &Day) -> bool {
    let mut sunny = 0;
    for hour in 0..HOURS {
        let (Some([.., a]), Some([.., b])) = (ours.registers(hour), theirs.registers(hour)) else { continue };
        if a.max(b) < LEAST_WH {
            continue;
        }
        if a.abs_diff(b) > 2 + b / (1_000 / APART_PERMILLE) {
            return false;
        }
        sunny += 1;
    }
    ours.day == theirs.day && sunny >= SUNNY_HOURS
}
