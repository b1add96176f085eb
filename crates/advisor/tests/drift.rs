//! A home that changed is told so, and one that did not is left in peace.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use jirani_advisor::drift::{Drift, Kind, Way};
use jirani_advisor::track::{Answer, Contender, Shown, Track};
use jirani_forecast::{Climatology, ForecastInput, Forecaster as _, Place, SlotEnergy};
use jirani_units::HouseholdId;
use std::collections::BTreeMap;
use support::sunny::{HOUR, RATED_W, at, slot};

const HOME: HouseholdId = HouseholdId(1);
const CHANGED: i64 = 60;

/// Hours of a home whose evenings differ from its days and no day of the week from another.
fn usual(home: i64, hour: i64) -> SlotEnergy {
    let slot = slot(home, hour);
    let at_home = (hour + 3).div_euclid(24).rem_euclid(7) < 2;
    SlotEnergy { consumption_wh: slot.consumption_wh / if at_home { 3 } else { 1 }, ..slot }
}

/// The days on which a change is told from day 30 to day `until`, each with what is told.
fn told(until: i64, truth: impl Fn(i64) -> SlotEnergy) -> Vec<(i64, Vec<Drift>)> {
    let mut track = Track::default();
    let mut found = Vec::new();
    for day in 30..until {
        let history: Vec<_> = ((day - 30) * 24..day * 24).map(&truth).collect();
        let forecast = Climatology.forecast(&ForecastInput {
            issued_at: at(day * 24),
            slot_length_s: HOUR,
            place: Some(Place::KITONYONI),
            pv_rated_w: RATED_W,
            history: &history,
            weather: &[],
        });
        let answer = Answer::of(Contender::Climatology, Shown::Beside, &forecast).unwrap();
        track.issue(day, at(day * 24), BTreeMap::from([(HOME, vec![answer])]));
        let came = (day * 24..(day + 1) * 24).map(&truth).collect();
        track.score(at(day * 24 + 26), &BTreeMap::from([(HOME, came)]));
        let drifts = track.drifts(HOME, 0);
        if !drifts.is_empty() {
            found.push((day, drifts));
        }
    }
    found
}

/// Told within a week, of the one kind, from the very day on; over before five weeks are.
fn is_told(told: &[(i64, Vec<Drift>)], kind: Kind, way: Way) {
    let (first, drifts) = told.first().unwrap();
    assert!((CHANGED..CHANGED + 7).contains(first), "told on day {first}");
    assert_eq!(drifts.iter().map(|drift| (drift.kind, drift.way)).collect::<Vec<_>>(), [(kind, way)]);
    let (last, _) = told.last().unwrap();
    assert!(*last < CHANGED + 35, "still told on day {last}");
}

#[test]
fn a_home_that_stays_as_it_is_hears_of_no_change_for_two_months() {
    for home in 0..6 {
        assert_eq!(told(120, |hour| usual(home, hour)), [], "home {home}");
        assert_eq!(told(120, |hour| slot(home, hour)), [], "home {home} with days spent at home");
    }
}

#[test]
fn a_new_fridge_is_told_until_forecasts_know_it() {
    for home in 0..6 {
        let told = told(120, |hour| {
            let fridge = if hour >= CHANGED * 24 { 80 } else { 0 };
            let slot = usual(home, hour);
            SlotEnergy { consumption_wh: slot.consumption_wh + fridge, ..slot }
        });
        is_told(&told, Kind::Consumption, Way::More);
    }
}

#[test]
fn broken_panels_are_told_until_forecasts_know_it() {
    for home in 0..6 {
        let told = told(120, |hour| {
            let left = if hour >= CHANGED * 24 { 8 } else { 1 };
            let slot = usual(home, hour);
            SlotEnergy { production_wh: slot.production_wh / left, ..slot }
        });
        is_told(&told, Kind::Production, Way::Less);
    }
}
