//! Every route x every role.

use crate::support::{WorldOptions, start};
use jirani_store::{Change, PayWith};
use reqwest::Method;
use std::collections::BTreeSet;

/// Who may use a route.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Anybody,
    SignedIn,
    Household,
    Operator,
}

use For::{Anybody, Household, Operator, SignedIn};

/// The table. A route that is missing here fails the test.
const ROUTES: &[(&str, &str, For)] = &[
    ("get", "/health", Anybody),
    ("get", "/ready", Anybody),
    ("get", "/api/v1/config", Anybody),
    ("get", "/api/v1/demo/households", Anybody),
    ("post", "/api/v1/demo/session", Anybody),
    ("get", "/api/v1/demo/handsets/{household}", Anybody),
    ("post", "/api/v1/demo/handsets/{household}/ussd", Anybody),
    ("post", "/api/v1/demo/handsets/{household}/sms", Anybody),
    ("delete", "/api/v1/session", SignedIn),
    ("get", "/api/v1/offers", SignedIn),
    ("get", "/api/v1/calls", SignedIn),
    ("get", "/api/v1/events", SignedIn),
    ("get", "/api/v1/me", Household),
    ("get", "/api/v1/me/home", Household),
    ("get", "/api/v1/me/forecast", Household),
    ("get", "/api/v1/me/movements", Household),
    ("get", "/api/v1/me/notices", Household),
    ("get", "/api/v1/me/statement", Household),
    ("get", "/api/v1/me/bills", Household),
    ("get", "/api/v1/me/bills/{day}", Household),
    ("get", "/api/v1/me/bills.csv", Household),
    ("get", "/api/v1/me/shortfall", Household),
    ("post", "/api/v1/me/shortfall/disputes", Household),
    ("post", "/api/v1/me/shortfall/emergency", Household),
    ("get", "/api/v1/me/offers", Household),
    ("post", "/api/v1/me/offers", Household),
    ("delete", "/api/v1/me/offers/{id}", Household),
    ("post", "/api/v1/me/buy-back", Household),
    ("get", "/api/v1/me/rules", Household),
    ("put", "/api/v1/me/rules", Household),
    ("post", "/api/v1/me/quotes", Household),
    ("get", "/api/v1/me/orders", Household),
    ("post", "/api/v1/me/orders", Household),
    ("get", "/api/v1/me/orders/{id}", Household),
    ("get", "/api/v1/me/payouts", Household),
    ("post", "/api/v1/me/payouts", Household),
    ("get", "/api/v1/me/payouts/{id}", Household),
    ("post", "/api/v1/me/payouts/quote", Household),
    ("get", "/api/v1/operator/overview", Operator),
    ("get", "/api/v1/operator/households", Operator),
    ("get", "/api/v1/operator/payments", Operator),
    ("get", "/api/v1/operator/quarantine", Operator),
    ("get", "/api/v1/operator/meters", Operator),
    ("get", "/api/v1/operator/meters/{meter}/history", Operator),
    ("post", "/api/v1/operator/meters/claim", Operator),
    ("post", "/api/v1/operator/meters/firmware", Operator),
    ("post", "/api/v1/operator/meters/{meter}/replace", Operator),
    ("post", "/api/v1/operator/meters/{meter}/rotate", Operator),
    ("post", "/api/v1/operator/meters/{meter}/challenge", Operator),
    ("post", "/api/v1/operator/meters/{meter}/approve", Operator),
    ("post", "/api/v1/operator/meters/{meter}/reject", Operator),
    ("post", "/api/v1/operator/meters/{meter}/retire", Operator),
    ("post", "/api/v1/operator/meters/{meter}/release", Operator),
    ("post", "/api/v1/operator/meters/{meter}/epoch", Operator),
    ("get", "/api/v1/operator/evidence", Operator),
    ("get", "/api/v1/operator/refusals", Operator),
    ("get", "/api/v1/operator/notices", Operator),
    ("get", "/api/v1/operator/payouts/queue", Operator),
    ("post", "/api/v1/operator/payouts/resume", Operator),
    ("get", "/api/v1/operator/households/{id}/statement", Operator),
    ("get", "/api/v1/operator/tax-export", Operator),
    ("get", "/api/v1/operator/float", Operator),
    ("post", "/api/v1/operator/float", Operator),
    ("get", "/api/v1/operator/tariffs", Operator),
    ("post", "/api/v1/operator/tariffs", Operator),
    ("get", "/api/v1/operator/slot-reports", Operator),
    ("post", "/api/v1/operator/curtailments", Operator),
    ("get", "/api/v1/operator/shortfalls", Operator),
    ("get", "/api/v1/operator/households/{id}/shortfall", Operator),
    ("post", "/api/v1/operator/households/{id}/shortfall", Operator),
    ("get", "/api/v1/operator/audit", Operator),
    ("post", "/api/v1/operator/audit", Operator),
    ("get", "/api/v1/operator/findings", Operator),
    ("get", "/api/v1/operator/findings/{id}", Operator),
    ("post", "/api/v1/operator/findings/{id}/decide", Operator),
    ("get", "/api/v1/operator/reviews", Operator),
    ("get", "/api/v1/operator/reviews/proposals", Operator),
    ("post", "/api/v1/operator/reviews/propose", Operator),
    ("post", "/api/v1/operator/reviews/proposals/{id}/approve", Operator),
    ("post", "/api/v1/operator/reviews/proposals/{id}/reject", Operator),
    ("get", "/api/v1/operator/reconciliation", Operator),
    ("post", "/api/v1/operator/reconciliation", Operator),
    ("get", "/api/v1/operator/reconciliation/{id}", Operator),
    ("post", "/api/v1/operator/reconciliation/statement", Operator),
    ("post", "/api/v1/operator/households/{id}/phone/clear", Operator),
    ("post", "/ussd/{secret}", Anybody),
    ("post", "/sms/{secret}/report", Anybody),
    ("post", "/sms/{secret}/inbound", Anybody),
    ("post", "/hooks/stk/{secret}", Anybody),
    ("post", "/hooks/b2c/{secret}/result", Anybody),
    ("post", "/hooks/b2c/{secret}/timeout", Anybody),
    ("post", "/hooks/c2b/{secret}/confirmation", Anybody),
    ("post", "/hooks/c2b/{secret}/validation", Anybody),
    ("post", "/hooks/answer/{secret}/result", Anybody),
    ("post", "/hooks/answer/{secret}/timeout", Anybody),
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
    for (method, path, right) in ROUTES {
        let method: Method = method.to_uppercase().parse().unwrap();
        let path = path.replace("{id}", "7").replace("{secret}", "0123456789abcdef0123456789abcdef");
        let path = path.replace("{household}", "1");
        // New sessions each time: one of the routes ends them.
        let people = [
            ("nobody", world.nobody(), *right == Anybody),
            ("household", world.household(1).await, *right != Operator),
            ("operator", world.operator().await, *right != Household),
        ];
        for (who, person, may) in people {
            let status = person.ask(method.clone(), &path).await.status().as_u16();
            let refused = matches!(status, 401 | 403);
            assert_eq!(refused, !may, "{method} {path} as {who}: {status}");
            if !may {
                assert_eq!(
                    status,
                    if person.token.is_none() { 401 } else { 403 },
                    "{method} {path} as {who}"
                );
            }
            assert_ne!(status, 500, "{method} {path} as {who}");
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
