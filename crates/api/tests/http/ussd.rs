//! A feature phone, through the door that its gateway uses.

use crate::support::{USSD_SECRET, World, WorldOptions, expect, start, start_on};
use crate::trading::market;
use jirani_api::Limits;
use jirani_daraja_sandbox::Behaviour;
use jirani_market::Want;
use jirani_notify::gsm;
use jirani_store::{Change, HandsetRecord, MessageRecord, MessageState, PayWith};
use jirani_units::{Cents, Clock as _, HouseholdId, Msisdn, Wh};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const PIN: &str = "2580";

fn number(household: u32) -> Msisdn {
    format!("0712 345 00{household}").parse().unwrap()
}

/// Sends a form to a door, and reads what it says.
async fn send(world: &World, base: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let answer = world
        .client
        .post(format!("{base}{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The screen that answers.
async fn dial(world: &World, household: u32, session: &str, text: &str) -> String {
    dial_at(world, &world.url(""), household, session, text).await
}

async fn dial_at(world: &World, base: &str, household: u32, session: &str, text: &str) -> String {
    let phone = format!("+{}", number(household).number());
    let fields = [
        ("sessionId", session),
        ("serviceCode", "*384*1#"),
        ("phoneNumber", phone.as_str()),
        ("networkCode", "63902"),
        ("text", text),
    ];
    let (status, screen) = send(world, base, &format!("/ussd/{USSD_SECRET}"), &fields).await;
    assert_eq!(status, 200, "{screen}");
    assert!(
        gsm::is_one_screen(&screen) && (screen.starts_with("CON ") || screen.starts_with("END ")),
        "{screen}"
    );
    screen
}

/// Dials for the first time and chooses the PIN.
async fn first_use(world: &World, household: u32) {
    let welcome = dial(world, household, "first", "").await;
    assert_eq!(welcome, "CON Jirani\n1 Kiswahili\n2 English");
    assert!(dial(world, household, "first", "2").await.starts_with("END We send you a code"));
    let code = code(world, household);
    assert!(dial(world, household, "second", "").await.starts_with("CON Enter the code"));
    assert!(dial(world, household, "second", &code).await.starts_with("CON Choose a PIN"));
    assert!(
        dial(world, household, "second", &format!("{code}*{PIN}")).await.starts_with("CON Enter the same")
    );
    let set = dial(world, household, "second", &format!("{code}*{PIN}*{PIN}")).await;
    assert_eq!(set, "END Your PIN is set. Dial again.");
}

/// The code in the newest message.
fn code(world: &World, household: u32) -> String {
    let newest = world.handsets.inbox(number(household)).remove(0).text;
    let code: String = newest.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(code.len(), 6, "{newest}");
    code
}

async fn handset(world: &World, household: u32) -> HandsetRecord {
    world.store.handset(HouseholdId(household)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_code_by_text_message_lets_choose_the_pin_that_opens_the_menus() {
    let world = start(WorldOptions::default()).await;
    first_use(&world, 1).await;
    assert!(dial(&world, 1, "third", "").await.starts_with("CON Jirani\nEnter your PIN"));
    let menu = dial(&world, 1, "third", PIN).await;
    assert!(menu.starts_with("CON Jirani\n1 Balance\n2 Buy"), "{menu}");
    world.give_balance(1, 123_450).await;
    let balance = dial(&world, 1, "third", &format!("{PIN}*1")).await;
    assert!(balance.starts_with("END Money: KSh 1,234.50\nEnergy: 0.000 kWh"), "{balance}");
    let kept = handset(&world, 1).await;
    assert!(kept.pin.is_some_and(|hash| !hash.contains(PIN)) && kept.code.is_none());
    // The language that was chosen is the household's now, on every screen.
    assert!(dial(&world, 1, "fourth", &format!("{PIN}*6")).await.starts_with("END Kuanzia sasa"));
    assert!(dial(&world, 1, "fifth", PIN).await.starts_with("CON Jirani\n1 Salio"));
}

#[tokio::test]
async fn three_wrong_pins_lock_for_an_hour_however_they_come() {
    let world = start(WorldOptions::default()).await;
    first_use(&world, 1).await;
    assert!(dial(&world, 1, "a", "1111").await.contains("2 tries left"));
    assert!(dial(&world, 1, "a", "1111").await.contains("2 tries left"), "a repeat is not counted again");
    assert!(dial(&world, 1, "b", &format!("1112*{PIN}")).await.starts_with("CON Jirani\n1 Balance"));
    assert_eq!(handset(&world, 1).await.wrong, 0, "a right one forgives");
    // Typed at once, or at the same time: not one more.
    assert!(dial(&world, 1, "c", "1111*1112*1113*2580").await.starts_with("END Locked"));
    assert!(
        dial(&world, 1, "d", PIN).await.starts_with("END Locked after wrong tries. Dial again in 60 min.")
    );
    world.clock.advance_to(world.clock.now().plus_seconds(3_600));
    assert!(dial(&world, 1, "e", PIN).await.starts_with("CON Jirani\n1 Balance"));
    let guesses: Vec<String> = (0..12).map(|number| format!("31{number:02}")).collect();
    let many = guesses.iter().enumerate().map(|(index, guess)| {
        let (world, session) = (&world, format!("many {index}"));
        async move { dial(world, 1, &session, guess).await }
    });
    let answers = futures::future::join_all(many).await;
    let tried = answers.iter().filter(|answer| answer.contains("left")).count();
    assert_eq!(tried, 2, "{answers:?}");
    assert!(answers.iter().any(|answer| answer.starts_with("END Locked")));
}

#[tokio::test]
async fn wrong_codes_are_counted_and_codes_are_few() {
    let world = start(WorldOptions::default()).await;
    assert!(dial(&world, 1, "a", "2").await.starts_with("END We send you a code"));
    let first = code(&world, 1);
    assert!(dial(&world, 1, "b", "0").await.starts_with("END We send you a code"));
    let second = code(&world, 1);
    assert_ne!(first, second);
    assert!(dial(&world, 1, "c", &first).await.contains("2 tries left"), "the newest code counts");
    for number in 0..3 {
        assert!(dial(&world, 1, &format!("d{number}"), "0").await.starts_with("END We send you a code"));
    }
    assert!(dial(&world, 1, "e", "0").await.starts_with("END No more codes today"));
    world.clock.advance_to(world.clock.now().plus_seconds(601));
    assert!(
        dial(&world, 1, "f", "").await.starts_with("CON Jirani\n1 Kiswahili"),
        "a code is good for minutes"
    );
    world.clock.advance_to(world.clock.now().plus_seconds(86_400));
    assert!(dial(&world, 1, "g", "2").await.starts_with("END We send you a code"), "tomorrow there are more");
}

#[tokio::test]
async fn a_request_that_is_repeated_buys_once() {
    let world = start(WorldOptions::default()).await;
    let (buyer, ..) = market(&world).await;
    world.give_balance(1, 10_000).await;
    first_use(&world, 1).await;
    let quoted = dial(&world, 1, "s", &format!("{PIN}*2*1*0.3")).await;
    assert_eq!(
        quoted,
        "CON 0.300 kWh for KSh 9.90, operator KSh 18.00\n1 M-Pesa KSh 10.00\n2 Balance (KSh 100.00)\n0 Back"
    );
    let agreed = format!("{PIN}*2*1*0.3*2");
    let repeats = futures::future::join_all((0..5).map(|_| dial(&world, 1, "s", &agreed))).await;
    for repeat in &repeats {
        assert_eq!(repeat, "END You bought 0.300 kWh for KSh 9.90 from your balance.");
    }
    // Another process, which remembers nothing of the session, finds what was paid.
    let other = start_on(&world, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let base = format!("http://{}", other.addr);
    assert_eq!(dial_at(&world, &base, 1, "s", &agreed).await, repeats[0]);
    // What nobody agreed to is not bought.
    let forgotten = dial_at(&world, &base, 1, "t", &agreed).await;
    assert!(forgotten.starts_with("END This took too long"), "{forgotten}");
    assert_eq!(buyer.get("/api/v1/me/orders").await.as_array().unwrap().len(), 1);
    assert_eq!(buyer.get("/api/v1/me/home").await["balance_cents"], 9_010);
    other.stop().await;
}

#[tokio::test]
async fn an_order_by_mpesa_prompts_and_settles() {
    let world = start(WorldOptions::default()).await;
    let (buyer, ..) = market(&world).await;
    world.phone_answers(1, Behaviour::ALWAYS_PAYS).await;
    first_use(&world, 1).await;
    assert!(dial(&world, 1, "s", &format!("{PIN}*2*2*10")).await.starts_with("CON 0.303 kWh for KSh 10.00"));
    let placed = dial(&world, 1, "s", &format!("{PIN}*2*2*10*1")).await;
    assert!(placed.starts_with("END M-Pesa will ask on this phone for KSh 10.00"), "{placed}");
    let orders = buyer.get("/api/v1/me/orders").await;
    let path = format!("/api/v1/me/orders/{}", orders[0]["id"]);
    world.pass_until(&buyer, &path, "state", "settled").await;
}

#[tokio::test]
async fn what_became_of_an_order_is_told_although_the_process_ended_before_it_was_known() {
    let world = start(WorldOptions::default()).await;
    market(&world).await;
    world.give_balance(1, 10_000).await;
    world.chain.answers(false);
    let (trading, buyer, key) = (world.deps.trading.clone(), HouseholdId(1), "ussd:0123456789:4");
    let begun = tokio::spawn(async move {
        let want = Want::Energy(Wh(300));
        trading.place_order(buyer, want, PayWith::Balance, Some(Cents(990)), key.to_owned()).await
    });
    while world.store.order_by_key(buyer, key).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    begun.abort();
    let next = start_on(&world, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    world.chain.answers(true);
    let told = async {
        loop {
            let notices = world.store.notices_of(Some(buyer), 10).await.unwrap();
            if let Some(told) = notices.into_iter().find(|notice| notice.code == "ussd_outcome") {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_mins(1), told).await.expect("it is told");
    assert_eq!(told.key, format!("ussd_outcome/{key}"));
    assert!(told.en.contains("You bought 0.300 kWh for KSh 9.90"), "{}", told.en);
    next.stop().await;
}

#[tokio::test]
async fn what_an_unpaid_order_may_not_hold_is_offered_from_the_balance_only() {
    let world = start(WorldOptions::default()).await;
    let (buyer, ..) = market(&world).await;
    world.give_balance(1, 10_000).await;
    first_use(&world, 1).await;
    let text = format!("{PIN}*2*1*1");
    assert_eq!(
        dial(&world, 1, "s", &text).await,
        "CON 1.000 kWh for KSh 33.00, operator KSh 60.00\n2 Balance (KSh 100.00)\n0 Back"
    );
    let by_mpesa = dial(&world, 1, "s", &format!("{text}*1")).await;
    assert!(by_mpesa.starts_with("END By M-Pesa you can buy less at once"), "{by_mpesa}");
    assert_eq!(buyer.get("/api/v1/me/orders").await, json!([]));
    dial(&world, 1, "t", &text).await;
    let bought = dial(&world, 1, "t", &format!("{text}*2")).await;
    assert_eq!(bought, "END You bought 1.000 kWh for KSh 33.00 from your balance.");
}

#[tokio::test]
async fn a_withdrawal_shows_its_charge_and_is_sent_once() {
    let world = start(WorldOptions::default()).await;
    first_use(&world, 1).await;
    world.give_balance(1, 100_000).await;
    let too_much = dial(&world, 1, "r", &format!("{PIN}*4*5000")).await;
    assert_eq!(too_much, "CON KSh 4,991.00 to your M-Pesa, charge KSh 9.00.\n1 Yes\n0 Back");
    let refused = dial(&world, 1, "r", &format!("{PIN}*4*5000*1")).await;
    assert_eq!(refused, "END Your balance is too small for this.");
    let quoted = dial(&world, 1, "s", &format!("{PIN}*4*500")).await;
    assert!(quoted.starts_with("CON KSh 4") && quoted.contains("charge KSh"), "{quoted}");
    let agreed = format!("{PIN}*4*500*1");
    let first = dial(&world, 1, "s", &agreed).await;
    assert!(first.contains("is on its way to your M-Pesa"), "{first}");
    let other = start_on(&world, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    assert_eq!(dial_at(&world, &format!("http://{}", other.addr), 1, "s", &agreed).await, first);
    let payouts = world.household(1).await.get("/api/v1/me/payouts").await;
    assert_eq!(payouts.as_array().unwrap().len(), 1, "{payouts}");
    other.stop().await;
}

#[tokio::test]
async fn rules_are_set_and_ended_by_phone_one_without_the_other() {
    let world = start(WorldOptions::default()).await;
    first_use(&world, 1).await;
    let home = world.household(1).await;
    let empty = dial(&world, 1, "a", &format!("{PIN}*3")).await;
    assert!(empty.starts_with("CON You have no rule to sell"), "{empty}");
    let confirm = dial(&world, 1, "b", &format!("{PIN}*3*1*2*30")).await;
    assert!(confirm.starts_with("CON Sell what is above 2.000 kWh at KSh 30.00/kWh"), "{confirm}");
    assert_eq!(dial(&world, 1, "b", &format!("{PIN}*3*1*2*30*1")).await, "END Your rule is set.");
    assert_eq!(dial(&world, 1, "c", &format!("{PIN}*5*1*55*200*1")).await, "END Your rule is set.");
    let rules = home.get("/api/v1/me/rules").await;
    assert!(rules["sell"].is_object() && rules["buy"].is_object(), "{rules}");
    let set = dial(&world, 1, "d", &format!("{PIN}*3")).await;
    assert!(set.starts_with("CON You keep 2.000 kWh and sell the rest at KSh 30.00/kWh or more"), "{set}");
    assert_eq!(dial(&world, 1, "e", &format!("{PIN}*3*2")).await, "END Your rule is off.");
    let rules = home.get("/api/v1/me/rules").await;
    assert!(rules["sell"].is_null() && rules["buy"].is_object(), "{rules}");
    let dear = dial(&world, 1, "f", &format!("{PIN}*5*1*61")).await;
    assert!(dear.starts_with("CON Try again. We buy what you used"), "{dear}");
}

#[tokio::test]
async fn refusals_are_said_in_a_sentence() {
    let world = start(WorldOptions::default()).await;
    market(&world).await;
    first_use(&world, 1).await;
    for (session, text, words) in [
        ("a", "2*1*90", "Not enough is on offer"),
        ("b", "2*1*0.3*2", "This took too long"),
        ("c", "4*1", "too little"),
        ("d", "9", "Try again. Jirani"),
        ("e", "2*1*x", "Try again. How many kWh"),
    ] {
        let screen = dial(&world, 1, session, &format!("{PIN}*{text}")).await;
        assert!(screen.contains(words), "{text}: {screen}");
    }
    dial(&world, 1, "poor", &format!("{PIN}*2*1*0.3")).await;
    let poor = dial(&world, 1, "poor", &format!("{PIN}*2*1*0.3*2")).await;
    assert_eq!(poor, "END Your balance is too small for this.");
}

#[tokio::test]
async fn strangers_learn_nothing_and_odd_forms_are_borne() {
    let world = start(WorldOptions::default()).await;
    let stranger = dial(&world, 9, "s", "").await;
    assert!(stranger.starts_with("END ") && stranger.contains("Ask your operator"), "{stranger}");
    let mut second = world.store.household(HouseholdId(2)).await.unwrap().unwrap();
    second.msisdn = Some(number(1));
    world.store.commit(vec![Change::Household(second)]).await.unwrap();
    assert_eq!(dial(&world, 1, "s", "").await, stranger, "a number of two households opens neither");
    let door = format!("/ussd/{USSD_SECRET}");
    let base = world.url("");
    let cases: [&[(&str, &str)]; 4] = [
        &[],
        &[("sessionId", "x"), ("phoneNumber", "+4479")],
        &[("phoneNumber", "+254712345001")],
        &[
            ("phoneNumber", "+254712345001"),
            ("sessionId", "x"),
            ("durationInMillis", "9"),
            ("status", "Success"),
        ],
    ];
    for fields in cases {
        let (status, text) = send(&world, &base, &door, fields).await;
        assert_eq!(status, 200);
        assert!(text.starts_with("END "), "{text}");
    }
    let long = "1*".repeat(300);
    let (status, text) =
        send(&world, &base, &door, &[("phoneNumber", "+254712345002"), ("sessionId", "x"), ("text", &long)])
            .await;
    assert_eq!((status, text.starts_with("END ")), (200, true));
    for path in ["/ussd/0123456789abcdef01234568", "/ussd/", "/sms/wrong/inbound", "/sms/wrong/report"] {
        let (status, _) = send(&world, &base, path, &[("phoneNumber", "+254712345001")]).await;
        assert!(matches!(status, 404 | 405), "{path} {status}");
    }
    let body = "x".repeat(9_000);
    assert_eq!(send(&world, &base, &door, &[("text", &body)]).await.0, 413);
}

#[tokio::test]
async fn a_number_may_ask_so_often_and_no_more() {
    let limits = Limits { money_per_minute: Some(5), ..Limits::default() };
    let world = start(WorldOptions { limits, ..WorldOptions::default() }).await;
    for session in 0..5 {
        assert!(dial(&world, 1, &format!("{session}"), "").await.starts_with("CON "));
    }
    assert!(dial(&world, 1, "more", "").await.starts_with("END Jirani"));
    assert!(dial(&world, 2, "other", "").await.starts_with("CON "), "others are not held up");
}

#[tokio::test]
async fn a_forgotten_pin_is_cleared_by_the_operator_only() {
    let world = start(WorldOptions::default()).await;
    first_use(&world, 1).await;
    assert!(dial(&world, 1, "a", "0").await.starts_with("END Ask your operator to clear your PIN"));
    let clear = "/api/v1/operator/households/1/phone/clear";
    assert_eq!(world.household(1).await.ask(Method::POST, clear).await.status(), 403);
    assert_eq!(world.operator().await.ask(Method::POST, clear).await.status(), 204);
    assert!(dial(&world, 1, "b", "").await.starts_with("CON Jirani\n1 Kiswahili"));
    let told = world.household(1).await.get("/api/v1/me/notices").await;
    assert_eq!(told[0]["code"], "ussd_pin_cleared");
}

#[tokio::test]
async fn a_zero_after_the_right_code_is_no_pin_and_asks_for_no_other_code() {
    let world = start(WorldOptions::default()).await;
    dial(&world, 1, "first", "2").await;
    let code = code(&world, 1);
    let refused = dial(&world, 1, "second", &format!("{code}*0")).await;
    assert!(refused.starts_with("CON Choose another PIN"), "{refused}");
    let set = dial(&world, 1, "second", &format!("{code}*0*{PIN}*{PIN}")).await;
    assert_eq!(set, "END Your PIN is set. Dial again.");
    assert_eq!(world.handsets.inbox(number(1)).len(), 1, "one code was sent");
}

#[tokio::test]
async fn many_at_once_get_no_more_codes_than_a_day_has_until_the_operator_clears_them() {
    let world = start(WorldOptions::default()).await;
    dial(&world, 1, "first", "2").await;
    let sessions: Vec<String> = (0..12).map(|session| format!("s{session}")).collect();
    let screens =
        futures::future::join_all(sessions.iter().map(|session| dial(&world, 1, session, "0"))).await;
    let sent = screens.iter().filter(|screen| screen.starts_with("END We send you a code")).count();
    assert_eq!((sent, world.handsets.inbox(number(1)).len()), (4, 5), "{screens:?}");
    assert_eq!(handset(&world, 1).await.codes_sent, 5);
    let clear = "/api/v1/operator/households/1/phone/clear";
    assert_eq!(world.operator().await.ask(Method::POST, clear).await.status(), 204);
    assert!(dial(&world, 1, "last", "2").await.starts_with("END We send you a code"));
}

#[tokio::test]
async fn a_report_and_a_stop_are_heard() {
    let world = start(WorldOptions::default()).await;
    let sent = MessageRecord {
        key: "notice/1".into(),
        household: HouseholdId(1),
        state: MessageState::Sent,
        attempts: 1,
        gateway_id: Some("ATXid_7".into()),
        reason: None,
        at: world.clock.now(),
        version: 0,
    };
    world.store.commit(vec![Change::Message(sent)]).await.unwrap();
    let (base, report) = (world.url(""), format!("/sms/{USSD_SECRET}/report"));
    let state = async || world.store.message("notice/1").await.unwrap().unwrap().state;
    for (id, status, expected) in [
        ("ATXid_8", "Success", MessageState::Sent),
        ("ATXid_7", "Buffered", MessageState::Sent),
        ("ATXid_7", "Success", MessageState::Delivered),
        ("ATXid_7", "Failed", MessageState::Delivered),
    ] {
        let answer = send(&world, &base, &report, &[("id", id), ("status", status)]).await;
        assert_eq!((answer.0, state().await), (204, expected), "{id} {status}");
    }
    let inbound = format!("/sms/{USSD_SECRET}/inbound");
    for (text, muted) in [(" stop ", true), ("hello", true), ("ANZA", false), ("Acha", true)] {
        let form = [("from", "+254712345001"), ("text", text)];
        assert_eq!(send(&world, &base, &inbound, &form).await.0, 204);
        assert_eq!(handset(&world, 1).await.muted, muted, "{text}");
    }
}

#[tokio::test]
async fn a_stop_and_a_report_are_heard_where_phones_have_no_menus() {
    let world = start(WorldOptions { menus: false, ..WorldOptions::default() }).await;
    let (base, stop) = (world.url(""), [("from", "+254712345001"), ("text", "STOP")]);
    let inbound = format!("/sms/{USSD_SECRET}/inbound");
    assert_eq!(send(&world, &base, &inbound, &stop).await.0, 204);
    assert!(handset(&world, 1).await.muted);
    let report = format!("/sms/{USSD_SECRET}/report");
    assert_eq!(send(&world, &base, &report, &[("id", "ATXid_7"), ("status", "Success")]).await.0, 204);
    for path in [format!("/ussd/{USSD_SECRET}"), "/sms/0123456789abcdef01234568/inbound".to_owned()] {
        assert_eq!(send(&world, &base, &path, &stop).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn the_phone_on_a_page_dials_the_same_menus_in_a_demonstration_only() {
    let world = start(WorldOptions::default()).await;
    let nobody = world.nobody();
    let dialled = |session: &str, text: &str| json!({"session_id": session, "text": text});
    let path = "/api/v1/demo/handsets/1/ussd";
    let welcome = nobody.post(path, &dialled("a", "")).await;
    assert_eq!(welcome, json!({"text": "Jirani\n1 Kiswahili\n2 English", "asks": true}));
    assert_eq!(nobody.post(path, &dialled("a", "2")).await["asks"], false);
    let phone: Value = nobody.get("/api/v1/demo/handsets/1").await;
    assert_eq!(
        (&phone["service_code"], &phone["number_masked"]),
        (&json!("*384*1#"), &json!("0712 *** 001"))
    );
    assert!(phone["messages"][0]["text"].as_str().unwrap().contains(&code(&world, 1)));
    let stop = nobody.request(Method::POST, "/api/v1/demo/handsets/1/sms").json(&json!({"text": "STOP"}));
    assert_eq!(stop.send().await.unwrap().status(), 204);
    assert!(handset(&world, 1).await.muted);
    expect(nobody.ask(Method::GET, "/api/v1/demo/handsets/3").await, 404).await;

    let real = start(WorldOptions { demo: false, ..WorldOptions::default() }).await;
    expect(real.nobody().ask(Method::GET, "/api/v1/demo/handsets/1").await, 404).await;
    let refused = real.nobody().request(Method::POST, path).json(&dialled("a", "")).send().await.unwrap();
    assert_eq!(refused.status(), 404);
}
