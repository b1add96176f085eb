//! A household signs in by its phone: codes, devices, the PIN before money.

use crate::support::{Person, World, WorldOptions, expect, start};
use jirani_api::{Limits, PinForMoney};
use jirani_units::{Clock as _, Msisdn};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};

const PHONE: &str = "0712 345 001";

fn strict() -> WorldOptions {
    WorldOptions { demo: false, pin_for_money: PinForMoney::Asked, ..WorldOptions::default() }
}

async fn ask_code(world: &World, phone: &str) -> Response {
    let request = world.nobody().request(Method::POST, "/api/v1/sign-in/code");
    request.json(&json!({"phone": phone, "language": "en"})).send().await.unwrap()
}

fn messages(world: &World, phone: &str) -> usize {
    let number: Msisdn = phone.parse().unwrap();
    world.handsets.inbox(number).len()
}

/// Asks for a code and reads it on the phone.
async fn code(world: &World, phone: &str) -> String {
    let before = messages(world, phone);
    expect(ask_code(world, phone).await, 202).await;
    world.until("the code has come", || messages(world, phone) > before).await;
    let newest = world.handsets.inbox(phone.parse().unwrap()).remove(0).text;
    let code: String =
        newest.split(' ').find(|word| word.len() == 6 && word.parse::<u32>().is_ok()).unwrap().into();
    code
}

async fn sign_in(world: &World, phone: &str, code: &str) -> Response {
    let body = json!({"phone": phone, "code": code, "shared_phone": false, "device_name": "Tecno"});
    world.nobody().request(Method::POST, "/api/v1/sign-in").json(&body).send().await.unwrap()
}

async fn signed_in<'a>(world: &'a World, phone: &str) -> Person<'a> {
    let code = code(world, phone).await;
    let session = expect(sign_in(world, phone, &code).await, 200).await;
    world.clock.advance_to(world.clock.now().plus_seconds(30));
    Person { world, token: Some(session["token"].as_str().unwrap().to_owned()) }
}

