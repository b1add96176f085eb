//! The operator as counterparty of last resort: what it buys back by itself.
//!
//! A household that pushed energy and found no buyer is not left with tokens for ever.
//! What it has held for N days the operator buys at buy-back; before that, on request.
//! Ages are those of the household's own exports, the oldest used first, so that using,
//! selling or being paid back always takes from what is oldest. What was bought is not
//! bought back by itself: it was bought to be used.

use crate::nairobi;
use jirani_units::{HouseholdId, Timestamp, Wh};
use std::collections::VecDeque;
use std::fmt;

/// Own exports that a household still holds, by the day in Nairobi, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsold(VecDeque<(i64, Wh)>);

/// One purchase by the operator, known by day and household: made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyBack {
    /// Whose tokens.
    pub household: HouseholdId,
    /// Day in Nairobi.
    pub day: i64,
    /// How much, at buy-back.
    pub energy: Wh,
}

impl fmt::Display for BuyBack {
    /// Its key: `buy-back/2026-11-23/17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "buy-back/{}/{}", nairobi::date(nairobi::day_start(self.day)), self.household)
    }
}

impl Unsold {
    /// Counts an export at `at` that came into the vault (what met a shortfall did not).
    pub fn add(&mut self, at: Timestamp, energy: Wh) {
        let day = nairobi::day(at);
        match self.0.back_mut().filter(|(last, _)| *last >= day) {
            Some((_, sum)) => sum.0 = sum.0.saturating_add(energy.0),
            None if energy > Wh::ZERO => self.0.push_back((day, energy)),
            None => {}
        }
    }

    /// Takes what was used, sold or bought back, the oldest first. More than there is
    /// takes all: the rest was bought energy.
    pub fn take(&mut self, energy: Wh) {
        let mut left = energy;
        while let Some((_, oldest)) = self.0.front_mut().filter(|_| left > Wh::ZERO) {
            let taken = left.min(*oldest);
            *oldest = oldest.saturating_sub(taken);
            left = left.saturating_sub(taken);
            if *oldest == Wh::ZERO {
                self.0.pop_front();
            }
        }
    }

    /// All that is held.
    pub fn total(&self) -> Wh {
        self.0.iter().map(|(_, energy)| *energy).sum()
    }

    /// What the operator buys back at `now`: what was exported `days` days ago or before,
    /// in Nairobi's days, no more than the vault holds (the rest is on offer, and is
    /// bought back when the offer ends). `None` when there is nothing.
    pub fn due(&self, household: HouseholdId, now: Timestamp, days: u16, vault: Wh) -> Option<BuyBack> {
        let day = nairobi::day(now);
        let old = self.0.iter().take_while(|(exported, _)| day - exported >= i64::from(days));
        let energy = old.map(|(_, energy)| *energy).sum::<Wh>().min(vault);
        (energy > Wh::ZERO).then_some(BuyBack { household, day, energy })
    }
}
