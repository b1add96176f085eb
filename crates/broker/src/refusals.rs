//! What was refused to whom, and how often.

use jirani_units::MeterId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Meters and reasons that are counted by themselves; beyond that meters are counted
/// together.
const LINES_MAX: usize = 1_024;

/// A name that is no meter's, or whose password was wrong.
pub(crate) const NOT_LET_IN: &str = "broker.not_let_in";
/// A meter whose time is over ([`crate::Doors`]).
pub(crate) const SHUT_OUT: &str = "broker.shut_out";
/// A client id that is not the user's.
pub(crate) const FOREIGN_CLIENT_ID: &str = "broker.foreign_client_id";
/// A message on a topic that is not the client's to write, or a retained one.
pub(crate) const FOREIGN_TOPIC: &str = "broker.foreign_topic";
/// A subscription to what is not the client's to hear.
pub(crate) const FOREIGN_FILTER: &str = "broker.foreign_filter";
/// More messages than a meter may send.
pub(crate) const FLOOD: &str = "broker.flood";

#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<(Option<MeterId>, &'static str), u64>>);

impl Refusals {
    pub(crate) fn count(&self, meter: Option<MeterId>, code: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counts.len() >= LINES_MAX && !counts.contains_key(&(meter, code));
        *counts.entry((meter.filter(|_| !is_full), code)).or_default() += 1;
    }

    pub(crate) fn all(&self) -> Vec<(Option<MeterId>, &'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((meter, code), count)| (*meter, *code, *count)).collect()
    }
}