fn wrong_for(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn a_code_by_text_message_signs_a_household_in_once() {
    let world = start(strict()).await;
    let code = code(&world, PHONE).await;
    let wrong = expect(sign_in(&world, PHONE, wrong_for(&code)).await, 401).await;
    assert_eq!(wrong["code"], "api.code_wrong");
    let response = sign_in(&world, PHONE, &code).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for attribute in ["jirani_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let session = expect(response, 200).await;
    assert_eq!((&session["role"], &session["household_id"]), (&json!("household"), &json!(1)));
    let person = Person { world: &world, token: Some(session["token"].as_str().unwrap().to_owned()) };
    assert_eq!(person.get("/api/v1/me").await["id"], 1);
    expect(sign_in(&world, PHONE, &code).await, 401).await;
}

#[tokio::test]
async fn nobody_can_tell_a_known_number_from_an_unknown_one() {
    let world = start(strict()).await;
    let mut answers = Vec::new();
    for phone in [PHONE, "0799 999 999"] {
        let asked = ask_code(&world, phone).await;
        assert_eq!(asked.status(), 202);
        let asked: Value = asked.json().await.unwrap();
        let again = expect(ask_code(&world, phone).await, 429).await["code"].clone();
        let tried = expect(sign_in(&world, phone, "123456").await, 401).await["code"].clone();
        answers.push((asked, again, tried));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, json!({"resend_after_s": 30, "valid_s": 300}));
    assert_eq!(expect(ask_code(&world, "hello").await, 400).await["code"], "api.phone_invalid");
}

#[tokio::test]
async fn five_wrong_tries_spend_a_code_and_the_next_one_signs_in() {
    let world = start(strict()).await;
    let first = code(&world, PHONE).await;
    let wrong = wrong_for(&first);
    // At once: not one more than one after another.
    let tries = (0..5).map(|_| sign_in(&world, PHONE, wrong));
    assert!(futures::future::join_all(tries).await.iter().all(|answer| answer.status() == 401));
    expect(sign_in(&world, PHONE, &first).await, 401).await;
    world.clock.advance_to(world.clock.now().plus_seconds(30));
    let second = code(&world, PHONE).await;
    expect(sign_in(&world, PHONE, &second).await, 200).await;
}

#[tokio::test]
async fn a_code_ends_with_time_and_with_the_next_one() {
    let world = start(strict()).await;
    let first = code(&world, PHONE).await;
    world.clock.advance_to(world.clock.now().plus_seconds(30));
    let second = code(&world, PHONE).await;
    if first != second {
        expect(sign_in(&world, PHONE, &first).await, 401).await;
    }
    world.clock.advance_to(world.clock.now().plus_seconds(300));
    expect(sign_in(&world, PHONE, &second).await, 401).await;
}

#[tokio::test]
async fn a_number_gets_five_codes_an_hour_and_an_address_sixty() {
    let world = start(WorldOptions { limits: Limits::default(), ..strict() }).await;
    for _ in 0..5 {
        expect(ask_code(&world, PHONE).await, 202).await;
        world.clock.advance_to(world.clock.now().plus_seconds(30));
    }
    assert_eq!(expect(ask_code(&world, PHONE).await, 429).await["code"], "api.too_many_codes");
    world.until("five have come", || messages(&world, PHONE) == 5).await;
    // One address is behind many phones, but not behind any number of them.
    let mut granted = 6;
    while ask_code(&world, &format!("0700 000 {granted:03}")).await.status() == 202 {
        granted += 1;
    }
    assert_eq!(granted, 60, "the refused one was asked for as well");
    world.clock.advance_to(world.clock.now().plus_seconds(3_600));
    expect(ask_code(&world, PHONE).await, 202).await;
}

#[tokio::test]
async fn a_shared_phone_is_signed_out_after_half_an_hour() {
    let world = start(strict()).await;
    let code = code(&world, PHONE).await;
    let body = json!({"phone": PHONE, "code": code, "shared_phone": true});
    let answer = world.nobody().request(Method::POST, "/api/v1/sign-in").json(&body).send().await.unwrap();
    assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=1800"));
    let session = expect(answer, 200).await;
    let person = Person { world: &world, token: Some(session["token"].as_str().unwrap().to_owned()) };
    world.clock.advance_to(world.clock.now().plus_seconds(1_799));
    person.get("/api/v1/me").await;
    world.clock.advance_to(world.clock.now().plus_seconds(1));
    assert_eq!(person.ask(Method::GET, "/api/v1/me").await.status(), 401);
}

#[tokio::test]
async fn a_session_that_somebody_prepared_is_never_taken_over() {
    let world = start(strict()).await;
    let prepared = "ab".repeat(32);
    let code = code(&world, PHONE).await;
    let body = json!({"phone": PHONE, "code": code, "shared_phone": false});
    let request = world.nobody().request(Method::POST, "/api/v1/sign-in");
    let request = request.header("cookie", format!("jirani_session={prepared}")).json(&body);
    let session = expect(request.send().await.unwrap(), 200).await;
    assert_ne!(session["token"], prepared);
    let attacker = Person { world: &world, token: Some(prepared) };
    assert_eq!(attacker.ask(Method::GET, "/api/v1/me").await.status(), 401);
}

#[tokio::test]
async fn devices_are_seen_and_signed_out_by_their_own_household_only() {
    let world = start(strict()).await;
    let (first, second) = (signed_in(&world, PHONE).await, signed_in(&world, PHONE).await);
    let stranger = signed_in(&world, "0712 345 002").await;
    let devices = second.get("/api/v1/me/devices").await;
    let seen: Vec<_> =
        devices.as_array().unwrap().iter().map(|one| (&one["this_one"], &one["name"])).collect();
    let tecno = json!("Tecno");
    assert_eq!(seen, [(&json!(true), &tecno), (&json!(false), &tecno)]);
    let id = |at: usize| devices[at]["id"].as_str().unwrap().to_owned();
    let token = jirani_api::auth::token::Token::parse(first.token.as_deref().unwrap()).unwrap();
    assert!(!hex::encode(token.hash()).contains(&id(1)), "an id says nothing of the token");
    let path = format!("/api/v1/me/devices/{}", id(1));
    assert_eq!(stranger.ask(Method::DELETE, &path).await.status(), 404, "another household's");
    first.get("/api/v1/me").await;
    assert_eq!(second.ask(Method::DELETE, &path).await.status(), 204);
    assert_eq!(first.ask(Method::GET, "/api/v1/me").await.status(), 401);
    assert_eq!(second.ask(Method::DELETE, &path).await.status(), 404, "gone");
    let third = signed_in(&world, PHONE).await;
    assert_eq!(third.ask(Method::DELETE, "/api/v1/me/devices").await.status(), 204);
    assert_eq!(second.ask(Method::GET, "/api/v1/me").await.status(), 401);
    assert_eq!(third.get("/api/v1/me/devices").await.as_array().unwrap().len(), 1);
    stranger.get("/api/v1/me").await;
}

async fn set_pin(person: &Person<'_>, body: Value) -> Response {
    person.request(Method::POST, "/api/v1/me/pin").json(&body).send().await.unwrap()
}

async fn give_pin(person: &Person<'_>, pin: &str) -> Response {
    person.request(Method::POST, "/api/v1/session/pin").json(&json!({"pin": pin})).send().await.unwrap()
}

#[tokio::test]
async fn money_moves_only_within_five_minutes_of_the_pin() {
    let world = start(strict()).await;
    world.give_balance(1, 100_000).await;
    let person = signed_in(&world, PHONE).await;
    let payout = async |key: &str| {
        person.post_with_key("/api/v1/me/payouts", key, &json!({"amount_cents": 10_000})).await
    };
    let order = async |pay_with: &str| {
        let body = json!({"energy_wh": 1_000, "pay_with": pay_with});
        let answer = person.post_with_key("/api/v1/me/orders", pay_with, &body).await;
        let answer: Value = answer.json().await.unwrap();
        answer["code"].clone()
    };
    assert_eq!(expect(payout("a").await, 403).await["code"], "api.pin_needed");
    assert_eq!(order("balance").await, "api.pin_needed");
    assert_ne!(order("mpesa").await, "api.pin_needed", "the phone asks for M-Pesa's own PIN");
    assert_eq!(expect(give_pin(&person, "2580").await, 409).await["code"], "api.pin_not_set");

    let code = code(&world, PHONE).await;
    assert_eq!(expect(set_pin(&person, json!({"pin": "2580"})).await, 400).await["code"], "api.body_invalid");
    let easy = set_pin(&person, json!({"pin": "1234", "code": code})).await;
    assert_eq!(expect(easy, 422).await["code"], "api.pin_too_easy");
    let wrong = set_pin(&person, json!({"pin": "2580", "code": wrong_for(&code)})).await;
    assert_eq!(expect(wrong, 401).await["code"], "api.code_wrong");
    assert_eq!(set_pin(&person, json!({"pin": "2580", "code": code})).await.status(), 204);
    expect(payout("b").await, 200).await;
    world.clock.advance_to(world.clock.now().plus_seconds(300));
    assert_eq!(expect(payout("c").await, 403).await["code"], "api.pin_needed");
    assert_eq!(expect(give_pin(&person, "2581").await, 403).await["code"], "api.pin_wrong");
    assert_eq!(give_pin(&person, "2580").await.status(), 204);
    assert_ne!(order("balance").await, "api.pin_needed");

    // Given in one session, it is not given in another.
    let other = signed_in(&world, PHONE).await;
    let elsewhere = other.post_with_key("/api/v1/me/payouts", "d", &json!({"amount_cents": 10_000})).await;
    assert_eq!(expect(elsewhere, 403).await["code"], "api.pin_needed");
}

#[tokio::test]
async fn the_old_pin_lets_set_a_new_one_and_three_wrong_ones_lock_it() {
    let world = start(strict()).await;
    let person = signed_in(&world, PHONE).await;
    let code = code(&world, PHONE).await;
    assert_eq!(set_pin(&person, json!({"pin": "2580", "code": code})).await.status(), 204);
    assert_eq!(set_pin(&person, json!({"pin": "1357", "old_pin": "2580"})).await.status(), 204);
    expect(give_pin(&person, "2580").await, 403).await;
    assert_eq!(give_pin(&person, "1357").await.status(), 204, "a right one forgives");
    for _ in 0..3 {
        expect(set_pin(&person, json!({"pin": "9046", "old_pin": "1111"})).await, 403).await;
    }
    assert_eq!(expect(give_pin(&person, "1357").await, 403).await["code"], "api.pin_locked");
}
