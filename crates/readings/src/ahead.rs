//! How far a meter is ahead of what its connection can have carried: a leaky bucket for
//! each register.
//!
//! A meter's clock may be a little off, so a register may once be ahead of the time that
//! passed by [`SLACK_S`] at its rating. What is ahead stays with the meter from reading to
//! reading and only time takes it away: many readings share one slack. Between any two
//! accepted readings a register grows by at most what the time between them and one slack
//! allow. Stands beside the last reading ([`crate::Latest`]), and is judged with the next
//! one ([`crate::judge`]).

use crate::rules::Rating;
use jirani_meter::Registers;

/// Time added to the one that passed, for clocks that are a little off, in seconds.
const SLACK_S: u64 = 900;
/// A rating may be passed by a quarter: so many parts of it, of [`RATED_PARTS`], in a microsecond.
const ALLOWED_PARTS: u128 = 5;
const RATED_PARTS: u128 = 4;
/// Quarters of a watt-microsecond in a Wh: with these, what a rating allows in any time is
/// a whole number, and readings that come fast lose nothing by rounding.
const PARTS_PER_WH: u128 = RATED_PARTS * 3_600_000_000;

/// What a meter has counted beyond what the time allowed, by register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    import: u128,
    export: u128,
    generation: u128,
}

/// A register that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Import,
    Export,
    Generation,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Import, Self::Export, Self::Generation];

    /// Registers with what is said of each.
    pub(crate) fn each(said: impl Fn(Self) -> u64) -> Registers {
        Registers {
            import_wh: said(Self::Import),
            export_wh: said(Self::Export),
            generation_wh: said(Self::Generation),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::Generation => "generation",
        }
    }

    pub(crate) const fn of(self, registers: &Registers) -> u64 {
        match self {
            Self::Import => registers.import_wh,
            Self::Export => registers.export_wh,
            Self::Generation => registers.generation_wh,
        }
    }

    pub(crate) const fn rating_w(self, rating: Rating) -> u32 {
        match self {
            Self::Import => rating.import_w,
            Self::Export => rating.export_w,
            Self::Generation => rating.panels_w,
        }
    }

    /// Without a rating of its panels a generator's third register is taken as it comes.
    pub(crate) const fn is_judged(self, rating: Rating) -> bool {
        !matches!(self, Self::Generation) || rating.panels_w > 0
    }
}

impl Ahead {
    /// The most that a register may grow by in `elapsed_us`, Wh.
    pub(crate) fn most_wh(&self, part: Part, rating: Rating, elapsed_us: u64) -> u64 {
        let slack_us = SLACK_S * 1_000_000;
        let free = allowed(part.rating_w(rating), elapsed_us) + allowed(part.rating_w(rating), slack_us);
        u64::try_from(free.saturating_sub(self.level(part)) / PARTS_PER_WH).unwrap_or(u64::MAX)
    }

    /// As it stands after registers grew by `grew` in `elapsed_us`.
    #[must_use]
    pub(crate) fn after(self, rating: Rating, elapsed_us: u64, grew: &Registers) -> Self {
        let level = |part: Part| {
            if !part.is_judged(rating) {
                return 0;
            }
            let filled = self.level(part).saturating_add(u128::from(part.of(grew)) * PARTS_PER_WH);
            filled.saturating_sub(allowed(part.rating_w(rating), elapsed_us))
        };
        Self { import: level(Part::Import), export: level(Part::Export), generation: level(Part::Generation) }
    }

    const fn level(&self, part: Part) -> u128 {
        match part {
            Part::Import => self.import,
            Part::Export => self.export,
            Part::Generation => self.generation,
        }
    }
}

/// 1.25 times a rating over a time, in parts.
fn allowed(rating_w: u32, elapsed_us: u64) -> u128 {
    u128::from(rating_w) * ALLOWED_PARTS * u128::from(elapsed_us)
}
