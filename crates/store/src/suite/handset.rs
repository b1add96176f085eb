//! Phones: PINs, and which notices became text messages.

use super::samples::{at, household, msisdn};
use super::{Place, conflict, keep};
use crate::{Change, HandsetRecord, MessageRecord, MessageState, NoticeRecord};
use jirani_units::HouseholdId;

fn message(key: &str, household: u32, state: MessageState, second: i64) -> MessageRecord {
    MessageRecord {
        key: key.to_owned(),
        household: HouseholdId(household),
        state,
        attempts: 1,
        gateway_id: None,
        reason: None,
        at: at(second),
        version: 0,
    }
}

pub async fn a_phone_comes_back_as_it_was_kept(place: &dyn Place) {
    let store = place.open().await;
    let new = HandsetRecord::new(HouseholdId(4));
    keep(&store, vec![Change::Handset(new.clone())]).await;
    conflict(&store, vec![Change::Handset(new)]).await;
    let set = HandsetRecord {
        household: HouseholdId(4),
        pin: Some("argon2id$1".to_owned()),
        code: Some("argon2id$2".to_owned()),
        code_until: Some(at(600)),
        codes_sent: 3,
        codes_since: at(-5),
        wrong: 2,
        locked_until: Some(at(3_600)),
        muted: true,
        version: 1,
    };
    keep(&store, vec![Change::Handset(set.clone())]).await;
    conflict(&store, vec![Change::Handset(set.clone())]).await;
    drop(store);
    let store = place.open().await;
    let stored = store.handset(HouseholdId(4)).await.unwrap();
    assert_eq!(stored, Some(HandsetRecord { version: 2, ..set }));
    assert_eq!(store.handset(HouseholdId(5)).await.unwrap(), None);
    assert!(!format!("{stored:?}").contains("argon2id"), "a hash is never shown");
}

pub async fn a_number_leads_to_its_households(place: &dyn Place) {
    let store = place.open().await;
    let mut other = household(2);
    other.msisdn = Some("0799 000 111".parse().unwrap());
    let mut nobody = household(3);
    nobody.msisdn = None;
    keep(&store, [household(5), other, nobody, household(1)].map(Change::Household).to_vec()).await;
    let of = async |text: &str| {
        let found = store.households_of_number(text.parse().unwrap()).await.unwrap();
        found.into_iter().map(|household| household.id.0).collect::<Vec<_>>()
    };
    assert_eq!(of(&msisdn().to_string()).await, [1, 5]);
    assert_eq!(of("0799 000 111").await, [2]);
    assert_eq!(of("0799 000 112").await, [0; 0]);
}

pub async fn a_notice_waits_until_its_message_was_handed_over(place: &dyn Place) {
    let store = place.open().await;
    let notice = |number: i64, household: Option<u32>| {
        Change::Notice(NoticeRecord {
            key: format!("notice/{number}"),
            household: household.map(HouseholdId),
            code: "paid_late".to_owned(),
            en: format!("number {number}"),
            sw: format!("nambari {number}"),
            at: at(number),
        })
    };
    let all =
        [notice(1, Some(4)), notice(2, None), notice(3, Some(5)), notice(4, Some(4)), notice(5, Some(4))];
    keep(&store, all.to_vec()).await;
    let unsent = async |since, after, limit| {
        let found = store.unsent_notices(at(since), after, limit).await.unwrap();
        found.into_iter().map(|(number, notice)| (number, notice.key)).collect::<Vec<_>>()
    };
    let waiting = unsent(0, 0, 10).await;
    let keys: Vec<&str> = waiting.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(keys, ["notice/1", "notice/3", "notice/4", "notice/5"], "the operator reads on a screen");
    assert!(waiting.is_sorted_by_key(|(number, _)| *number));
    assert_eq!(unsent(0, 0, 1).await, waiting[..1]);
    assert_eq!(unsent(0, waiting[1].0, 10).await, waiting[2..]);
    assert_eq!(unsent(4, 0, 10).await, waiting[2..]);

    keep(&store, vec![Change::Message(message("notice/1", 4, MessageState::Waiting, 10))]).await;
    keep(&store, vec![Change::Message(message("notice/3", 5, MessageState::Refused, 10))]).await;
    keep(&store, vec![Change::Message(message("notice/4", 4, MessageState::Unknown, 11))]).await;
    conflict(&store, vec![Change::Message(message("notice/4", 4, MessageState::Unknown, 11))]).await;
    let left: Vec<String> = unsent(0, 0, 10).await.into_iter().map(|(_, key)| key).collect();
    assert_eq!(left, ["notice/1", "notice/5"]);

    let sent = MessageRecord {
        state: MessageState::Sent,
        gateway_id: Some("ATXid_1".to_owned()),
        reason: Some("why".to_owned()),
        attempts: 2,
        at: at(12),
        version: 1,
        ..message("notice/1", 4, MessageState::Sent, 12)
    };
    keep(&store, vec![Change::Message(sent.clone())]).await;
    drop(store);
    let store = place.open().await;
    let stored = Some(MessageRecord { version: 2, ..sent });
    assert_eq!(store.message("notice/1").await.unwrap(), stored);
    assert_eq!(store.message_by_gateway_id("ATXid_1").await.unwrap(), stored);
    assert_eq!(store.message_by_gateway_id("ATXid_2").await.unwrap(), None);
    assert_eq!(store.message("notice/5").await.unwrap(), None);
    for (household, since, count) in [(4, 0, 2), (4, 12, 1), (4, 13, 0), (5, 0, 0), (6, 0, 0)] {
        let counted = store.messages_since(HouseholdId(household), at(since)).await.unwrap();
        assert_eq!(counted, count, "{household} {since}");
    }
}
