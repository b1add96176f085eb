//! The emulator on its own: its clock, scenarios, its description, and what
//! strangers send it.

use crate::support::{Rig, phone, start_time};
use jirani_clock::ServiceClock;
use jirani_daraja_sandbox::{Reach, RunningSandbox, Sandbox, SandboxConfig, Scenario};
use jirani_units::Timestamp;
use serde_json::{Value, json};

fn standing() -> Timestamp {
    start_time()
}

async fn get(sandbox: &RunningSandbox, path: &str) -> Value {
    reqwest::get(format!("{}{path}", sandbox.base_url)).await.unwrap().json().await.unwrap()
}

async fn post(sandbox: &RunningSandbox, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}{path}", sandbox.base_url);
    let answer = reqwest::Client::new().post(url).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

const RAINY_DAY: &str = r#"
name = "a rainy day"
frozen = true

[[phone]]
msisdn = "0712000001"
name = "Amina"
mode = "always_pays"
balance_cents = 100000

[[fault]]
target = "stk_callback"
action = "duplicate:2"

[[step]]
after_s = 30
paybill = { msisdn = "0712000001", amount_shillings = 55, reference = "H12" }

[[step]]
after_s = 60
reverse_last = "0712000001"

[[step]]
after_s = 60
shortcode = { code = "600992", utility_cents = 0 }

[[step]]
after_s = 90
initiator = { works = false }

[[step]]
after_s = 120
clear_faults = true
"#;

