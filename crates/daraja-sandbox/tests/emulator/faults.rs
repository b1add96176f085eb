//! Faults on order, as an application must survive them.

use crate::support::{Rig, phone};
use jirani_daraja::callback::StkOutcome;
use jirani_daraja::{Mpesa as _, QueryOutcome, SendError};
use jirani_daraja_sandbox::SandboxConfig;
use serde_json::json;

#[tokio::test]
async fn a_lost_response_is_unknown_and_the_callback_still_tells() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.fault(json!({"target": "stk_response", "action": "lose"})).await;
    let error = rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error:?}");
    rig.pay(phone(1)).await;
    assert!(matches!(rig.inbox.stk()[..], [StkOutcome::Paid { .. }]));

    rig.fault(json!({"target": "b2c_response", "action": "lose"})).await;
    let error = rig.client.b2c(rig.payout_of("po-1", phone(1), 50)).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error:?}");
    assert_eq!(rig.client.b2c(rig.payout_of("po-1", phone(1), 50)).await, Err(SendError::Duplicate));
    rig.pass(10).await;
    assert_eq!(rig.inbox.bodies("/hooks/b2c").len(), 1);
}

#[tokio::test]
async fn a_lost_callback_leaves_the_confirmation_or_only_a_query() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.register().await;
    rig.fault(json!({"target": "stk_callback", "action": "lose", "count": 2})).await;
    let accepted = rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    let receipt = rig.pay(phone(1)).await;
    assert_eq!((rig.inbox.stk().len(), rig.inbox.confirmed_receipts()), (0, vec![receipt]));
    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Paid);

    rig.fault(json!({"target": "c2b", "action": "lose"})).await;
    let accepted = rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    rig.pay(phone(1)).await;
    assert_eq!(rig.inbox.all().len(), 1);
    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Paid);
    assert_eq!(rig.totals().await.0, 2_000);
}

#[tokio::test]
async fn a_doubled_callback_comes_twice_and_a_late_one_late() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.fault(json!({"target": "stk_callback", "action": "duplicate", "msisdn": "254712000001"})).await;
    rig.fault(json!({"target": "stk_callback", "action": "delay_s:600", "msisdn": "254712000002"})).await;
    for nth in [1, 2] {
        rig.client.stk_push(rig.push_of(phone(nth), 10)).await.unwrap();
        rig.pay(phone(nth)).await;
    }
    let early = rig.inbox.stk();
    assert_eq!(early.len(), 2);
    assert_eq!(early[0], early[1]);
    rig.pass(599).await;
    assert_eq!(rig.inbox.stk().len(), 2);
    rig.pass(1).await;
    assert_eq!(rig.inbox.stk().len(), 3);
    assert_eq!(rig.totals().await.0, 2_000);
}

#[tokio::test]
async fn a_query_can_be_made_to_hesitate_or_to_lie() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let accepted = rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    rig.pay(phone(1)).await;
    for (action, expected) in [
        ("pending", QueryOutcome::Pending),
        ("contradict", QueryOutcome::Refused { code: "1032".to_owned() }),
    ] {
        rig.fault(json!({"target": "query", "action": action})).await;
        assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, expected);
        assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Paid);
    }
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let rig = Rig::start(SandboxConfig::default()).await;
    for order in [
        json!({"target": "stk_response", "action": "delay_s:5"}),
        json!({"target": "query", "action": "duplicate"}),
        json!({"target": "c2b", "action": "lose", "count": 2, "always": true}),
        json!({"target": "c2b", "action": "lose", "per_mille": 1001}),
        json!({"target": "c2b", "action": "lose", "colour": "red"}),
        json!({"target": "c2b", "action": "explode"}),
        json!({"target": "c2b", "action": "lose", "count": 0}),
        json!({"target": "nothing", "action": "lose"}),
        json!({"action": "lose"}),
    ] {
        let (status, body) = rig.post("/sandbox/faults", order.clone()).await;
        assert!((400..500).contains(&status), "{order}: {status}");
        assert_eq!(body["code"], "sandbox.bad_request");
    }
    assert_eq!(rig.get("/sandbox/faults").await, json!({"faults": []}));
}

#[tokio::test]
async fn queries_can_be_rationed_as_in_daraja_s_sandbox() {
    let rig = Rig::start(SandboxConfig { queries_per_minute: Some(5), ..SandboxConfig::default() }).await;
    let accepted = rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    rig.pay(phone(1)).await;
    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Paid);
    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Pending);
    rig.pass(12).await;
    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Paid);
}

#[tokio::test]
async fn a_server_that_answers_with_an_error_is_not_asked_again() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.inbox.status.store(500, std::sync::atomic::Ordering::SeqCst);
    rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    rig.pay(phone(1)).await;
    rig.pass(7_200).await;
    assert_eq!(rig.inbox.all().len(), 1);
    let callbacks = rig.get("/sandbox/callbacks").await;
    assert_eq!(callbacks["owed"], json!([]));
    assert_eq!(callbacks["recent"][0]["outcome"], "500");
}
