//! Dated prices: announced by the operator, seen by all.

use crate::support::{WorldOptions, expect, start};
use jirani_units::Clock as _;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/operator/tariffs";

fn wish(from: &str) -> Value {
    json!({
        "from": from,
        "retail_cents_per_kwh": 6_500,
        "buy_back_cents_per_kwh": 2_200,
        "grid_fee_cents_per_kwh": 500,
        "tax_cents_per_kwh": 300,
    })
}

#[tokio::test]
async fn the_operator_announces_once_and_everybody_sees_the_coming_price_then_the_new_one() {
    let world = start(WorldOptions::default()).await;
    let operator = world.operator().await;
    let [first] = operator.get(PATH).await.as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(
        (&first["state"], &first["until"], &first["announced_by"]),
        (&json!("in_force"), &json!(null), &json!(null))
    );
    assert_eq!(world.nobody().get("/api/v1/config").await["next_tariff"], Value::Null);

    let from = world.clock.now().plus_seconds(86_400).to_string();
    let from = format!("{}:00:00Z", &from[..13]);
    let announced = expect(operator.post_with_key(PATH, "december", &wish(&from)).await, 200).await;
    let again = expect(operator.post_with_key(PATH, "december", &wish(&from)).await, 200).await;
    assert_eq!(announced, again);
    assert_eq!((&announced["number"], &announced["state"]), (&json!(2), &json!("announced")));
    assert_eq!(announced["announced_by"], "operator");
    let config = world.nobody().get("/api/v1/config").await;
    assert_eq!(config["tariff"]["retail_cents_per_kwh"], 6_000);
    assert_eq!(
        (&config["next_tariff"]["from"], &config["next_tariff"]["tariff"]["retail_cents_per_kwh"]),
        (&json!(from), &json!(6_500))
    );
    let household = world.household(1).await;
    let notices = household.get("/api/v1/me/notices").await;
    assert_eq!(notices[0]["code"], "tariff_announced", "{notices}");

    world.clock.advance_to(from.parse().unwrap());
    let config = world.nobody().get("/api/v1/config").await;
    assert_eq!(
        (&config["tariff"]["retail_cents_per_kwh"], &config["next_tariff"]),
        (&json!(6_500), &Value::Null)
    );
    // A day later the session of before has ended.
    let listed = world.operator().await.get(PATH).await;
    assert_eq!(
        (&listed[0]["state"], &listed[0]["until"], &listed[1]["state"]),
        (&json!("past"), &json!(from), &json!("in_force"))
    );
    world.api.stop().await;
}

#[tokio::test]
async fn a_bad_announcement_is_refused_in_words_and_a_household_makes_none() {
    let world = start(WorldOptions::default()).await;
    let operator = world.operator().await;
    let good = "2027-01-01T03:00:00Z";
    let mut dear = wish(good);
    dear["buy_back_cents_per_kwh"] = json!(6_400);
    for (key, body, status, code) in [
        ("past", wish("2020-01-01T03:00:00Z"), 422, "market.tariff_in_past"),
        ("off", wish("2027-01-01T03:01:00Z"), 422, "market.tariff_off_slot"),
        ("dear", dear, 422, "market.no_margin"),
        ("local", wish("2027-01-01T06:00:00+03:00"), 400, "api.body_invalid"),
    ] {
        let refused = expect(operator.post_with_key(PATH, key, &body).await, status).await;
        assert_eq!(refused["code"], code, "{refused}");
        assert!(refused["detail"].as_str().unwrap().len() > 20, "{refused}");
    }
    expect(operator.post_with_key(PATH, "key", &wish(good)).await, 200).await;
    let other = expect(operator.post_with_key(PATH, "key", &wish("2027-01-01T03:15:00Z")).await, 409).await;
    assert_eq!(other["code"], "settlement.key_reused");
    let household = world.household(1).await;
    let refused = expect(household.post_with_key(PATH, "mine", &wish(good)).await, 403).await;
    assert_eq!(refused["code"], "api.operator_only");
    let without =
        expect(operator.request(reqwest::Method::POST, PATH).json(&wish(good)).send().await.unwrap(), 400)
            .await;
    assert!(without["code"].as_str().unwrap().starts_with("api."), "{without}");
    assert_eq!(operator.get(PATH).await.as_array().unwrap().len(), 2);
    world.api.stop().await;
}
