//! What plausibility rules found.

use super::samples::{at, meter};
use super::{Place, conflict, keep};
use crate::{Change, FindingRecord, FindingState};
use jirani_plausibility::Severity;
use jirani_units::HouseholdId;

fn finding(number: u64, household: u32) -> FindingRecord {
    FindingRecord {
        number,
        household: Some(HouseholdId(household)),
        meter: Some(meter(household)),
        meter_epoch: u32::MAX,
        feeder: u16::MAX,
        from: at(0),
        until: at(900),
        code: "plausibility.night".to_owned(),
        severity: Severity::Hold,
        evidence: r#"{"export_wh":200}"#.to_owned(),
        state: FindingState::Open,
        found_at: at(960),
        decided_by: None,
        decided_at: None,
        note: None,
        version: 0,
    }
}

fn change(record: &FindingRecord) -> Vec<Change> {
    vec![Change::Finding(Box::new(record.clone()))]
}

fn decided(read: &FindingRecord, state: FindingState, second: i64) -> FindingRecord {
    FindingRecord {
        state,
        decided_by: Some("Amina".to_owned()),
        decided_at: Some(at(second)),
        note: Some("she showed the battery".to_owned()),
        ..read.clone()
    }
}

pub async fn a_finding_comes_back_as_it_was_kept_and_waits(place: &dyn Place) {
    let store = place.open().await;
    let feeder = FindingRecord {
        household: None,
        meter: None,
        meter_epoch: 0,
        code: "plausibility.feeder_loss".to_owned(),
        severity: Severity::Note,
        ..finding(3, 1)
    };
    for record in [&finding(1, 1), &finding(2, 2), &feeder] {
        keep(&store, change(record)).await;
    }
    // One of a kind waits.
    conflict(&store, change(&finding(4, 1))).await;
    conflict(&store, change(&FindingRecord { number: 5, ..feeder.clone() })).await;
    drop(store);
    let store = place.open().await;
    let kept = |record: FindingRecord| FindingRecord { version: 1, ..record };
    let all = [kept(feeder), kept(finding(2, 2)), kept(finding(1, 1))];
    assert_eq!(store.findings(None, false, 10).await.unwrap(), all);
    assert_eq!(store.findings(Some(3), true, 1).await.unwrap(), all[1..2]);
    assert_eq!(store.finding(1).await.unwrap().as_ref(), Some(&all[2]));
    assert_eq!(store.finding(9).await.unwrap(), None);
    let live: Vec<u64> = store.live_findings(at(0)).await.unwrap().iter().map(|found| found.number).collect();
    assert_eq!(live, [1, 2, 3]);
}

pub async fn what_was_found_is_decided_once_and_may_then_be_mended(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, change(&finding(1, 1))).await;
    keep(&store, change(&finding(2, 2))).await;
    let read = store.finding(1).await.unwrap().unwrap();
    let accepted = decided(&read, FindingState::Accepted, 1_000);
    keep(&store, change(&accepted)).await;
    conflict(&store, change(&accepted)).await;
    let again = decided(&store.finding(1).await.unwrap().unwrap(), FindingState::Refused, 1_100);
    assert!(store.commit(change(&again)).await.is_err(), "what was decided stays decided");
    // Another of the kind may be found now.
    keep(&store, change(&finding(3, 1))).await;

    let refused = decided(&store.finding(2).await.unwrap().unwrap(), FindingState::Refused, 1_200);
    keep(&store, change(&refused)).await;
    assert!(store.finding(2).await.unwrap().unwrap().holds());
    let mended = decided(&store.finding(2).await.unwrap().unwrap(), FindingState::Closed, 1_300);
    keep(&store, change(&mended)).await;
    assert!(!store.finding(2).await.unwrap().unwrap().holds());
    let live = async |since| -> Vec<u64> {
        store.live_findings(at(since)).await.unwrap().iter().map(|found| found.number).collect()
    };
    assert_eq!(live(0).await, [1, 2, 3]);
    assert_eq!(live(1_250).await, [2, 3]);
    assert_eq!(live(2_000).await, [3]);
    let open: Vec<u64> =
        store.findings(None, true, 10).await.unwrap().iter().map(|found| found.number).collect();
    assert_eq!(open, [3]);
    // Evidence is never made of other numbers.
    let altered = FindingRecord { evidence: "{}".to_owned(), ..store.finding(3).await.unwrap().unwrap() };
    keep(&store, change(&decided(&altered, FindingState::Closed, 1_400))).await;
    assert_eq!(store.finding(3).await.unwrap().unwrap().evidence, finding(3, 1).evidence);
}
