//! Every fault that can be ordered, as the wire shows it.

use crate::support::{Rig, phone};
use jirani_daraja_sandbox::{Behaviour, InFlight, PhoneMode, SandboxConfig};
use jirani_units::Clock as _;
use serde_json::{Value, json};

const PUSH: &str = "/mpesa/stkpush/v1/processrequest";
const B2C: &str = "/mpesa/b2c/v3/paymentrequest";

fn payout(rig: &Rig, id: &str) -> Value {
    json!({
        "OriginatorConversationID": id,
        "InitiatorName": "apiuser",
        "SecurityCredential": "any blob",
        "CommandID": "BusinessPayment",
        "Amount": 100,
        "PartyA": "600992",
        "PartyB": phone(1).number(),
        "Remarks": "Energy",
        "QueueTimeOutURL": format!("{}/hooks/{id}/timeout", rig.inbox.url),
        "ResultURL": format!("{}/hooks/{id}/result", rig.inbox.url),
    })
}

fn told(rig: &Rig, path: &str) -> Vec<Value> {
    rig.inbox.bodies(path).iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
}

fn codes(rig: &Rig) -> Vec<Value> {
    told(rig, "/hooks/stk").iter().map(|body| body["Body"]["stkCallback"]["ResultCode"].clone()).collect()
}

async fn always_pays() -> Rig {
    let default_mode = PhoneMode::Automatic(Behaviour::ALWAYS_PAYS);
    Rig::start(SandboxConfig { default_mode, ..SandboxConfig::default() }).await
}

#[tokio::test]
async fn a_query_answers_in_every_shape_on_record() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let (_, accepted) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
    let id = accepted["CheckoutRequestID"].as_str().unwrap().to_owned();
    let error = |status: u16, code: &str, text: &str| (status, Some(code.to_owned()), Some(text.to_owned()));
    for (action, expected) in [
        ("processing", error(500, "500.001.1001", "The transaction is being processed")),
        ("empty", error(200, "500.001.1001", "")),
        ("too_early", error(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")),
        ("unknown", error(500, "500.001.1001", "The transaction does not Exist")),
        ("spike_arrest", error(429, "500.003.02", "Error Occurred: Spike Arrest Violation")),
        ("refuse:quota", error(500, "500.003.03", "Error Occurred: Quota Violation")),
        ("invalid_token", error(404, "404.001.03", "Invalid Access Token")),
    ] {
        rig.fault(json!({"target": "query", "action": action, "msisdn": phone(1)})).await;
        let (status, body) = rig.query(&id).await;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        assert_eq!((status, text("errorCode"), text("errorMessage")), expected, "{action}");
        assert!(body["requestId"].is_string(), "{body}");
        rig.new_token().await;
    }
    rig.fault(json!({"target": "query", "action": "pending"})).await;
    let (status, body) = rig.query(&id).await;
    assert_eq!((status, &body["ResultCode"], &body["ResponseCode"]), (200, &json!("4999"), &json!("0")));
    let (status, body) = rig.query("ws_CO_unheard_of").await;
    assert_eq!((status, &body["errorMessage"]), (500, &json!("The transaction does not Exist")));
}

#[tokio::test]
async fn an_open_prompt_is_queried_in_the_shape_that_is_configured() {
    for (in_flight, status, field, value) in [
        (InFlight::Processing, 500, "errorMessage", "The transaction is being processed"),
        (InFlight::Pending, 200, "ResultCode", "4999"),
        (InFlight::Empty, 200, "errorMessage", ""),
    ] {
        let rig = Rig::start(SandboxConfig { in_flight, ..SandboxConfig::default() }).await;
        let (_, accepted) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
        let (answered, body) = rig.query(accepted["CheckoutRequestID"].as_str().unwrap()).await;
        assert_eq!((answered, &body[field]), (status, &json!(value)));
    }
    let mixed = async || {
        let rig = Rig::start(SandboxConfig { in_flight: InFlight::Mixed, ..SandboxConfig::default() }).await;
        let (_, accepted) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
        let mut shapes = Vec::new();
        for _ in 0..20 {
            let (status, body) = rig.query(accepted["CheckoutRequestID"].as_str().unwrap()).await;
            shapes.push((status, body["ResultCode"].clone()));
        }
        shapes
    };
    let first = mixed().await;
    for shape in [(500, Value::Null), (200, json!("4999")), (200, Value::Null)] {
        assert!(first.contains(&shape), "{first:?}");
    }
    assert_eq!(mixed().await, first, "one seed, one run");
}

#[tokio::test]
async fn a_request_is_lost_before_or_after_it_is_taken_on() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let prompts =
        async || rig.get(&format!("/sandbox/phones/{}/prompt", phone(1).number())).await["prompt"].clone();
    for (action, taken_on) in [
        ("drop", false),
        ("refuse:busy", false),
        ("refuse:html_503", false),
        ("refuse:empty_400", false),
        ("invalid_token", false),
        ("lose", true),
    ] {
        rig.new_token().await;
        rig.fault(json!({"target": "stk_response", "action": action})).await;
        let answer = rig.send(PUSH, &rig.push_body(phone(1), 10)).await;
        let answered = action != "drop" && action != "lose";
        assert_eq!(answer.is_ok(), answered, "{action}");
        if let Ok(answer) = answer {
            assert_ne!(answer.status(), 200, "{action}");
        }
        assert_eq!(!prompts().await.is_null(), taken_on, "{action}");
    }
    rig.pay(phone(1)).await;
    rig.new_token().await;
    rig.fault(json!({"target": "stk_response", "action": "fail:internal"})).await;
    let (status, body) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
    assert_eq!((status, &body["errorCode"]), (500, &json!("500.003.1001")));
    assert!(!prompts().await.is_null(), "an error is no proof that nothing happened");
}

