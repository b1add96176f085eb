//! Signing in and out, cookies, and requests from elsewhere.

use crate::support::{Person, WorldOptions, expect, start};
use jirani_api::Limits;
use jirani_units::Clock as _;
use reqwest::{Method, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn without_demo_nobody_signs_in_as_anybody() {
    let world = start(WorldOptions { demo: false, ..WorldOptions::default() }).await;
    let nobody = world.nobody();
    assert_eq!(nobody.ask(Method::GET, "/api/v1/demo/households").await.status(), 404);
    let sign_in = nobody.request(Method::POST, "/api/v1/demo/session").json(&json!({ "operator": true }));
    assert_eq!(sign_in.send().await.unwrap().status(), 404);
    assert_eq!(nobody.get("/api/v1/config").await["demo"], false);
}

#[tokio::test]
async fn one_signs_in_as_a_known_household_or_as_the_operator() {
    let world = start(WorldOptions::default()).await;
    let nobody = world.nobody();
    let households = nobody.get("/api/v1/demo/households").await;
    assert_eq!(
        households[0],
        json!({"id": 1, "name": "Amina Wanjiku", "alias": "Baobab", "kind": "home", "pv_rated_w": 3000})
    );
    for (who, status) in [
        (json!({"household_id": 1}), 200),
        (json!({"operator": true}), 200),
        (json!({"operator": true, "role": "finance"}), 200),
        (json!({"operator": true, "role": "all"}), 400),
        (json!({"household_id": 1, "role": "finance"}), 400),
        (json!({"household_id": 99}), 404),
        (json!({}), 400),
        (json!({"household_id": 1, "operator": true}), 400),
        (json!({"household_id": 1, "admin": true}), 400),
        (json!({"household_id": -1}), 400),
    ] {
        let sign_in = nobody.request(Method::POST, "/api/v1/demo/session").json(&who);
        assert_eq!(sign_in.send().await.unwrap().status().as_u16(), status, "{who}");
    }
    let me = world.household(1).await.get("/api/v1/me").await;
    assert_eq!(
        me,
        json!({"id": 1, "name": "Amina Wanjiku", "alias": "Baobab", "language": "sw", "msisdn_masked": "0712 *** 001"})
    );
}

#[tokio::test]
async fn a_session_ends_by_signing_out_and_by_time() {
    let world = start(WorldOptions::default()).await;
    let (first, second) = (world.household(1).await, world.household(1).await);
    assert_ne!(first.token, second.token);
    assert_eq!(first.ask(Method::DELETE, "/api/v1/session").await.status(), StatusCode::NO_CONTENT);
    let ended = expect(first.ask(Method::GET, "/api/v1/me").await, 401).await;
    assert_eq!(ended["code"], "api.session_ended");
    second.get("/api/v1/me").await;
    world.clock.advance_to(world.clock.now().plus_seconds(12 * 3_600));
    assert_eq!(second.ask(Method::GET, "/api/v1/me").await.status(), 401);
}

#[tokio::test]
async fn tokens_that_were_never_given_out_open_nothing() {
    let world = start(WorldOptions::default()).await;
    for token in ["", "x", &"0".repeat(64), &"f".repeat(63), &format!("{}' OR 1=1", "0".repeat(60))] {
        let person = Person { world: &world, token: Some(token.to_owned()) };
        assert_eq!(person.ask(Method::GET, "/api/v1/me").await.status(), 401, "{token}");
    }
}

#[tokio::test]
async fn the_store_keeps_no_token() {
    let world = start(WorldOptions::default()).await;
    let person = world.household(1).await;
    let token = jirani_api::auth::token::Token::parse(person.token.as_deref().unwrap()).unwrap();
    let session = world.store.session(token.hash()).await.unwrap().unwrap();
    assert_eq!(session.expires_at, world.clock.now().plus_seconds(12 * 3_600));
    assert!(!format!("{session:?}").contains(token.as_str()));
}

#[tokio::test]
async fn a_cookie_opens_the_same_doors_but_changes_things_only_from_our_own_pages() {
    let world = start(WorldOptions::default()).await;
    let sign_in =
        world.nobody().request(Method::POST, "/api/v1/demo/session").json(&json!({"household_id": 1}));
    let response = sign_in.send().await.unwrap();
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("jirani_session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap().to_owned();
    let own = format!("http://{}", world.api.addr);
    let quote = |headers: Vec<(&'static str, String)>| {
        let mut request =
            world.nobody().request(Method::POST, "/api/v1/me/payouts/quote").header("cookie", &pair);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.json(&json!({"amount_cents": 100_000})).send()
    };
    for headers in [vec![], vec![("origin", "http://evil.example".into())], vec![("origin", "null".into())]] {
        let refused = expect(quote(headers).await.unwrap(), 403).await;
        assert_eq!(refused["code"], "api.foreign_origin");
    }
    for headers in [vec![("origin", own)], vec![("x-jirani", "1".into())]] {
        assert_ne!(quote(headers).await.unwrap().status(), 403);
    }
    let read = world.nobody().request(Method::GET, "/api/v1/me").header("cookie", &pair);
    assert_eq!(read.send().await.unwrap().status(), 200, "reading needs no such proof");
}

#[tokio::test]
async fn sign_ins_from_one_address_and_money_requests_of_one_session_are_limited() {
    let limits = Limits { sessions_per_minute: Some(2), money_per_minute: Some(3), ..Limits::default() };
    let world = start(WorldOptions { limits, ..WorldOptions::default() }).await;
    let (person, other) = (world.household(1).await, world.household(2).await);
    let sign_in =
        world.nobody().request(Method::POST, "/api/v1/demo/session").json(&json!({"operator": true}));
    let limited = expect(sign_in.send().await.unwrap(), 429).await;
    assert_eq!(limited["code"], "api.too_many_sign_ins");
    let statuses = |person: Person<'_>| {
        let requests: Vec<_> = (0..4)
            .map(|_| {
                person.request(Method::POST, "/api/v1/me/payouts/quote").json(&json!({"amount_cents": 0}))
            })
            .collect();
        async move {
            let mut statuses = Vec::new();
            for request in requests {
                statuses.push(request.send().await.unwrap().status().as_u16() == 429);
            }
            statuses
        }
    };
    assert_eq!(statuses(person.clone()).await, [false, false, false, true]);
    assert_eq!(statuses(other).await, [false, false, false, true], "each has its own");
    person.get("/api/v1/me/orders").await;
}
