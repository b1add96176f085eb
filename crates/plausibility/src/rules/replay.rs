//! Replay: no two days of a home are alike to the watt-hour.

use super::Whole;
use crate::finding::{Finding, Rule, Severity};
use crate::profile::{Day, HOURS};

/// Hours that must be known of both days.
const KNOWN_HOURS: u32 = 20;
/// Hours of both with import, of at least so many different amounts: an empty house is the
/// same every night.
const TELLING_HOURS: usize = 8;
const LEAST_WH: u32 = 10;

pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    let past = at.history.days().rev().find(|past| same(at.day, past))?;
    let age = u64::try_from(at.today.day - past.day).unwrap_or(0);
    let import_wh: u64 = (0..HOURS).filter_map(|hour| at.day.registers(hour)).map(|r| u64::from(r[0])).sum();
    let evidence = [("days_ago", age), ("import_wh", import_wh), ("generation_wh", at.day.generation_wh())];
    Some(Finding::new(Rule::Replay, Severity::Hold, &evidence))
}

fn same(today: &Day, past: &Day) -> bool {
    let mut known = 0;
    let mut amounts: Vec<u32> = Vec::with_capacity(HOURS);
    for hour in 0..HOURS {
        let (Some(ours), Some(theirs)) = (today.registers(hour), past.registers(hour)) else { continue };
        known += 1;
        // A replayed register is rounded anew at most.
        if ours.iter().zip(&theirs).any(|(a, b)| a.abs_diff(*b) > 1 + b / 500) {
            return false;
        }
        if ours[0] >= LEAST_WH {
            amounts.push(ours[0]);
        }
    }
    amounts.sort_unstable();
    amounts.dedup();
    known >= KNOWN_HOURS && amounts.len() >= TELLING_HOURS
}
