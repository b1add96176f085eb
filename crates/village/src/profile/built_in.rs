//! A made-up East African village: homes that cook in the evening, shops with a
//! fridge, and a mill; panels under a seeded sky.

use super::clouds::clearness_permille;
use super::{HomeEnergy, Peaks};
use crate::seed::noise;
use jirani_forecast::{Place, clear_sky};
use jirani_units::Timestamp;

/// What a made-up village is made of.
#[derive(Clone, Copy, Debug)]
pub struct BuiltInRequest {
    /// Homes, shops and mills together; at least 1.
    pub households: u32,
    /// Everything random follows from it.
    pub seed: u64,
    /// Where the village stands.
    pub place: Place,
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
    /// First moment of slot 0; a multiple of the slot's length.
    pub start: Timestamp,
    /// Days; `None` for no end.
    pub days: Option<u32>,
}

impl BuiltInRequest {
    /// Midnight in Nairobi at the beginning of the first Monday of 2026.
    pub const FIRST_DAY: Timestamp = Timestamp::from_seconds(1_767_560_400);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Home,
    Shop,
    Mill,
}

#[derive(Clone, Copy, Debug)]
struct House {
    kind: Kind,
    pv_rated_w: u32,
    /// Used on an average day, Wh.
    day_wh: u64,
    /// How much later than the village this house lives, in seconds.
    late_s: i64,
}

/// The made-up village.
#[derive(Debug)]
pub struct BuiltIn {
    request: BuiltInRequest,
    houses: Vec<House>,
}

/// Share of the day's use per hour of the local day, in thousandths.
const HOME_HOURS: [u64; 24] =
    [16, 14, 13, 13, 16, 28, 45, 40, 28, 25, 25, 28, 34, 30, 28, 28, 33, 52, 98, 124, 116, 88, 50, 28];
const SHOP_HOURS: [u64; 24] =
    [20, 20, 20, 20, 20, 20, 28, 48, 54, 54, 54, 56, 58, 58, 56, 56, 58, 62, 70, 64, 44, 24, 18, 18];
const MILL_HOURS: [u64; 24] =
    [0, 0, 0, 0, 0, 0, 0, 0, 90, 140, 150, 120, 30, 60, 130, 150, 110, 20, 0, 0, 0, 0, 0, 0];

const LOAD: u64 = 11;
const HOUSE: u64 = 12;
/// A slot's load varies between these thousandths of the usual.
const LOAD_NOISE: (u64, u64) = (500, 1_000);

impl BuiltIn {
    pub fn new(request: &BuiltInRequest) -> Self {
        let houses = (0..request.households).map(|home| house(request, home)).collect();
        Self { request: *request, houses }
    }

    pub fn households(&self) -> u32 {
        self.request.households
    }

    pub fn start(&self) -> Timestamp {
        self.request.start
    }

    pub fn slots(&self) -> Option<u64> {
        let day_slots = 86_400 / u64::from(self.request.slot_length_s.max(1));
        self.request.days.map(|days| u64::from(days) * day_slots)
    }

    pub fn slot_length_s(&self) -> u32 {
        self.request.slot_length_s
    }

    pub fn place(&self) -> Place {
        self.request.place
    }

    pub fn energy(&self, home: u32, slot: u64) -> HomeEnergy {
        let Some(house) = self.houses.get(home as usize) else { return HomeEnergy::default() };
        if self.slots().is_some_and(|slots| slot >= slots) {
            return HomeEnergy::default();
        }
        let length = self.request.slot_length_s;
        let since = i64::try_from(slot).unwrap_or(0) * i64::from(length);
        let start = self.request.start.plus_seconds(since);
        let pv_wh = if house.pv_rated_w == 0 {
            0
        } else {
            let clear = clear_sky::clear_wh(self.request.place, house.pv_rated_w, start, length);
            clear * clearness_permille(self.request.seed, home, start.seconds()) / 1_000
        };
        HomeEnergy { pv_wh, load_wh: self.load_wh(home, *house, start) }
    }

    fn load_wh(&self, home: u32, house: House, start: Timestamp) -> u64 {
        let length = u64::from(self.request.slot_length_s);
        let local = start.seconds() + self.request.place.clock_offset_s() - house.late_s;
        let hours = house.kind.hours();
        let hour = usize::try_from(local.rem_euclid(86_400) / 3_600).unwrap_or(0);
        let part = local.rem_euclid(3_600).unsigned_abs();
        let (now, next) = (hours[hour % 24], hours[(hour + 1) % 24]);
        let share = (now * (3_600 - part) + next * part) / 3_600;
        let slot = noise(self.request.seed, LOAD, u64::from(home), start.seconds().unsigned_abs());
        let varied = LOAD_NOISE.0 + slot % (LOAD_NOISE.1 + 1);
        house.day_wh * share * varied * length / (1_000 * 1_000 * 3_600)
    }

