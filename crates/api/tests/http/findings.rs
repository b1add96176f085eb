//! The queue of findings, and what operators decide.

use crate::support::{Person, World, WorldOptions, expect, start};
use jirani_plausibility::Severity;
use jirani_store::{Change, FindingRecord, FindingState};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

fn finding(number: u64, household: u32) -> FindingRecord {
    FindingRecord {
        number,
        household: Some(HouseholdId(household)),
        meter: Some(MeterId([7; 16])),
        meter_epoch: 1,
        feeder: 1,
        from: Timestamp::from_seconds(1_780_272_000),
        until: Timestamp::from_seconds(1_780_272_900),
        code: "plausibility.night".to_owned(),
        severity: Severity::Hold,
        evidence: r#"{"export_wh":500,"most_wh":15}"#.to_owned(),
        state: FindingState::Open,
        found_at: Timestamp::from_seconds(1_780_272_960),
        decided_by: None,
        decided_at: None,
        note: None,
        version: 0,
    }
}

async fn amina(world: &World) -> Person<'_> {
    let who = json!({"operator": true, "operator_name": "Amina"});
    let session = world.nobody().post("/api/v1/demo/session", &who).await;
    Person { world, token: Some(session["token"].as_str().unwrap().to_owned()) }
}

#[tokio::test]
async fn an_operator_reads_the_queue_and_decides_once_with_a_reason() {
    let world = start(WorldOptions::default()).await;
    let kept =
        (1..=3).map(|number| Change::Finding(Box::new(finding(number, u32::try_from(number).unwrap()))));
    world.store.commit(kept.collect()).await.unwrap();
    let amina = amina(&world).await;

    let page = amina.get("/api/v1/operator/findings?limit=2").await;
    let numbers: Vec<_> =
        page["findings"].as_array().unwrap().iter().map(|one| one["number"].clone()).collect();
    assert_eq!((numbers, &page["next_before"]), (vec![json!(3), json!(2)], &json!(2)));
    let page = amina.get("/api/v1/operator/findings?limit=2&before=2").await;
    assert_eq!((&page["findings"][0]["number"], &page["next_before"]), (&json!(1), &Value::Null));
    let one = amina.get("/api/v1/operator/findings/1").await;
    assert_eq!(
        (&one["rule"], &one["evidence"]["export_wh"], &one["holds"]),
        (&json!("night"), &json!(500), &json!(true))
    );
    assert_eq!(amina.get("/api/v1/operator/overview").await["held_households"], json!(3));

    let decide = async |number: u64, decision: &str, note: &str, status: u16| {
        let body = json!({"decision": decision, "note": note});
        let path = format!("/api/v1/operator/findings/{number}/decide");
        expect(amina.request(Method::POST, &path).json(&body).send().await.unwrap(), status).await
    };
    assert_eq!(decide(9, "accept", "why not", 404).await["code"], "api.not_found");
    assert_eq!(decide(1, "accept", "  ", 422).await["code"], "finding.note");
    assert_eq!(decide(1, "close", "mended", 409).await["code"], "finding.not_refused");
    let accepted = decide(1, "accept", "she showed the battery", 200).await;
    assert_eq!(
        (&accepted["state"], &accepted["decided_by"], &accepted["holds"]),
        (&json!("accepted"), &json!("Amina"), &json!(false))
    );
    assert_eq!(decide(1, "refuse", "no", 409).await["code"], "finding.decided");
    assert_eq!(decide(2, "refuse", "the clamp was off", 200).await["holds"], json!(true));
    let metrics = amina.ask(Method::GET, "/metrics").await.text().await.unwrap();
    for line in ["jirani_findings_open{rule=\"night\"} 1\n", "jirani_households_held 2\n"] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert_eq!(decide(2, "close", "a new clamp", 200).await["holds"], json!(false));
    assert_eq!(
        amina.get("/api/v1/operator/findings?open=true").await["findings"].as_array().unwrap().len(),
        1
    );
}
