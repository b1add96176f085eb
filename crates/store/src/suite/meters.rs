//! Meters' enrolments, what happened to them, and spans of registers.

use super::samples::{at, household, meter, quarantined, reading};
use super::{Place, conflict, keep};
use crate::{Change, MeterEventRow, MeterPurpose, MeterRecord, MeterRequest, MeterState, MeterWish};
use jirani_meter::Registers;
use jirani_readings::{Base, Span, SpanReason};
use jirani_units::{HouseholdId, JSON_INTEGER_MAX};

pub(super) fn claimed(id: u32, household: u32) -> MeterRecord {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&id.to_be_bytes());
    MeterRecord {
        meter: meter(id),
        key,
        household: HouseholdId(household),
        purpose: MeterPurpose::Enrol,
        state: MeterState::Claimed,
        replaces: None,
        epoch: u32::MAX,
        modulus_wh: Some(JSON_INTEGER_MAX),
        opening: Registers { import_wh: 1, export_wh: 2, generation_wh: 3 },
        trust: "device".to_owned(),
        draft: Some("{}".to_owned()),
        nonce: None,
        claimed_by: "Amina".to_owned(),
        claimed_at: at(1),
        challenged_at: None,
        answered_at: None,
        approved_by: None,
        approved_at: None,
        reason: "a new home".to_owned(),
        held: None,
        request: None,
        version: 0,
    }
}

fn change(record: &MeterRecord) -> Vec<Change> {
    vec![Change::Meter(Box::new(record.clone()))]
}

pub async fn an_enrolment_goes_on_from_the_version_read(place: &dyn Place) {
    let store = place.open().await;
    let first = claimed(1, 7);
    keep(&store, change(&first)).await;
    conflict(&store, change(&first)).await;
    drop(store);
    let store = place.open().await;
    let kept = store.meter(meter(1)).await.unwrap().unwrap();
    assert_eq!(kept, MeterRecord { version: 1, ..first });
    assert_eq!(store.meter(meter(2)).await.unwrap(), None);
    let answered = MeterRecord {
        state: MeterState::Answered,
        nonce: Some([8; 32]),
        challenged_at: Some(at(2)),
        answered_at: Some(at(3)),
        held: Some("reading.equivocation".to_owned()),
        ..kept
    };
    keep(&store, change(&answered)).await;
    conflict(&store, change(&answered)).await;
    let replaces = MeterRecord {
        purpose: MeterPurpose::Replace,
        replaces: Some(meter(1)),
        modulus_wh: None,
        draft: None,
        ..claimed(2, 8)
    };
    keep(&store, change(&replaces)).await;
    assert_eq!(store.held_meters().await.unwrap(), [meter(1)]);
    let all = store.meters().await.unwrap();
    assert_eq!(all, [MeterRecord { version: 2, ..answered }, MeterRecord { version: 1, ..replaces }]);
}

pub async fn one_meter_is_on_its_way_and_one_counts(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, change(&claimed(1, 7))).await;
    conflict(&store, change(&claimed(2, 7))).await;
    let active = MeterRecord { state: MeterState::Active, version: 1, ..claimed(1, 7) };
    keep(&store, change(&active)).await;
    keep(&store, change(&claimed(2, 7))).await;
    conflict(&store, change(&MeterRecord { state: MeterState::Active, version: 1, ..claimed(2, 7) })).await;
    let both = vec![
        Change::Meter(Box::new(MeterRecord { state: MeterState::Replaced, version: 2, ..claimed(1, 7) })),
        Change::Meter(Box::new(MeterRecord { state: MeterState::Active, version: 1, ..claimed(2, 7) })),
    ];
    keep(&store, both).await;
}

pub async fn nobody_approves_the_meter_they_claimed(place: &dyn Place) {
    let store = place.open().await;
    let by = |who: &str| MeterRecord { approved_by: Some(who.to_owned()), ..claimed(1, 7) };
    assert!(store.commit(change(&by("Amina"))).await.is_err());
    keep(&store, change(&by("Baraka"))).await;
}

