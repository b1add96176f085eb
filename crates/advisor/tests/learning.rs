//! The whole of learning beside the serving of people: from readings to a forecast in force,
//! over a restart, a damaged file, and a model that loses.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use jirani_advisor::track::{Answer, Shown, Track};
use jirani_advisor::{Advisor, AdvisorConfig, Contender, Issued, Learning, LearningConfig};
use jirani_forecast::ClearSkyAndYesterday;
use jirani_store::{ReadingRow, Store as _};
use jirani_units::{HouseholdId, MeterId, Wh};
use jirani_weather::ClearSky;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use support::sunny::{BEGIN_S, HOUR, at, slot};
use support::{Site, config, home};
use tokio::sync::OnceCell;

const DAYS: i64 = 40;
const HOMES: u32 = 3;

/// The model that a site of that age learns.
const LEARNED: Contender = Contender::Learned(jirani_units::Timestamp::from_seconds(BEGIN_S + DAYS * 86_400));

/// Homes with a past of so many days, at its end.
async fn aged(days: i64) -> Site {
    let site = Site::new(at(DAYS * 24)).await;
    for number in 1..=HOMES {
        site.enrol(home(number)).await;
        read(&site, number, (DAYS - days) * 24..=DAYS * 24).await;
    }
    site
}

/// What a site of [`DAYS`] days learned in its first hour; learned once for all tests.
static MODEL: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn model() -> &'static [u8] {
    let learn = || async {
        let site = aged(DAYS).await;
        let (advisor, mut learning) = start(&site);
        assert_eq!(forecast(&advisor).await.contender, Contender::First, "nothing was learned yet");
        learning.hour().await;
        assert_eq!(forecast(&advisor).await.contender, Contender::First, "an hour has one forecast");
        site.clock.advance_to(at(DAYS * 24 + 1));
        assert_eq!(forecast(&advisor).await.contender, LEARNED);
        std::fs::read(kept(&site).join("model.json")).unwrap()
    };
    MODEL.get_or_init(learn).await
}

/// A site that has learned.
async fn learned() -> Site {
    let site = aged(DAYS).await;
    std::fs::create_dir_all(kept(&site)).unwrap();
    std::fs::write(kept(&site).join("model.json"), model().await).unwrap();
    site
}

/// Readings at the full hours; registers as the world's truth makes them.
async fn read(site: &Site, number: u32, hours: std::ops::RangeInclusive<i64>) {
    let (mut generation, mut used) = (0, 0);
    let mut rows = Vec::new();
    for hour in 0..=*hours.end() {
        if hours.contains(&hour) {
            rows.push(ReadingRow {
                meter: MeterId([u8::try_from(number).unwrap(); 16]),
                epoch: 1,
                seq: u64::try_from(hour).unwrap() + 1,
                household: HouseholdId(number),
                time: at(hour),
                import_wh: Wh(used),
                export_wh: Wh(generation),
                generation_wh: Wh(generation),
                power_w: 0,
                bytes: hour.to_le_bytes().to_vec(),
                received_at: at(hour),
            });
        }
        let slot = slot(i64::from(number), hour);
        generation += slot.production_wh;
        used += slot.consumption_wh;
    }
    site.store.append_readings(rows, Vec::new()).await.unwrap();
}

fn kept(site: &Site) -> PathBuf {
    site.folder.path().join("forecast")
}

/// An advisor as after a start, with who learns beside it.
fn start(site: &Site) -> (Arc<Advisor>, Learning) {
    let config = AdvisorConfig { slot_length_s: HOUR, ..config() };
    let first = Arc::new(ClearSkyAndYesterday);
    let advisor = Advisor::new(config, site.store.clone(), site.clock.clone(), Arc::new(ClearSky), first);
    let advisor = Arc::new(advisor);
    let learning = LearningConfig { every_days: 7, rows_max: 20_000 };
    let learning = Learning::new(advisor.clone(), learning, &kept(site)).unwrap();
    (advisor, learning)
}

async fn forecast(advisor: &Advisor) -> Arc<Issued> {
    advisor.forecast(HouseholdId(1)).await.unwrap().unwrap()
}

fn figure(advisor: &Advisor, wanted: &str) -> Option<u64> {
    advisor.figures().into_iter().find(|(name, ..)| *name == wanted).map(|(.., value)| value)
}

#[tokio::test]
async fn forecasts_are_learned_from_the_sites_own_homes_and_a_restart_knows_them() {
    let site = learned().await;
    let (advisor, _) = start(&site);
    let issued = forecast(&advisor).await;
    assert_eq!(issued.contender, LEARNED);
    assert!(issued.method.starts_with("learned-blend/2@2026-02-10"), "{}", issued.method);
    assert_eq!(figure(&advisor, "learned_in_force"), Some(1));
    let (restarted, _) = start(&site);
    assert_eq!(forecast(&restarted).await, issued);
}

