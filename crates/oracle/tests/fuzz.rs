//! What meters and gateways send each other, on bytes grown from the golden vectors.
//!
//! The seeds are the signed readings, messages, acknowledgements and commands of
//! `crates/meter/vectors`, and their JSON form. They are cut, spliced and altered; every
//! reader must return, say the same twice, and give no more than there was. What is taken
//! as a reading must be its one encoding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_meter::{
    Ack, Command, Ed25519Signer, MESSAGE_READINGS_MAX, PublicKey, READING_MAX, Reading, Sign1, Signer as _,
    message,
};
use jirani_oracle::json_form;
use proptest::prelude::*;
use serde_json::Value;

/// Every byte string of the vectors that is long enough to mean something, and the JSON form
/// of those that are a COSE_Sign1.
fn seeds() -> Vec<Vec<u8>> {
    fn collect(value: &Value, seeds: &mut Vec<Vec<u8>>) {
        match value {
            Value::String(text) if text.len() >= 64 => seeds.extend(hex::decode(text).ok()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, seeds)),
            Value::Object(map) => map.values().for_each(|item| collect(item, seeds)),
            _ => {}
        }
    }
    let vectors: Value = serde_json::from_str(include_str!("../../meter/vectors/vectors.json")).unwrap();
    let mut seeds = Vec::new();
    collect(&vectors, &mut seeds);
    let json: Vec<String> = seeds
        .iter()
        .filter_map(|bytes| Sign1::read_all(bytes).ok())
        .map(|signed| {
            let (payload, signature) = (STANDARD.encode(signed.payload), STANDARD.encode(signed.signature));
            format!(r#"{{"payload":"{payload}","signature":"{signature}"}}"#)
        })
        .collect();
    seeds.push(format!("[{}]", json[..json.len().min(8)].join(",")).into_bytes());
    seeds.extend(json.into_iter().map(String::into_bytes));
    seeds
}

fn every_reader(bytes: &[u8]) {
    let key = PublicKey::from_bytes(&Ed25519Signer::from_seed(&[1; 32]).public_key()).unwrap();
    if let Ok((reading, signed)) = Reading::decode(bytes) {
        assert!(bytes.len() <= READING_MAX && signed.bytes == bytes);
        assert_eq!(reading.encode().unwrap().as_slice(), signed.payload, "one encoding");
    }
    assert_eq!(Ack::open(bytes, &key), Ack::open(bytes, &key));
    assert_eq!(Command::open(bytes, &key), Command::open(bytes, &key));
    if let Ok(readings) = message::split(bytes) {
        let all: Vec<_> = readings.collect();
        assert!(all.len() <= MESSAGE_READINGS_MAX + 1);
        let within: usize = all.iter().flatten().map(|signed| signed.bytes.len()).sum();
        assert!(within < bytes.len(), "no more than there was");
    }
    let told = json_form::readings(bytes);
    assert_eq!(told, json_form::readings(bytes));
    if let Ok(readings) = told {
        assert!(
            readings.len() <= MESSAGE_READINGS_MAX
                && readings.iter().map(Vec::len).sum::<usize>() <= bytes.len()
        );
        assert!(readings.iter().all(|reading| Sign1::read_all(reading).is_ok()), "each is one COSE_Sign1");
    }
}

fn altered(seed: &[u8], how: u8, at: usize, byte: u8) -> Vec<u8> {
    let (front, back) = seed.split_at(at % (seed.len() + 1));
    match how % 5 {
        0 => front.to_vec(),
        1 => [seed, back].concat(),
        2 => [front, &[byte], back].concat(),
        3 => [front, back.get(1..).unwrap_or_default()].concat(),
        _ => {
            let mut bytes = seed.to_vec();
            if let Some(place) = bytes.get_mut(front.len()) {
                *place = byte;
            }
            bytes
        }
    }
}

#[test]
fn the_seeds_hold_readings_messages_and_json() {
    let seeds = seeds();
    let count = |is: &dyn Fn(&[u8]) -> bool| seeds.iter().filter(|seed| is(seed)).count();
    assert!(count(&|seed| Reading::decode(seed).is_ok()) > 0);
    assert!(count(&|seed| message::split(seed).is_ok()) > 0);
    assert!(count(&|seed| json_form::readings(seed).is_ok()) > 1);
    for seed in &seeds {
        every_reader(seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn altered_bytes_never_break_a_reader(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<u8>(), any::<usize>(), any::<u8>()), 1..4),
    ) {
        let seeds = seeds();
        let mut bytes = seed.get(&seeds).clone();
        for (how, at, byte) in changes {
            bytes = altered(&bytes, how, at, byte);
            bytes.truncate(16_384);
        }
        every_reader(&bytes);
    }
}
