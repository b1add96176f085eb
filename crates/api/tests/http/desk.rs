//! People at the desk: invited, signed in by password and authenticator, retired; and the log of
//! what they did.

use crate::support::{Person, World, WorldOptions, expect, start};
use jirani_api::accounts::acts::{Acts, ActsError};
use jirani_api::accounts::people;
use jirani_api::accounts::totp::TotpSecret;
use jirani_store::DeskRole;
use jirani_units::Clock as _;
use reqwest::{Method, Response};
use serde_json::{Value, json};

const PASSWORD: &str = "mwanga wa jua 7";

fn real() -> WorldOptions {
    WorldOptions { demo: false, ..WorldOptions::default() }
}

async fn accept(world: &World, name: &str, secret: &str, password: &str) -> Response {
    let body = json!({"name": name, "secret": secret, "password": password});
    world.nobody().request(Method::POST, "/api/v1/operator/accept").json(&body).send().await.unwrap()
}

async fn try_in(world: &World, name: &str, password: &str, code: &str) -> Response {
    let body = json!({"name": name, "password": password, "code": code});
    world.nobody().request(Method::POST, "/api/v1/operator/sign-in").json(&body).send().await.unwrap()
}

/// The code that the authenticator shows now.
async fn shown(world: &World, name: &str) -> String {
    let record = world.store.operator(name).await.unwrap().unwrap();
    TotpSecret::of(&crate::support::TOTP_KEY, &record.totp_salt.unwrap()).code_at(world.clock.now())
}

async fn enrolled(world: &World, name: &str, role: DeskRole) {
    let secret = world.deps.tokens.draw();
    people::invite(world.store.as_ref(), name, role, &secret, world.clock.now()).await.unwrap();
    expect(accept(world, name, secret.as_str(), PASSWORD).await, 200).await;
}

async fn signed_in<'a>(world: &'a World, name: &str) -> Person<'a> {
    world.clock.advance_to(world.clock.now().plus_seconds(30));
    let session = expect(try_in(world, name, PASSWORD, &shown(world, name).await).await, 200).await;
    Person { world, token: Some(session["token"].as_str().unwrap().to_owned()) }
}

fn acts(world: &World) -> Acts {
    let _ = world;
    Acts::new(crate::support::ACTS_KEY)
}

#[tokio::test]
async fn an_invitation_is_taken_up_once_and_leads_to_a_password_and_an_authenticator() {
    let world = start(real()).await;
    let secret = world.deps.tokens.draw();
    people::invite(world.store.as_ref(), "Wanjiru", DeskRole::Finance, &secret, world.clock.now())
        .await
        .unwrap();
    let easy = accept(&world, "Wanjiru", secret.as_str(), "short").await;
    assert_eq!(expect(easy, 422).await["code"], "api.password_too_easy");
    let foreign = accept(&world, "Wanjiru", &"0".repeat(64), PASSWORD).await;
    assert_eq!(expect(foreign, 401).await["code"], "api.invitation_wrong");
    let view = expect(accept(&world, "Wanjiru", secret.as_str(), PASSWORD).await, 200).await;
    assert!(view["totp_uri"].as_str().unwrap().contains(view["totp_secret"].as_str().unwrap()));
    expect(accept(&world, "Wanjiru", secret.as_str(), PASSWORD).await, 401).await;

    let code = shown(&world, "Wanjiru").await;
    let session = expect(try_in(&world, "Wanjiru", PASSWORD, &code).await, 200).await;
    assert_eq!(session["role"], "finance");
    assert_eq!(session["operator_name"], "Wanjiru");
    let again = expect(try_in(&world, "Wanjiru", PASSWORD, &code).await, 401).await;
    assert_eq!(again["code"], "api.sign_in_wrong", "a code is good once");
    let kept = world.store.operator("Wanjiru").await.unwrap().unwrap();
    assert!(!kept.password.unwrap().contains(PASSWORD));
}

