//! Live events.

use crate::support::{Person, World, WorldOptions, expect, start};
use jirani_api::Limits;
use jirani_store::Event;
use jirani_units::{HouseholdId, OfferId, OrderId, PayoutId, Timestamp};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

struct Stream {
    response: Response,
    text: String,
    last_id: String,
}

impl Stream {
    async fn open(person: &Person<'_>) -> Self {
        Self::open_at(person, "/api/v1/events").await
    }

    async fn open_at(person: &Person<'_>, path: &str) -> Self {
        let before = person.world.listeners();
        let response = person.ask(Method::GET, path).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        person.world.until("the stream listens", || person.world.listeners() > before).await;
        Self { response, text: String::new(), last_id: String::new() }
    }

    /// The next event's name and data; None when the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let event = field("event:")
                    .map(|event| (event.to_owned(), serde_json::from_str(field("data:").unwrap()).unwrap()));
                if let Some(id) = field("id:") {
                    id.clone_into(&mut self.last_id);
                }
                self.text = rest.to_string();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk()).await;
            match chunk.expect("an event within ten seconds").unwrap() {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                None => return None,
            }
        }
    }
}

fn publish_one_of_each(world: &World, household: u32) {
    let time: Timestamp = "2026-11-22T15:29:00Z".parse().unwrap();
    let id = HouseholdId(household);
    let n = u64::from(household);
    world.events.publish(Event::Order(OrderId(n), id));
    world.events.publish(Event::Payout(PayoutId(n), id));
    world.events.publish(Event::Balance(id));
    world.events.publish(Event::Attested { feeder: u16::try_from(household).unwrap(), end: time });
    world.events.publish(Event::Reading { household: id, time, power_w: -250 });
}

#[tokio::test]
async fn a_household_hears_of_its_own_things_and_of_the_market_only() {
    let world = start(WorldOptions::default()).await;
    let mut stream = Stream::open(&world.household(1).await).await;
    publish_one_of_each(&world, 2);
    publish_one_of_each(&world, 1);
    world.events.publish(Event::Offer(OfferId(1), HouseholdId(2)));
    let mut heard = Vec::new();
    while heard.len() < 6 {
        heard.push(stream.next().await.unwrap());
    }
    heard.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("balance", json!({"household_id": 1})),
        ("offers", json!({})),
        ("order", json!({"id": 1, "household_id": 1})),
        ("payout", json!({"id": 1, "household_id": 1})),
        ("power", json!({"household_id": 1, "power_w": -250, "at": "2026-11-22T15:29:00Z"})),
        ("slot", json!({"feeder": 1, "end": "2026-11-22T15:29:00Z"})),
    ];
    assert_eq!(heard, expected.map(|(name, data)| (name.to_owned(), data)));
}

#[tokio::test]
async fn the_operator_hears_of_everybody() {
    let world = start(WorldOptions::default()).await;
    let mut stream = Stream::open(&world.operator().await).await;
    publish_one_of_each(&world, 1);
    publish_one_of_each(&world, 2);
    let mut orders = Vec::new();
    while orders.len() < 2 {
        let (name, data) = stream.next().await.unwrap();
        if name == "order" {
            orders.push(data["household_id"].clone());
        }
    }
    assert_eq!(orders, [1, 2]);
}

#[tokio::test]
async fn power_comes_once_a_second_with_the_last_value() {
    let world = start(WorldOptions::default()).await;
    let mut stream = Stream::open(&world.household(1).await).await;
    let time: Timestamp = "2026-11-22T15:29:00Z".parse().unwrap();
    let send = |power_w| world.events.publish(Event::Reading { household: HouseholdId(1), time, power_w });
    for power_w in 0..40 {
        send(power_w);
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&39) {
        let (name, data) = stream.next().await.unwrap();
        assert_eq!(name, "power");
        seen.push(data["power_w"].as_i64().unwrap());
    }
    assert!(seen.len() <= 3, "{seen:?}");
}

#[tokio::test]
async fn who_cannot_keep_up_is_told_to_read_anew() {
    let world = start(WorldOptions::default()).await;
    let mut stream = Stream::open(&world.household(1).await).await;
    // More than is kept for anybody, before the stream can take one.
    for number in 0..1_000 {
        world.events.publish(Event::Order(OrderId(number), HouseholdId(1)));
    }
    let mut names = Vec::new();
    while names.last().is_none_or(|name| name != "resync") {
        names.push(stream.next().await.unwrap().0);
    }
    world.events.publish(Event::Balance(HouseholdId(1)));
    assert_eq!(stream.next().await.unwrap().0, "balance", "it goes on after that");
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_after_the_last_event_that_arrived() {
    let world = start(WorldOptions::default()).await;
    let person = world.household(1).await;
    let others = world.listeners();
    let mut stream = Stream::open(&person).await;
    publish_one_of_each(&world, 1);
    while stream.next().await.unwrap().0 != "order" {}
    let last_id = stream.last_id.clone();
    drop(stream);
    world.until("the server hangs up too", || world.listeners() == others).await;
    publish_one_of_each(&world, 2);
    let mut stream = Stream::open_at(&person, &format!("/api/v1/events?last_event_id={last_id}")).await;
    let mut heard = Vec::new();
    while heard.len() < 4 {
        heard.push(stream.next().await.unwrap().0);
    }
    assert_eq!(heard, ["payout", "balance", "slot", "offers"], "its own, in their order, once");
    world.events.publish(Event::Balance(HouseholdId(1)));
    assert_eq!(stream.next().await.unwrap().0, "balance");

    let unknown = "/api/v1/events?last_event_id=elsewhere-3";
    let mut stranger = Stream::open_at(&person, unknown).await;
    assert_eq!(stranger.next().await.unwrap().0, "resync");
}

#[tokio::test]
async fn a_stream_is_no_work_and_ends_when_the_server_stops() {
    let world = start(WorldOptions::default()).await;
    let mut stream = Stream::open(&world.household(1).await).await;
    world.until("nobody works", || world.clock.activity().count() == 0).await;
    world.api.stop().await;
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn one_session_opens_so_many_streams_and_no_more() {
    let limits = Limits { streams_per_session: 2, ..Limits::village() };
    let world = start(WorldOptions { limits, ..WorldOptions::default() }).await;
    let household = world.household(1).await;
    let first = Stream::open(&household).await;
    let _second = Stream::open(&household).await;
    let third = expect(household.ask(Method::GET, "/api/v1/events").await, 429).await;
    assert_eq!(third["code"], "api.too_many_streams");
    drop(first);
    world.until("the first is gone", || world.listeners() == 1).await;
    let _third = Stream::open(&household).await;
}
