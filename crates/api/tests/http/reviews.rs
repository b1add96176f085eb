//! The review desk and the reconciliation.

use crate::support::{Person, World, WorldOptions, expect, start};
use reqwest::Method;
use serde_json::{Value, json};

const COLUMNS: &str =
    "Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Reason Type,A/C No.\n";
const UPLOAD: &str = "/api/v1/operator/reconciliation/statement?account=collection";

async fn operator<'a>(world: &'a World, name: &str) -> Person<'a> {
    let who = json!({"operator": true, "operator_name": name});
    let session = world.nobody().post("/api/v1/demo/session", &who).await;
    assert_eq!(session["operator_name"], name);
    Person { world, token: Some(session["token"].as_str().unwrap().to_owned()) }
}

async fn upload(person: &Person<'_>, csv: String) -> reqwest::Response {
    person.request(Method::POST, UPLOAD).header("Content-Type", "text/csv").body(csv).send().await.unwrap()
}

async fn no(person: &Person<'_>, path: &str, body: &Value, status: u16) -> String {
    let answer = person.request(Method::POST, path).json(body).send().await.unwrap();
    expect(answer, status).await["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_statement_is_compared_and_two_operators_decide_what_is_nobodys() {
    let world = start(WorldOptions::default()).await;
    let (amina, baraka) = (operator(&world, "Amina").await, operator(&world, "Baraka").await);
    let line = "UJ3AAAA001,2026-11-22 17:00:00,Pay Bill,Completed,50.00,,50.00,Pay Bill,KUKU\n";
    // A portal's preamble and cancelled lines make it larger than an ordinary body.
    let cancelled = "UJ3AAAA002,2026-11-22 17:00:01,Pay Bill,Cancelled,9.00,,,Pay Bill,\n".repeat(2_000);
    let found = upload(&amina, format!("{COLUMNS}{line}{cancelled}")).await;
    let found = expect(found, 200).await;
    assert_eq!((&found["summary"]["apart"], &found["matched"]["count"]), (&json!(0), &json!(1)));
    let book = &found["books"][0];
    assert_eq!((&book["difference_cents"], &book["unexplained_cents"]), (&json!(0), &json!(0)));
    let kept = baraka.get("/api/v1/operator/reconciliation").await;
    assert_eq!(kept, json!([found["summary"]]));
    let number = kept[0]["number"].as_u64().unwrap();
    assert_eq!(baraka.get(&format!("/api/v1/operator/reconciliation/{number}")).await, found);

    let key = "receipt/UJ3AAAA001/suspense";
    let reviews = baraka.get("/api/v1/operator/reviews").await;
    assert_eq!((&reviews[0]["key"], &reviews[0]["proposal"]), (&json!(key), &Value::Null));
    let decision = json!({"kind": "attach", "receipt": "UJ3AAAA001", "household_id": 2});
    let request = json!({"review": key, "decision": decision, "note": "he showed the message"});
    let proposal = amina.post("/api/v1/operator/reviews/propose", &request).await;
    assert_eq!(proposal["proposed_by"], "Amina");
    let doors = |word: &str| format!("/api/v1/operator/reviews/proposals/{}/{word}", proposal["number"]);
    assert_eq!(no(&amina, &doors("approve"), &Value::Null, 409).await, "review.same_person");
    assert_eq!(world.household(2).await.get("/api/v1/me/home").await["balance_cents"], json!(0));
    let approved = baraka.post(&doors("approve"), &Value::Null).await;
    assert_eq!((&approved["state"], &approved["decided_by"]), (&json!("approved"), &json!("Baraka")));
    assert_eq!(no(&amina, &doors("reject"), &Value::Null, 409).await, "review.decided");
    assert_eq!(world.household(2).await.get("/api/v1/me/home").await["balance_cents"], json!(5_000));
    assert_eq!(amina.get("/api/v1/operator/reviews").await, json!([]));
    assert_eq!(amina.get("/api/v1/operator/reviews/proposals").await, json!([approved]));
    let metrics = amina.ask(Method::GET, "/metrics").await.text().await.unwrap();
    for line in ["jirani_money_suspense_cents 0\n", "jirani_money_open_reviews 0\n"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn what_is_no_statement_no_decision_and_no_name_is_refused() {
    let world = start(WorldOptions::default()).await;
    let amina = operator(&world, "Amina").await;
    let refused = expect(upload(&amina, "a,b\n1,2\n".to_owned()).await, 422).await;
    assert_eq!(refused["code"], "statement.no_columns");
    expect(upload(&amina, "x".repeat(8 * 1_024 * 1_024 + 1)).await, 413).await;
    let propose = "/api/v1/operator/reviews/propose";
    for (decision, status, code) in [
        (json!({"kind": "explained"}), 404, "review.unknown"),
        (json!({"kind": "write_off", "receipt": "?"}), 400, "api.body_invalid"),
    ] {
        let request = json!({"review": "nothing", "decision": decision});
        assert_eq!(no(&amina, propose, &request, status).await, code);
    }
    for name in ["", " Amina", "a/b", &"a".repeat(41)] {
        let who = json!({"operator": true, "operator_name": name});
        assert_eq!(no(&world.nobody(), "/api/v1/demo/session", &who, 400).await, "api.body_invalid");
    }
}