#[tokio::test]
async fn a_scenario_plays_its_steps_on_a_clock_that_stands_until_it_is_moved() {
    let scenario = Scenario::parse(RAINY_DAY).unwrap();
    let config = SandboxConfig { scenario: Some(scenario), ..SandboxConfig::default() };
    let sandbox = Sandbox::start_alone(config, standing).await.unwrap();
    let clock = get(&sandbox, "/sandbox/clock").await;
    assert_eq!(clock, json!({"now": start_time(), "mode": "frozen"}));
    let collected = async || {
        let code = get(&sandbox, "/sandbox/shortcodes/600966").await;
        code["utility_cents"].as_i64().unwrap()
    };
    let (status, moved) = post(&sandbox, "/sandbox/clock", &json!({"advance_s": 29})).await;
    assert_eq!((status, &moved["now"]), (200, &json!("2026-10-03T10:15:29Z")));
    assert_eq!(collected().await, 0);
    post(&sandbox, "/sandbox/clock", &json!({"advance_s": 1})).await;
    assert_eq!(collected().await, 5_500);
    let statement = get(&sandbox, "/sandbox/shortcodes/600966/statement").await;
    assert_eq!(statement["rows"][0]["at"], "2026-10-03T10:15:30Z", "at its own moment");
    post(&sandbox, "/sandbox/clock", &json!({"to": "2026-10-03T10:16:30Z"})).await;
    assert_eq!(collected().await, 0);
    assert_eq!(get(&sandbox, "/sandbox/shortcodes/600992").await["utility_cents"], 0);
    assert_eq!(get(&sandbox, "/sandbox/initiator").await["works"], false);
    assert_eq!(get(&sandbox, "/sandbox/faults").await["faults"].as_array().unwrap().len(), 1);
    post(&sandbox, "/sandbox/clock", &json!({"advance_s": 30})).await;
    assert_eq!(get(&sandbox, "/sandbox/faults").await, json!({"faults": []}));
    for order in [
        json!({"to": "2026-10-03T10:00:00Z"}),
        json!({"advance_s": 1, "to": start_time()}),
        json!({"mode": "back"}),
    ] {
        assert_eq!(post(&sandbox, "/sandbox/clock", &order).await.0, 400, "{order}");
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_clock_that_was_moved_on_goes_on_from_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = SandboxConfig { data_dir: Some(folder.path().to_owned()), ..SandboxConfig::default() };
    let sandbox = Sandbox::start_alone(config.clone(), standing).await.unwrap();
    post(&sandbox, "/sandbox/clock", &json!({"mode": "freeze", "advance_s": 86_400})).await;
    post(&sandbox, "/sandbox/initiator", &json!({"locked": true})).await;
    post(&sandbox, "/sandbox/scenario", &json!({"step": [{"after_s": 60, "initiator": {"locked": false}}]}))
        .await;
    sandbox.stop().await;
    let sandbox = Sandbox::start_alone(config, standing).await.unwrap();
    let clock = get(&sandbox, "/sandbox/clock").await;
    assert_eq!(clock["now"], "2026-10-04T10:15:00Z");
    assert_eq!(get(&sandbox, "/sandbox/initiator").await["locked"], true);
    post(&sandbox, "/sandbox/clock", &json!({"advance_s": 60})).await;
    assert_eq!(get(&sandbox, "/sandbox/initiator").await["locked"], false, "a step survives, too");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_scenario_is_taken_whole_or_not_at_all() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let url = format!("{}/sandbox/scenario", rig.sandbox.base_url);
    let send = async |kind: &str, text: String| {
        let request = reqwest::Client::new().post(&url).header("Content-Type", kind).body(text);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let broken = RAINY_DAY.replace("duplicate:2", "duplicate:99");
    let (status, refused) = send("application/toml", broken).await;
    assert_eq!(status, 400);
    let said = refused["message"].as_str().unwrap();
    assert!(said.starts_with("sandbox.scenario: ") && said.lines().count() == 1, "{said}");
    let (status, _) = send("text/plain", RAINY_DAY.to_owned()).await;
    assert_eq!(status, 400, "a page of another website could send text");
    let (status, refused) = send("application/json", json!({"seed": 3}).to_string()).await;
    assert!(status == 400 && refused["message"].as_str().unwrap().contains("seed"), "{refused}");
    assert_eq!(rig.get("/sandbox/faults").await, json!({"faults": []}));
    assert_eq!(rig.get("/sandbox/phones").await["phones"], json!([]));
    let (status, played) = send("application/toml", RAINY_DAY.to_owned()).await;
    assert_eq!((status, &played), (200, &json!({"name": "a rainy day", "steps": 7, "waiting": 5})));
    let (status, clock) = rig.post("/sandbox/clock", json!({"advance_s": 1})).await;
    assert_eq!((status, &clock["code"]), (409, &json!("sandbox.clock_of_host")));
    rig.pass(30).await;
    assert_eq!(rig.totals().await.0, 5_500);
    let (_, played) = send("application/json", json!({"name": "fair"}).to_string()).await;
    assert_eq!(played["waiting"], 0, "a new scenario replaces the last");
}

#[tokio::test]
async fn the_description_knows_every_door_and_every_door_answers() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let description = rig.get("/openapi.json").await;
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 35, "{}", paths.len());
    let client = reqwest::Client::new();
    for (path, methods) in paths {
        let filled = path.replace("{msisdn}", "254712000001").replace("{code}", "600966");
        let url = format!("{}{filled}", rig.sandbox.base_url);
        for (method, operation) in methods.as_object().unwrap() {
            let verb = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = client.request(verb, &url).send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            assert_ne!(status, 405, "{method} {path}");
            assert!(!text.contains("Resource not found"), "{method} {path}: {text}");
            assert!(operation["summary"].as_str().unwrap().len() > 2, "{path}");
        }
        let other = client.request(reqwest::Method::PATCH, &url).send().await.unwrap();
        assert_eq!(other.status(), 405, "{path}");
    }
    // What it says of a request is what a request needs.
    let push =
        &paths["/mpesa/stkpush/v1/processrequest"]["post"]["requestBody"]["content"]["application/json"];
    for field in push["schema"]["required"].as_array().unwrap() {
        let mut body = rig.push_body(phone(1), 10);
        body.as_object_mut().unwrap().remove(field.as_str().unwrap()).unwrap();
        let (status, refused) = rig.call("/mpesa/stkpush/v1/processrequest", &body).await;
        let expected = format!("Bad Request - Invalid {}", field.as_str().unwrap());
        assert_eq!((status, refused["errorMessage"].as_str()), (400, Some(expected.as_str())));
    }
}

#[tokio::test]
async fn pages_need_nothing_from_elsewhere() {
    let rig = Rig::start(SandboxConfig::default()).await;
    for path in ["/phones", "/phones/254712000001", "/faults", "/accounts"] {
        let page = reqwest::get(format!("{}{path}", rig.sandbox.base_url)).await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        let text = page.text().await.unwrap();
        assert!(!text.contains("http://") && !text.contains("https://"), "{path}");
        assert!(text.contains("width=device-width") && text.contains("<html lang="), "{path}");
        // Every box to type in or choose from has a label of its own.
        for part in text
            .split("<input ")
            .skip(1)
            .chain(text.split("<select ").skip(1))
            .chain(text.split("<textarea ").skip(1))
        {
            let id = part.split("id=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            let labelled = text.contains(&format!("<label for=\"{id}\">"))
                || text.contains(&format!("<label><input id=\"{id}\""));
            assert!(labelled, "{path}: {id}");
        }
        for file in text.split("src=\"").skip(1).chain(text.split("rel=\"stylesheet\" href=\"").skip(1)) {
            let file = file.split('"').next().unwrap();
            let found = reqwest::get(format!("{}{file}", rig.sandbox.base_url)).await.unwrap();
            assert_eq!(found.status(), 200, "{file}");
        }
    }
}

