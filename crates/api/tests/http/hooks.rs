//! M-Pesa's callbacks.

use crate::support::{WorldOptions, expect, start};
use jirani_store::CallbackKind;
use reqwest::Method;
use serde_json::json;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_callback_is_kept_as_it_came_and_answered_whoever_it_is_for() {
    let world = start(WorldOptions { settle: false, ..WorldOptions::default() }).await;
    let doors = [
        (format!("/hooks/stk/{SECRET}"), CallbackKind::StkResult),
        (format!("/hooks/b2c/{SECRET}/result"), CallbackKind::B2cResult),
        (format!("/hooks/b2c/{SECRET}/timeout"), CallbackKind::B2cTimeout),
        (format!("/hooks/c2b/{SECRET}/confirmation"), CallbackKind::C2bConfirmation),
    ];
    let bodies = ["{\"Body\": {}}", "no json at all", "", "\u{0}\u{1}"];
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
