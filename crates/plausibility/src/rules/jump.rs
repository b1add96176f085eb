//! Jump: panels do not become larger from one day to the next. Against the best of three
//! weeks at the same hour, which a few odd days cannot lower.

use super::Moment;
use crate::finding::{Finding, Rule, Severity};
use crate::policy::share_wh;

/// Least excess worth a word, out of a hundred of the rating.
const LEAST_PERCENT: u32 = 10;
/// A long window's best is the sum of many hours' bests, which hardly meet in one day: less
/// excess is enough. In seconds, and as the part of the policy's percentage that counts.
const LONG_S: u32 = 2 * 3_600;
const LONG_PART: u32 = 3;

pub(super) fn slot(at: &Moment<'_>) -> Option<Finding> {
    let best_wh = at.own_best_wh?;
    let generation_wh = at.interval.generation_wh.unwrap_or(at.interval.export_wh);
    let excess_percent = at.policy.jump_percent.saturating_sub(100);
    let (excess_percent, least_percent) = if at.interval.length_s > LONG_S {
        (excess_percent / LONG_PART, LEAST_PERCENT / LONG_PART)
    } else {
        (excess_percent, LEAST_PERCENT)
    };
    let most_wh = best_wh * u64::from(100 + excess_percent) / 100
        + share_wh(at.site.panels_w, at.interval.length_s, least_percent, 100);
    (generation_wh > most_wh).then(|| {
        let evidence = [
            ("generation_wh", generation_wh),
            ("own_best_wh", best_wh),
            ("most_wh", most_wh),
            ("length_s", at.interval.length_s.into()),
        ];
        Finding::new(Rule::Jump, Severity::Hold, &evidence)
    })
}
