//! The golden vectors: what a meter written by somebody else must produce.
//!
//! `vectors/check.py` checks the same file with pycose and cbor2. Written anew
//! with `JIRANI_WRITE_VECTORS=1 cargo test -p jirani-meter --test vectors`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{
    Ack, Action, Command as Told, Ed25519Signer, Flags, HeapQueue, Instantaneous, Meter, MeterState,
    PublicKey, READING_CONTEXT, Reading, Registers, Sample, Signer as _, TimeQuality, message,
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
    json!({
        "contexts": {"reading": "jirani/reading/1", "ack": "jirani/ack/1", "command": "jirani/command/1"},
        "keys": {"meter": key_json(&meter_key(), seed(0x10)), "gateway": key_json(&gateway_key(), seed(0x80))},
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
    })
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