    pub fn peaks(&self, home: u32) -> Peaks {
        let Some(house) = self.houses.get(home as usize) else { return Peaks::default() };
        let busiest = house.kind.hours().iter().max().copied().unwrap_or(0);
        // Wh of the busiest hour at the largest variation, which is its mean power.
        let load_w = house.day_wh * busiest * (LOAD_NOISE.0 + LOAD_NOISE.1) / (1_000 * 1_000);
        Peaks {
            pv_rated_w: house.pv_rated_w,
            pv_w: house.pv_rated_w,
            load_w: u32::try_from(load_w).unwrap_or(u32::MAX).max(100),
        }
    }
}

impl Kind {
    const fn hours(self) -> &'static [u64; 24] {
        match self {
            Self::Home => &HOME_HOURS,
            Self::Shop => &SHOP_HOURS,
            Self::Mill => &MILL_HOURS,
        }
    }
}

/// One mill per forty houses, a shop in six, homes with and without panels.
fn house(request: &BuiltInRequest, home: u32) -> House {
    let draw = |what: u64, span: u64| noise(request.seed, HOUSE, u64::from(home), what) % span;
    let kind = match home % 40 {
        7 => Kind::Mill,
        n if n % 6 == 4 => Kind::Shop,
        _ => Kind::Home,
    };
    let with_panels = match kind {
        Kind::Home => home % 5 < 3,
        Kind::Shop => home % 12 == 4,
        Kind::Mill => false,
    };
    let day_wh = match kind {
        Kind::Home => [900, 1_800, 3_200][usize::try_from(draw(0, 3)).unwrap_or(0)],
        Kind::Shop => 5_500,
        Kind::Mill => 14_000,
    };
    House {
        kind,
        pv_rated_w: if with_panels { u32::try_from(1_000 + draw(1, 6) * 400).unwrap_or(1_000) } else { 0 },
        day_wh: day_wh * (800 + draw(2, 401)) / 1_000,
        late_s: i64::try_from(draw(3, 7)).unwrap_or(0) * 900 - 2_700,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn village(households: u32) -> BuiltIn {
        BuiltIn::new(&BuiltInRequest {
            households,
            seed: 1,
            place: Place::KITONYONI,
            slot_length_s: 900,
            start: BuiltInRequest::FIRST_DAY,
            days: Some(30),
        })
    }

    #[test]
    fn the_first_day_begins_at_midnight_in_nairobi() {
        assert_eq!(BuiltInRequest::FIRST_DAY.to_string(), "2026-01-04T21:00:00Z");
    }

    #[test]
    fn hours_of_each_kind_add_up_to_a_day() {
        for kind in [Kind::Home, Kind::Shop, Kind::Mill] {
            assert_eq!(kind.hours().iter().sum::<u64>(), 1_000, "{kind:?}");
        }
    }

    #[test]
    fn a_month_looks_like_a_mini_grid() {
        let village = village(80);
        let (mut pv, mut load) = (0, 0);
        let mut hours = [0; 24];
        for home in 0..80 {
            for slot in 0..2_880 {
                let energy = village.energy(home, slot);
                pv += energy.pv_wh;
                load += energy.load_wh;
                hours[usize::try_from(slot % 96 / 4).unwrap()] += energy.load_wh;
            }
        }
        assert!((load * 7 / 10..load * 22 / 10).contains(&pv), "{pv} generated, {load} used");
        let peak = (0..24).max_by_key(|hour| hours[*hour]).unwrap();
        assert!((18..=20).contains(&peak), "the peak is at {peak}");
    }

    #[test]
    fn nobody_uses_or_generates_more_than_the_wires_carry() {
        let village = village(80);
        for home in 0..80 {
            let peaks = village.peaks(home);
            for slot in 0..2_880 {
                let energy = village.energy(home, slot);
                assert!(energy.pv_wh * 4 <= u64::from(peaks.pv_w), "{home} {slot}");
                assert!(energy.load_wh * 4 <= u64::from(peaks.load_w), "{home} {slot}");
            }
        }
    }

    #[test]
    fn the_sun_is_down_at_midnight() {
        assert!((0..12).all(|home| village(12).energy(home, 0).pv_wh == 0));
    }
}
