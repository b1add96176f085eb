//! What advice was worth, and that advice that loses falls silent.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use jirani_advisor::advised::{Advised, Deed, Given, Kept, Voice};
use jirani_advisor::{AdviceRecord, Holding, Learning, LearningConfig};
use jirani_forecast::SlotEnergy;
use jirani_store::{ReadingRow, Store as _};
use jirani_units::{HouseholdId, MeterId, Price, Timestamp, Wh};
use jirani_weather::ClearSky;
use std::sync::Arc;
use support::sunny::{HOUR, at};
use support::{Site, home};

const HOME: HouseholdId = HouseholdId(1);

/// 2 kWh in hand, retail 60, buy-back 20.
fn given(deed: Deed) -> Given {
    Given {
        from: at(0),
        deed,
        vault_wh: Wh(2_000),
        shortfall_wh: Wh::ZERO,
        retail: Price(6_000),
        buy_back: Price(2_000),
    }
}

/// A night of so many Wh, and a sun that pays them back after.
fn night(wh: u64) -> Vec<SlotEnergy> {
    let slot = |hour: i64| SlotEnergy {
        start: at(hour),
        production_wh: if hour >= 12 { wh / 6 } else { 0 },
        consumption_wh: if hour < 12 { wh / 12 } else { 0 },
    };
    (0..24).map(slot).collect()
}

#[test]
fn what_was_sold_gains_over_buy_back_and_loses_where_the_night_needed_it() {
    let sell = given(Deed::Sell(Wh(1_000), Price(4_000)));
    assert_eq!(sell.gain_cents(&night(600)), 2_000, "1 kWh at 40 in place of 20");
    assert_eq!(sell.gain_cents(&night(2_400)), -2_000, "1 kWh at 40 that had to be bought at 60");
    assert_eq!(sell.gain_cents(&night(1_200)), 2_000 - 800, "200 Wh of it were bought at 60, not left at 20");
}

#[test]
fn what_was_kept_or_bought_gains_where_the_night_needed_it_and_loses_where_not() {
    let keep = given(Deed::Keep(Wh(1_000), Price(4_000)));
    assert_eq!((keep.gain_cents(&night(3_000)), keep.gain_cents(&night(600))), (2_000, -2_000));
    let buy = given(Deed::Buy(Wh(1_000), Price(5_000)));
    assert_eq!((buy.gain_cents(&night(3_000)), buy.gain_cents(&night(600))), (1_000, -3_000));
    let owes = Given { shortfall_wh: Wh(3_000), ..buy };
    assert_eq!(owes.gain_cents(&night(0)), 1_000, "what is owed is needed for certain");
}

/// A day on which following the advice brought 20 shillings or lost them.
fn day(advised: &mut Advised, number: i64, night_wh: u64) {
    let sell = Given { from: at(number * 24), ..given(Deed::Sell(Wh(1_000), Price(4_000))) };
    assert_eq!(advised.keep(HOME, sell), Kept::New);
    assert_eq!(advised.keep(HOME, Given { from: at(number * 24 + 5), ..sell }), Kept::Known);
    assert!(advised.due(at(number * 24 + 25)).is_empty(), "readings come late");
    let due = advised.due(at(number * 24 + 26));
    assert_eq!(due, [(HOME, at(number * 24), at(number * 24 + 24))]);
    let came: Vec<_> = night(night_wh)
        .into_iter()
        .map(|slot| SlotEnergy { start: slot.start.plus_seconds(number * 86_400), ..slot })
        .collect();
    advised.score(HOME, at(number * 24), HOUR, &came);
}

#[test]
fn advice_that_lost_is_silent_until_it_would_win_again() {
    let mut advised = Advised::default();
    for number in 0..6 {
        day(&mut advised, number, 2_400);
    }
    let record = advised.record(HOME).unwrap();
    assert_eq!(record, AdviceRecord { pieces: 6, gain_cents: -12_000, voice: Voice::Heard }, "too few");
    day(&mut advised, 6, 2_400);
    assert_eq!(advised.record(HOME).unwrap().voice, Voice::Silent);
    for number in 7..13 {
        day(&mut advised, number, 600);
        assert_eq!(advised.record(HOME).unwrap().voice, Voice::Silent);
    }
    day(&mut advised, 13, 600);
    assert_eq!(advised.record(HOME).unwrap().voice, Voice::Heard);
    for number in 14..60 {
        day(&mut advised, number, 600);
    }
    let record = advised.record(HOME).unwrap();
    assert_eq!((record.pieces, record.gain_cents), (28, 56_000), "the last 28 count");
}

#[test]
fn a_day_that_is_not_known_scores_nothing() {
    let mut advised = Advised::default();
    advised.keep(HOME, given(Deed::Sell(Wh(1_000), Price(4_000))));
    advised.score(HOME, at(0), HOUR, &night(600)[..17]);
    assert_eq!(advised.record(HOME), None);
    assert!(advised.due(at(1_000)).is_empty());
}

#[tokio::test]
async fn advice_given_is_scored_by_what_the_meter_said_over_a_restart_too() {
    let site = Site::new(at(0)).await;
    site.enrol(home(1)).await;
    let start = || {
        let advisor = Arc::new(site.advisor(Arc::new(ClearSky)));
        let config = LearningConfig { every_days: 7, rows_max: 1_000 };
        let learning = Learning::new(advisor.clone(), config, &site.folder.path().join("forecast")).unwrap();
        (advisor, learning)
    };
    let (advisor, mut learning) = start();
    let holding = Holding { vault_wh: Wh(50_000), shortfall_wh: Wh::ZERO };
    let advice = advisor.advice(HOME, holding).await.unwrap().unwrap();
    learning.hour().await;
    assert_eq!(advisor.advice_record(HOME), None);
    // Nothing is used at all: what was sold is worth the more.
    let rows = (0..=25 * 4).map(|quarter: u8| ReadingRow {
        meter: MeterId([1; 16]),
        epoch: 1,
        seq: u64::from(quarter) + 1,
        household: HOME,
        time: Timestamp::from_seconds(at(0).seconds() + i64::from(quarter) * 900),
        import_wh: Wh(0),
        export_wh: Wh(0),
        generation_wh: Wh(0),
        power_w: 0,
        bytes: vec![quarter],
        received_at: at(26),
    });
    site.store.append_readings(rows.collect(), Vec::new()).await.unwrap();
    site.clock.advance_to(at(26));
    let (advisor, mut learning) = start();
    learning.hour().await;
    let record = advisor.advice_record(HOME).unwrap();
    assert_eq!((record.pieces, record.gain_cents), (1, advice.gain_cents));
}

#[tokio::test]
async fn a_household_whose_advice_lost_is_told_none() {
    let site = Site::new(at(0)).await;
    site.enrol(home(1)).await;
    let mut advised = Advised::default();
    for number in -10..-3 {
        day(&mut advised, number, 2_400);
    }
    let folder = site.folder.path().join("forecast");
    std::fs::create_dir_all(&folder).unwrap();
    let holding = Holding { vault_wh: Wh(50_000), shortfall_wh: Wh::ZERO };
    for (scores, is_told) in [(Advised::default(), true), (advised, false)] {
        std::fs::write(folder.join("advice.json"), serde_json::to_vec(&scores).unwrap()).unwrap();
        let advisor = Arc::new(site.advisor(Arc::new(ClearSky)));
        let config = LearningConfig { every_days: 7, rows_max: 1_000 };
        Learning::new(advisor.clone(), config, &folder).unwrap();
        assert_eq!(advisor.advice(HOME, holding).await.unwrap().is_some(), is_told);
    }
}