pub async fn nobody_approves_what_they_asked_for_about_a_meter(place: &dyn Place) {
    let store = place.open().await;
    let opening = Registers { import_wh: JSON_INTEGER_MAX, export_wh: 0, generation_wh: 5 };
    let asked = |wish, approved: Option<&str>| MeterRecord {
        state: MeterState::Active,
        request: Some(MeterRequest {
            wish,
            reason: "changed the board".to_owned(),
            asked_by: "Amina".to_owned(),
            asked_at: at(5),
            approved: approved.map(|by| (by.to_owned(), at(6))),
        }),
        ..claimed(1, 7)
    };
    let epoch = MeterWish::Epoch { epoch: u32::MAX, opening };
    assert!(store.commit(change(&asked(epoch, Some("Amina")))).await.is_err());
    for (version, record) in [
        asked(epoch, None),
        asked(epoch, Some("Baraka")),
        asked(MeterWish::Release, None),
        asked(MeterWish::Release, Some("Baraka")),
        MeterRecord { request: None, ..claimed(1, 7) },
    ]
    .into_iter()
    .enumerate()
    {
        let version = u64::try_from(version).unwrap();
        keep(&store, change(&MeterRecord { version, ..record.clone() })).await;
        let kept = store.meter(meter(1)).await.unwrap().unwrap();
        assert_eq!(kept, MeterRecord { version: version + 1, ..record });
    }
}

pub async fn what_happened_comes_newest_first(place: &dyn Place) {
    let store = place.open().await;
    let event = |id: u32, second: i64| MeterEventRow {
        meter: meter(id),
        household: (id == 1).then_some(HouseholdId(7)),
        at: at(second),
        by: "Amina".to_owned(),
        code: "meter.claimed".to_owned(),
        detail: format!("at {second}"),
    };
    let changes = [(1, 1), (2, 2), (1, 3)].map(|(id, second)| Change::MeterEvent(event(id, second)));
    keep(&store, changes.to_vec()).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.meter_events(Some(meter(1)), 9).await.unwrap(), [event(1, 3), event(1, 1)]);
    assert_eq!(store.meter_events(None, 2).await.unwrap(), [event(1, 3), event(2, 2)]);
}

pub async fn a_span_is_kept_once_and_for_good(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Household(household(1)), Change::Household(household(2))]).await;
    let first = Span::original(HouseholdId(1), meter(1), [7; 32], 1);
    let base = Base {
        time: at(5),
        registers: Registers { import_wh: JSON_INTEGER_MAX, export_wh: 0, generation_wh: 1 },
    };
    let begins = Span {
        epoch: 2,
        from: at(6),
        reason: SpanReason::ResetApproved,
        note: "changed the board".to_owned(),
        by: "Amina".to_owned(),
        at: at(7),
        ..first.clone()
    };
    let opening = Registers { import_wh: 0, export_wh: JSON_INTEGER_MAX, generation_wh: 0 };
    let second = first.followed(begins, base, opening).unwrap();
    let other = Span { household: HouseholdId(2), ..first.clone() };
    let spans = |all: &[&Span]| all.iter().map(|span| Change::Span(Box::new((*span).clone()))).collect();
    keep(&store, spans(&[&second, &other, &first])).await;
    conflict(&store, spans(&[&second])).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.spans().await.unwrap(), [first, second, other]);
}

pub async fn what_was_made_up_from_the_last_reading_stands_only_while_it_is_the_last(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Household(household(1))]).await;
    let since = |last| {
        let record = Change::Setting { key: "made-up-from".to_owned(), value: format!("{last:?}") };
        vec![record, Change::LastReading { meter: meter(1), last }]
    };
    keep(&store, since(None)).await;
    store.append_readings(vec![reading(1, 1, 1), reading(1, 1, 2)], Vec::new()).await.unwrap();
    for before in [None, Some((1, 1)), Some((2, 2))] {
        conflict(&store, since(before)).await;
    }
    assert_eq!(store.setting("made-up-from").await.unwrap().as_deref(), Some("None"), "all or nothing");
    drop(store);
    let store = place.open().await;
    keep(&store, since(Some((1, 2)))).await;
}

pub async fn quarantine_is_counted_by_meter_and_reason(place: &dyn Place) {
    let store = place.open().await;
    let rows = vec![quarantined(1), quarantined(2), quarantined(4), quarantined(2)];
    let code = rows[0].code.clone();
    store.append_readings(vec![reading(1, 1, 1)], rows).await.unwrap();
    let counted = store.quarantine_counts().await.unwrap();
    assert_eq!(counted, [(meter(2), code.clone(), 2), (meter(4), code, 1)]);
}