#[tokio::test]
async fn a_callback_can_come_before_the_answer() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.fault(json!({"target": "stk_response", "action": "callback_first"})).await;
    let (status, accepted) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
    // No wait: it was there before we had the answer.
    let arrived = told(&rig, "/hooks/stk");
    assert_eq!((status, arrived.len()), (200, 1));
    assert_eq!(arrived[0]["Body"]["stkCallback"]["CheckoutRequestID"], accepted["CheckoutRequestID"]);
    assert_eq!(codes(&rig), [json!(0)]);

    rig.fault(json!({"target": "b2c_response", "action": "callback_first"})).await;
    let (status, ack) = rig.call(B2C, &payout(&rig, "po-1")).await;
    assert_eq!((status, told(&rig, "/hooks/po-1/result").len()), (200, 1));
    assert_eq!(told(&rig, "/hooks/po-1/result")[0]["Result"]["ConversationID"], ack["ConversationID"]);
    rig.pass(60).await;
    assert_eq!((told(&rig, "/hooks/po-1/result").len(), codes(&rig).len()), (1, 1), "told once");

    rig.fault(json!({"target": "balance_response", "action": "callback_first"})).await;
    let balance = rig.command_body("balance", "AccountBalance", &json!({}));
    assert_eq!(rig.call("/mpesa/accountbalance/v1/query", &balance).await.0, 200);
    assert_eq!(told(&rig, "/hooks/balance/result").len(), 1);
    assert_eq!(rig.totals().await, (1_000, 100_000_000 - 10_000, 0));
}

