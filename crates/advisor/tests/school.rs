//! What is learned, from what, and that nothing of it was known only later.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use jirani_advisor::model::{self, Before, Which};
use jirani_advisor::school::{Lecture, Outcome, Pupil, issues};
use jirani_forecast::Place;
use jirani_forecast::learn::Target;
use jirani_units::Timestamp;
use jirani_weather::{Archive, Knows, Weather};
use std::collections::BTreeMap;
use std::sync::Arc;
use support::sunny::{HOUR, RATED_W, at, sky, slot};

const DAYS: i64 = 45;

fn pupils(days: i64) -> Vec<Pupil> {
    let pupil =
        |home| Pupil { rated_w: RATED_W, slots: (0..days * 24).map(|hour| slot(home, hour)).collect() };
    (0..3).map(pupil).collect()
}

fn lecture(days: i64, weather: BTreeMap<Timestamp, Vec<jirani_forecast::WeatherSlot>>) -> Lecture {
    Lecture {
        now: at(days * 24),
        place: Place::KITONYONI,
        slot_length_s: HOUR,
        pupils: pupils(days),
        weather,
        rows_max: 100_000,
        in_force: None,
    }
}

/// An archive in which every six hours the sky was forecast, rightly up to `until` and as
/// `wrong` says after.
fn archive(folder: &std::path::Path, until: Timestamp, wrong: f64) -> Archive {
    let mut archive = Archive::open(folder, HOUR, at(0)).unwrap().archive;
    for issue in (0..DAYS * 24).step_by(6) {
        let mut slots: Vec<_> = (issue..issue + 48).map(sky).collect();
        if at(issue) > until {
            for slot in &mut slots {
                slot.irradiance = wrong;
            }
        }
        let weather = Weather { source: "test", issued_at: at(issue), knows: Knows::Clouds, slots };
        archive.keep(&weather, at(issue)).unwrap();
    }
    archive
}

fn remembered(
    archive: &Archive,
    issues: &[Timestamp],
) -> BTreeMap<Timestamp, Vec<jirani_forecast::WeatherSlot>> {
    issues.iter().map(|issue| (*issue, archive.lesson(*issue, issue.plus_seconds(-86_400)))).collect()
}

/// Rows to the bit: what is missing is NaN, which equals nothing.
fn rows(lecture: &Lecture, target: Target, teach: &[Timestamp]) -> Vec<Vec<u32>> {
    let lessons = lecture.lessons(target, &lecture.grids().unwrap(), teach).unwrap();
    lessons.matrix().iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect()
}

#[test]
fn what_became_known_later_changes_no_row_of_a_lesson() {
    let (teach, _) = issues(at(DAYS * 24), Place::KITONYONI, DAYS);
    let last = *teach.last().unwrap();
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let seen = remembered(&archive(folder.path(), last, 0.0), &teach);
    let elsewhere = remembered(&archive(other.path(), last, 999.0), &teach);
    let lesson = lecture(DAYS, seen);
    let mut later = lecture(DAYS, elsewhere);
    for pupil in &mut later.pupils {
        for slot in pupil.slots.iter_mut().filter(|slot| slot.start >= last) {
            (slot.production_wh, slot.consumption_wh) = (slot.production_wh / 3, slot.consumption_wh + 50);
        }
    }
    for target in [Target::Production, Target::Consumption] {
        let (ours, theirs) = (rows(&lesson, target, &teach), rows(&later, target, &teach));
        assert!(ours.len() > 1_000, "{target:?} teaches {} rows", ours.len());
        assert_eq!(ours, theirs, "{target:?}");
    }
    // What was known then does change them.
    let mut before = later;
    for slots in before.weather.values_mut() {
        for slot in slots {
            slot.irradiance /= 2.0;
        }
    }
    assert_ne!(rows(&lesson, Target::Production, &teach), rows(&before, Target::Production, &teach));
}

#[test]
fn no_more_rows_are_learned_from_than_are_allowed_and_they_are_of_all_days() {
    let (teach, _) = issues(at(DAYS * 24), Place::KITONYONI, DAYS);
    let all = lecture(DAYS, BTreeMap::new());
    let few = Lecture { rows_max: 1_000, ..all.clone() };
    let (all, few) = (rows(&all, Target::Consumption, &teach), rows(&few, Target::Consumption, &teach));
    assert!(all.len() > 3_000 && (500..=1_000).contains(&few.len()), "{} of {}", few.len(), all.len());
}