#[tokio::test]
async fn no_answer_tells_what_was_wrong_and_who_guesses_waits() {
    let world = start(real()).await;
    enrolled(&world, "Wanjiru", DeskRole::Operator).await;
    let code = shown(&world, "Wanjiru").await;
    let other = if code == "000000" { "000001" } else { "000000" };
    let mut answers = Vec::new();
    for (name, password, code) in [
        ("Wanjiru", "not the password", code.as_str()),
        ("Wanjiru", PASSWORD, other),
        ("Nobody", PASSWORD, other),
    ] {
        let answer = expect(try_in(&world, name, password, code).await, 401).await;
        answers.push((answer["code"].clone(), answer["message"].clone()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    for _ in 0..3 {
        expect(try_in(&world, "Wanjiru", PASSWORD, other).await, 401).await;
    }
    let waits = expect(try_in(&world, "Wanjiru", PASSWORD, &code).await, 429).await;
    assert_eq!(waits["code"], "api.too_many_sign_ins");
    world.clock.advance_to(world.clock.now().plus_seconds(30));
    signed_in(&world, "Wanjiru").await;
}

#[tokio::test]
async fn whoever_is_retired_or_reset_is_out_at_once() {
    let world = start(real()).await;
    enrolled(&world, "Wanjiru", DeskRole::Operator).await;
    let person = signed_in(&world, "Wanjiru").await;
    person.get("/api/v1/operator/overview").await;
    let secret = world.deps.tokens.draw();
    people::reset(world.store.as_ref(), "Wanjiru", &secret, world.clock.now()).await.unwrap();
    assert_eq!(person.ask(Method::GET, "/api/v1/operator/overview").await.status(), 401);
    world.clock.advance_to(world.clock.now().plus_seconds(1));
    expect(accept(&world, "Wanjiru", secret.as_str(), PASSWORD).await, 200).await;
    assert_eq!(person.ask(Method::GET, "/api/v1/operator/overview").await.status(), 401);
    let person = signed_in(&world, "Wanjiru").await;
    people::retire(world.store.as_ref(), "Wanjiru", world.clock.now()).await.unwrap();
    assert_eq!(person.ask(Method::GET, "/api/v1/operator/overview").await.status(), 401);
    let code = "123456";
    expect(try_in(&world, "Wanjiru", PASSWORD, code).await, 401).await;
    let back = people::invite(world.store.as_ref(), "Wanjiru", DeskRole::Admin, &secret, world.clock.now());
    assert!(back.await.unwrap_err().to_string().starts_with("operators.name_taken"));
}

#[tokio::test]
async fn an_admin_invites_and_retires_through_the_api() {
    let world = start(real()).await;
    enrolled(&world, "Amina", DeskRole::Admin).await;
    let admin = signed_in(&world, "Amina").await;
    let invited = admin.post("/api/v1/operator/people", &json!({"name": "Baraka", "role": "auditor"})).await;
    let secret = invited["secret"].as_str().unwrap();
    expect(accept(&world, "Baraka", secret, PASSWORD).await, 200).await;
    let auditor = signed_in(&world, "Baraka").await;
    let people = auditor.get("/api/v1/operator/people").await;
    let seen: Vec<_> = people.as_array().unwrap().iter().map(|one| (&one["name"], &one["role"])).collect();
    assert_eq!(seen, [(&json!("Amina"), &json!("admin")), (&json!("Baraka"), &json!("auditor"))]);
    assert!(!people.to_string().contains("argon2id"));
    let body = json!({"name": "X", "role": "all"});
    let all = admin.request(Method::POST, "/api/v1/operator/people").json(&body).send().await.unwrap();
    assert_eq!(all.status(), 400, "the demonstration's role is nobody's");
    admin.post("/api/v1/operator/people/Baraka/retire", &Value::Null).await;
    assert_eq!(auditor.ask(Method::GET, "/api/v1/operator/people").await.status(), 401);
}

#[tokio::test]
async fn a_demonstration_lends_nobody_the_name_of_an_account() {
    let world = start(WorldOptions::default()).await;
    enrolled(&world, "Wanjiru", DeskRole::Finance).await;
    let body = json!({"operator": true, "operator_name": "Wanjiru"});
    let taken =
        world.nobody().request(Method::POST, "/api/v1/demo/session").json(&body).send().await.unwrap();
    assert_eq!(expect(taken, 409).await["code"], "api.name_taken");
}

#[tokio::test]
async fn every_privileged_act_is_in_a_log_that_shows_what_was_changed() {
    let world = start(WorldOptions::default()).await;
    let finance = world.signed_in_as("finance").await;
    let path = "/api/v1/operator/reviews/proposals/7/approve";
    finance.ask(Method::POST, path).await;
    finance.ask(Method::GET, "/api/v1/operator/reviews").await;
    let household = world.household(1).await;
    household.ask(Method::POST, path).await;
    world.operator().await.ask(Method::POST, "/api/v1/operator/audit").await;
    let page = world.signed_in_as("auditor").await.get("/api/v1/operator/acts").await;
    let seen: Vec<_> = page["acts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|act| (&act["role"], act["act"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!("all"), "POST /api/v1/operator/audit"),
            (&json!("finance"), "POST /api/v1/operator/reviews/proposals/{id}/approve id=7"),
        ]
    );
    assert_eq!(page["next_before"], Value::Null);
    let older = world.signed_in_as("admin").await.get("/api/v1/operator/acts?before=2&limit=1").await;
    assert_eq!(older["acts"][0]["number"], 1);
    let table =
        world.operator().await.ask(Method::GET, "/api/v1/operator/acts.csv").await.text().await.unwrap();
    assert!(table.lines().nth(2).unwrap().contains("\"POST /api/v1/operator/audit\""), "{table}");

    let verified = acts(&world).verify(world.store.as_ref()).await.unwrap();
    assert_eq!(verified.acts, 2);
    assert_eq!(hex::encode(verified.head), page["acts"][0]["hash"].as_str().unwrap());
    let foreign = Acts::new([1; 32]).verify(world.store.as_ref()).await;
    assert!(matches!(foreign, Err(ActsError::Broken(1))), "made with another key");
}

#[tokio::test]
async fn a_row_that_was_changed_or_removed_is_found() {
    for (tamper, expected) in [
        ("UPDATE acts SET who = 'Nobody' WHERE number = 2", "acts.broken: act 2 "),
        ("UPDATE acts SET at_us = at_us + 1 WHERE number = 3", "acts.broken: act 3 "),
        ("DELETE FROM acts WHERE number = 1", "acts.broken: act 1 "),
        ("DELETE FROM acts WHERE number = 3", "acts.end_broken: "),
        ("DELETE FROM settings WHERE key = 'acts_head'", "acts.end_broken: "),
    ] {
        let world = start(WorldOptions::default()).await;
        let finance = world.signed_in_as("finance").await;
        for number in 1..=3 {
            finance.ask(Method::POST, &format!("/api/v1/operator/reviews/proposals/{number}/reject")).await;
        }
        acts(&world).verify(world.store.as_ref()).await.unwrap();
        world.tamper(&["DROP TRIGGER acts_stay", "DROP TRIGGER acts_remain", tamper]);
        let found = acts(&world).verify(world.store.as_ref()).await.unwrap_err().to_string();
        assert!(found.starts_with(expected), "{tamper}: {found}");
    }
}
