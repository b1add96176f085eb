//! Our client against the running emulator, over HTTP.

use crate::support::{Inbox, Rig, client_config, phone, start_time};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_clock::ServiceClock;
use jirani_daraja::callback::{B2cOutcome, StkOutcome, parse_b2c, parse_c2b};
use jirani_daraja::{DarajaClient, Mpesa as _, QueryOutcome, SecurityCredential, SendError};
use jirani_daraja_sandbox::{InitiatorCheck, SandboxConfig, SecondPrompt};
use jirani_units::Cents;
use serde_json::json;
use std::sync::Arc;

const FLOAT: i64 = 100_000_000;

fn refused(code: &str) -> StkOutcome {
    StkOutcome::Refused { code: code.to_owned() }
}

#[tokio::test]
async fn a_paid_prompt_brings_its_receipt_twice_and_the_money_once() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.register().await;
    let request = rig.push_of(phone(1), 120);
    let accepted = rig.client.stk_push(request.clone()).await.unwrap();
    assert!(accepted.checkout_request_id.starts_with("ws_CO_03102026131500"), "{accepted:?}");
    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Pending);

    let shown = &rig.get(&format!("/sandbox/phones/{}/prompt", phone(1).number())).await["prompt"];
    assert_eq!(shown["amount_shillings"], 120);
    assert_eq!(shown["reference"], request.reference.as_str());
    assert_eq!((rig.clock.persons(), rig.inbox.all().len()), (1, 0));

    let receipt = rig.pay(phone(1)).await;
    assert_eq!(rig.clock.persons(), 0);
    let paid = StkOutcome::Paid {
        receipt: Some(receipt.parse().unwrap()),
        amount: Some(Cents(12_000)),
        paid_at: Some(start_time()),
    };
    assert_eq!(rig.inbox.stk(), [paid]);
    let arrived = rig.inbox.all();
    assert_eq!(format!("{}{}", rig.inbox.url, arrived[0].path), request.callback_url);
    assert_eq!(arrived[0].shortcode, "600966");
    let confirmation = parse_c2b(&arrived[1].body).unwrap();
    assert_eq!(confirmation.receipt.as_str(), receipt);
    assert_eq!(confirmation.bill_reference, request.reference.as_str());
    assert_eq!((confirmation.amount, confirmation.msisdn), (Cents(12_000), None));

    assert_eq!(rig.client.stk_query(&accepted.checkout_request_id).await, QueryOutcome::Paid);
    assert_eq!(rig.totals().await, (12_000, FLOAT, 0));
    let messages = &rig.get(&format!("/sandbox/phones/{}", phone(1).number())).await["messages"];
    let text = messages[0]["text"].as_str().unwrap();
    assert!(
        text.starts_with(&format!("{receipt} Confirmed. Ksh120.00 sent to JIRANI ENERGY for account")),
        "{text}"
    );
}

#[tokio::test]
async fn each_way_not_to_pay_has_its_code_in_callback_and_query() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let broke = phone(4);
    rig.post(&format!("/sandbox/phones/{}", broke.number()), json!({"balance_cents": 500})).await;
    for (msisdn, answer, code) in [
        (phone(1), Some(json!({"action": "cancel"})), "1032"),
        (phone(2), Some(json!({"action": "pay", "pin": "0000"})), "2001"),
        (phone(3), Some(json!({"action": "ignore"})), "1037"),
        (broke, Some(json!({"action": "pay", "pin": "1234"})), "1"),
        (phone(5), None, "1037"),
    ] {
        let before = rig.inbox.stk().len();
        let accepted = rig.client.stk_push(rig.push_of(msisdn, 120)).await.unwrap();
        if let Some(answer) = answer {
            rig.answer(msisdn, answer).await;
        }
        rig.pass(59).await;
        assert_eq!(rig.inbox.stk().len() > before, code != "1037", "{code} comes when it should");
        rig.pass(1).await;
        assert_eq!(rig.inbox.stk()[before..], [refused(code)]);
        let query = rig.client.stk_query(&accepted.checkout_request_id).await;
        assert_eq!(query, QueryOutcome::Refused { code: code.to_owned() });
    }
    assert_eq!(rig.totals().await, (0, FLOAT, 0));
}

#[tokio::test]
async fn a_phone_has_one_prompt_at_a_time_unless_told_otherwise() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    let second = rig.client.stk_push(rig.push_of(phone(1), 20)).await.unwrap_err();
    assert!(matches!(&second, SendError::NotSent { code, .. } if code == "500.001.1001"), "{second:?}");

    let config = SandboxConfig { second_prompt: SecondPrompt::Queue, ..SandboxConfig::default() };
    let rig = Rig::start(config).await;
    let first = rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    let second = rig.client.stk_push(rig.push_of(phone(1), 20)).await.unwrap();
    assert_ne!(first.checkout_request_id, second.checkout_request_id);
    rig.pay(phone(1)).await;
    rig.pay(phone(1)).await;
    assert_eq!(rig.totals().await.0, 3_000);
}

