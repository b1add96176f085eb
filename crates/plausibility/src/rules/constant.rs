//! Constant: homes and clouds flicker; the same energy hour after hour is a meter that is
//! made to say something, or a load that never changes. A note.

use super::Whole;
use crate::finding::{Finding, Rule, Severity};

/// Hours on end.
const HOURS_ON_END: u32 = 12;
/// Less than this is standby, in Wh.
const LEAST_WH: u32 = 20;

pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    let mut longest = (0_u32, 0_u32);
    let mut run = (0_u32, None);
    for hour in &at.today.hours {
        let flow = hour.as_ref().map(|hour| (hour.import_wh, hour.export_wh));
        let flow = flow.filter(|(import, export)| *import.max(export) >= LEAST_WH);
        run = match flow {
            Some(_) if flow == run.1 => (run.0 + 1, flow),
            Some(_) => (1, flow),
            None => (0, None),
        };
        if run.0 > longest.0 {
            longest = (run.0, run.1.map_or(0, |(import, export)| import.max(export)));
        }
    }
    (longest.0 >= HOURS_ON_END).then(|| {
        let evidence = [("hours", u64::from(longest.0)), ("energy_wh", u64::from(longest.1))];
        Finding::new(Rule::Constant, Severity::Note, &evidence)
    })
}
