//! Clear sky: no panel gives more than the sun has, whichever way it faces.

use super::{Moment, Whole};
use crate::finding::{Finding, Rule, Severity};
use crate::policy::share_wh;
use crate::site::Storage;

/// What meters round and inverters store for a moment, in Wh; what clocks are off while the
/// sun is low, out of a hundred of the rating; and out of a hundred of the ceiling.
const SLACK_WH: u64 = 5;
const LOW_SUN_PERCENT: u32 = 1;
const SLACK_PERCENT: u64 = 5;

pub(super) fn slot(at: &Moment<'_>) -> Option<Finding> {
    let (site, interval) = (at.site, at.interval);
    let ceiling_wh = at.sky.ceiling_wh(site.panels_w);
    let most_wh = ceiling_wh
        + ceiling_wh * SLACK_PERCENT / 100
        + share_wh(site.panels_w, interval.length_s, LOW_SUN_PERCENT, 100)
        + SLACK_WH;
    let generation_wh = interval.generation_wh.unwrap_or(0);
    let exported = if site.storage == Storage::None { interval.export_wh } else { 0 };
    if generation_wh.max(exported) <= most_wh {
        return None;
    }
    let rule = if site.panels_w == 0 { Rule::NoSource } else { Rule::ClearSky };
    let evidence = [
        ("generation_wh", generation_wh),
        ("export_wh", interval.export_wh),
        ("most_wh", most_wh),
        ("length_s", interval.length_s.into()),
    ];
    Some(Finding::new(rule, Severity::Hold, &evidence))
}

/// Panels that stand still do not face the sun from morning to evening.
pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    if at.site.panels_w == 0 {
        return None;
    }
    let known =
        at.today.hours.iter().zip(&at.sky.hours).filter_map(|(hour, sky)| Some((hour.as_ref()?, sky)));
    let (mut generation_wh, mut ceiling_wh) = (0_u64, 0_u64);
    for (hour, sky) in known {
        generation_wh += u64::from(hour.generation_wh);
        ceiling_wh += sky.ceiling_wh(at.site.panels_w);
    }
    let most_wh = ceiling_wh * u64::from(at.policy.clear_day_percent) / 100 + SLACK_WH;
    (generation_wh > most_wh).then(|| {
        let evidence = [("generation_wh", generation_wh), ("most_wh", most_wh)];
        Finding::new(Rule::ClearSky, Severity::Hold, &evidence)
    })
}
