//! What an answer is worth: a home offers its surplus before it is there.
//!
//! What is offered and there earns the neighbours' price, what is there and not offered
//! the operator's credit; what is offered and not there is bought at retail. So an
//! offer is a newsvendor's order, and the best one is the surplus's quantile at
//! `(price - credit) / (retail - credit)`. In whole cents per kWh and Wh: money.

use crate::trial::{Key, Method, Trial};
use jirani_booster::Level;
use std::collections::BTreeMap;

/// Prices in cents per kWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// What a neighbour pays.
    pub price: i64,
    /// What the operator credits.
    pub credit: i64,
    /// What missing energy costs.
    pub retail: i64,
}

impl Prices {
    /// Those of the published comparison: 20, 14 and 29 KES.
    pub const REFERENCE: Self = Self { price: 2_000, credit: 1_400, retail: 2_900 };

    /// The best level to offer at; the median where prices leave no gain.
    pub fn level(self) -> Level {
        let (gain, all) = (self.price - self.credit, self.retail - self.credit);
        let permille = if all > 0 { (gain * 1_000 / all).clamp(1, 999) } else { 500 };
        u16::try_from(permille)
            .ok()
            .and_then(|level| Level::from_permille(level).ok())
            .unwrap_or(Level::MEDIAN)
    }

    /// What a slot earns, in thousandths of a cent.
    fn earned(self, offered_wh: i64, surplus_wh: i64) -> i64 {
        let left = (surplus_wh - offered_wh).max(0);
        let missing = (offered_wh - surplus_wh).max(0);
        offered_wh * self.price + left * self.credit - missing * self.retail
    }
}

/// What one way of offering earned, in thousandths of a cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// By what was offered.
    pub policy: i64,
    /// By offering nothing.
    pub nothing: i64,
    /// By knowing what comes.
    pub perfect: i64,
}

impl Earned {
    /// Share of the possible gain that was made, in hundredths of a percent.
    pub fn capture(&self) -> Option<i64> {
        let possible = self.perfect - self.nothing;
        (possible > 0).then(|| (self.policy - self.nothing) * 10_000 / possible)
    }

    fn add(&mut self, other: Self) {
        self.policy += other.policy;
        self.nothing += other.nothing;
        self.perfect += other.perfect;
    }
}

/// The value of a method's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Homes times days.
    pub home_days: usize,
    /// Over all.
    pub all: Earned,
    /// The home that gained least, with what it gained.
    pub worst_home: Option<(usize, Earned)>,
    /// The day (counted from 1970, UTC) that gained least, with what it gained.
    pub worst_day: Option<(i64, Earned)>,
}

/// What `method` earns when it offers its answer at the best level.
pub fn value(trial: &Trial, method: Method, prices: Prices) -> Value {
    let wanted = prices.level();
    let level = trial.levels.iter().position(|level| *level >= wanted).unwrap_or(0);
    value_of(trial, prices, |place, _| trial.answer(method, place).get(level).copied().unwrap_or(0.0))
}

/// What offers made by `offer` (Wh, by place and question) earn.
pub fn value_of(trial: &Trial, prices: Prices, offer: impl Fn(usize, &Key) -> f32) -> Value {
    let mut homes: BTreeMap<usize, Earned> = BTreeMap::new();
    let mut days: BTreeMap<i64, Earned> = BTreeMap::new();
    let mut home_days = std::collections::BTreeSet::new();
    let mut all = Earned::default();
    for (place, key) in trial.keys.iter().enumerate() {
        let surplus = whole(key.truth);
        let offered = whole(offer(place, key));
        let earned = Earned {
            policy: prices.earned(offered, surplus),
            nothing: prices.earned(0, surplus),
            perfect: prices.earned(surplus, surplus),
        };
        let day = (key.slot * i64::from(trial.step_s)).div_euclid(86_400);
        all.add(earned);
        homes.entry(key.home).or_default().add(earned);
        days.entry(day).or_default().add(earned);
        home_days.insert((key.home, day));
    }
    let least = |earned: &Earned| earned.policy - earned.nothing;
    Value {
        home_days: home_days.len(),
        all,
        worst_home: homes.into_iter().min_by_key(|(_, earned)| least(earned)),
        worst_day: days.into_iter().min_by_key(|(_, earned)| least(earned)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped first; NaN becomes 0")]
fn whole(wh: f32) -> i64 {
    wh.round().clamp(0.0, 1e12) as i64
}
