//! How a household trades: what it keeps, what it asks, when it withdraws.

use crate::profile::Source;
use crate::seed::rng;
use rand::Rng as _;

/// Days of its profile a household's habits are taken from.
const DAYS: u64 = 7;
/// Least energy that is offered, Wh: the market takes no smaller offers.
const OFFER_MIN_WH: u64 = 100;

/// What one household is used to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Kept back for the evening, Wh.
    pub keep_wh: u64,
    /// Sells once it has so much more than it keeps, Wh.
    pub sell_at_wh: u64,
    /// Buys once it owes so much, Wh.
    pub buy_at_wh: u64,
    /// Where between the lowest and the highest price it asks, in thousandths.
    pub ask_permille: u32,
    /// Hour of the local day at which it withdraws.
    pub withdraw_hour: i64,
}

impl Habits {
    /// Habits of home `home` (from 0): seeded, and sized by its own panels and load.
    /// An `eagerness` of 1 trades about twice a day; of 4, about four times as often.
    pub fn of_home(source: &Source, seed: u64, home: u32, eagerness: u64) -> Self {
        let (import_wh, export_wh) = usual_day(source, home);
        let mut rng = rng(seed, "habits", u64::from(home));
        let mut share = |wh: u64, from: u64, to: u64| wh * rng.random_range(from..=to) / 1_000;
        let eagerness = eagerness.max(1);
        let keep_wh = share(import_wh, 50, 350) / eagerness;
        let sell_at_wh = (share(export_wh, 250, 450) / eagerness).max(200 / eagerness).max(OFFER_MIN_WH);
        let buy_at_wh = (share(import_wh, 250, 450) / eagerness).max(100 / eagerness);
        Self {
            keep_wh,
            sell_at_wh,
            buy_at_wh,
            ask_permille: rng.random_range(250..=900),
            withdraw_hour: rng.random_range(15..=22),
        }
    }
}

/// What a home draws from the grid and pushes into it on a day, Wh.
fn usual_day(source: &Source, home: u32) -> (u64, u64) {
    let day_slots = u64::from(86_400 / source.slot_length_s().max(1));
    let slots = (DAYS * day_slots).min(source.slots().unwrap_or(u64::MAX)).max(1);
    let (mut import, mut export) = (0, 0);
    for slot in 0..slots {
        let energy = source.energy(home, slot);
        import += energy.load_wh.saturating_sub(energy.pv_wh);
        export += energy.pv_wh.saturating_sub(energy.load_wh);
    }
    (import * day_slots / slots, export * day_slots / slots)
}
