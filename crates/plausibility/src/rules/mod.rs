//! The rules, each in a file of its own: a window in, a finding out or nothing.

mod balance;
mod clear_sky;
mod coherence;
mod constant;
mod copied;
pub mod feeder;
mod gaps;
mod jump;
mod night;
mod rated;
mod replay;
mod shifted;
mod stuck;
mod twins;

use crate::finding::Finding;
use crate::policy::Policy;
use crate::profile::{Day, History, Today};
use crate::site::{Interval, Site};
use crate::sky::{DaySky, Sky};
use jirani_units::JSON_INTEGER_MAX;

pub use copied::judge_copies;
pub use twins::{judge_twins, may_be_twins};

/// One interval of one meter, as rules see it.
pub(crate) struct Moment<'a> {
    pub site: &'a Site,
    pub interval: &'a Interval,
    pub sky: Sky,
    /// The most that the meter's own past lets expect, in Wh.
    pub own_best_wh: Option<u64>,
    pub policy: &'a Policy,
}

/// One day of one meter, as rules see it.
pub(crate) struct Whole<'a> {
    pub site: &'a Site,
    pub today: &'a Today,
    pub day: &'a Day,
    pub sky: &'a DaySky,
    pub history: &'a History,
    pub policy: &'a Policy,
}

/// Judges what a meter's registers grew by until a slot's end. `own_best_wh` is the most its
/// own past lets expect of its panels ([`History::best_permille`] of each hour times that
/// hour's ceiling). The gravest finding first.
pub fn judge_interval(
    site: &Site,
    interval: &Interval,
    sky: Sky,
    own_best_wh: Option<u64>,
    policy: &Policy,
) -> Vec<Finding> {
    let bounded = |wh: u64| wh.min(JSON_INTEGER_MAX);
    let interval = &Interval {
        import_wh: bounded(interval.import_wh),
        export_wh: bounded(interval.export_wh),
        generation_wh: interval.generation_wh.map(bounded),
        ..*interval
    };
    let own_best_wh = own_best_wh.map(bounded);
    let moment = Moment { site, interval, sky, own_best_wh, policy };
    let balance = rated::power(&moment).into_iter().chain(balance::slot(&moment));
    // One excess is one finding: the simplest reason why it cannot be is enough.
    let sun = night::slot(&moment).or_else(|| clear_sky::slot(&moment)).or_else(|| jump::slot(&moment));
    graded(balance.chain(sun), policy)
}

/// Judges a day that is over. `history` ends with the day before.
pub fn judge_day(
    site: &Site,
    today: &Today,
    sky: &DaySky,
    history: &History,
    policy: &Policy,
) -> Vec<Finding> {
    let day = Day::of(today, sky, site.panels_w);
    let whole = Whole { site, today, day: &day, sky, history, policy };
    let rules: [fn(&Whole<'_>) -> Option<Finding>; 8] = [
        night::day,
        clear_sky::day,
        stuck::day,
        replay::day,
        shifted::day,
        coherence::day,
        constant::day,
        gaps::day,
    ];
    graded(rules.iter().filter_map(|rule| rule(&whole)), policy)
}

fn graded(findings: impl Iterator<Item = Finding>, policy: &Policy) -> Vec<Finding> {
    let mut findings: Vec<Finding> = findings.map(|finding| policy.graded(finding)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
