//! Rated power: a fuse and a cable let through what they are made for.

use super::Moment;
use crate::finding::{Finding, Rule, Severity};
use crate::policy::share_wh;

/// Registers count whole Wh and clocks are a second off: this much proves nothing, in Wh.
const SLACK_WH: u64 = 5;

pub(super) fn power(at: &Moment<'_>) -> Option<Finding> {
    let length_s = at.interval.length_s;
    let over = |wh: u64, rating_w: u32| {
        let most = |percent: u32| share_wh(rating_w, length_s, percent, 100) + SLACK_WH;
        if wh > most(at.policy.rated_refuse_percent) {
            Some((Severity::Refuse, most(at.policy.rated_refuse_percent)))
        } else if wh > most(at.policy.rated_hold_percent) {
            Some((Severity::Hold, most(at.policy.rated_hold_percent)))
        } else {
            None
        }
    };
    let panels = at.interval.generation_wh.filter(|_| at.site.panels_w > 0);
    let registers = [
        ("export_wh", at.interval.export_wh, at.site.export_w),
        ("import_wh", at.interval.import_wh, at.site.import_w),
        ("generation_wh", panels.unwrap_or(0), at.site.panels_w),
    ];
    let worst = registers
        .into_iter()
        .filter_map(|(name, wh, rating_w)| over(wh, rating_w).map(|(grave, most)| (grave, name, wh, most)))
        .max_by_key(|(grave, ..)| *grave)?;
    let (severity, name, wh, most_wh) = worst;
    let evidence = [(name, wh), ("most_wh", most_wh), ("length_s", length_s.into())];
    Some(Finding::new(Rule::RatedPower, severity, &evidence))
}
