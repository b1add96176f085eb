//! What gateway and slots have done since they were made.

use crate::tally::Tally;
use jirani_store::RefusalCount;
use jirani_units::MeterId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters shared by gateway and slots; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tally: Tally,
    stored: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
    rows: AtomicU64,
    rows_refused: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Readings stored.
    pub readings_stored: u64,
    /// Readings that were stored before, acknowledged again.
    pub readings_duplicate: u64,
    /// Readings and messages put in quarantine.
    pub readings_rejected: u64,
    /// Messages not taken because too many waited; their meters send them again.
    pub messages_dropped: u64,
    /// Rows of attestations that landed.
    pub attestation_rows: u64,
    /// Rows that the program did not apply, or the witness did not sign.
    pub attestation_rows_refused: u64,
}

impl Counters {
    /// All of them.
    pub fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            readings_stored: read(&self.0.stored),
            readings_duplicate: read(&self.0.duplicates),
            readings_rejected: read(&self.0.rejected),
            messages_dropped: read(&self.0.dropped),
            attestation_rows: read(&self.0.rows),
            attestation_rows_refused: read(&self.0.rows_refused),
        }
    }

    /// How often each meter's messages were refused, by reason.
    pub fn refusals(&self) -> Vec<RefusalCount> {
        self.0.tally.counts()
    }

    /// Counts what somebody else refuses, too: the embedded broker. Once.
    pub fn count_also(
        &self,
        source: impl Fn() -> Vec<(Option<MeterId>, &'static str, u64)> + Send + Sync + 'static,
    ) {
        self.0.tally.also(Box::new(source));
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    pub(crate) fn stored(&self, count: usize) {
        add(&self.0.stored, count);
    }

    pub(crate) fn duplicate(&self, count: usize) {
        add(&self.0.duplicates, count);
    }

    pub(crate) fn rejected(&self, count: usize) {
        add(&self.0.rejected, count);
    }

    pub(crate) fn dropped(&self) {
        add(&self.0.dropped, 1);
    }

    pub(crate) fn rows(&self, count: usize) {
        add(&self.0.rows, count);
    }

    pub(crate) fn rows_refused(&self, count: usize) {
        add(&self.0.rows_refused, count);
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}
