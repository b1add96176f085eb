//! One counter of a foreign device: what it showed last, and what it has counted for us.
//!
//! | it shows | and | then |
//! |---|---|---|
//! | the first value | | the baseline: what was counted before is nobody's |
//! | no less than before | the connection can have carried it | the difference counts |
//! | no less than before | it cannot | refused |
//! | less | it declares a modulus, and what is between fits | rolled over: the rest and the new count |
//! | less | at most half, and little enough to have been counted since | suspected; a second message that says so makes it a reset, and counts what it shows |
//! | less | anything else | refused: a person gives the device a new generation |
//!
//! A late copy of an old message therefore counts nothing, and neither does a counter that
//! somebody turns back and forth.

use jirani_units::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest time that is caught up with at once, in seconds.
const CATCH_UP_S: u128 = 366 * 86_400;
/// What a bucket holds at first: a quarter of an hour, as the gateway allows for clocks.
const AT_FIRST_S: u128 = 900;

/// How much energy a connection can have carried: fills with 1.25 times its rating, and is
/// emptied by what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    credit_uj: u128,
    at_us: i64,
}

impl Bucket {
    /// As it is at first.
    pub fn new(rating_w: u32, now: Timestamp) -> Self {
        Self { credit_uj: Self::carried(rating_w, AT_FIRST_S * 1_000_000), at_us: now.0 }
    }

    /// As it is at `now`, before anything is taken out of it.
    #[must_use]
    pub fn filled(self, rating_w: u32, now: Timestamp) -> Self {
        let passed_us = u128::try_from(now.0.saturating_sub(self.at_us)).unwrap_or(0);
        let most = Self::carried(rating_w, CATCH_UP_S * 1_000_000);
        let credit_uj = self.credit_uj.saturating_add(Self::carried(rating_w, passed_us)).min(most);
        Self { credit_uj, at_us: self.at_us.max(now.0) }
    }

    /// Microjoules in it.
    pub const fn credit_uj(self) -> u128 {
        self.credit_uj
    }

    /// Microjoules in `time_us` microseconds at 1.25 times the rating: W·µs are µJ.
    fn carried(rating_w: u32, time_us: u128) -> u128 {
        u128::from(rating_w).saturating_mul(time_us).saturating_mul(5) / 4
    }

    pub(crate) const fn without(self, taken_uj: u128) -> Self {
        Self { credit_uj: self.credit_uj.saturating_sub(taken_uj), at_us: self.at_us }
    }
}

/// A counter. Microjoules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit stands in the names of what is written to disk")]
pub struct Counter {
    /// What it showed last; `None` before the first.
    last_uj: Option<u128>,
    /// What it fell to, when only one message has said so.
    #[serde(default)]
    fallen_to_uj: Option<u128>,
    /// What it has counted since it is known.
    counted_uj: u128,
}

/// What a value means for a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The baseline.
    First,
    /// It grew, by nothing or by so many microjoules.
    Grew(u128),
    /// It began anew at its modulus.
    RolledOver(u128),
    /// It was set to zero.
    Reset(u128),
    /// It fell; the next message will tell.
    Suspected,
    /// It fell, and nothing explains it.
    Fell,
    /// It grew by more than can have flowed.
    Implausible(u128),
}

impl Counter {
    /// What it has counted since it is known, in microjoules.
    pub const fn counted_uj(&self) -> u128 {
        self.counted_uj
    }

    /// Whether it fell, and only one message has said so.
    pub const fn is_suspect(&self) -> bool {
        self.fallen_to_uj.is_some()
    }

    /// Whether it has a baseline.
    pub const fn is_known(&self) -> bool {
        self.last_uj.is_some()
    }

    /// What `shown_uj` means, where `modulus_uj` is declared or not, resets are believed or
    /// not, and `most_uj` can have flowed.
    pub fn step(&self, shown_uj: u128, modulus_uj: Option<u128>, resets: bool, most_uj: u128) -> Step {
        let Some(last) = self.last_uj else { return Step::First };
        if let Some(grew) = shown_uj.checked_sub(last) {
            return if grew <= most_uj { Step::Grew(grew) } else { Step::Implausible(grew) };
        }
        if let Some(between) = modulus_uj.and_then(|modulus| modulus.checked_sub(last)) {
            let grew = between.saturating_add(shown_uj);
            if grew <= most_uj {
                return Step::RolledOver(grew);
            }
        }
        if !resets || shown_uj > last / 2 || shown_uj > most_uj {
            return Step::Fell;
        }
        match self.fallen_to_uj {
            Some(before) if shown_uj >= before => Step::Reset(shown_uj),
            _ => Step::Suspected,
        }
    }

    /// As it is after `step`; refusals change nothing.
    #[must_use]
    pub fn after(mut self, shown_uj: u128, step: Step) -> Self {
        match step {
            Step::First => (self.last_uj, self.fallen_to_uj) = (Some(shown_uj), None),
            Step::Grew(grew) | Step::RolledOver(grew) | Step::Reset(grew) => {
                self.counted_uj = self.counted_uj.saturating_add(grew);
                (self.last_uj, self.fallen_to_uj) = (Some(shown_uj), None);
            }
            Step::Suspected => self.fallen_to_uj = Some(shown_uj),
            Step::Fell | Step::Implausible(_) => {}
        }
        self
    }
}
