//! The archive of issued weather: what a past day looked like never changes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use jirani_forecast::WeatherSlot;
use jirani_units::Timestamp;
use jirani_weather::{Archive, KnownSlot, Knows, Weather};
use std::path::Path;
use support::at;

const STEP_S: u32 = 3_600;

fn open(folder: &Path) -> Archive {
    let opened = Archive::open(folder, STEP_S, hour(40 * 24 * 3)).unwrap();
    assert!(opened.damaged.is_empty(), "{:?}", opened.damaged);
    opened.archive
}

fn issued(issued_at: Timestamp, irradiance: f64) -> Weather {
    let first = issued_at.seconds().div_euclid(3_600);
    let slot = |hour: i64| WeatherSlot {
        start: Timestamp::from_seconds((first + hour) * 3_600),
        irradiance,
        temperature_c: Some(20.5),
        cloud_percent: None,
    };
    Weather { source: "test", issued_at, knows: Knows::Clouds, slots: (0..48).map(slot).collect() }
}

fn hour(hour: i64) -> Timestamp {
    at("2026-03-20T00:00:00Z").plus_seconds(hour * 3_600)
}

#[test]
fn what_was_known_at_a_moment_is_the_same_whatever_was_said_later() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut archive, mut fuller) = (open(folder.path()), open(other.path()));
    for issue in 0..12 {
        archive.keep(&issued(hour(issue), 100.0), hour(issue)).unwrap();
        fuller.keep(&issued(hour(issue), 100.0), hour(issue)).unwrap();
    }
    for issue in 12..60 {
        fuller.keep(&issued(hour(issue), 999.0), hour(issue)).unwrap();
    }
    let before = archive.lesson(hour(11), hour(-24));
    assert_eq!(before.len(), 54, "from the first issue to 48 hours after the last kept");
    assert_eq!(before, fuller.lesson(hour(11), hour(-24)));
    assert_ne!(before, fuller.lesson(hour(12), hour(-24)), "what is said now is known now");
}

#[test]
fn the_newest_is_for_now_and_after_a_day_of_silence_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = open(folder.path());
    for issue in 0..3 {
        archive.keep(&issued(hour(issue), f64::from(i32::try_from(issue).unwrap())), hour(issue)).unwrap();
    }
    let (said, slots) = archive.now(hour(3), hour(2)).unwrap();
    assert_eq!((said, slots[0].start), (hour(2), hour(2)));
    assert!((slots[0].irradiance - 2.0).abs() < 0.01);
    assert!(archive.lesson(hour(3), hour(2))[0].irradiance < 0.1, "lessons see the first of six hours");
    assert!(archive.now(hour(26), hour(26)).is_some());
    assert!(archive.now(hour(27), hour(27)).is_none());
    assert!(archive.now(hour(1), hour(1)).is_some_and(|(said, _)| said == hour(0)), "nothing from later");
}

#[test]
fn a_restart_forgets_nothing_old_days_go_and_a_damaged_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = open(folder.path());
    for day in 0..100 {
        archive.keep(&issued(hour(day * 24), 250.0), hour(day * 24)).unwrap();
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 93);
    let read = open(folder.path());
    for day in [8, 50, 99] {
        let seen = read.lesson(hour(day * 24), hour(day * 24));
        assert_eq!(seen, archive.lesson(hour(day * 24), hour(day * 24)));
        assert_eq!(seen.len(), 48);
    }
    std::fs::write(folder.path().join("2026-04-20.csv"), "issue_time_utc,timestamp_utc\nnonsense").unwrap();
    let opened = Archive::open(folder.path(), STEP_S, hour(99 * 24)).unwrap();
    assert_eq!(opened.damaged.len(), 1);
    assert!(opened.damaged[0].0.ends_with("2026-04-20.csv"));
    assert!(!opened.archive.lesson(hour(99 * 24), hour(99 * 24)).is_empty());
}

#[test]
fn what_a_clock_far_ahead_kept_is_not_read_and_goes_and_the_past_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = open(folder.path());
    for day in 0..90 {
        archive.keep(&issued(hour(day * 24), 250.0), hour(day * 24)).unwrap();
    }
    let ahead = hour(9_000 * 24);
    archive.keep(&issued(ahead, 999.0), ahead).unwrap();
    assert_eq!(archive.oldest(), Some(hour(0)), "a year ahead is one day more");

    let now = hour(90 * 24);
    let mut archive = Archive::open(folder.path(), STEP_S, now).unwrap().archive;
    assert!(archive.lesson(ahead, ahead).is_empty());
    archive.keep(&issued(now, 100.0), now).unwrap();
    assert_eq!(archive.lesson(hour(0), hour(0)).len(), 48);
    assert_eq!(archive.now(now, now).unwrap().0, now, "the newest is of now");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 91);
}

#[test]
fn forecasts_of_the_past_are_taken_in_where_nothing_was_heard_at_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = open(folder.path());
    let known: Vec<KnownSlot> = issued(hour(24), 77.0)
        .slots
        .into_iter()
        .map(|slot| KnownSlot { known_from: slot.start.plus_seconds(-82_800), slot })
        .collect();
    archive.keep_past(&known).unwrap();
    let read = open(folder.path());
    let seen = read.lesson(hour(24), hour(24));
    assert_eq!(seen.len(), 24, "of the day after, an hour ahead of a day is not yet said");
    assert!(read.lesson(hour(0), hour(0)).iter().all(|slot| slot.start < hour(24)));
}