#[tokio::test]
async fn callbacks_are_doubled_delayed_overtaken_and_deformed() {
    let rig = always_pays().await;
    rig.register().await;
    rig.fault(json!({"target": "stk_callback", "action": "duplicate:3+delay_s:30+shape:strings"})).await;
    rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
    rig.pass(29).await;
    assert_eq!(codes(&rig).len(), 0);
    rig.pass(10).await;
    assert_eq!(codes(&rig), [json!("0"), json!("0"), json!("0")]);

    // Overtaken by the confirmation of the same payment.
    rig.fault(json!({"target": "stk_callback", "action": "reorder"})).await;
    rig.call(PUSH, &rig.push_body(phone(2), 10)).await;
    rig.pass(10).await;
    let paths: Vec<String> = rig.inbox.all().iter().map(|arrived| arrived.path.clone()).collect();
    let last: Vec<&str> = paths.iter().rev().take(2).map(|path| &path[..10]).collect();
    assert_eq!(last, ["/hooks/stk", "/hooks/c2b"]);

    // Overtaken by nobody: a minute later.
    rig.fault(json!({"target": "c2b", "action": "reorder"})).await;
    rig.fault(json!({"target": "stk_callback", "action": "lose"})).await;
    rig.call(PUSH, &rig.push_body(phone(3), 10)).await;
    rig.pass(10).await;
    assert_eq!(told(&rig, "/hooks/c2b").len(), 2);
    rig.pass(60).await;
    assert_eq!(told(&rig, "/hooks/c2b").len(), 3);

    rig.fault(json!({"target": "stk_callback", "action": "shape:code=1032"})).await;
    let (_, accepted) = rig.call(PUSH, &rig.push_body(phone(4), 10)).await;
    rig.pass(10).await;
    assert_eq!(codes(&rig).last(), Some(&json!(1032)), "the callback says cancelled");
    let (_, query) = rig.query(accepted["CheckoutRequestID"].as_str().unwrap()).await;
    assert_eq!(query["ResultCode"], "0", "and the query paid");
    assert_eq!(rig.totals().await.0, 4_000);
}

#[tokio::test]
async fn a_prompt_ends_as_ordered_whatever_the_phone_would_do() {
    let rig = always_pays().await;
    for code in ["1001", "1019", "1025", "17", "26", "8", "8006", "9999", "SFC_IC0003"] {
        rig.fault(json!({"target": "stk", "action": format!("result:{code}")})).await;
        let (status, accepted) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
        assert_eq!(status, 200, "{accepted}");
        rig.pass(10).await;
        let (_, query) = rig.query(accepted["CheckoutRequestID"].as_str().unwrap()).await;
        assert_eq!(query["ResultCode"], code);
        let told = codes(&rig).pop().unwrap();
        assert_eq!(told, code.parse::<u64>().map_or(json!(code), |number| json!(number)));
    }
    assert_eq!(rig.totals().await.0, 0);
}

#[tokio::test]
async fn a_payment_can_come_after_everybody_gave_up() {
    let rig = always_pays().await;
    rig.register().await;
    rig.fault(json!({"target": "stk", "action": "pays_late_s:600"})).await;
    let (_, accepted) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
    let id = accepted["CheckoutRequestID"].as_str().unwrap();
    rig.pass(62).await;
    assert_eq!((codes(&rig), rig.totals().await.0), (vec![json!(1037)], 0));
    assert_eq!(rig.query(id).await.1["ResultCode"], "1037");
    rig.pass(600).await;
    assert_eq!((codes(&rig), rig.totals().await.0), (vec![json!(1037), json!(0)], 1_000));
    assert_eq!(
        (rig.query(id).await.1["ResultCode"].clone(), told(&rig, "/hooks/c2b").len()),
        (json!("0"), 1)
    );
}

