//! The golden vectors: what a meter written by somebody else must produce.
//!
//! `vectors/check.py` checks the same file with pycose and cbor2. Written anew
//! with `JIRANI_WRITE_VECTORS=1 cargo test -p jirani-meter --test vectors`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{
    Ack, Action, Challenge, ChallengeAnswer, Command as Told, Ed25519Signer, Flags, HeapQueue, Instantaneous,
    Meter, MeterState, PublicKey, READING_CONTEXT, Reading, Registers, Release, Sample, Sign1, SignedRelease,
    Signer as _, TimeQuality, message,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn seed(first: u8) -> [u8; 32] {
    std::array::from_fn(|place| first.wrapping_add(u8::try_from(place).unwrap()))
}

fn meter_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&seed(0x10))
}

fn gateway_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&seed(0x80))
}

fn maker_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&seed(0xc0))
}

fn releases() -> [(&'static str, SignedRelease); 2] {
    let usual = Release { version: 7, size: 813_296, sha256: seed(0x20) };
    let widest = Release { version: u32::MAX, size: 4 << 20, sha256: [0xff; 32] };
    [("usual", usual), ("the widest", widest)].map(|(name, r)| (name, r.sign(&maker_key()).unwrap()))
}

/// Commands that are numbered apart from the relay's.
fn orders() -> Vec<(&'static str, Told)> {
    let (meter, widest) = (meter_key().name(), i64::MAX.cast_unsigned());
    let [(_, usual), (_, longest)] = releases();
    let told = |number, action| Told { meter, number, action };
    let loudest = |action| Told { meter: [0xff; 16], number: u64::MAX, action };
    vec![
        ("read every minute", told(1, Action::SetInterval { seconds: 60 })),
        ("read at slots only", told(2, Action::SetInterval { seconds: 900 })),
        ("take the time", told(3, Action::SetTime { time_us: 1_763_823_600_000_000, epoch: 1, seq: 4_711 })),
        (
            "take the widest time",
            loudest(Action::SetTime { time_us: widest, epoch: u32::MAX, seq: u64::MAX }),
        ),
        ("fetch a firmware", told(4, Action::AnnounceFirmware(usual))),
        ("fetch the widest firmware", loudest(Action::AnnounceFirmware(longest))),
    ]
}

fn order_json(told: &Told) -> Value {
    let (meter, number) = (hex::encode(told.meter), told.number);
    match told.action {
        Action::SetInterval { seconds } => {
            json!({"meter": meter, "number": number, "action": 3, "seconds": seconds})
        }
        Action::SetTime { time_us, epoch, seq } => json!({
            "meter": meter, "number": number, "action": 4, "time_us": time_us, "epoch": epoch, "seq": seq,
        }),
        Action::AnnounceFirmware(signed) => json!({
            "meter": meter, "number": number, "action": 5, "version": signed.release.version,
            "size": signed.release.size, "sha256": hex::encode(signed.release.sha256),
            "signature": hex::encode(signed.signature),
        }),
        Action::OpenRelay { .. } | Action::CloseRelay => {
            panic!("the relay's commands have a list of their own")
        }
    }
}

/// What the signed bytes are and the payload in them, as every list has them.
fn signed_json(name: &str, kind: &str, fields: &Value, signed: &[u8]) -> Value {
    let payload = Sign1::read_all(signed).unwrap().payload;
    json!({"name": name, kind: fields, "payload": hex::encode(payload), "signed": hex::encode(signed)})
}

/// Lists that came after the first ones, which stay as they are.
fn later_vectors() -> [(&'static str, Vec<Value>); 4] {
    let release = |(name, signed): &(&str, SignedRelease)| {
        let Release { version, size, sha256 } = signed.release;
        let fields = json!({"version": version, "size": size, "sha256": hex::encode(sha256)});
        signed_json(name, "release", &fields, signed.to_bytes().unwrap().as_slice())
    };
    let order = |(name, told): &(&str, Told)| {
        signed_json(name, "order", &order_json(told), told.sign(&gateway_key()).unwrap().as_slice())
    };
    let (meter, nonce) = (meter_key().name(), seed(0x40));
    let challenge = Challenge { meter, nonce }.sign(&gateway_key()).unwrap();
    let answer = ChallengeAnswer::sign(nonce, &meter_key()).unwrap();
    let mut fields = json!({"meter": hex::encode(meter), "nonce": hex::encode(nonce)});
    let challenges = vec![signed_json("usual", "challenge", &fields, challenge.as_slice())];
    fields["public_key"] = json!(hex::encode(meter_key().public_key()));
    let answers = vec![signed_json("usual", "answer", &fields, answer.as_slice())];
    [
        ("releases", releases().iter().map(release).collect()),
        ("orders", orders().iter().map(order).collect()),
        ("challenges", challenges),
        ("answers", answers),
    ]
}

fn readings() -> Vec<(&'static str, Reading)> {
    let usual = Reading {
        meter: meter_key().name(),
        epoch: 1,
        seq: 4_711,
        time_us: 1_763_823_600_000_000,
        time_quality: TimeQuality::Synchronised,
        uptime_s: 86_400,
        interval_s: 900,
        registers: Registers { import_wh: 123_456, export_wh: 65_535, generation_wh: 4_294_967_296 },
        instantaneous: Instantaneous {
            voltage_mv: 231_400,
            current_ma: 5_120,
            power_w: 1_180,
            frequency_millihertz: 50_020,
            power_factor_thousandths: 990,
        },
        flags: Flags(0),
        firmware: *b"firmware",
        previous: [0, 1, 2, 3, 4, 5, 6, 7],
    };
    let smallest = Reading { meter: meter_key().name(), seq: 1, ..Reading::default() };
    let importing = Reading {
        instantaneous: Instantaneous { power_w: -25, power_factor_thousandths: -24, ..usual.instantaneous },
        seq: 4_712,
        time_us: usual.time_us + 900_000_000,
        flags: Flags(Flags::RESTARTED | Flags::CLOCK_WENT_BACK),
        time_quality: TimeQuality::HeldOver,
        ..usual
    };
    let widest = Reading {
        meter: meter_key().name(),
        epoch: u32::MAX,
        seq: u64::MAX,
        time_us: i64::MAX.cast_unsigned(),
        time_quality: TimeQuality::Synchronised,
        uptime_s: u32::MAX,
        interval_s: u32::MAX,
        registers: Registers { import_wh: u64::MAX, export_wh: u64::MAX, generation_wh: u64::MAX },
        instantaneous: Instantaneous {
            voltage_mv: u32::MAX,
            current_ma: u32::MAX,
            power_w: i32::MIN,
            frequency_millihertz: u16::MAX,
            power_factor_thousandths: -1_000,
        },
        flags: Flags(u32::MAX),
        firmware: [0xff; 8],
        previous: [0xff; 8],
    };
    vec![("usual", usual), ("smallest", smallest), ("importing", importing), ("widest", widest)]
}

fn reading_json(reading: &Reading) -> Value {
    let (registers, now) = (&reading.registers, &reading.instantaneous);
    json!({
        "meter": hex::encode(reading.meter), "epoch": reading.epoch, "seq": reading.seq,
        "time_us": reading.time_us, "time_quality": reading.time_quality.number(),
        "uptime_s": reading.uptime_s, "interval_s": reading.interval_s,
        "import_wh": registers.import_wh, "export_wh": registers.export_wh,
        "generation_wh": registers.generation_wh,
        "voltage_mv": now.voltage_mv, "current_ma": now.current_ma, "power_w": now.power_w,
        "frequency_millihertz": now.frequency_millihertz,
        "power_factor_thousandths": now.power_factor_thousandths,
        "flags": reading.flags.0,
        "firmware": hex::encode(reading.firmware), "previous": hex::encode(reading.previous),
    })
}

fn key_json(key: &Ed25519Signer, seed: [u8; 32]) -> Value {
    json!({
        "seed": hex::encode(seed), "public": hex::encode(key.public_key()), "meter_id": hex::encode(key.name()),
    })
}

/// Bytes that look like the usual reading and must be refused.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = readings()[0].1.sign(&meter_key()).unwrap().bytes.as_slice().to_vec();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let last = good.len() - 1;
    vec![
        ("a changed register", changed(&|b| b[60] ^= 1), "reading.bad_signature"),
        ("a changed signature", changed(&|b| b[last] ^= 1), "reading.bad_signature"),
        (
            "another key's signature",
            { readings()[0].1.sign(&gateway_key()).unwrap().bytes.as_slice().to_vec() },
            "reading.bad_signature",
        ),
        ("ES256 claimed", changed(&|b| b[5] = 0x26), "reading.unsupported_algorithm"),
        ("an unknown algorithm", changed(&|b| b[5] = 0x20), "reading.unsupported_algorithm"),
        (
            "no tag",
            changed(&|b| {
                b.remove(0);
            }),
            "reading.malformed",
        ),
        (
            "a tag in two bytes",
            changed(&|b| {
                b.splice(0..1, [0xd8, 0x12]);
            }),
            "reading.not_canonical",
        ),
        (
            "an unprotected header",
            changed(&|b| {
                b.splice(6..7, [0xa1, 0x01, 0x27]);
            }),
            "reading.malformed",
        ),
        (
            "one byte short",
            changed(&|b| {
                b.pop();
            }),
            "reading.malformed",
        ),
        ("one byte more", changed(&|b| b.push(0)), "reading.malformed"),
        ("version 2", changed(&|b| b[10] = 2), "reading.unknown_version"),
        (
            "an acknowledgement",
            {
                let ack = Ack { meter: meter_key().name(), epoch: 1, first_seq: 1, seq: 4_711 };
                ack.sign(&gateway_key()).unwrap().as_slice().to_vec()
            },
            "reading.malformed",
        ),
        ("nothing", Vec::new(), "reading.malformed"),
    ]
}

fn vectors() -> Value {
    let signed: Vec<_> = readings().into_iter().map(|(n, r)| (n, r, r.sign(&meter_key()).unwrap())).collect();
    let message = |names: &[&str]| {
        let mut bytes = vec![0x80 | u8::try_from(names.len()).unwrap()];
        for name in names {
            let (_, _, reading) = signed.iter().find(|(n, ..)| n == name).unwrap();
            bytes.extend_from_slice(reading.bytes.as_slice());
        }
        json!({"name": names.join(" and "), "readings": names, "message": hex::encode(bytes)})
    };
    let acks = [
        ("one reading", Ack { meter: meter_key().name(), epoch: 1, first_seq: 4_711, seq: 4_711 }),
        ("a backlog", Ack { meter: meter_key().name(), epoch: 1, first_seq: 1, seq: 4_712 }),
        ("the widest", Ack { meter: [0xff; 16], epoch: u32::MAX, first_seq: u64::MAX, seq: u64::MAX }),
    ];
    let (meter, widest) = (meter_key().name(), i64::MAX.cast_unsigned());
    let commands = [
        (
            "open the relay",
            Told { meter, number: 1, action: Action::OpenRelay { not_after_us: 1_763_823_600_000_000 } },
        ),
        ("close the relay", Told { meter, number: 2, action: Action::CloseRelay }),
        (
            "the widest",
            Told { meter: [0xff; 16], number: u64::MAX, action: Action::OpenRelay { not_after_us: widest } },
        ),
    ];
    let mut vectors = json!({
        "contexts": {"reading": "jirani/reading/1", "ack": "jirani/ack/1", "command": "jirani/command/1",
                     "release": "jirani/release/1", "challenge": "jirani/challenge/1",
                     "answer": "jirani/answer/1"},
        "keys": {"meter": key_json(&meter_key(), seed(0x10)), "gateway": key_json(&gateway_key(), seed(0x80)),
                 "maker": key_json(&maker_key(), seed(0xc0))},
        "readings": signed.iter().map(|(name, reading, signed)| json!({
            "name": name, "reading": reading_json(reading),
            "payload": hex::encode(reading.encode().unwrap().as_slice()),
            "signed": hex::encode(signed.bytes.as_slice()),
        })).collect::<Vec<_>>(),
        "acks": acks.iter().map(|(name, ack)| {
            let signed = ack.sign(&gateway_key()).unwrap();
            let payload = jirani_meter::Sign1::read_all(signed.as_slice()).unwrap().payload.to_vec();
            json!({
                "name": name,
                "ack": {"meter": hex::encode(ack.meter), "epoch": ack.epoch, "first_seq": ack.first_seq,
                        "seq": ack.seq},
                "payload": hex::encode(payload), "signed": hex::encode(signed.as_slice()),
            })
        }).collect::<Vec<_>>(),
        "commands": commands.iter().map(|(name, told)| {
            let signed = told.sign(&gateway_key()).unwrap();
            let payload = jirani_meter::Sign1::read_all(signed.as_slice()).unwrap().payload.to_vec();
            let (action, not_after_us) = match told.action {
                Action::OpenRelay { not_after_us } => (1, not_after_us),
                Action::CloseRelay => (2, 0),
                _ => panic!("orders have a list of their own"),
            };
            json!({
                "name": name,
                "command": {"meter": hex::encode(told.meter), "number": told.number, "action": action,
                            "not_after_us": not_after_us},
                "payload": hex::encode(payload), "signed": hex::encode(signed.as_slice()),
            })
        }).collect::<Vec<_>>(),
        "messages": [message(&["usual"]), message(&["usual", "importing"])],
        "refused": refused().into_iter().map(|(name, bytes, code)| json!({
            "name": name, "bytes": hex::encode(bytes), "code": code,
        })).collect::<Vec<_>>(),
    });
    for (name, list) in later_vectors() {
        vectors[name] = list.into();
    }
    vectors
}

fn committed() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("vectors.json")).unwrap()).unwrap()
}

