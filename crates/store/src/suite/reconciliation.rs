//! What operators propose and decide, and reconciliations.

use super::samples::{at, session};
use super::{Place, conflict, keep};
use crate::{
    Change, DeskRole, ProposalRecord, ProposalState, ReconciliationRecord, SessionRecord, SessionRole,
    StoreError,
};
use jirani_units::Cents;

fn proposal(number: u64) -> ProposalRecord {
    ProposalRecord {
        number,
        review: format!("receipt/UJ{number}/suspense"),
        decision: r#"{"kind":"attach","household_id":4}"#.to_owned(),
        note: "she showed the message".to_owned(),
        proposed_by: "Amina".to_owned(),
        proposed_at: at(number.try_into().unwrap()),
        state: ProposalState::Proposed,
        decided_by: None,
        decided_at: None,
        version: 0,
    }
}

fn decided(read: &ProposalRecord, state: ProposalState, by: &str) -> ProposalRecord {
    ProposalRecord { state, decided_by: Some(by.to_owned()), decided_at: Some(at(90)), ..read.clone() }
}

pub async fn a_proposal_is_decided_once(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Proposal(proposal(1)), Change::Proposal(proposal(2))]).await;
    conflict(&store, vec![Change::Proposal(proposal(1))]).await;
    let waiting = store.proposals(true, 10).await.unwrap();
    assert_eq!(waiting, [2, 1].map(|number| ProposalRecord { version: 1, ..proposal(number) }));
    let approved = decided(&waiting[1], ProposalState::Approved, "Baraka");
    keep(&store, vec![Change::Proposal(approved.clone())]).await;
    conflict(&store, vec![Change::Proposal(approved.clone())]).await;
    drop(store);
    let store = place.open().await;
    let approved = ProposalRecord { version: 2, ..approved };
    assert_eq!(store.proposal(1).await.unwrap(), Some(approved.clone()));
    assert_eq!(store.proposals(true, 10).await.unwrap(), waiting[..1]);
    assert_eq!(store.proposals(false, 10).await.unwrap(), [waiting[0].clone(), approved.clone()]);
    assert_eq!(store.proposals(false, 1).await.unwrap(), waiting[..1]);
    assert_eq!(store.proposal(3).await.unwrap(), None);
    // What was decided stays decided, whoever asks with the right version.
    let undone = decided(&approved, ProposalState::Rejected, "Chebet");
    assert!(store.commit(vec![Change::Proposal(undone)]).await.is_err());
    assert_eq!(store.proposal(1).await.unwrap(), Some(approved));
}

pub async fn nobody_approves_what_they_proposed(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Proposal(proposal(1))]).await;
    let read = store.proposal(1).await.unwrap().unwrap();
    let alone = decided(&read, ProposalState::Approved, "Amina");
    let refused = store.commit(vec![Change::Proposal(alone)]).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. } | StoreError::Damaged { .. })), "{refused:?}");
    assert_eq!(store.proposal(1).await.unwrap(), Some(read.clone()));
    // To take it back needs nobody else.
    keep(&store, vec![Change::Proposal(decided(&read, ProposalState::Rejected, "Amina"))]).await;
}

pub async fn one_proposal_per_review_waits(place: &dyn Place) {
    let store = place.open().await;
    keep(&store, vec![Change::Proposal(proposal(1))]).await;
    let second = ProposalRecord { review: proposal(1).review, ..proposal(2) };
    conflict(&store, vec![Change::Proposal(second.clone())]).await;
    let read = store.proposal(1).await.unwrap().unwrap();
    keep(&store, vec![Change::Proposal(decided(&read, ProposalState::Rejected, "Baraka"))]).await;
    keep(&store, vec![Change::Proposal(second)]).await;
}

pub async fn a_reconciliation_is_kept_once_and_the_newest_comes_first(place: &dyn Place) {
    let store = place.open().await;
    let record = |number: u64| ReconciliationRecord {
        number,
        made_at: at(number.try_into().unwrap()),
        source: "daily".to_owned(),
        from: at(-86_400),
        until: at(0),
        apart: 3,
        difference: Cents(-1_200),
        report: format!(r#"{{"number":{number},"text":"Nyumba {}"}}"#, "ũ".repeat(10_000)),
    };
    keep(&store, vec![Change::Reconciliation(record(1))]).await;
    keep(&store, vec![Change::Reconciliation(record(2))]).await;
    conflict(&store, vec![Change::Reconciliation(record(2))]).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.reconciliations(10).await.unwrap(), [record(2), record(1)]);
    assert_eq!(store.reconciliations(1).await.unwrap(), [record(2)]);
    assert_eq!(store.reconciliation(1).await.unwrap(), Some(record(1)));
    assert_eq!(store.reconciliation(3).await.unwrap(), None);
}

pub async fn a_session_knows_its_operator(place: &dyn Place) {
    let store = place.open().await;
    let named =
        SessionRecord { operator: Some("Amina".to_owned()), ..session(SessionRole::Desk(DeskRole::All)) };
    keep(&store, vec![Change::Session(named.clone())]).await;
    let stored = store.session(named.token_hash).await.unwrap();
    assert_eq!(stored, Some(SessionRecord { version: 1, ..named }));
}
