//! Notices on a real store, and what reaches the gateway.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use async_trait::async_trait;
use jirani_clock::ServiceClock;
use jirani_notify::{Policy, Sender, SenderDeps, Sms, SmsOutcome};
use jirani_store::{
    Change, HandsetRecord, HouseholdKind, HouseholdRecord, Language, MessageState, NoticeRecord, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, Msisdn, Timestamp};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Answers as it is told, and remembers what it was handed.
#[derive(Default)]
struct Gateway {
    answers: Mutex<Vec<SmsOutcome>>,
    handed: Mutex<Vec<(Msisdn, String, String)>>,
}

#[async_trait]
impl Sms for Gateway {
    async fn send(&self, to: Msisdn, text: &str, id: &str) -> SmsOutcome {
        let mut handed = self.handed.lock().unwrap();
        handed.push((to, text.to_owned(), id.to_owned()));
        let sent = SmsOutcome::Sent { id: format!("gateway-{}", handed.len()) };
        self.answers.lock().unwrap().pop().unwrap_or(sent)
    }
}

struct World {
    store: Arc<dyn Store>,
    gateway: Arc<Gateway>,
    clock: ServiceClock,
    _folder: tempfile::TempDir,
}

fn number(household: u32) -> Msisdn {
    format!("0712 345 00{household}").parse().unwrap()
}

fn home(id: u32, language: Language) -> Change {
    Change::Household(HouseholdRecord {
        id: HouseholdId(id),
        kind: HouseholdKind::Home,
        alias: format!("Home {id}"),
        name: format!("Person {id}"),
        msisdn: (id < 9).then(|| number(id)),
        language,
        meter: None,
        meter_key: [0; 32],
        meter_epoch: 1,
        export_rating_w: 0,
        import_rating_w: 0,
        pv_rated_w: 0,
        feeder: 1,
        chain_address: None,
        enrolled_at: Timestamp(0),
        version: 0,
    })
}

/// Noon in Nairobi; households 1 (English) and 2 (Kiswahili) have phones, 9 has none.
async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("db")).await.unwrap());
    let homes = vec![home(1, Language::En), home(2, Language::Sw), home(9, Language::En)];
    store.commit(homes).await.unwrap();
    let clock = ServiceClock::advanced_from("2026-11-23T09:00:00Z".parse().unwrap());
    World { store, gateway: Arc::default(), clock, _folder: folder }
}

impl World {
    fn sender(&self, policy: Policy) -> Sender {
        let deps =
            SenderDeps { store: self.store.clone(), sms: self.gateway.clone(), clock: self.clock.clone() };
        Sender::new(policy, deps)
    }

    async fn look(&self) -> u32 {
        self.sender(Policy::default()).look().await.unwrap()
    }

    async fn notice(&self, key: &str, household: u32, code: &str) {
        let notice = NoticeRecord {
            key: key.to_owned(),
            household: Some(HouseholdId(household)),
            code: code.to_owned(),
            en: format!("en {key}"),
            sw: format!("sw {key}"),
            at: self.clock.now(),
        };
        self.store.commit(vec![Change::Notice(notice)]).await.unwrap();
    }

    async fn state(&self, key: &str) -> Option<(MessageState, u32)> {
        self.store.message(key).await.unwrap().map(|message| (message.state, message.attempts))
    }

    fn handed(&self) -> Vec<(Msisdn, String)> {
        let handed = self.gateway.handed.lock().unwrap();
        handed.iter().map(|(to, text, _)| (*to, text.clone())).collect()
    }

    fn answers(&self, answers: impl IntoIterator<Item = SmsOutcome>) {
        let mut waiting: Vec<SmsOutcome> = answers.into_iter().collect();
        waiting.reverse();
        *self.gateway.answers.lock().unwrap() = waiting;
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance_to(self.clock.now().plus_seconds(seconds));
    }
}

#[tokio::test]
async fn a_notice_is_sent_once_in_its_readers_language() {
    let world = world().await;
    world.notice("a", 1, "paid_late").await;
    world.notice("b", 2, "paid_late").await;
    assert_eq!(world.look().await, 2);
    assert_eq!(world.look().await, 0);
    assert_eq!(world.handed(), [(number(1), "en a".to_owned()), (number(2), "sw b".to_owned())]);
    let sent = world.store.message("a").await.unwrap().unwrap();
    assert_eq!((sent.state, sent.gateway_id.as_deref()), (MessageState::Sent, Some("gateway-1")));
}

