//! Gaps: hours without a reading and restarts. Networks fail; a meter that is silent much of
//! the day is worth a visit. A note.

use super::Whole;
use crate::finding::{Finding, Rule, Severity};
use crate::profile::HOURS;

/// Hours of silence in a day.
const SILENT_HOURS: usize = 6;
/// Restarts in a day.
const RESTARTS: u32 = 6;

pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    let silent = HOURS - at.today.hours.iter().flatten().count();
    (silent >= SILENT_HOURS || at.today.restarts >= RESTARTS).then(|| {
        let silent = u64::try_from(silent).unwrap_or(0);
        let evidence = [("silent_hours", silent), ("restarts", at.today.restarts.into())];
        Finding::new(Rule::Gaps, Severity::Note, &evidence)
    })
}
