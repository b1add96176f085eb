//! Every parser of outside bytes, on bytes grown from real bodies.
//!
//! The seeds in `tests/seeds` are bodies on record. They are cut, spliced,
//! repeated and altered, as text and as JSON; whatever comes of it, a parser must
//! return, and what it returns must keep the rules that money rests on. Counts
//! are bounded: `PROPTEST_CASES` makes it longer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

use jirani_daraja::callback::{
    B2cOutcome, BalanceOutcome, MAX_BODY_BYTES, MoveOutcome, StatusOutcome, StkOutcome, parse_b2c,
    parse_balance, parse_c2b, parse_float, parse_reversal, parse_status, parse_stk,
};
use jirani_daraja::codes::{
    Refusal, ask_refusal, float_refusal, payout_refusal, prompt_refusal, reversal_refusal,
};
use jirani_daraja::reply::Reply;
use jirani_daraja::{PullRequest, QueryOutcome, SendError, nairobi};
use jirani_units::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Bodies by name.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let mut seeds: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// What a table of final codes says.
type Refuses = fn(&str) -> Option<&'static Refusal>;

/// Hands the bytes to every parser and checks the rules.
fn every_parser(body: &[u8]) {
    if let Ok(result) = parse_stk(body) {
        assert!(!result.checkout_request_id.is_empty());
        match result.outcome {
            StkOutcome::Paid { amount, .. } => assert!(amount.is_none_or(|amount| amount.0 > 0)),
            StkOutcome::Refused { code } => assert!(prompt_refusal(&code).is_some(), "{code}"),
            StkOutcome::Pending { code } => assert!(prompt_refusal(&code).is_none() && code != "0"),
        }
    }
    if let Ok(result) = parse_b2c(body) {
        match result.outcome {
            B2cOutcome::Paid { amount, .. } => assert!(amount.is_none_or(|amount| amount.0 > 0)),
            B2cOutcome::Refused { code } => assert!(payout_refusal(&code).is_some(), "{code}"),
            B2cOutcome::Unknown { code } => assert!(payout_refusal(&code).is_none() && code != "0"),
        }
    }
    if let Ok(payment) = parse_c2b(body) {
        assert!(payment.amount.0 > 0);
        assert_eq!(payment.receipt.as_str(), payment.receipt.as_str().trim().to_ascii_uppercase());
    }
    if let Ok(answer) = parse_status(body) {
        match answer.outcome {
            StatusOutcome::Found(found) => {
                assert!(found.amount.is_none_or(|amount| amount.0 > 0));
                assert!(found.charge.is_none_or(|charge| charge.0 >= 0));
            }
            StatusOutcome::Refused { code } => assert!(ask_refusal(&code).is_some()),
            StatusOutcome::Unknown { code } => assert!(ask_refusal(&code).is_none()),
        }
    }
    if let Ok(answer) = parse_balance(body)
        && let BalanceOutcome::Told { accounts, .. } = answer.outcome
    {
        assert!((1..=32).contains(&accounts.len()));
    }
    let moved: [(_, Refuses); 2] =
        [(parse_reversal(body), reversal_refusal), (parse_float(body), float_refusal)];
    for (answer, refusal) in moved {
        match answer.map(|answer| answer.outcome) {
            Ok(MoveOutcome::Moved { amount, .. }) => assert!(amount.is_none_or(|amount| amount.0 > 0)),
            Ok(MoveOutcome::Refused { code }) => assert!(refusal(&code).is_some()),
            _ => {}
        }
    }
    for status in [200, 400, 401, 404, 429, 500, 502] {
        every_reply(&Reply::new(status, body), status);
    }
}

fn every_reply(reply: &Reply, status: u16) {
    let resent = reply.token_rejected() || reply.cut_off();
    if let Ok(accepted) = reply.stk_push() {
        assert!(status == 200 && !accepted.checkout_request_id.is_empty());
        assert!(!resent, "what was taken on is never sent again");
    }
    if let Ok(accepted) = reply.b2c("po-0192f3aa-1") {
        assert!(status == 200 && !accepted.conversation_id.is_empty() && !resent);
    }
    if reply.ask().is_ok() {
        assert!(status == 200 && !resent);
    }
    if let QueryOutcome::Refused { code } = reply.stk_query("ws_CO_031020261315004712000111") {
        assert!(status == 200 && prompt_refusal(&code).is_some());
    }
    let now: Timestamp = "2026-10-03T10:15:22Z".parse().unwrap();
    let request = PullRequest { from: now.plus_seconds(-3_600), until: now, offset: u32::MAX - 1 };
    if let Ok(page) = reply.pull(&request) {
        assert!(page.payments.iter().all(|payment| payment.amount.0 > 0));
        assert!(page.next_offset.is_none_or(|next| next > request.offset));
    }
    let _ = (reply.qr(), reply.c2b_registration(), reply.pull_registration(), reply.token());
    if let SendError::NotSent { code, .. } = reply.send_error() {
        assert!(!code.is_empty());
    }
}

