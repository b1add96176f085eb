//! How forecasts are scored, and who makes them after that.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use jirani_advisor::Contender;
use jirani_advisor::track::{Answer, DAYS_MAX, Shown, Track};
use jirani_forecast::{Forecast, Point, Quantiles, SlotEnergy, Stage};
use jirani_units::{HouseholdId, Timestamp};
use std::collections::BTreeMap;
use support::sunny::at;

const HOME: HouseholdId = HouseholdId(1);

/// Says the same of every hour: half, all and one and a half of `wh`.
fn forecast(issued_at: Timestamp, wh: f64) -> Forecast {
    let said = Quantiles::from_values([0.5, 0.5, 0.8, 1.0, 1.2, 1.5, 1.5].map(|share| share * wh));
    let point = |hour: i64| Point {
        start: issued_at.plus_seconds(hour * 3_600),
        production: said,
        consumption: said,
    };
    Forecast { issued_at, step_s: 3_600, stage: Stage::Grown, points: (0..48).map(point).collect() }
}

fn truth(day: i64, wh: u64) -> Vec<SlotEnergy> {
    let slot = |hour| SlotEnergy { start: at(day * 24 + hour), production_wh: wh, consumption_wh: wh };
    (0..24).map(slot).collect()
}

/// A day in which 100 Wh an hour came and each said what stands beside it.
fn day(track: &mut Track, day: i64, said: &[(Contender, Shown, f64)]) {
    let answer = |(contender, shown, wh): &(Contender, Shown, f64)| {
        Answer::of(*contender, *shown, &forecast(at(day * 24), *wh)).unwrap()
    };
    assert!(track.wants(day));
    track.issue(day, at(day * 24), BTreeMap::from([(HOME, said.iter().map(answer).collect())]));
    assert!(!track.wants(day));
    let now = at((day + 1) * 24 + 2);
    assert_eq!(track.due(now), [(HOME, at(day * 24), at((day + 1) * 24))]);
    track.score(now, &BTreeMap::from([(HOME, truth(day, 100))]));
}

#[test]
fn a_day_is_scored_by_its_losses_at_three_levels_and_by_what_lay_between() {
    let mut track = Track::default();
    day(&mut track, 0, &[(Contender::First, Shown::Yes, 100.0)]);
    let record = track.record(HOME).unwrap();
    // Of 100 Wh: (100 - 50) at 10 % and (150 - 100) at 90 %, a tenth of each, none at 50 %.
    let hour = 50 * 10 + 50 * 10;
    assert_eq!((record.days, record.consumption.slots, record.consumption.truth_wh), (1, 24, 2_400));
    assert_eq!(record.consumption.loss, 24 * hour);
    assert_eq!(record.consumption.loss_permille(), Some(hour * 1_000 / 30_000));
    assert_eq!(record.consumption.inside_permille(), Some(1_000));
    day(&mut track, 1, &[(Contender::First, Shown::Yes, 1_000.0)]);
    assert_eq!(track.record(HOME).unwrap().production.inside_permille(), Some(500));
    assert_eq!(track.record(HouseholdId(2)), None);
}

#[test]
fn what_nobody_measured_is_not_scored_and_only_what_was_shown_is_told() {
    let mut track = Track::default();
    let answer = Answer::of(Contender::First, Shown::Yes, &forecast(at(0), 100.0)).unwrap();
    track.issue(0, at(0), BTreeMap::from([(HOME, vec![answer])]));
    assert!(track.due(at(25)).is_empty(), "readings come late");
    track.score(at(26), &BTreeMap::from([(HOME, Vec::new())]));
    assert_eq!((track.record(HOME), track.due(at(50)).len()), (None, 0));
    day(&mut track, 2, &[(Contender::Climatology, Shown::Beside, 100.0)]);
    assert_eq!(track.record(HOME), None);
}

#[test]
fn a_household_remembers_a_month_and_no_more() {
    let mut track = Track::default();
    for number in 0..DAYS_MAX + 20 {
        day(&mut track, number, &[(Contender::First, Shown::Yes, 100.0)]);
    }
    assert_eq!(track.record(HOME).unwrap().days, u64::try_from(DAYS_MAX).unwrap());
}