#[tokio::test]
async fn what_is_no_request_gets_daraja_s_envelope_and_changes_nothing() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let token = rig.new_token().await;
    let deep = "[".repeat(30_000);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no JSON", b"BusinessShortCode=600966".to_vec()),
        ("a list", b"[1,2,3]".to_vec()),
        ("deep", format!("{{\"BusinessShortCode\":{deep}").into_bytes()),
        ("not UTF-8", vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}']),
        ("too long", vec![b' '; 70_000]),
        ("wrong types", json!({"BusinessShortCode": [6], "Amount": {"a": 1}}).to_string().into_bytes()),
        ("a huge number", br#"{"BusinessShortCode":600966e400}"#.to_vec()),
    ];
    let client = reqwest::Client::new();
    for path in [
        "/mpesa/stkpush/v1/processrequest",
        "/mpesa/b2c/v3/paymentrequest",
        "/mpesa/reversal/v1/request",
        "/mpesa/b2b/v1/paymentrequest",
        "/mpesa/qrcode/v1/generate",
        "/pulltransactions/v1/query",
    ] {
        for (name, body) in &bodies {
            let request = client.post(format!("{}{path}", rig.sandbox.base_url)).bearer_auth(&token);
            let request = request.header("Content-Type", "application/json").body(body.clone());
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path} {name}");
            let envelope: Value = answer.json().await.unwrap();
            assert!(
                envelope["errorCode"].as_str().unwrap().starts_with("400.002."),
                "{path} {name} {envelope}"
            );
            assert!(envelope["requestId"].is_string() && envelope["errorMessage"].is_string(), "{envelope}");
        }
    }
    for order in ["{", "[]", r#"{"target":"c2b"}"#, &deep] {
        let request = client.post(format!("{}/sandbox/faults", rig.sandbox.base_url));
        let answer =
            request.header("Content-Type", "application/json").body(order.to_owned()).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{order:.20}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "sandbox.bad_request");
    }
    assert_eq!(rig.get("/sandbox/phones").await["phones"], json!([]));
    assert_eq!(rig.totals().await, (0, 100_000_000, 0));
}

#[tokio::test]
async fn pages_of_other_websites_may_not_use_it() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let url = format!("{}/sandbox/token/expire", rig.sandbox.base_url);
    let from = async |origin: &str| {
        reqwest::Client::new().post(&url).header("Origin", origin).send().await.unwrap().status().as_u16()
    };
    assert_eq!(from("https://evil.example").await, 403);
    assert_eq!(from(&rig.sandbox.base_url).await, 200);
}

#[tokio::test]
async fn it_can_be_told_to_listen_to_other_machines() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let clock = ServiceClock::advanced_from(start_time());
    let config = SandboxConfig { listen, reach: Reach::AnyMachine, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config, clock).await.unwrap();
    assert!(sandbox.base_url.starts_with("http://0.0.0.0:"));
    sandbox.stop().await;
}

#[tokio::test]
async fn memory_keeps_the_last_and_the_balances_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        SandboxConfig { data_dir: Some(folder.path().to_owned()), history: 20, ..SandboxConfig::default() };
    let rig = Rig::start(config.clone()).await;
    let path = format!("/sandbox/phones/{}/paybill", phone(1).number());
    let mut first = Value::Null;
    for nth in 0..60 {
        let order = json!({"amount_shillings": 10, "reference": format!("H{nth}"), "pin": "1234"});
        let (_, paid) = rig.post(&path, order).await;
        if first.is_null() {
            first = paid["receipt"].clone();
        }
    }
    for _ in 0..30 {
        rig.call("/mpesa/stkpush/v1/processrequest", &rig.push_body(phone(2), 10)).await;
        rig.answer(phone(2), json!({"action": "cancel"})).await;
    }
    let seen = async |rig: &Rig| {
        let statement = rig.get("/sandbox/statement").await;
        let rows = rig.get("/sandbox/shortcodes/600966/statement").await;
        let last = rows["rows"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(statement["totals"]["imbalance_cents"], 0);
        assert_eq!(last["balance_cents"], 60_000);
        (statement["movements"].clone(), statement["accounts"].clone(), statement["movement_count"].clone())
    };
    let before = seen(&rig).await;
    assert_eq!((before.0.as_array().unwrap().len(), before.2.as_u64().unwrap() > 60), (20, true));
    let (status, _) = rig.post("/sandbox/reversals", json!({"receipt": first})).await;
    assert_eq!(status, 404, "too long ago");
    rig.sandbox.stop().await;
    let rig = Rig::start(config).await;
    assert_eq!(seen(&rig).await, before);
    rig.sandbox.stop().await;
}