#[tokio::test]
async fn a_queue_timeout_may_mean_anything() {
    let rig = Rig::start(SandboxConfig::default()).await;
    for (id, action, results, moved) in [
        ("none", "timeout", 0, 0),
        ("done", "timeout_done", 0, 10_000),
        ("later", "timeout_then_result_s:120", 1, 10_000),
        ("refused", "result:2040", 1, 0),
    ] {
        let before = rig.totals().await.1;
        rig.fault(json!({"target": "b2c", "action": action})).await;
        let (status, ack) = rig.call(B2C, &payout(&rig, id)).await;
        assert_eq!(status, 200);
        rig.pass(10).await;
        let notices = told(&rig, &format!("/hooks/{id}/timeout"));
        if action.starts_with("timeout") {
            assert_eq!(notices[0]["Result"]["ConversationID"], ack["ConversationID"]);
            assert!(told(&rig, &format!("/hooks/{id}/result")).is_empty(), "{id}");
        }
        assert_eq!(notices.len(), usize::from(action.starts_with("timeout")), "{id}");
        rig.pass(120).await;
        assert_eq!(told(&rig, &format!("/hooks/{id}/result")).len(), results, "{id}");
        assert_eq!(before - rig.totals().await.1, moved, "{id}");
        let (status, repeated) = rig.call(B2C, &payout(&rig, id)).await;
        assert_eq!((status, &repeated["errorMessage"]), (500, &json!("Duplicate OriginatorConversationID.")));
    }
    for (id, expected) in [("none", "Expired"), ("done", "Completed"), ("refused", "Declined")] {
        let of = json!({"OriginalConversationID": id});
        let path = "/mpesa/transactionstatus/v1/query";
        let status = rig.command(path, "status", "TransactionStatusQuery", &of).await;
        assert_eq!(crate::support::parameter(&status, "TransactionStatus"), expected);
    }
    rig.fault(json!({"target": "balance", "action": "timeout"})).await;
    let balance = rig.command_body("balance", "AccountBalance", &json!({}));
    rig.call("/mpesa/accountbalance/v1/query", &balance).await;
    rig.pass(10).await;
    assert_eq!(
        (told(&rig, "/hooks/balance/timeout").len(), told(&rig, "/hooks/balance/result").len()),
        (1, 0)
    );
}

#[tokio::test]
async fn orders_can_be_aimed_skipped_left_to_chance_and_meant_for_ever() {
    let run = async |seed| {
        let default_mode = PhoneMode::Automatic(Behaviour::ALWAYS_PAYS);
        let rig = Rig::start(SandboxConfig { seed, default_mode, ..SandboxConfig::default() }).await;
        rig.fault(json!({"target": "stk_callback", "action": "lose", "always": true, "per_mille": 400}))
            .await;
        for nth in 0..40 {
            rig.call(PUSH, &rig.push_body(phone(nth), 10)).await;
            rig.pass(10).await;
        }
        let heard: Vec<Value> = told(&rig, "/hooks/stk")
            .iter()
            .map(|body| body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][4]["Value"].clone())
            .collect();
        assert_eq!(rig.totals().await.0, 40_000);
        heard
    };
    let heard = run(1).await;
    assert!((15..34).contains(&heard.len()), "{}", heard.len());
    assert_eq!(run(1).await, heard);
    assert_ne!(run(2).await, heard);

    let rig = always_pays().await;
    rig.fault(
        json!({"target": "stk_callback", "action": "lose", "skip": 2, "count": 2, "shortcode": "600966"}),
    )
    .await;
    rig.fault(json!({"target": "stk_callback", "action": "lose", "msisdn": phone(9), "always": true})).await;
    for nth in 0..6 {
        rig.call(PUSH, &rig.push_body(phone(nth), 10)).await;
        rig.pass(10).await;
    }
    assert_eq!(codes(&rig).len(), 4);
    for _ in 0..3 {
        rig.call(PUSH, &rig.push_body(phone(9), 10)).await;
        rig.pass(10).await;
    }
    assert_eq!(
        (codes(&rig).len(), rig.get("/sandbox/faults").await["faults"].as_array().unwrap().len()),
        (4, 1)
    );
}