#[test]
fn the_committed_vectors_are_what_this_code_produces() {
    let vectors = vectors();
    if std::env::var_os("JIRANI_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&vectors).unwrap();
        std::fs::write(folder().join("vectors.json"), text + "\n").unwrap();
    }
    assert_eq!(committed(), vectors);
}

#[test]
fn every_vector_is_read_as_it_was_meant() {
    let public = PublicKey::from_bytes(&meter_key().public_key()).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let committed = committed();
    for (case, (_, reading)) in committed["readings"].as_array().unwrap().iter().zip(readings()) {
        let signed = bytes(&case["signed"]);
        let (read, cose) = Reading::decode(&signed).unwrap();
        assert_eq!(read, reading);
        cose.verify(&public, READING_CONTEXT).unwrap();
    }
    for case in committed["messages"].as_array().unwrap() {
        let message = bytes(&case["message"]);
        let count = message::split(&message).unwrap().map(Result::unwrap).count();
        assert_eq!(count, case["readings"].as_array().unwrap().len());
    }
    for case in committed["refused"].as_array().unwrap() {
        let bytes = bytes(&case["bytes"]);
        let error = Reading::decode(&bytes)
            .and_then(|(_, cose)| cose.verify(&public, READING_CONTEXT))
            .expect_err(case["name"].as_str().unwrap());
        assert_eq!(error.code(), case["code"].as_str().unwrap(), "{}", case["name"]);
    }
}