const NEWEST: i64 = 2;
const BEFORE: i64 = 1;

/// Days on which two models and what is usual said what stands beside them.
fn days(track: &mut Track, from: i64, count: i64, [newest, before, usual]: [f64; 3]) -> i64 {
    let said = [
        (Contender::Learned(at(NEWEST)), Shown::Yes, newest),
        (Contender::Climatology, Shown::Beside, usual),
        (Contender::Learned(at(BEFORE)), Shown::Beside, before),
    ];
    for number in from..from + count {
        day(track, number, &said);
    }
    from + count
}

fn choice(track: &mut Track) -> Contender {
    track.choose(at(NEWEST), Some(at(BEFORE)))
}

#[test]
fn what_was_learned_goes_out_of_force_when_it_loses_and_comes_back_when_it_wins() {
    let mut track = Track::default();
    let (newest, before) = (Contender::Learned(at(NEWEST)), Contender::Learned(at(BEFORE)));
    let next = days(&mut track, 0, 6, [300.0, 300.0, 120.0]);
    assert_eq!(choice(&mut track), newest, "six days say nothing");
    let next = days(&mut track, next, 1, [300.0, 300.0, 120.0]);
    assert_eq!(choice(&mut track), Contender::Climatology, "both lose");
    let next = days(&mut track, next, 14, [300.0, 100.0, 120.0]);
    assert_eq!(choice(&mut track), before, "the one before wins");
    days(&mut track, next, 14, [100.0, 100.0, 120.0]);
    assert_eq!(choice(&mut track), newest);
}

#[test]
fn a_new_model_answers_for_no_score_of_another() {
    let mut track = Track::default();
    days(&mut track, 0, 14, [300.0, 300.0, 120.0]);
    assert_eq!(choice(&mut track), Contender::Climatology);
    let fresh = at(500);
    assert_eq!(track.choose(fresh, Some(at(NEWEST))), Contender::Learned(fresh));
}

#[test]
fn near_a_tie_the_one_in_force_stays() {
    // What all lose of 100 Wh an hour when they say 300, and a little more or less.
    let (a_little_more, a_little_less) = (301.0, 299.0);
    let mut track = Track::default();
    let newest = Contender::Learned(at(NEWEST));
    let next = days(&mut track, 0, 6, [a_little_more, 900.0, 300.0]);
    assert_eq!(choice(&mut track), newest, "six days say nothing");
    let next = days(&mut track, next, 14, [a_little_more, 900.0, 300.0]);
    assert_eq!(choice(&mut track), newest, "it loses by less than the margin");
    let next = days(&mut track, next, 14, [330.0, 900.0, 300.0]);
    assert_eq!(choice(&mut track), Contender::Climatology);
    let next = days(&mut track, next, 14, [a_little_less, 900.0, 300.0]);
    assert_eq!(choice(&mut track), Contender::Climatology, "it wins by less than the margin");
    days(&mut track, next, 14, [270.0, 900.0, 300.0]);
    assert_eq!(choice(&mut track), newest);
}

#[test]
fn what_a_clock_far_ahead_left_keeps_no_day_from_being_forecast_and_scored() {
    let mut track = Track::default();
    day(&mut track, 0, &[(Contender::First, Shown::Yes, 100.0)]);
    let mut ahead = track.clone();
    day(&mut ahead, 9_000, &[(Contender::First, Shown::Yes, 100.0)]);
    assert_eq!(ahead.record(HOME).unwrap().days, 1, "the day ahead pushed the others out");
    let answer = Answer::of(Contender::First, Shown::Yes, &forecast(at(9_001 * 24), 100.0)).unwrap();
    ahead.issue(9_001, at(9_001 * 24), BTreeMap::from([(HOME, vec![answer])]));
    assert_eq!(ahead.drop_future(at(24), 1), 2);
    assert!(ahead.wants(1));
    day(&mut ahead, 1, &[(Contender::First, Shown::Yes, 100.0)]);
    assert_eq!(ahead.record(HOME).unwrap().days, 1);
    assert_eq!(track.drop_future(at(24), 1), 0);
}