#[tokio::test]
async fn a_payout_moves_the_amount_and_its_charge_and_repeats_are_refused() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let accepted = rig.client.b2c(rig.payout_of("po-1", phone(1), 850)).await.unwrap();
    assert!(accepted.conversation_id.starts_with("AG_20261003_"), "{accepted:?}");
    assert_eq!(rig.client.b2c(rig.payout_of("po-1", phone(1), 850)).await, Err(SendError::Duplicate));
    assert_eq!(rig.totals().await, (0, FLOAT, 0));
    rig.pass(10).await;
    let results = rig.inbox.bodies("/hooks/b2c/po-1/result");
    assert_eq!(results.len(), 1);
    let result = parse_b2c(&results[0]).unwrap();
    assert_eq!(result.originator_id, "po-1");
    assert_eq!(result.conversation_id, Some(accepted.conversation_id));
    let B2cOutcome::Paid { receipt: Some(receipt), amount, paid_at: Some(at), utility_funds } =
        result.outcome
    else {
        panic!("{:?}", result.outcome)
    };
    assert_eq!((amount, utility_funds), (Some(Cents(85_000)), Some(Cents(FLOAT - 85_000))));
    assert!(at > start_time());
    assert_eq!(rig.totals().await, (0, FLOAT - 85_000, -rig.client.payout_charge(850).0));
    assert_eq!(rig.client.payout_charge(850), Cents(500));
    let messages = &rig.get(&format!("/sandbox/phones/{}", phone(1).number())).await["messages"];
    assert!(messages[0]["text"].as_str().unwrap().starts_with(receipt.as_str()));
}

#[tokio::test]
async fn an_empty_float_refuses_payouts_and_nothing_moves() {
    let config = SandboxConfig { opening_float: Cents(10_000), ..SandboxConfig::default() };
    let rig = Rig::start(config).await;
    rig.client.b2c(rig.payout_of("po-1", phone(1), 101)).await.unwrap();
    rig.pass(10).await;
    let result = parse_b2c(&rig.inbox.bodies("/hooks/b2c/po-1")[0]).unwrap();
    assert_eq!(result.outcome, B2cOutcome::Refused { code: "1".to_owned() });
    assert_eq!(rig.totals().await, (0, 10_000, 0));
}

#[tokio::test]
async fn the_initiators_password_is_checked_by_whoever_holds_the_private_key() {
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let check = InitiatorCheck {
        password: "Safaricom999".to_owned(),
        private_key_pem: pem("PRIVATE KEY", private.as_ref()),
    };
    let rig = Rig::start(SandboxConfig { initiator_check: Some(check), ..SandboxConfig::default() }).await;
    for (password, code) in [("Safaricom999", None), ("Safaricom998", Some("2001"))] {
        let mut config = client_config(&rig.sandbox.base_url);
        config.credential = SecurityCredential::Password {
            password: password.into(),
            public_key_pem: pem("PUBLIC KEY", public.as_ref()),
        };
        let client = DarajaClient::new(config, Arc::new(rig.clock.clone())).unwrap();
        let id = format!("po-{password}");
        client.b2c(rig.payout_of(&id, phone(1), 50)).await.unwrap();
        rig.pass(10).await;
        let outcome = parse_b2c(&rig.inbox.bodies(&format!("/hooks/b2c/{id}"))[0]).unwrap().outcome;
        match code {
            None => assert!(matches!(outcome, B2cOutcome::Paid { .. }), "{outcome:?}"),
            Some(code) => assert_eq!(outcome, B2cOutcome::Refused { code: code.to_owned() }),
        }
    }
}

#[tokio::test]
async fn a_token_that_ended_or_was_replaced_is_renewed_without_a_second_payment() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.client.stk_push(rig.push_of(phone(1), 10)).await.unwrap();
    // Another user of the app asks for a token: ours is worth nothing now.
    let other = DarajaClient::new(client_config(&rig.sandbox.base_url), Arc::new(rig.clock.clone())).unwrap();
    other.stk_push(rig.push_of(phone(2), 10)).await.unwrap();
    rig.client.stk_push(rig.push_of(phone(3), 10)).await.unwrap();
    rig.client.register_c2b_urls(&rig.inbox.url, &rig.inbox.url).await.unwrap();
    rig.pass(3_600).await;
    rig.client.stk_push(rig.push_of(phone(4), 10)).await.unwrap();
    let phones = rig.get("/sandbox/phones").await;
    assert_eq!(phones["phones"].as_array().unwrap().len(), 4);
    assert_eq!(rig.inbox.stk().len(), 3);
}

