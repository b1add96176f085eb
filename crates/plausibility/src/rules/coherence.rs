//! Coherence: voltage times current times power factor is power. A current transformer that
//! was taken off, or fitted the wrong way, breaks that.

use super::Whole;
use crate::finding::{Finding, Rule, Severity};

/// Readings of a day that must disagree.
const READINGS: u64 = 12;

pub(super) fn day(at: &Whole<'_>) -> Option<Finding> {
    let readings: u64 = at.today.hours.iter().flatten().map(|hour| u64::from(hour.incoherent)).sum();
    (readings >= READINGS)
        .then(|| Finding::new(Rule::Coherence, Severity::Hold, &[("incoherent_readings", readings)]))
}