#[test]
fn a_meter_takes_the_committed_acknowledgement() {
    let gateway = PublicKey::from_bytes(&gateway_key().public_key()).unwrap();
    let state = MeterState { epoch: 1, last_seq: 4_710, ..MeterState::default() };
    let mut meter = Meter::new(meter_key(), gateway, [0; 8], HeapQueue::with_bound(4), state);
    assert_eq!(meter.read(Sample { time_us: 1, ..Sample::default() }), Ok(4_711));
    let ack = hex::decode(committed()["acks"][0]["signed"].as_str().unwrap()).unwrap();
    assert_eq!(meter.acknowledge(&ack), Ok(1));
}

#[test]
fn every_later_vector_is_read_as_it_was_meant_and_in_no_other_context() {
    let (gateway, maker) = (gateway_key().public_key(), maker_key().public_key());
    let gateway = PublicKey::from_bytes(&gateway).unwrap();
    let maker = PublicKey::from_bytes(&maker).unwrap();
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let committed = committed();
    let orders_read = committed["orders"].as_array().unwrap().iter().map(|case| {
        let signed = bytes(&case["signed"]);
        assert!(Challenge::open(&signed, &gateway).is_err() && Ack::open(&signed, &gateway).is_err());
        Told::open(&signed, &gateway).unwrap()
    });
    assert_eq!(orders_read.collect::<Vec<_>>(), orders().into_iter().map(|(_, o)| o).collect::<Vec<_>>());
    let releases_read = committed["releases"].as_array().unwrap().iter().map(|case| {
        let signed = SignedRelease::from_bytes(&bytes(&case["signed"])).unwrap();
        signed.verify(&maker).unwrap();
        assert!(signed.verify(&gateway).is_err());
        signed
    });
    assert_eq!(releases_read.collect::<Vec<_>>(), releases().map(|(_, r)| r));
    let (meter, nonce) = (meter_key().name(), seed(0x40));
    let challenge = bytes(&committed["challenges"][0]["signed"]);
    assert_eq!(Challenge::open(&challenge, &gateway), Ok(Challenge { meter, nonce }));
    assert!(Told::open(&challenge, &gateway).is_err());
    let answer = ChallengeAnswer::open(&bytes(&committed["answers"][0]["signed"])).unwrap();
    assert_eq!(answer, ChallengeAnswer { meter, nonce, public_key: meter_key().public_key() });
    assert!(ChallengeAnswer::open(&challenge).is_err());
}

/// Runs where `JIRANI_PYTHON` names a Python with `vectors/requirements.txt`; the
/// project's test command does.
#[test]
fn an_independent_implementation_agrees() {
    let Some(python) = std::env::var_os("JIRANI_PYTHON") else {
        eprintln!("JIRANI_PYTHON is not set: not compared with pycose");
        return;
    };
    let output = Command::new(python).arg(folder().join("check.py")).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("vectors hold"), "{said}");
}
