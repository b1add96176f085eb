//! Every route x every role.

use crate::support::{WorldOptions, start};
use jirani_store::{Change, PayWith};
use reqwest::Method;
use std::collections::BTreeSet;

/// Who may use a route, by role; "nobody" is whoever is not signed in.
type For = &'static [&'static str];

/// A demonstration's operator is named "demo": operator, finance and auditor in one.
const ROLES: For = &["nobody", "household", "operator", "finance", "auditor", "admin", "demo"];
const ANYBODY: For = ROLES;
const SIGNED_IN: For = &["household", "operator", "finance", "auditor", "admin", "demo"];
const HOUSEHOLD: For = &["household"];
const DESK: For = &["operator", "finance", "auditor", "admin", "demo"];
const SEE_GRID: For = &["operator", "auditor", "admin", "demo"];
const RUN_GRID: For = &["operator", "demo"];
const SEE_MONEY: For = &["finance", "auditor", "admin", "demo"];
const RUN_MONEY: For = &["finance", "demo"];
const SEE_PEOPLE: For = &["auditor", "admin", "demo"];
const RUN_PEOPLE: For = &["admin"];

/// The table. A route that is missing here fails the test.
const ROUTES: &[(&str, &str, For)] = &[
    ("get", "/health", ANYBODY),
    ("get", "/ready", ANYBODY),
    ("get", "/api/v1/config", ANYBODY),
    ("get", "/api/v1/demo/households", ANYBODY),
    ("post", "/api/v1/demo/session", ANYBODY),
    ("get", "/api/v1/demo/handsets/{household}", ANYBODY),
    ("post", "/api/v1/demo/handsets/{household}/ussd", ANYBODY),
    ("post", "/api/v1/demo/handsets/{household}/sms", ANYBODY),
    ("post", "/api/v1/sign-in/code", ANYBODY),
    ("post", "/api/v1/sign-in", ANYBODY),
    ("post", "/api/v1/operator/sign-in", ANYBODY),
    ("post", "/api/v1/operator/accept", ANYBODY),
    ("post", "/api/v1/session/pin", HOUSEHOLD),
    ("post", "/api/v1/me/pin", HOUSEHOLD),
    ("get", "/api/v1/me/devices", HOUSEHOLD),
    ("delete", "/api/v1/me/devices", HOUSEHOLD),
    ("delete", "/api/v1/me/devices/{id}", HOUSEHOLD),
    ("get", "/api/v1/operator/people", SEE_PEOPLE),
    ("post", "/api/v1/operator/people", RUN_PEOPLE),
    ("post", "/api/v1/operator/people/{name}/reset", RUN_PEOPLE),
    ("post", "/api/v1/operator/people/{name}/retire", RUN_PEOPLE),
    ("get", "/api/v1/operator/acts", SEE_PEOPLE),
    ("get", "/api/v1/operator/acts.csv", SEE_PEOPLE),
    ("delete", "/api/v1/session", SIGNED_IN),
    ("get", "/api/v1/offers", SIGNED_IN),
    ("get", "/api/v1/calls", SIGNED_IN),
    ("get", "/api/v1/events", SIGNED_IN),
    ("get", "/api/v1/me", HOUSEHOLD),
    ("get", "/api/v1/me/home", HOUSEHOLD),
    ("get", "/api/v1/me/forecast", HOUSEHOLD),
    ("get", "/api/v1/me/movements", HOUSEHOLD),
    ("get", "/api/v1/me/notices", HOUSEHOLD),
    ("get", "/api/v1/me/statement", HOUSEHOLD),
    ("get", "/api/v1/me/bills", HOUSEHOLD),
    ("get", "/api/v1/me/bills/{day}", HOUSEHOLD),
    ("get", "/api/v1/me/bills.csv", HOUSEHOLD),
    ("get", "/api/v1/me/shortfall", HOUSEHOLD),
    ("post", "/api/v1/me/shortfall/disputes", HOUSEHOLD),
    ("post", "/api/v1/me/shortfall/emergency", HOUSEHOLD),
    ("get", "/api/v1/me/offers", HOUSEHOLD),
    ("post", "/api/v1/me/offers", HOUSEHOLD),
    ("delete", "/api/v1/me/offers/{id}", HOUSEHOLD),
    ("post", "/api/v1/me/buy-back", HOUSEHOLD),
    ("get", "/api/v1/me/rules", HOUSEHOLD),
    ("put", "/api/v1/me/rules", HOUSEHOLD),
    ("post", "/api/v1/me/quotes", HOUSEHOLD),
    ("get", "/api/v1/me/orders", HOUSEHOLD),
    ("post", "/api/v1/me/orders", HOUSEHOLD),
    ("get", "/api/v1/me/orders/{id}", HOUSEHOLD),
    ("get", "/api/v1/me/payouts", HOUSEHOLD),
    ("post", "/api/v1/me/payouts", HOUSEHOLD),
    ("get", "/api/v1/me/payouts/{id}", HOUSEHOLD),
    ("post", "/api/v1/me/payouts/quote", HOUSEHOLD),
    ("get", "/api/v1/operator/overview", DESK),
    ("get", "/api/v1/operator/households", DESK),
    ("get", "/api/v1/operator/payments", SEE_MONEY),
    ("get", "/api/v1/operator/quarantine", SEE_GRID),
    ("get", "/api/v1/operator/meters", SEE_GRID),
    ("get", "/api/v1/operator/meters/{meter}/history", SEE_GRID),
    ("post", "/api/v1/operator/meters/claim", RUN_GRID),
    ("post", "/api/v1/operator/meters/firmware", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/replace", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/rotate", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/challenge", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/approve", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/reject", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/retire", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/release", RUN_GRID),
    ("post", "/api/v1/operator/meters/{meter}/epoch", RUN_GRID),
    ("get", "/api/v1/operator/evidence", SEE_GRID),
    ("get", "/api/v1/operator/refusals", SEE_GRID),
    ("get", "/api/v1/operator/notices", DESK),
    ("get", "/api/v1/operator/payouts/queue", SEE_MONEY),
    ("post", "/api/v1/operator/payouts/resume", RUN_MONEY),
    ("get", "/api/v1/operator/households/{id}/statement", SEE_MONEY),
    ("get", "/api/v1/operator/tax-export", SEE_MONEY),
    ("get", "/api/v1/operator/float", SEE_MONEY),
    ("post", "/api/v1/operator/float", RUN_MONEY),
    ("get", "/api/v1/operator/tariffs", DESK),
    ("post", "/api/v1/operator/tariffs", RUN_MONEY),
    ("get", "/api/v1/operator/slot-reports", SEE_GRID),
    ("post", "/api/v1/operator/curtailments", RUN_GRID),
    ("get", "/api/v1/operator/shortfalls", SEE_GRID),
    ("get", "/api/v1/operator/households/{id}/shortfall", SEE_GRID),
    ("post", "/api/v1/operator/households/{id}/shortfall", RUN_GRID),
    ("get", "/api/v1/operator/audit", DESK),
    ("post", "/api/v1/operator/audit", SEE_GRID),
    ("get", "/api/v1/operator/findings", SEE_GRID),
    ("get", "/api/v1/operator/findings/{id}", SEE_GRID),
    ("post", "/api/v1/operator/findings/{id}/decide", RUN_GRID),
    ("get", "/api/v1/operator/reviews", SEE_MONEY),
    ("get", "/api/v1/operator/reviews/proposals", SEE_MONEY),
    ("post", "/api/v1/operator/reviews/propose", RUN_MONEY),
    ("post", "/api/v1/operator/reviews/proposals/{id}/approve", RUN_MONEY),
    ("post", "/api/v1/operator/reviews/proposals/{id}/reject", RUN_MONEY),
    ("get", "/api/v1/operator/reconciliation", SEE_MONEY),
    ("post", "/api/v1/operator/reconciliation", RUN_MONEY),
    ("get", "/api/v1/operator/reconciliation/{id}", SEE_MONEY),
    ("post", "/api/v1/operator/reconciliation/statement", RUN_MONEY),
    ("post", "/api/v1/operator/households/{id}/phone/clear", RUN_GRID),
    ("post", "/ussd/{secret}", ANYBODY),
    ("post", "/sms/{secret}/report", ANYBODY),
    ("post", "/sms/{secret}/inbound", ANYBODY),
    ("post", "/hooks/stk/{secret}", ANYBODY),
    ("post", "/hooks/b2c/{secret}/result", ANYBODY),
    ("post", "/hooks/b2c/{secret}/timeout", ANYBODY),
    ("post", "/hooks/c2b/{secret}/confirmation", ANYBODY),
    ("post", "/hooks/c2b/{secret}/validation", ANYBODY),
    ("post", "/hooks/answer/{secret}/result", ANYBODY),
    ("post", "/hooks/answer/{secret}/timeout", ANYBODY),
];

#[test]
fn the_table_names_every_route_and_no_other() {
    let document: serde_json::Value = serde_json::from_str(&jirani_api::openapi::text().unwrap()).unwrap();
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
        })
        .collect();
    let listed = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(documented, listed);
}

