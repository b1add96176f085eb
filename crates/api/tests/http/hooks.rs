//! M-Pesa's callbacks.

use crate::support::{World, WorldOptions, expect, start};
use jirani_inbox::sources::SAFARICOM;
use jirani_inbox::{Gate, HookRefusal, Rate, Sources};
use jirani_store::{CallbackKind, RefusalCount};
use reqwest::Method;
use serde_json::json;
use std::num::NonZeroU32;
use std::sync::Arc;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_callback_is_kept_as_it_came_and_answered_whoever_it_is_for() {
    let world = start(WorldOptions { settle: false, ..WorldOptions::default() }).await;
    let doors = [
        (format!("/hooks/stk/{SECRET}"), CallbackKind::StkResult),
        (format!("/hooks/b2c/{SECRET}/result"), CallbackKind::B2cResult),
        (format!("/hooks/b2c/{SECRET}/timeout"), CallbackKind::B2cTimeout),
        (format!("/hooks/c2b/{SECRET}/confirmation"), CallbackKind::C2bConfirmation),
        (format!("/hooks/answer/{SECRET}/result"), CallbackKind::Answer),
        (format!("/hooks/answer/{SECRET}/timeout"), CallbackKind::AnswerTimeout),
    ];
    let bodies = ["{\"Body\": {}}", "no json at all", "", "\u{0}\u{1}", "<html>", "[[["];
    for ((path, kind), body) in doors.iter().zip(bodies) {
        let response = world.nobody().request(Method::POST, path).body(body).send().await.unwrap();
        assert_eq!(expect(response, 200).await, json!({"ResultCode": 0, "ResultDesc": "Accepted"}));
        let kept = world.kept_callbacks().await;
        let kept = kept.iter().find(|callback| callback.kind == *kind).unwrap();
        assert_eq!((kept.secret.as_str(), kept.body.as_slice()), (SECRET, body.as_bytes()));
        assert_eq!(kept.source, "127.0.0.1");
    }
}

#[tokio::test]
async fn validation_takes_every_payment_and_keeps_nothing() {
    let world = start(WorldOptions { settle: false, ..WorldOptions::default() }).await;
    let path = format!("/hooks/c2b/{SECRET}/validation");
    let response = world.nobody().request(Method::POST, &path).body("{}").send().await.unwrap();
    assert_eq!(expect(response, 200).await["ResultCode"], 0);
    assert!(world.kept_callbacks().await.is_empty());
}

#[tokio::test]
async fn a_callback_has_its_own_limit() {
    let world = start(WorldOptions { settle: false, ..WorldOptions::default() }).await;
    let path = format!("/hooks/stk/{SECRET}");
    let send = |size: usize| world.nobody().request(Method::POST, &path).body("x".repeat(size)).send();
    assert_eq!(send(64 * 1024).await.unwrap().status(), 200);
    assert_eq!(send(64 * 1024 + 1).await.unwrap().status(), 413);
    assert_eq!(world.kept_callbacks().await.len(), 1);
    let long = format!("/hooks/stk/{}", "a".repeat(65));
    assert_eq!(world.nobody().ask(Method::POST, &long).await.status(), 404);
}

/// Posts as if a proxy on this machine had appended `forwarded`.
async fn post(world: &World, forwarded: &str, body: &str) -> u16 {
    let path = format!("/hooks/stk/{SECRET}");
    let request = world.nobody().request(Method::POST, &path).header("X-Forwarded-For", forwarded);
    request.body(body.to_owned()).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read_and_counted() {
    let sources = Sources::only(SAFARICOM, &["127.0.0.1"]).unwrap();
    let gate = Arc::new(Gate::new(sources, None));
    let world = start(WorldOptions { settle: false, gate: gate.clone(), ..WorldOptions::default() }).await;
    assert_eq!(post(&world, "196.201.212.69", "{}").await, 200);
    assert_eq!(post(&world, "203.0.113.9", "{}").await, 403);
    assert_eq!(post(&world, "196.201.212.69, 203.0.113.9", "{}").await, 403, "what is written to the left");
    let long = "x".repeat(64 * 1024 + 1);
    assert_eq!(post(&world, "203.0.113.9", &long).await, 403);
    assert_eq!(post(&world, "196.201.212.69", &long).await, 413);
    let kept = world.kept_callbacks().await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].source, "196.201.212.69");
    assert_eq!(gate.count(HookRefusal::ForeignSource), 3);
    assert_eq!(gate.count(HookRefusal::TooLong), 1);
    assert_eq!(world.nobody().ask(Method::GET, "/health").await.status(), 200, "people come from anywhere");
}

#[tokio::test]
async fn a_flood_from_one_source_is_cut_off_and_counted() {
    let rate = Rate { per_minute: NonZeroU32::new(1).unwrap() };
    let gate = Arc::new(Gate::new(Sources::anybody_through(&["127.0.0.1"]).unwrap(), Some(rate)));
    let world = start(WorldOptions { settle: false, gate: gate.clone(), ..WorldOptions::default() }).await;
    assert_eq!(post(&world, "192.0.2.1", "{}").await, 200);
    assert_eq!(post(&world, "192.0.2.1", "{}").await, 429);
    assert_eq!(post(&world, "192.0.2.2", "{}").await, 200, "another has its own share");
    assert_eq!(world.kept_callbacks().await.len(), 2);
    let operator = world.operator().await;
    let metrics = operator.ask(Method::GET, "/metrics").await.text().await.unwrap();
    assert!(metrics.contains("jirani_hooks_refused_total{reason=\"too_many\"} 1\n"), "{metrics}");
    assert_eq!(world.nobody().ask(Method::GET, "/metrics").await.status(), 401);
}

#[tokio::test]
async fn what_meters_were_refused_is_counted_by_reason() {
    let world = start(WorldOptions { settle: false, ..WorldOptions::default() }).await;
    let count = |meter: Option<&str>, code: &str, count| RefusalCount {
        meter: meter.map(str::to_owned),
        code: code.to_owned(),
        count,
    };
    let mut counts = vec![
        count(Some("01"), "reading.bad_signature", 3),
        count(Some("02"), "reading.bad_signature", 4),
        count(None, "broker.not_let_in", u64::MAX),
        count(Some("01"), "broker.not_let_in", 1),
    ];
    counts.extend((0..500).map(|number| count(None, &format!("reading.z{number}"), 1)));
    world.store.commit(vec![RefusalCount::change(&counts).unwrap()]).await.unwrap();
    let metrics = world.operator().await.ask(Method::GET, "/metrics").await.text().await.unwrap();
    for line in [
        "jirani_refusals_total{reason=\"reading.bad_signature\"} 7\n",
        &format!("jirani_refusals_total{{reason=\"broker.not_let_in\"}} {}\n", u64::MAX),
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert_eq!(metrics.matches("jirani_refusals_total{").count(), 64, "so many series and no more");
}
