//! Sessions on devices, people at the desk, and what they did.

use super::samples::{at, session};
use super::{Place, conflict, keep};
use crate::{
    ActRecord, Change, DeskRole, OperatorRecord, OperatorState, SessionRecord, SessionRole, StoreError,
};
use jirani_units::HouseholdId;

fn device(number: u8, household: u32, created: i64, expires: i64) -> SessionRecord {
    SessionRecord {
        token_hash: [number; 32],
        device: [number; 16],
        created_at: at(created),
        expires_at: at(expires),
        ..session(SessionRole::Household(HouseholdId(household)))
    }
}

pub async fn a_household_finds_its_sessions_and_no_others(place: &dyn Place) {
    let store = place.open().await;
    let named = SessionRecord {
        device_name: Some("Amina's phone".to_owned()),
        pin_at: Some(at(3)),
        ..device(1, 4, 1, 100)
    };
    let all = [named.clone(), device(2, 4, 2, 50), device(3, 4, 3, 100), device(4, 5, 4, 100)];
    keep(&store, all.into_iter().map(Change::Session).collect()).await;
    conflict(&store, vec![Change::Session(SessionRecord { token_hash: [9; 32], ..named.clone() })]).await;
    drop(store);
    let store = place.open().await;
    let found = store.sessions_of(HouseholdId(4), at(50)).await.unwrap();
    assert_eq!(found.iter().map(|session| session.token_hash[0]).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(found[1], SessionRecord { version: 1, ..named });
    assert_eq!(store.sessions_of(HouseholdId(6), at(0)).await.unwrap(), []);
}

pub async fn every_role_at_the_desk_is_kept(place: &dyn Place) {
    let store = place.open().await;
    let roles = [DeskRole::Operator, DeskRole::Finance, DeskRole::Auditor, DeskRole::Admin, DeskRole::All];
    for (number, role) in (1_u8..).zip(roles) {
        let own = SessionRecord { role: SessionRole::Desk(role), ..device(number, 0, 1, 2) };
        keep(&store, vec![Change::Session(own.clone())]).await;
        let stored = store.session(own.token_hash).await.unwrap();
        assert_eq!(stored, Some(SessionRecord { version: 1, ..own }));
    }
}

fn operator(name: &str) -> OperatorRecord {
    OperatorRecord {
        name: name.to_owned(),
        role: DeskRole::Finance,
        state: OperatorState::Invited,
        password: None,
        totp_salt: None,
        totp_step: None,
        invitation: Some(([7; 32], at(600))),
        since: at(1),
        created_at: at(1),
        version: 0,
    }
}

pub async fn an_operator_is_invited_signs_in_and_retires_for_good(place: &dyn Place) {
    let store = place.open().await;
    let new = |record: &OperatorRecord| vec![Change::Operator(Box::new(record.clone()))];
    let invited = operator("Wanjiru");
    keep(&store, new(&invited)).await;
    keep(&store, new(&operator("Baraka"))).await;
    conflict(&store, new(&invited)).await;
    let active = OperatorRecord {
        role: DeskRole::Admin,
        state: OperatorState::Active,
        password: Some("argon2id$1".to_owned()),
        totp_salt: Some([8; 16]),
        totp_step: Some(59_000_000),
        invitation: None,
        since: at(2),
        version: 1,
        ..invited
    };
    keep(&store, new(&active)).await;
    conflict(&store, new(&active)).await;
    drop(store);
    let store = place.open().await;
    let stored = store.operator("Wanjiru").await.unwrap().unwrap();
    assert_eq!(stored, OperatorRecord { version: 2, ..active });
    assert!(!format!("{stored:?}").contains("argon2id"), "a hash is never shown");
    assert_eq!(store.operator("Nobody").await.unwrap(), None);
    let names: Vec<String> = store.operators().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["Baraka", "Wanjiru"]);
    let retired = OperatorRecord { state: OperatorState::Retired, ..stored.clone() };
    keep(&store, new(&retired)).await;
    let back = OperatorRecord { state: OperatorState::Active, version: 3, ..stored };
    assert!(store.commit(new(&back)).await.is_err(), "who is retired stays retired");
}

fn act(number: u64) -> ActRecord {
    let byte = u8::try_from(number).unwrap();
    ActRecord {
        number,
        at: at(number.try_into().unwrap()),
        who: "Wanjiru".to_owned(),
        role: "finance".to_owned(),
        act: "POST /api/v1/operator/float".to_owned(),
        previous: [byte - 1; 32],
        hash: [byte; 32],
    }
}

pub async fn acts_are_numbered_without_a_gap(place: &dyn Place) {
    let store = place.open().await;
    conflict(&store, vec![Change::Act(act(2))]).await;
    for number in 1..=3 {
        keep(&store, vec![Change::Act(act(number))]).await;
    }
    conflict(&store, vec![Change::Act(act(3))]).await;
    conflict(&store, vec![Change::Act(act(5))]).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.acts(None, 2).await.unwrap(), [act(3), act(2)]);
    assert_eq!(store.acts(Some(2), 10).await.unwrap(), [act(1)]);
    assert_eq!(store.acts_after(1, 10).await.unwrap(), [act(2), act(3)]);
    assert_eq!(store.acts_after(3, 10).await.unwrap(), []);
    let beyond = store.acts(Some(u64::MAX), 1).await;
    assert!(matches!(beyond, Err(StoreError::OutOfRange { .. })), "{beyond:?}");
}
