//! What advice was worth: each piece is kept until what came is known, and its gain over not
//! following it is reckoned in cents with the prices it was given by.
//!
//! The reckoning is the advice's own (`jirani_forecast::advice`), with what came in the place
//! of what was expected: a Wh short before the sun has paid it back costs retail, one left
//! over is worth buy-back. That an offer is taken and a neighbour's is still there is assumed;
//! that a load can be moved too. Of one kind a household is given one piece a day to be
//! scored, however often it looks. A household whose advice lost is told none until what it
//! would have been told wins again. Pure and in whole numbers.

use jirani_forecast::SlotEnergy;
use jirani_units::{HouseholdId, Price, Timestamp, Wh};
use std::collections::BTreeMap;

/// Pieces that a household's record stands on.
pub const PIECES_MAX: usize = 28;
/// Pieces below which nothing is concluded.
pub const PIECES_MIN: usize = 7;
/// Households whose advice is scored.
const HOUSEHOLDS_MAX: usize = 1_000;
const DAY_S: i64 = 86_400;
/// A household that nothing was advised for so long is forgotten, in seconds.
const REMEMBERED_S: i64 = 366 * DAY_S;
/// After its last slot a day is waited for so long: readings come late.
const LATE_S: i64 = 7_200;

/// What was advised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Offer so much at this price.
    Sell(Wh, Price),
    /// Take back what is on sale at this price.
    Keep(Wh, Price),
    /// Buy at this price, all in.
    Buy(Wh, Price),
}

/// Advice as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Start of the first slot that it looked at.
    pub from: Timestamp,
    /// What to do.
    pub deed: Deed,
    /// What the household held.
    pub vault_wh: Wh,
    /// What it owed.
    pub shortfall_wh: Wh,
    /// What a Wh short costs, per kWh.
    pub retail: Price,
    /// What a Wh left over is worth, per kWh.
    pub buy_back: Price,
}

impl Given {
    /// What following it would have brought over not following it, in cents.
    pub fn gain_cents(&self, came: &[SlotEnergy]) -> i64 {
        let need = deepest(came) + i128::from(self.shortfall_wh.0);
        let have = i128::from(self.vault_wh.0);
        let worth = |price: Price, wh: i128| i128::from(price.0) * wh;
        let balance = |held: i128| {
            worth(self.buy_back, (held - need).max(0)) - worth(self.retail, (need - held).max(0))
        };
        let (held, paid) = match self.deed {
            Deed::Sell(wh, price) => (have - i128::from(wh.0), -worth(price, i128::from(wh.0))),
            Deed::Keep(wh, price) | Deed::Buy(wh, price) => {
                (have + i128::from(wh.0), worth(price, i128::from(wh.0)))
            }
        };
        i64::try_from((balance(held) - balance(have) - paid) / 1_000).unwrap_or(0)
    }

    const fn is_of_kind(&self, other: &Self) -> bool {
        matches!(
            (self.deed, other.deed),
            (Deed::Sell(..), Deed::Sell(..))
                | (Deed::Keep(..), Deed::Keep(..))
                | (Deed::Buy(..), Deed::Buy(..))
        )
    }

    const fn to(&self) -> Timestamp {
        self.from.plus_seconds(DAY_S)
    }

    fn is_due(&self, now: Timestamp) -> bool {
        now >= self.to().plus_seconds(LATE_S)
    }
}

/// How deep what was made less what was used fell.
fn deepest(came: &[SlotEnergy]) -> i128 {
    let (mut sum, mut lowest) = (0_i128, 0_i128);
    for slot in came {
        sum += i128::from(slot.production_wh) - i128::from(slot.consumption_wh);
        lowest = lowest.min(sum);
    }
    -lowest
}

/// Whether a household is told its advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// It is.
    Heard,
    /// What it was told lost: none until it would win.
    Silent,
}

/// What a household's last pieces of advice were worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdviceRecord {
    /// Pieces scored, [`PIECES_MAX`] at most.
    pub pieces: u64,
    /// Their gain over not following them, in cents.
    pub gain_cents: i64,
    /// What follows.
    pub voice: Voice,
}