#[tokio::test]
async fn many_requests_at_once_share_one_token() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let pushes = (0..40).map(|nth| rig.client.stk_push(rig.push_of(phone(nth), 10)));
    for result in futures::future::join_all(pushes).await {
        result.unwrap();
    }
    rig.pass(61).await;
    assert_eq!(rig.inbox.stk().len(), 40);
}

#[tokio::test]
async fn wrong_keys_and_passkeys_are_refused_before_anything_is_asked() {
    let rig = Rig::start(SandboxConfig::default()).await;
    let with = |change: &dyn Fn(&mut jirani_daraja::DarajaConfig)| {
        let mut config = client_config(&rig.sandbox.base_url);
        change(&mut config);
        DarajaClient::new(config, Arc::new(rig.clock.clone())).unwrap()
    };
    for (client, expected) in [
        // Daraja says nothing at all about wrong keys: the status is all there is.
        (with(&|config| config.consumer_secret = "wrong".into()), "400"),
        (with(&|config| config.passkey = "wrong".into()), "500.001.1001"),
        (with(&|config| config.shortcode = "174379".to_owned()), "500.001.1001"),
        (with(&|config| config.base_url = "http://127.0.0.1:1".to_owned()), "mpesa.unreachable"),
    ] {
        let error = client.stk_push(rig.push_of(phone(1), 10)).await.unwrap_err();
        assert!(matches!(&error, SendError::NotSent { code, .. } if code == expected), "{error:?}");
    }
    for (shillings, payout) in [(0, 9), (250_001, 250_001), (-5, -5)] {
        let error = rig.client.stk_push(rig.push_of(phone(1), shillings)).await.unwrap_err();
        assert!(error.to_string().contains("mpesa.amount_out_of_bounds"), "{error}");
        assert!(rig.client.b2c(rig.payout_of("po", phone(1), payout)).await.is_err());
    }
    assert_eq!(rig.get("/sandbox/phones").await["phones"], json!([]));
}

#[tokio::test]
async fn a_customer_can_pay_by_hand_without_a_prompt() {
    let rig = Rig::start(SandboxConfig::default()).await;
    rig.register().await;
    let path = format!("/sandbox/phones/{}/paybill", phone(1).number());
    let order = json!({"amount_shillings": 55, "reference": "abc 123", "pin": "1234"});
    let (status, body) = rig.post(&path, order).await;
    assert_eq!(status, 200, "{body}");
    rig.clock.idle().await;
    assert_eq!(rig.inbox.confirmed_receipts(), [body["receipt"].as_str().unwrap()]);
    assert_eq!(rig.totals().await, (5_500, FLOAT, 0));
    let (status, _) = rig.post(&path, json!({"amount_shillings": 5, "reference": "x", "pin": "0000"})).await;
    assert_eq!((status, rig.totals().await.0), (400, 5_500));
}

#[tokio::test]
async fn automatic_phones_answer_alike_for_one_seed() {
    let run = async |seed| {
        let behaviour = jirani_daraja_sandbox::Behaviour {
            cancel_per_mille: 250,
            silent_per_mille: 250,
            insufficient_per_mille: 250,
        };
        let default_mode = jirani_daraja_sandbox::PhoneMode::Automatic(behaviour);
        let rig = Rig::start(SandboxConfig { seed, default_mode, ..SandboxConfig::default() }).await;
        for nth in 0..30 {
            rig.client.stk_push(rig.push_of(phone(nth), 10)).await.unwrap();
        }
        assert_eq!(rig.clock.persons(), 0);
        rig.pass(62).await;
        let outcomes = rig.inbox.stk();
        (outcomes, rig.totals().await)
    };
    let (first, totals) = run(5).await;
    assert_eq!(first.len(), 30);
    for code in ["1", "1032", "1037"] {
        assert!(first.contains(&refused(code)), "{code}");
    }
    assert_eq!(run(5).await, (first.clone(), totals));
    assert_ne!(run(6).await.0, first);
}

#[tokio::test]
async fn a_taken_port_or_a_public_address_is_named_at_the_start() {
    let inbox = Inbox::open().await;
    let start = async |listen: &str| {
        let config = SandboxConfig { listen: listen.parse().unwrap(), ..SandboxConfig::default() };
        let clock = ServiceClock::advanced_from(start_time());
        jirani_daraja_sandbox::Sandbox::start(config, clock).await.map(|_| ()).unwrap_err().to_string()
    };
    let taken = inbox.url.trim_start_matches("http://").to_owned();
    assert!(start(&taken).await.starts_with("sandbox.port"));
    assert!(start("0.0.0.0:0").await.starts_with("sandbox.not_loopback"));
}
