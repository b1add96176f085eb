//! Shifted: the curve of generation stands where it stood, whatever clouds take out of it.
//! A clock that was moved moves all of it.

use super::Whole;
use crate::finding::{Finding, Rule, Severity};
use crate::profile::Day;

/// Days of the past with enough sun to tell.
const PAST_DAYS: usize = 7;
/// A day tells when it has this much of the usual generation, in percent.
const SUNNY_PERCENT: u64 = 50;

pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    let yesterday = at.history.days().next_back().filter(|day| day.day + 1 == at.today.day)?;
    let past: Vec<&Day> = at.history.days().filter(|day| day.day < yesterday.day).collect();
    let mut generations: Vec<u64> = past.iter().map(|day| day.generation_wh()).collect();
    let usual_wh = median(&mut generations)?;
    // Panels that give next to nothing have no curve.
    if usual_wh < u64::from(at.site.panels_w) / 2 {
        return None;
    }
    let sunny = |day: &Day| usual_wh > 0 && day.generation_wh() * 100 >= usual_wh * SUNNY_PERCENT;
    let mut middles: Vec<u32> =
        past.into_iter().filter(|day| sunny(day)).filter_map(Day::middle_minute).collect();
    if middles.len() < PAST_DAYS || !sunny(at.day) || !sunny(yesterday) {
        return None;
    }
    let usual = i64::from(median(&mut middles)?);
    let moved = |day: &Day| Some(i64::from(day.middle_minute()?) - usual);
    let (now, before) = (moved(at.day)?, moved(yesterday)?);
    let line = i64::from(at.policy.shift_minutes);
    let together = (now >= line && before >= line) || (now <= -line && before <= -line);
    together.then(|| Finding {
        rule: Rule::Shifted,
        severity: Severity::Hold,
        evidence: vec![("moved_minutes", now), ("moved_minutes_yesterday", before), ("usual_minute", usual)],
    })
}

fn median<T: Ord + Copy>(values: &mut [T]) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