/// All advice that waits for its truth, and what the last pieces brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advised {
    waiting: BTreeMap<u32, Vec<Given>>,
    /// Each with the moment it was given at, oldest first.
    scored: BTreeMap<u32, Vec<(Timestamp, i64)>>,
}

/// Whether there is something new to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There is.
    New,
    /// One of its kind waits already, or there are too many.
    Known,
}

impl Advised {
    /// Keeps a piece until its day is over, unless one of its kind waits.
    pub fn keep(&mut self, household: HouseholdId, given: Given) -> Kept {
        if !self.waiting.contains_key(&household.0) && self.waiting.len() >= HOUSEHOLDS_MAX {
            return Kept::Known;
        }
        let waiting = self.waiting.entry(household.0).or_default();
        // What nobody came to score in another day, nobody will.
        waiting.retain(|before| given.from < before.to().plus_seconds(DAY_S));
        if waiting.iter().any(|before| before.is_of_kind(&given)) {
            return Kept::Known;
        }
        waiting.push(given);
        Kept::New
    }

    /// Leaves out what was given after `now`, by a clock that was ahead.
    pub fn drop_future(&mut self, now: Timestamp) {
        for waiting in self.waiting.values_mut() {
            waiting.retain(|given| given.from <= now);
        }
        for scored in self.scored.values_mut() {
            scored.retain(|(at, _)| *at <= now);
        }
    }

    /// Households whose truth is due, with the span it is wanted of.
    pub fn due(&self, now: Timestamp) -> Vec<(HouseholdId, Timestamp, Timestamp)> {
        let each = self.waiting.iter().flat_map(|(home, given)| given.iter().map(move |given| (home, given)));
        let due = each.filter(|(_, given)| given.is_due(now));
        due.map(|(home, given)| (HouseholdId(*home), given.from, given.to())).collect()
    }

    /// Scores a household's pieces given at `from` with what came; a day of which more than a
    /// quarter is unknown is dropped.
    pub fn score(
        &mut self,
        household: HouseholdId,
        from: Timestamp,
        slot_length_s: u32,
        came: &[SlotEnergy],
    ) {
        let Some(waiting) = self.waiting.get_mut(&household.0) else { return };
        let (due, left): (Vec<_>, Vec<_>) = waiting.drain(..).partition(|given| given.from == from);
        *waiting = left;
        if waiting.is_empty() {
            self.waiting.remove(&household.0);
        }
        let slots = (86_400 / slot_length_s.max(1)) as usize;
        for given in due {
            let within = |slot: &&SlotEnergy| slot.start >= given.from && slot.start < given.to();
            let came: Vec<SlotEnergy> = came.iter().filter(within).copied().collect();
            if came.len() * 4 >= slots * 3 {
                let scored = self.scored.entry(household.0).or_default();
                scored.push((given.from, given.gain_cents(&came)));
                scored.sort_unstable();
                let surplus = scored.len().saturating_sub(PIECES_MAX);
                scored.drain(..surplus);
            }
        }
        // Homes that are gone.
        let oldest = from.plus_seconds(-REMEMBERED_S);
        self.scored.retain(|_, scored| scored.last().is_some_and(|(at, _)| *at > oldest));
    }

    /// What the household's last pieces were worth; `None` before the first was scored.
    pub fn record(&self, household: HouseholdId) -> Option<AdviceRecord> {
        let scored = self.scored.get(&household.0).filter(|scored| !scored.is_empty())?;
        let gain_cents = scored.iter().fold(0_i64, |sum, (_, gain)| sum.saturating_add(*gain));
        let voice = if scored.len() >= PIECES_MIN && gain_cents < 0 { Voice::Silent } else { Voice::Heard };
        Some(AdviceRecord { pieces: u64::try_from(scored.len()).unwrap_or(u64::MAX), gain_cents, voice })
    }

    /// Over all households: pieces scored, those that lost, and households that are told none.
    pub fn counts(&self) -> [u64; 3] {
        let all = || self.scored.values().flatten();
        let silent = self.scored.keys().filter(|home| {
            self.record(HouseholdId(**home)).is_some_and(|record| record.voice == Voice::Silent)
        });
        [all().count(), all().filter(|(_, gain)| *gain < 0).count(), silent.count()]
            .map(|count| u64::try_from(count).unwrap_or(u64::MAX))
    }
}