#[tokio::test]
async fn validation_asks_first_and_silence_means_what_was_registered() {
    let rig = Rig::start(SandboxConfig { c2b_validation: true, ..SandboxConfig::default() }).await;
    let register = async |meaning: &str| {
        let body = json!({
            "ShortCode": "600966",
            "ResponseType": meaning,
            "ConfirmationURL": format!("{}/hooks/c2b/confirmation", rig.inbox.url),
            "ValidationURL": format!("{}/hooks/c2b/validation", rig.inbox.url),
        });
        assert_eq!(rig.call("/mpesa/c2b/v2/registerurl", &body).await.0, 200);
    };
    let pay = async || {
        let order = json!({"amount_shillings": 10, "reference": "H1", "pin": "1234"});
        let path = format!("/sandbox/phones/{}/paybill", phone(1).number());
        let (status, body) = rig.post(&path, order).await;
        rig.clock.idle().await;
        (status, body)
    };
    register("Completed").await;
    *rig.inbox.answer.lock().unwrap() = r#"{"ResultCode":"0","ResultDesc":"Accepted"}"#.to_owned();
    let (status, paid) = pay().await;
    assert_eq!(status, 200, "{paid}");
    let asked = told(&rig, "/hooks/c2b/validation");
    assert_eq!((&asked[0]["TransID"], &asked[0]["OrgAccountBalance"]), (&paid["receipt"], &json!("")));
    assert_eq!(told(&rig, "/hooks/c2b/confirmation")[0]["TransID"], paid["receipt"]);

    *rig.inbox.answer.lock().unwrap() = r#"{"ResultCode":"C2B00012","ResultDesc":"Rejected"}"#.to_owned();
    let (status, refused) = pay().await;
    assert_eq!((status, &refused["code"]), (409, &json!("sandbox.not_accepted")));
    for (meaning, status) in [("Completed", 200), ("Cancelled", 409)] {
        register(meaning).await;
        *rig.inbox.answer.lock().unwrap() = "<html>not now</html>".to_owned();
        assert_eq!(pay().await.0, status, "{meaning}");
        rig.fault(json!({"target": "c2b_validation", "action": "lose"})).await;
        assert_eq!(pay().await.0, status, "{meaning}");
    }
    assert_eq!(rig.totals().await.0, 3_000);
    assert_eq!(told(&rig, "/hooks/c2b/confirmation").len(), 3);
    rig.post("/sandbox/shortcodes/600966", json!({"validation": false})).await;
    assert_eq!(pay().await.0, 200, "nobody is asked any more");
}

#[tokio::test]
async fn a_token_ends_when_told_and_wrong_keys_get_no_word() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.new_token().await;
    rig.post("/sandbox/token/expire", json!({})).await;
    for (path, status, code) in [
        (PUSH, 404, "404.001.03"),
        (B2C, 404, "404.001.03"),
        ("/mpesa/c2b/v2/registerurl", 400, "400.003.01"),
        ("/mpesa/transactionstatus/v1/query", 400, "400.003.01"),
        ("/mpesa/accountbalance/v1/query", 401, "401.002.01"),
        ("/mpesa/reversal/v1/request", 404, "404.001.03"),
        ("/pulltransactions/v1/query", 401, "401.001"),
    ] {
        let (answered, body) = rig.call(path, &json!({})).await;
        assert_eq!((answered, &body["errorCode"]), (status, &json!(code)), "{path}");
        assert_eq!(body["errorMessage"], "Invalid Access Token");
    }
    let ask = async |query: &str, secret: &str| {
        let url = format!("{}/oauth/v1/generate{query}", rig.sandbox.base_url);
        let request = reqwest::Client::new().get(url).basic_auth("sandbox-key", Some(secret));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let grant = "?grant_type=client_credentials";
    assert_eq!(ask(grant, "wrong").await, (400, String::new()));
    let (status, text) = ask("", "sandbox-secret").await;
    assert!(status == 400 && text.contains("400.008.02"), "{text}");
    rig.fault(json!({"target": "oauth_response", "action": "refuse:html_503"})).await;
    assert_eq!(ask(grant, "sandbox-secret").await.0, 503);
    let before = rig.new_token().await;
    rig.fault(json!({"target": "oauth_response", "action": "lose"})).await;
    let url = format!("{}/oauth/v1/generate{grant}", rig.sandbox.base_url);
    let lost = reqwest::Client::new().get(url).basic_auth("sandbox-key", Some("sandbox-secret")).send().await;
    assert!(lost.is_err());
    let (status, _) = rig.call(PUSH, &rig.push_body(phone(1), 10)).await;
    assert_eq!(status, 404, "the lost token has ended the one before: {before}");
    let at = rig.clock.now();
    rig.new_token().await;
    rig.pass(3_600).await;
    assert_eq!(rig.clock.now().since(at), 3_600_000_000);
    assert_eq!(rig.call(PUSH, &rig.push_body(phone(1), 10)).await.0, 404);
}
