//! Every adapter and the reader of definitions, on bytes grown from real ones.
//!
//! The seeds in `tests/seeds` are payloads as devices send them; those of definitions are the
//! built-in files. They are cut, spliced, repeated and altered. Whatever comes of it, each
//! adapter must return, say the same twice, give no more values than it is asked for, and
//! never let a register fall. `PROPTEST_CASES` makes it longer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod site;

use jirani_devices::{BUILT_IN, Decoder, Definition, Message, Register, Tally, built_in};
use proptest::prelude::*;
use site::{NOON, device};
use std::fs;
use std::path::Path;

/// The P-256 generator: a key whose secret is 1.
const PUBLIC_KEY: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/// Payloads by name.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn decoders() -> Vec<Decoder> {
    let needed = [("portal", "p"), ("instance", "30"), ("public_key", PUBLIC_KEY), ("serial", "987654321")];
    let decoder = |(name, _): &(&str, &str)| {
        let definition = built_in(name).unwrap();
        let given: Vec<(&str, &str)> =
            needed.iter().copied().filter(|(name, _)| definition.parameters.contains_key(*name)).collect();
        Decoder::new(definition, device("m1", &given)).unwrap()
    };
    BUILT_IN.iter().map(decoder).collect()
}

/// Hands a sequence of payloads to every topic of every device.
fn every_adapter(payloads: &[Vec<u8>]) {
    for decoder in decoders() {
        let topics: Vec<String> = decoder.topics().map(str::to_owned).collect();
        for topic in topics {
            let (mut tally, mut before) = (Tally::default(), [0; 3]);
            for (minute, payload) in (0..).zip(payloads) {
                let message = Message {
                    topic: &topic,
                    payload,
                    retained: minute % 3 == 2,
                    received: NOON.plus_seconds(60 * minute),
                };
                let heard = decoder.hear(message);
                assert_eq!(heard, decoder.hear(message), "the same answer twice");
                let Ok(Some(heard)) = heard else { continue };
                assert!(heard.values.len() <= decoder.definition().values.len());
                let mut again = tally.clone();
                assert_eq!(tally.take(&decoder, &heard), again.take(&decoder, &heard));
                assert_eq!(tally, again);
                let registers = [Register::Import, Register::Export, Register::Generation];
                let now = registers.map(|register| tally.wh(&decoder, register));
                assert!(now.iter().zip(&before).all(|(now, before)| now >= before), "a register fell");
                before = now;
                let kept = serde_json::to_string(&tally).unwrap();
                assert!(kept.len() < 8_192);
                assert_eq!(serde_json::from_str::<Tally>(&kept).unwrap(), tally);
            }
        }
    }
}

/// What may be put in somewhere.
const ODD: [&str; 16] = [
    "null",
    "-1",
    "1e308",
    "1e-308",
    "NaN",
    "\"",
    "{",
    "]",
    "0.1",
    "999999999999999999999",
    "\u{0}",
    "[1,2]",
    "{}",
    "|",
    "4294967295",
    "é",
];

/// A payload altered: cut, doubled, with something odd in it, or with digits changed.
fn altered(seed: &[u8], how: u8, at: usize, odd: usize, byte: u8) -> Vec<u8> {
    let at = at % (seed.len() + 1);
    let (front, back) = seed.split_at(at);
    match how % 6 {
        0 => front.to_vec(),
        1 => [seed, back].concat(),
        2 => [front, ODD[odd % ODD.len()].as_bytes(), back].concat(),
        3 => [front, ODD[odd % ODD.len()].as_bytes(), back.get(1..).unwrap_or_default()].concat(),
        4 => seed
            .iter()
            .map(|b| if b.is_ascii_digit() { b'0' + (b.wrapping_add(byte) % 10) } else { *b })
            .collect(),
        _ => {
            let mut bytes = seed.to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes
        }
    }
}

#[test]
fn seeds_say_what_they_were_kept_for() {
    let (seeds, decoders) = (seeds(), decoders());
    let said = |decoder: &Decoder| {
        let topics: Vec<&str> = decoder.topics().collect();
        topics.iter().any(|topic| {
            seeds.iter().any(|payload| {
                let message = Message { topic, payload, retained: false, received: NOON };
                matches!(decoder.hear(message), Ok(Some(heard)) if !heard.values.is_empty())
            })
        })
    };
    for decoder in &decoders {
        assert!(said(decoder), "no seed says anything to {}", decoder.definition().name);
    }
    every_adapter(&seeds);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn altered_payloads_never_break_an_adapter(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<usize>(), any::<usize>(), any::<u8>()), 1..6),
    ) {
        let seeds = seeds();
        let payloads: Vec<Vec<u8>> = changes
            .into_iter()
            .map(|(seed, how, at, odd, byte)| altered(seed.get(&seeds).as_slice(), how, at, odd, byte))
            .collect();
        every_adapter(&payloads);
    }

    #[test]
    fn any_bytes_never_break_an_adapter(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        every_adapter(&[payload]);
    }

    #[test]
    fn altered_definitions_are_read_or_refused_in_one_line(
        which in any::<prop::sample::Index>(),
        how in any::<u8>(), at in any::<usize>(), odd in any::<usize>(), byte in any::<u8>(),
    ) {
        let (_, text) = which.get(BUILT_IN);
        let bytes = altered(text.as_bytes(), how, at, odd, byte);
        let text = String::from_utf8_lossy(&bytes);
        let read = Definition::read(&text);
        prop_assert_eq!(&read, &Definition::read(&text));
        match read {
            Ok(definition) => drop(Decoder::new(definition, device("m1", &[]))),
            Err(error) => {
                let said = error.to_string();
                prop_assert!(!said.contains('\n') && said.len() < 600, "{}", said);
            }
        }
    }
}