#[tokio::test]
async fn only_what_was_certainly_not_taken_is_handed_over_again() {
    let world = world().await;
    for key in ["lost", "refused", "unknown"] {
        world.notice(key, 1, "paid_late").await;
    }
    let why = || "why".to_owned();
    world.answers([
        SmsOutcome::NotTaken { reason: why() },
        SmsOutcome::Refused { reason: why() },
        SmsOutcome::Unknown { reason: why() },
    ]);
    world.look().await;
    assert_eq!(world.state("lost").await, Some((MessageState::Waiting, 1)));
    assert_eq!(world.state("refused").await, Some((MessageState::Refused, 1)));
    assert_eq!(world.state("unknown").await, Some((MessageState::Unknown, 1)));
    assert_eq!(world.look().await, 0, "not before a minute has passed");
    world.pass(60);
    assert_eq!(world.look().await, 1);
    assert_eq!(world.state("lost").await, Some((MessageState::Sent, 2)));
    world.pass(86_400);
    assert_eq!(world.look().await, 0);
    assert_eq!(world.handed().len(), 4);
}

#[tokio::test]
async fn what_broke_while_it_was_handed_over_is_not_handed_over_again() {
    struct Hangs;
    #[async_trait]
    impl Sms for Hangs {
        async fn send(&self, _: Msisdn, _: &str, _: &str) -> SmsOutcome {
            std::future::pending().await
        }
    }
    let world = world().await;
    world.notice("a", 1, "paid_late").await;
    let (store, clock) = (world.store.clone(), world.clock.clone());
    let dying = Sender::new(Policy::default(), SenderDeps { store, sms: Arc::new(Hangs), clock });
    let dying = tokio::spawn(async move { dying.look().await });
    while world.state("a").await.is_none() {
        tokio::task::yield_now().await;
    }
    dying.abort();
    world.pass(3_600);
    assert_eq!(world.look().await, 0);
    assert_eq!(world.state("a").await, Some((MessageState::Unknown, 1)));
}

#[tokio::test]
async fn two_senders_on_one_store_hand_over_each_once() {
    let world = world().await;
    for number in 0..10 {
        world.notice(&format!("n{number}"), 1 + number % 2, "paid_late").await;
    }
    let (one, two) = (world.sender(Policy::default()), world.sender(Policy::default()));
    let (one, two) = tokio::join!(one.look(), two.look());
    assert_eq!(one.unwrap() + two.unwrap(), 10);
    let mut texts: Vec<String> = world.handed().into_iter().map(|(_, text)| text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 10);
}

#[tokio::test]
async fn the_days_share_the_night_and_stop_are_kept() {
    let world = world().await;
    let muted = HandsetRecord { muted: true, ..HandsetRecord::new(HouseholdId(2)) };
    world.store.commit(vec![Change::Handset(muted)]).await.unwrap();
    for number in 0..12 {
        world.notice(&format!("n{number}"), 1, "paid_late").await;
    }
    world.notice("urgent", 1, "shortfall_relay_opens").await;
    world.notice("advice", 2, "advice_sell").await;
    world.notice("money", 2, "paid_late").await;
    assert_eq!(world.look().await, 12, "ten and the urgent one; the other's money");
    assert_eq!(world.state("advice").await, Some((MessageState::Refused, 0)));
    assert_eq!(world.state("n11").await, None);
    world.pass(13 * 3_600);
    world.notice("night", 2, "paid_late").await;
    world.notice("dark", 2, "shortfall_relay_opens").await;
    assert_eq!(world.look().await, 1, "at one in the night only what cannot wait");
    world.pass(9 * 3_600);
    assert_eq!(world.look().await, 3, "in the morning the rest");
    assert_eq!(world.state("n11").await, Some((MessageState::Sent, 1)));
}

#[tokio::test]
async fn what_cannot_be_a_text_message_or_is_old_is_never_sent() {
    let world = world().await;
    world.notice("no phone", 9, "paid_late").await;
    world.notice("sm\u{201c}art", 1, "paid_late").await;
    world.notice(&"long".repeat(50), 1, "paid_late").await;
    assert_eq!(world.look().await, 0);
    assert_eq!(world.state("no phone").await, Some((MessageState::Refused, 0)));
    world.notice("old", 1, "paid_late").await;
    world.pass(2 * 86_400 + 1);
    assert_eq!(world.look().await, 0);
    assert_eq!(world.handed(), []);
}

#[tokio::test]
async fn it_looks_again_every_minute_until_it_is_stopped() {
    let world = world().await;
    let cancel = CancellationToken::new();
    let running = tokio::spawn(world.sender(Policy::default()).run(cancel.clone()));
    world.notice("a", 1, "paid_late").await;
    while world.handed().is_empty() {
        world.clock.idle().await;
        if let Some(at) = world.clock.next_due() {
            world.clock.advance_to(at);
        }
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(world.handed().len(), 1);
}
