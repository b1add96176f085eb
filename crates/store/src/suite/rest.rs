//! Callbacks, transactions, sessions, settings.

use super::samples::{callback, deposit, outbox, session};
use super::{Place, conflict, keep};
use crate::{Change, DeskRole, InboxRow, OutboxRecord, OutboxState, SessionRole, StoreError};
use jirani_units::HouseholdId;

pub async fn a_callback_is_kept_raw_and_dealt_with_once(place: &dyn Place) {
    let store = place.open().await;
    for number in 1..=6 {
        assert_eq!(store.receive(callback(number)).await.unwrap(), u64::from(number));
    }
    drop(store);
    let store = place.open().await;
    let pending = store.pending_callbacks(100).await.unwrap();
    let expected: Vec<InboxRow> = (1..=6)
        .map(|number| InboxRow { id: number.into(), callback: callback(number), outcome: None })
        .collect();
    assert_eq!(pending, expected);
    assert_eq!(store.pending_callbacks(2).await.unwrap(), expected[..2]);

    // Of two who deal with one callback, one undoes its work.
    let done = |name: &str| {
        vec![Change::Post(deposit(name, 1, 100)), Change::InboxDone { id: 2, outcome: format!("by {name}") }]
    };
    keep(&store, done("first")).await;
    conflict(&store, done("second")).await;
    assert_eq!(store.journal_after(0, 10).await.unwrap().len(), 1);
    conflict(&store, vec![Change::InboxDone { id: 7, outcome: "never came".into() }]).await;
    let left: Vec<u64> = store.pending_callbacks(100).await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(left, [1, 3, 4, 5, 6]);
}

pub async fn a_transaction_has_one_outcome(place: &dyn Place) {
    let store = place.open().await;
    let sent = outbox("settle/1", OutboxState::Sent);
    store.put_outbox(sent.clone()).await.unwrap();
    assert_eq!(store.outbox("settle/1").await.unwrap(), Some(sent));
    assert_eq!(store.outbox("settle/2").await.unwrap(), None);
    assert_eq!(store.outbox_totals().await.unwrap(), (0, 0, 0));

    let refused = outbox("settle/1", OutboxState::Refused { code: "energy.paused".into() });
    store.put_outbox(refused.clone()).await.unwrap();
    assert_eq!(store.outbox("settle/1").await.unwrap(), Some(refused));
    // Signed anew, and landed.
    let mut landed = outbox("settle/1", OutboxState::Landed { slot: 42 });
    landed.signature = String::from("another");
    store.put_outbox(landed.clone()).await.unwrap();
    store.put_outbox(outbox("attest/1", OutboxState::Landed { slot: 43 })).await.unwrap();
    store.put_outbox(outbox("attest/2", OutboxState::Sent)).await.unwrap();
    assert_eq!(store.outbox_totals().await.unwrap(), (2, 40_000, 10_000));

    store.put_outbox(landed.clone()).await.unwrap();
    for other in [
        outbox("settle/1", OutboxState::Sent),
        outbox("settle/1", OutboxState::Refused { code: "x".into() }),
        outbox("settle/1", OutboxState::Landed { slot: 42 }),
    ] {
        assert!(matches!(store.put_outbox(other).await, Err(StoreError::Conflict { .. })));
    }
    drop(store);
    let store = place.open().await;
    assert_eq!(store.outbox("settle/1").await.unwrap(), Some(landed));
}

pub async fn two_pieces_of_work_are_never_one_transaction(place: &dyn Place) {
    let store = place.open().await;
    store.put_outbox(outbox("settle/1", OutboxState::Sent)).await.unwrap();
    let mut same = outbox("settle/2", OutboxState::Sent);
    same.signature = outbox("settle/1", OutboxState::Sent).signature;
    assert!(matches!(store.put_outbox(same.clone()).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.outbox("settle/2").await.unwrap(), None);
    store.put_outbox(outbox("settle/1", OutboxState::Landed { slot: 4 })).await.unwrap();
    assert!(matches!(store.put_outbox(same.clone()).await, Err(StoreError::Conflict { .. })));
    // Work found to have been done before is named by the transaction that did it.
    same.state = OutboxState::Landed { slot: 4 };
    store.put_outbox(same).await.unwrap();
}

pub async fn an_outcome_is_known_at_once_and_kept_with_the_next_write(place: &dyn Place) {
    let store = place.open().await;
    store.put_outbox(outbox("settle/1", OutboxState::Sent)).await.unwrap();
    let landed = outbox("settle/1", OutboxState::Landed { slot: 4 });
    store.put_outcome(landed.clone()).await.unwrap();
    assert_eq!(store.outbox("settle/1").await.unwrap(), Some(landed.clone()));
    assert_eq!(store.outbox_unfinished("", 10).await.unwrap(), []);
    let landed = OutboxRecord { compute_units: 9, ..landed };
    store.put_outcome(landed.clone()).await.unwrap();
    let next = Change::Setting { key: "next".to_owned(), value: "write".to_owned() };
    store.commit(vec![next]).await.unwrap();
    drop(store);
    assert_eq!(place.open().await.outbox("settle/1").await.unwrap(), Some(landed));
}

pub async fn transactions_without_an_outcome_are_found(place: &dyn Place) {
    let store = place.open().await;
    for key in ["b", "a", "d", "c"] {
        store.put_outbox(outbox(key, OutboxState::Sent)).await.unwrap();
    }
    store.put_outbox(outbox("b", OutboxState::Landed { slot: 1 })).await.unwrap();
    store.put_outbox(outbox("d", OutboxState::Refused { code: "x".into() })).await.unwrap();
    drop(store);
    let store = place.open().await;
    let keys = async |after: &str, limit| {
        let found = store.outbox_unfinished(after, limit).await.unwrap();
        found.into_iter().map(|record| record.key).collect::<Vec<_>>()
    };
    assert_eq!(keys("", 10).await, ["a", "c"]);
    assert_eq!(keys("", 1).await, ["a"]);
    assert_eq!(keys("a", 10).await, ["c"]);
    assert_eq!(store.outbox_unfinished("", 1).await.unwrap(), [outbox("a", OutboxState::Sent)]);
}

pub async fn sessions_and_settings_are_kept(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Session(session(SessionRole::Household(HouseholdId(4))))]).await;
    let mut stored = store.session([3; 32]).await.unwrap().unwrap();
    assert_eq!((stored.role, stored.version), (SessionRole::Household(HouseholdId(4)), 1));
    stored.role = SessionRole::Desk(DeskRole::All);
    keep(&store, vec![Change::Session(stored.clone())]).await;
    conflict(&store, vec![Change::Session(stored)]).await;
    let setting = |value: &str| vec![Change::Setting { key: "mint".into(), value: value.into() }];
    keep(&store, setting("one")).await;
    keep(&store, setting("two")).await;
    drop(store);
    let store = place.open().await;
    let mut expected = session(SessionRole::Desk(DeskRole::All));
    expected.version = 2;
    assert_eq!(store.session([3; 32]).await.unwrap(), Some(expected));
    assert_eq!(store.session([4; 32]).await.unwrap(), None);
    assert_eq!(store.setting("mint").await.unwrap().as_deref(), Some("two"));
    assert_eq!(store.setting("other").await.unwrap(), None);
}
