//! A household's rules: set whole, or refused in words.

use crate::support::{Person, WorldOptions, expect, start};
use reqwest::Method;
use serde_json::{Value, json};

fn sell() -> Value {
    json!({"keep_wh": 2_000, "floor_cents_per_kwh": 2_500, "acting": "act"})
}

fn buy() -> Value {
    json!({"in_hand_wh": 1_500, "price_max_cents_per_kwh": 4_000, "budget_per_day_cents": 20_000, "acting": "notify"})
}

async fn put(person: &Person<'_>, body: &Value, status: u16) -> Value {
    expect(person.request(Method::PUT, "/api/v1/me/rules").json(body).send().await.unwrap(), status).await
}

#[tokio::test]
async fn a_household_reads_the_rules_it_set_and_can_drop_them() {
    let world = start(WorldOptions::default()).await;
    let person = world.household(1).await;
    assert_eq!(person.get("/api/v1/me/rules").await, json!({"sell": null, "buy": null, "set_at": null}));
    let rules = put(&person, &json!({"sell": sell(), "buy": buy()}), 200).await;
    assert_eq!((&rules["sell"], &rules["buy"]), (&sell(), &buy()));
    assert!(rules["set_at"].is_string());
    assert_eq!(person.get("/api/v1/me/rules").await, rules);
    let calls = person.get("/api/v1/calls").await;
    assert_eq!((&calls["feeder"], &calls["calls"]), (&json!(1), &json!([])));
    assert_eq!(calls["draws_bound_by"].as_str().unwrap().len(), 64, "bound before any rule acts");
    assert_eq!(world.household(2).await.get("/api/v1/me/rules").await["sell"], Value::Null, "nobody else's");
    let covering = json!({"price_max_cents_per_kwh": 6_000, "budget_per_day_cents": 1, "acting": "act"});
    let rules = put(&person, &json!({"buy": covering}), 200).await;
    assert_eq!((&rules["sell"], &rules["buy"]["in_hand_wh"]), (&Value::Null, &Value::Null));
    let none = put(&person, &json!({}), 200).await;
    assert_eq!((&none["sell"], &none["buy"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_in_words_and_the_old_ones_stay() {
    let world = start(WorldOptions::default()).await;
    let person = world.household(1).await;
    let rules = put(&person, &json!({"sell": sell(), "buy": buy()}), 200).await;
    let changed = |rule: &Value, field: &str, value: Value| {
        let mut rule = rule.clone();
        rule[field] = value;
        rule
    };
    for (wish, code, word) in [
        (
            json!({"sell": changed(&sell(), "keep_wh", json!(1_000)), "buy": buy()}),
            "market.rule_contradiction",
            "keep at least as much",
        ),
        (
            json!({"buy": changed(&buy(), "budget_per_day_cents", json!(0))}),
            "market.rule_budget_zero",
            "switch the rule off",
        ),
        (
            json!({"buy": changed(&buy(), "budget_per_day_cents", json!(9_007_199_254_740_991_i64))}),
            "market.rule_budget_too_large",
            "at most",
        ),
        (
            json!({"sell": changed(&sell(), "floor_cents_per_kwh", json!(1_999))}),
            "market.rule_floor_out_of_bounds",
            "20.00/kWh to KSh 52.00/kWh",
        ),
        (
            json!({"sell": changed(&sell(), "floor_cents_per_kwh", json!(5_201))}),
            "market.rule_floor_out_of_bounds",
            "20.00/kWh to KSh 52.00/kWh",
        ),
        (
            json!({"buy": changed(&buy(), "price_max_cents_per_kwh", json!(6_001))}),
            "market.rule_price_out_of_bounds",
            "28.00/kWh to KSh 60.00/kWh",
        ),
        (json!({"buy": changed(&buy(), "in_hand_wh", json!(0))}), "market.rule_in_hand_zero", "say how much"),
        (
            json!({"sell": changed(&sell(), "keep_wh", json!(1_000_001))}),
            "market.rule_energy_too_large",
            "at most",
        ),
    ] {
        let refused = put(&person, &wish, 422).await;
        assert_eq!(refused["code"], code, "{wish}");
        let message = refused["detail"].as_str().unwrap();
        assert!(message.contains(word), "{message}");
    }
    for odd in [
        json!({"sell": {"keep_wh": -1, "floor_cents_per_kwh": 2_500, "acting": "act"}}),
        json!({"sell": {"keep_wh": 1, "floor_cents_per_kwh": 2_500, "acting": "perhaps"}}),
        json!({"sell": {"keep_wh": 1, "floor_cents_per_kwh": 2_500}}),
        json!({"sel": null}),
    ] {
        assert_eq!(put(&person, &odd, 400).await["code"], "api.body_invalid", "{odd}");
    }
    assert_eq!(person.get("/api/v1/me/rules").await, rules);
}