#[tokio::test]
async fn every_route_opens_for_those_it_is_for_and_for_nobody_else() {
    let world = start(WorldOptions::default()).await;
    // Figures are no part of the document.
    for (method, path, may) in ROUTES.iter().chain(&[("get", "/metrics", SEE_GRID)]) {
        let method: Method = method.to_uppercase().parse().unwrap();
        let path = path.replace("{id}", "7").replace("{secret}", "0123456789abcdef0123456789abcdef");
        let path = path.replace("{household}", "1").replace("{meter}", "01010101010101010101010101010101");
        for role in ROLES {
            // New sessions each time: one of the routes ends them.
            let person = world.signed_in_as(role).await;
            let status = person.ask(method.clone(), &path).await.status().as_u16();
            let expected = match (may.contains(role), *role) {
                (true, _) => None,
                (false, "nobody") => Some(401),
                (false, _) => Some(403),
            };
            let refused = matches!(status, 401 | 403).then_some(status);
            assert_eq!(refused, expected, "{method} {path} as {role}: {status}");
            assert_ne!(status, 500, "{method} {path} as {role}");
        }
    }
    world.api.stop().await;
}

#[tokio::test]
async fn what_belongs_to_another_household_does_not_exist() {
    let world = start(WorldOptions::default()).await;
    let order = crate::waiting::order(1, PayWith::Balance);
    let payout = crate::waiting::payout(1);
    let offer = crate::waiting::offer(1);
    let changes = vec![Change::Order(order), Change::Payout(payout), Change::Offer(offer)];
    world.store.commit(changes).await.unwrap();
    let (owner, other) = (world.household(1).await, world.household(2).await);
    for path in ["/api/v1/me/orders/7", "/api/v1/me/payouts/7"] {
        assert_eq!(owner.ask(Method::GET, path).await.status(), 200, "{path}");
        assert_eq!(other.ask(Method::GET, path).await.status(), 404, "{path}");
        let unknown = other.ask(Method::GET, &path.replace('7', "8")).await.text().await.unwrap();
        let foreign = other.ask(Method::GET, path).await.text().await.unwrap();
        let without_id = |text: &str| text.split("\"request_id\"").next().unwrap().to_owned();
        assert_eq!(without_id(&unknown), without_id(&foreign), "the two cannot be told apart");
    }
    assert_eq!(other.ask(Method::DELETE, "/api/v1/me/offers/7").await.status(), 404);
    for (path, own) in [
        ("/api/v1/me/orders", 1),
        ("/api/v1/me/payouts", 1),
        ("/api/v1/me/offers", 1),
        ("/api/v1/me/movements", 2),
    ] {
        assert_eq!(owner.get(path).await.as_array().unwrap().len(), own, "{path}");
        assert_eq!(other.get(path).await.as_array().unwrap().len(), 0, "{path}");
    }
    world.api.stop().await;
}