#[tokio::test]
async fn a_damaged_model_is_left_out_and_forecasts_go_on_without_it() {
    let site = learned().await;
    let path = kept(&site).join("model.json");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let (advisor, _) = start(&site);
    assert_eq!(forecast(&advisor).await.contender, Contender::First);
    assert_eq!(figure(&advisor, "learned_in_force"), Some(0));
}

#[tokio::test]
async fn a_days_forecasts_are_scored_when_its_truth_came_over_a_restart_too() {
    let site = aged(10).await;
    let (advisor, mut learning) = start(&site);
    learning.hour().await;
    let shown = forecast(&advisor).await;
    for number in 1..=HOMES {
        read(&site, number, DAYS * 24 + 1..=DAYS * 24 + 30).await;
    }
    site.clock.advance_to(at(DAYS * 24 + 26));
    let (advisor, mut learning) = start(&site);
    assert_eq!(advisor.record(HouseholdId(1)), None);
    learning.hour().await;
    let record = advisor.record(HouseholdId(1)).unwrap();
    assert_eq!((record.days, record.consumption.slots), (1, 24));
    let came: u64 = (0..24).map(|hour| slot(1, DAYS * 24 + hour).consumption_wh).sum();
    assert_eq!(record.consumption.truth_wh, came);
    let between = (0..24).zip(&shown.forecast.points).filter(|(hour, point)| {
        let [_, low, .., high, _] = point.consumption.values();
        (low..=high).contains(&slot(1, DAYS * 24 + hour).consumption_wh)
    });
    assert_eq!(record.consumption.inside, between.count() as u64, "what people saw is what is scored");
    assert!(figure(&advisor, "consumption_loss_permille").is_some());
}

#[tokio::test]
async fn a_model_that_loses_over_two_weeks_makes_no_more_forecasts() {
    let site = learned().await;
    let (advisor, _) = start(&site);
    let good = forecast(&advisor).await.forecast.clone();
    // Days on which what was learned said ten times too much.
    let mut track = Track::default();
    for day in 0..10 {
        let mut wrong = good.clone();
        for point in &mut wrong.points {
            let tenfold = point.consumption.values().map(|wh| f64::from(u32::try_from(wh).unwrap()) * 10.0);
            point.consumption = jirani_forecast::Quantiles::from_values(tenfold);
        }
        let answers = vec![
            Answer::of(LEARNED, Shown::Yes, &wrong).unwrap(),
            Answer::of(Contender::Climatology, Shown::Beside, &good).unwrap(),
        ];
        track.issue(day, good.issued_at, BTreeMap::from([(HouseholdId(1), answers)]));
        let truth = (0..24).map(|hour| slot(1, DAYS * 24 + hour)).collect();
        track.score(at(DAYS * 24 + 60), &BTreeMap::from([(HouseholdId(1), truth)]));
    }
    std::fs::write(kept(&site).join("track.json"), serde_json::to_vec(&track).unwrap()).unwrap();
    let (advisor, _) = start(&site);
    let issued = forecast(&advisor).await;
    assert_eq!((issued.contender, issued.method.as_str()), (Contender::Climatology, "climatology/1"));
    assert_eq!(figure(&advisor, "learned_out_of_force"), Some(1));

    std::fs::write(kept(&site).join("track.json"), b"{\"homes\":").unwrap();
    let (advisor, _) = start(&site);
    assert_eq!(forecast(&advisor).await.contender, LEARNED, "damaged scores begin anew");
}

#[tokio::test]
async fn a_start_leaves_out_what_a_clock_far_ahead_scored() {
    let site = learned().await;
    let (advisor, mut learning) = start(&site);
    let ahead = forecast(&advisor).await.forecast.clone();
    let answers = vec![Answer::of(LEARNED, Shown::Yes, &ahead).unwrap()];
    let mut track = Track::default();
    track.issue(90_000, at(1_000_000), BTreeMap::from([(HouseholdId(1), answers)]));
    assert!(!track.wants(60_000));
    std::fs::write(kept(&site).join("track.json"), serde_json::to_vec(&track).unwrap()).unwrap();
    learning.hour().await;
    let (_, mut learning) = start(&site);
    learning.hour().await;
    let kept: Track =
        serde_json::from_slice(&std::fs::read(kept(&site).join("track.json")).unwrap()).unwrap();
    let next = at((DAYS + 1) * 24 + 2);
    assert!(kept.due(next).iter().any(|(home, ..)| *home == HouseholdId(2)), "today is forecast");
}