#[test]
fn few_rows_are_of_all_homes_however_many_they_are() {
    let (teach, _) = issues(at(DAYS * 24), Place::KITONYONI, DAYS);
    let all = lecture(DAYS, BTreeMap::new());
    for (homes, knows) in [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 3)] {
        let mut pupils = vec![Pupil { rated_w: RATED_W, slots: Vec::new() }; homes];
        pupils[knows] = all.pupils[0].clone();
        // One of as many as there are homes.
        let few = Lecture { pupils, rows_max: teach.len() * 48, ..all.clone() };
        let rows = rows(&few, Target::Consumption, &teach).len();
        let most = teach.len() * 48;
        assert!(rows > 0 && rows < most, "home {knows} of {homes} teaches {rows} rows of {most}");
    }
}

#[test]
fn where_clouds_are_forecast_the_learned_forecast_beats_what_is_usual_and_is_kept_whole() {
    let (teach, judge) = issues(at(DAYS * 24), Place::KITONYONI, DAYS);
    let folder = tempfile::tempdir().unwrap();
    let issues: Vec<_> = teach.into_iter().chain(judge).collect();
    let weather = remembered(&archive(folder.path(), at(DAYS * 24), 0.0), &issues);
    let lecture = lecture(DAYS, weather);
    let Outcome::Learned(learned, judged) = lecture.learn().unwrap() else { panic!("not learned") };
    assert!(judged.production_permille < 800, "{judged:?}");
    assert!(learned.weathered && learned.learned_at == at(DAYS * 24));

    // Of homes that teach less a worse one is learned, which does not take its place.
    let in_force = Some(Arc::new(*learned.clone()));
    let less = Lecture { rows_max: 1_500, in_force: in_force.clone(), ..lecture.clone() };
    assert!(matches!(less.learn().unwrap(), Outcome::Outdone(judged) if judged.in_force_permille.is_some()));
    let same = Lecture { in_force, ..lecture };
    assert!(matches!(same.learn().unwrap(), Outcome::Learned(..)), "no worse is enough");

    let kept = folder.path().join("forecast");
    assert!(model::load(&kept, Which::Current).unwrap().is_none());
    model::store(&kept, &learned, Before::StandsIn).unwrap();
    assert_eq!(model::load(&kept, Which::Current).unwrap().as_ref(), Some(&*learned));
    let mut again = *learned.clone();
    again.learned_at = at(1_000_000);
    model::store(&kept, &again, Before::StandsIn).unwrap();
    assert_eq!(model::load(&kept, Which::Previous).unwrap().as_ref(), Some(&*learned));
    assert_eq!(model::load(&kept, Which::Current).unwrap().as_ref(), Some(&again));

    model::store(&kept, &learned, Before::Goes).unwrap();
    assert_eq!(model::load(&kept, Which::Previous).unwrap().as_ref(), Some(&*learned), "another stands in");
    again.learned_at = at(2_000_000);
    model::store(&kept, &again, Before::StandsIn).unwrap();

    let path = kept.join("model.json");
    let whole = std::fs::read(&path).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'1' { b'2' } else { b'1' };
    for damaged in [&whole[..whole.len() - 10], &changed, b"", b"jirani-forecast-model 1 \n{}"] {
        std::fs::write(&path, damaged).unwrap();
        let error = model::load(&kept, Which::Current).unwrap_err().to_string();
        assert!(error.starts_with("forecast.model_damaged"), "{error}");
    }
    model::store(&kept, &learned, Before::StandsIn).unwrap();
    let previous = model::load(&kept, Which::Previous).unwrap();
    assert_eq!(previous.as_ref(), Some(&*learned), "a damaged model is nobody's previous one");
}

#[test]
fn a_site_with_too_few_days_learns_nothing_yet() {
    for days in [0, 3, 20] {
        assert!(matches!(lecture(days, BTreeMap::new()).learn().unwrap(), Outcome::TooEarly), "{days}");
    }
}