/// Changes to a JSON value, as a clerk or an attacker might make them.
fn altered(value: &Value, place: usize, by: usize) -> Value {
    let odd = [
        json!(null),
        json!(""),
        json!("0"),
        json!(0),
        json!(-1),
        json!(1e308),
        json!(u64::MAX),
        json!("SFC_IC0003"),
        json!("2547 ***** 126"),
        json!(" uj32abcdef "),
        json!("99999999999999"),
        json!([]),
        json!({}),
        json!("\u{202e}\u{0}"),
        json!("9".repeat(300)),
        json!([[[[]]]]),
    ];
    let mut count = 0;
    walk(value, place, &mut count, &odd[by % odd.len()], by)
}

fn walk(value: &Value, place: usize, count: &mut usize, odd: &Value, by: usize) -> Value {
    let here = *count == place;
    *count += 1;
    if here {
        return match (by % 5, value) {
            // Number and text change places; one object becomes a list and back.
            (0, Value::Number(number)) => json!(number.to_string()),
            (0, Value::String(text)) => {
                text.parse::<u64>().map_or_else(|_| odd.clone(), |number| json!(number))
            }
            (1, Value::Object(_)) => json!([value]),
            (1, Value::Array(items)) => items.first().cloned().unwrap_or(Value::Null),
            (2, Value::Array(items)) => {
                Value::Array(items.iter().cycle().take(items.len() * 3).cloned().collect())
            }
            (3, Value::Object(fields)) => {
                fields.iter().skip(1).map(|(k, v)| (k.clone(), v.clone())).collect()
            }
            _ => odd.clone(),
        };
    }
    match value {
        Value::Array(items) => items.iter().map(|item| walk(item, place, count, odd, by)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, item)| (key.clone(), walk(item, place, count, odd, by))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn every_seed_reads_as_what_it_is() {
    let seeds = seeds();
    assert!(seeds.len() >= 25, "{} seeds", seeds.len());
    for (name, body) in seeds {
        every_parser(&body);
        let family = name.split(['-', '.']).next().unwrap();
        let understood = match family {
            "stk" => parse_stk(&body).is_ok(),
            "b2c" => parse_b2c(&body).is_ok(),
            "c2b" => parse_c2b(&body).is_ok(),
            "status" => parse_status(&body).is_ok(),
            "balance" => parse_balance(&body).is_ok(),
            "reversal" => parse_reversal(&body).is_ok(),
            "float" => parse_float(&body).is_ok(),
            // Answers, and what is no callback at all.
            "reply" | "odd" => {
                parse_stk(&body).is_err() && parse_b2c(&body).is_err() && parse_c2b(&body).is_err()
            }
            other => panic!("no parser for seeds of the family {other}"),
        };
        assert!(understood, "{name}");
    }
}

#[test]
fn bombs_are_refused_quickly_and_in_little_memory() {
    let deep = "[".repeat(MAX_BODY_BYTES - 1);
    let nested = r#"{"Result":"#.repeat(5_000);
    let wide = format!("[{}1]", "1,".repeat(MAX_BODY_BYTES / 2 - 2));
    let keys: String =
        (0..6_000).flat_map(|number| ["\"k".to_owned(), number.to_string(), "\":0,".to_owned()]).collect();
    let long =
        format!("{{\"Body\":{{\"stkCallback\":{{\"CheckoutRequestID\":\"{}\"}}}}}}", "x".repeat(60_000));
    for bomb in [deep, nested, wide, format!("{{{keys}\"z\":1}}"), long, "1".repeat(MAX_BODY_BYTES)] {
        every_parser(bomb.as_bytes());
        assert!(parse_stk(bomb.as_bytes()).is_err());
    }
    let too_long = vec![b' '; MAX_BODY_BYTES + 1];
    assert!(parse_stk(&too_long).is_err() && parse_b2c(&too_long).is_err() && parse_c2b(&too_long).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000)
    ))]

    #[test]
    fn bytes_cut_spliced_and_altered(
        (one, other) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        (cut, joint) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let seeds = seeds();
        let (one, other) = (&one.get(&seeds).1, &other.get(&seeds).1);
        let mut bytes = one[..cut.index(one.len() + 1)].to_vec();
        bytes.extend_from_slice(&other[joint.index(other.len() + 1)..]);
        for (place, byte) in changes {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        every_parser(&bytes);
    }

    #[test]
    fn values_altered_where_they_stand(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((0_usize..60, any::<usize>()), 1..5),
    ) {
        let seeds = seeds();
        if let Ok(mut value) = serde_json::from_slice::<Value>(&seed.get(&seeds).1) {
            for (place, by) in changes {
                value = altered(&value, place, by);
            }
            every_parser(value.to_string().as_bytes());
        }
    }

    #[test]
    fn any_bytes_and_any_text(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,40}") {
        every_parser(&bytes);
        every_parser(text.as_bytes());
        let _ = nairobi::parse(&text);
    }

    #[test]
    fn any_time_is_read_back(seconds in 0_i64..4_000_000_000) {
        let at = Timestamp::from_seconds(seconds);
        prop_assert_eq!(nairobi::parse(&nairobi::stamp(at)), Some(at));
        prop_assert_eq!(nairobi::parse(&nairobi::sentence(at)), Some(at));
    }
}
