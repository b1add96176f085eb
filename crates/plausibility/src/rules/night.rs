//! Night: panels give nothing while the sun is below -2 degrees, whatever the weather.

use super::{Moment, Whole};
use crate::finding::{Finding, Rule, Severity};
use crate::policy::share_wh;
use crate::site::Storage;
use crate::sky::Light;

/// A current transformer shows a watt or two of nothing: Wh of a slot, and of a night.
const SLOT_SLACK_WH: u64 = 5;
const NIGHT_SLACK_WH: u64 = 20;

pub(super) fn slot(at: &Moment<'_>) -> Option<Finding> {
    if at.sky.light != Light::Dark || at.site.storage == Storage::Declared || at.site.panels_w == 0 {
        return None;
    }
    let interval = at.interval;
    let most_wh =
        SLOT_SLACK_WH + share_wh(at.site.panels_w, interval.length_s, at.policy.night_slot_permille, 1_000);
    let generation_wh = interval.generation_wh.unwrap_or(0);
    (interval.export_wh.max(generation_wh) > most_wh).then(|| {
        let evidence = [
            ("export_wh", interval.export_wh),
            ("generation_wh", generation_wh),
            ("most_wh", most_wh),
            ("length_s", interval.length_s.into()),
        ];
        Finding::new(Rule::Night, Severity::Hold, &evidence)
    })
}

/// What is too little to show in a slot adds up over a night.
pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    if at.site.storage == Storage::Declared || at.site.panels_w == 0 {
        return None;
    }
    let dark = at.today.hours.iter().zip(&at.sky.hours).filter(|(_, sky)| sky.light == Light::Dark);
    let dark: Vec<_> = dark.filter_map(|(hour, _)| hour.as_ref()).collect();
    let export_wh: u64 = dark.iter().map(|hour| u64::from(hour.export_wh)).sum();
    let generation_wh: u64 = dark.iter().map(|hour| u64::from(hour.generation_wh)).sum();
    let dark_s = u32::try_from(dark.len()).unwrap_or(24) * 3_600;
    let most_wh = NIGHT_SLACK_WH + share_wh(at.site.panels_w, dark_s, at.policy.night_day_permille, 1_000);
    (export_wh.max(generation_wh) > most_wh).then(|| {
        let evidence = [
            ("export_wh", export_wh),
            ("generation_wh", generation_wh),
            ("most_wh", most_wh),
            ("dark_hours", u64::from(dark_s / 3_600)),
        ];
        Finding::new(Rule::Night, Severity::Hold, &evidence)
    })
}
