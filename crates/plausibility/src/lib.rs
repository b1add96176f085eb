//! Whether what a meter says can be true: by its connection, by the sun over the place, by
//! its own past, by its neighbours and by what the feeder's source supplied.
//!
//! Promises: whole watt-hours in and out; every finding names its rule, a stable code, how
//! grave it is and the numbers it rests on; the same answer for the same input; nothing is
//! said of hours that are not known. Only the sun's height is computed with floats.
//! Pure: no I/O, no clock. [`judge_interval`] is for a slot as it ends, [`judge_day`] for a
//! day of one meter, [`judge_feeder`] for the meters of a feeder together; the rules, their
//! thresholds and what they catch stand in docs/plausibility.md.

mod finding;
mod policy;
mod profile;
mod rules;
mod site;
mod sky;

pub use finding::{Finding, Rule, Severity};
pub use policy::Policy;
pub use profile::{Day, HISTORY_DAYS, HOURS, History, Hour, Today};
pub use rules::feeder::{Accused, FeederHour, FeederWindow, judge_feeder};
pub use rules::{judge_copies, judge_day, judge_interval, judge_twins, may_be_twins};
pub use site::{Interval, Site, Storage};
pub use sky::{DaySky, Light, Sky};
