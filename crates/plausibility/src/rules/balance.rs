//! Site balance: generation + import = consumption + export, and consumption is not less
//! than nothing. Without storage, no more leaves than is generated at that moment.

use super::Moment;
use crate::finding::{Finding, Rule, Severity};
use crate::site::Storage;

/// Two registers in whole Wh, read one after the other.
const SLACK_WH: u64 = 5;

pub(super) fn slot(at: &Moment<'_>) -> Option<Finding> {
    let interval = at.interval;
    if at.site.storage == Storage::Declared {
        return None;
    }
    let generation_wh = interval.generation_wh?;
    let most_wh = generation_wh + generation_wh * u64::from(at.policy.balance_permille) / 1_000 + SLACK_WH;
    (interval.export_wh > most_wh).then(|| {
        let evidence = [
            ("export_wh", interval.export_wh),
            ("generation_wh", generation_wh),
            ("import_wh", interval.import_wh),
            ("most_wh", most_wh),
        ];
        Finding::new(Rule::SiteBalance, Severity::Hold, &evidence)
    })
}
