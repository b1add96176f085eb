//! What bad requests get.

use crate::support::{WorldOptions, expect, start};
use reqwest::{Method, header};
use serde_json::json;

#[tokio::test]
async fn every_error_has_a_code_a_sentence_and_the_id_of_the_request() {
    let world = start(WorldOptions::default()).await;
    let household = world.household(1).await;
    let text = |body: &'static str| {
        household
            .request(Method::POST, "/api/v1/me/quotes")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    };
    let requests = [
        (404, "api.no_such_route", household.request(Method::GET, "/api/v1/nothing")),
        (404, "api.no_such_route", household.request(Method::GET, "/hooks/nothing")),
        (405, "api.wrong_method", household.request(Method::PUT, "/api/v1/me")),
        (404, "api.not_found", household.request(Method::GET, "/api/v1/me/orders/abc")),
        (404, "api.not_found", household.request(Method::GET, "/api/v1/me/orders/9007199254740992")),
        (404, "api.not_found", household.request(Method::GET, "/api/v1/me/orders/-1")),
        (400, "api.query_invalid", household.request(Method::GET, "/api/v1/me/orders?limit=many")),
        (400, "api.query_invalid", household.request(Method::GET, "/api/v1/me/orders?page=2")),
        (415, "api.content_type", household.request(Method::POST, "/api/v1/me/quotes").body("{}")),
        (400, "api.body_invalid", text("{")),
        (400, "api.body_invalid", text("{\"energy_wh\": 1.5}")),
        (400, "api.body_invalid", text("{\"energy_wh\": \"1\"}")),
        (400, "api.body_invalid", text("{\"energy_wh\": 9007199254740992}")),
        (400, "api.body_invalid", text("{\"energy_wh\": 1, \"friend\": 2}")),
        (400, "api.want_unclear", text("{}")),
        (400, "api.want_unclear", text("{\"energy_wh\": 0}")),
        (400, "api.want_unclear", text("{\"energy_wh\": 1, \"amount_cents\": 1}")),
        (
            413,
            "api.body_too_large",
            household.request(Method::POST, "/api/v1/me/quotes").json(&"x".repeat(16 * 1024)),
        ),
        (401, "api.not_signed_in", world.nobody().request(Method::GET, "/api/v1/me")),
    ];
    for (status, code, request) in requests {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body = expect(response, status).await;
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["request_id"], id.as_str());
        assert!(body["detail"].as_str().unwrap().len() > 10, "{body}");
        assert!(body["detail_sw"].as_str().unwrap().len() > 10, "{body}");
        assert_ne!(body["detail"], body["detail_sw"], "both languages");
        assert_eq!(
            (&body["status"], &body["type"]),
            (&json!(status), &json!(format!("urn:jirani:problem:{code}")))
        );
        assert_eq!(body.as_object().unwrap().len(), 7);
    }
}

#[tokio::test]
async fn what_moves_money_needs_a_key() {
    let world = start(WorldOptions::default()).await;
    let household = world.household(1).await;
    for (path, body) in [
        ("/api/v1/me/offers", json!({"energy_wh": 1, "price_cents_per_kwh": 2500, "expires_in_s": 60})),
        ("/api/v1/me/orders", json!({"energy_wh": 1, "pay_with": "mpesa"})),
        ("/api/v1/me/payouts", json!({"amount_cents": 100_000})),
    ] {
        let without = household.request(Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!(expect(without, 400).await["code"], "api.idempotency_key_missing", "{path}");
        for key in ["", "two words", &"k".repeat(65)] {
            let invalid = household.post_with_key(path, key, &body).await;
            assert_eq!(expect(invalid, 400).await["code"], "api.idempotency_key_invalid", "{path} {key}");
        }
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let world = start(WorldOptions::default()).await;
    let error = crate::support::start_on(&world, world.api.addr).await.err().unwrap().to_string();
    assert!(error.starts_with("api.port_in_use:"), "{error}");
    assert!(error.contains(&world.api.addr.port().to_string()), "{error}");
}
