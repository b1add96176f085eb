//! OCMF records: only what the meter has signed, in order, and vouches for itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod site;

use jirani_devices::{Decoder, DeviceError, Moment, Outcome, Register, Tally, built_in};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use site::{NOON, device, hear};

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn public_key(key: &SigningKey) -> String {
    hex::encode(key.verifying_key().to_sec1_point(false).as_bytes())
}

fn record_by(key: &SigningKey, payload: &str) -> String {
    let signature: Signature = key.sign(payload.as_bytes());
    format!(
        r#"OCMF|{payload}|{{"SA":"ECDSA-secp256r1-SHA256","SD":"{}"}}"#,
        hex::encode(signature.to_der().as_bytes())
    )
}

fn record(payload: &str) -> String {
    record_by(&key(), payload)
}

/// A record of page `page`, `minute` minutes after noon in Nairobi.
fn payload(page: &str, minute: u32, kwh: &str, rest: &str) -> String {
    format!(
        r#"{{"FV":"1.0","GI":"gateway","GS":"123456789","PG":"{page}","MV":"Vendor","MM":"Model","MS":"987654321","MF":"1.0","IS":false,"RD":[{{"TM":"2026-06-01T12:{minute:02}:00,000+0300 S","RV":{kwh},"RI":"1-0:1.8.0*255","RU":"kWh","ST":"G"{rest}}}]}}"#
    )
}

fn decoder_of(key: &SigningKey) -> Decoder {
    let device = device("m1", &[("public_key", &public_key(key)), ("serial", "987654321")]);
    Decoder::new(built_in("ocmf").unwrap(), device).unwrap()
}

struct Meter {
    decoder: Decoder,
    tally: Tally,
}

impl Meter {
    fn new() -> Self {
        Self { decoder: decoder_of(&key()), tally: Tally::default() }
    }

    fn says(&mut self, record: &str) -> Result<Outcome, DeviceError> {
        let heard = hear(&self.decoder, "devices/m1/ocmf", record.as_bytes(), false, 3_600)?;
        self.tally.take(&self.decoder, &heard.unwrap())
    }

    fn refused(&mut self, record: &str) -> &'static str {
        let before = self.tally.clone();
        let code = self.says(record).expect_err(record).code();
        assert_eq!(self.tally, before, "a refusal changes nothing");
        code
    }

    fn import_wh(&self) -> u64 {
        self.tally.wh(&self.decoder, Register::Import)
    }
}

#[test]
fn a_signed_record_counts_at_the_time_it_was_signed_for() {
    let mut meter = Meter::new();
    meter.says(&record(&payload("T1", 0, "2935.6", ""))).unwrap();
    let taken = meter.says(&record(&payload("T2", 15, "2936.10", ""))).unwrap();
    assert_eq!(meter.import_wh(), 500);
    let Outcome::Taken { moment, missing_pages, .. } = taken else { panic!() };
    assert_eq!((moment, missing_pages), (Moment::Signed(NOON.plus_seconds(900)), 0));
    // Each context counts its own pages; one that is left out is told, and no energy is lost.
    meter.says(&record(&payload("F9", 20, "2936.2", ""))).unwrap();
    let Ok(Outcome::Taken { missing_pages, .. }) = meter.says(&record(&payload("T5", 25, "2936.3", "")))
    else {
        panic!()
    };
    assert_eq!((missing_pages, meter.import_wh()), (2, 700));
}

#[test]
fn a_record_is_kept_byte_for_byte() {
    let meter = Meter::new();
    let record = record(&payload("T1", 0, "1.0", ""));
    let heard = hear(&meter.decoder, "devices/m1/ocmf", record.as_bytes(), true, 3_600).unwrap().unwrap();
    assert_eq!(heard.record.unwrap(), record.as_bytes());
}

#[test]
fn what_is_not_signed_by_this_meter_is_refused() {
    let mut meter = Meter::new();
    let good = record(&payload("T1", 0, "1.0", ""));
    for (spoilt, code) in [
        (good.replace("\"RV\":1.0", "\"RV\":9.0"), "ocmf.bad_signature"),
        // The same content in other bytes is not what was signed.
        (good.replace("\"RV\":1.0", "\"RV\": 1.0"), "ocmf.bad_signature"),
        (
            record_by(&SigningKey::from_slice(&[8; 32]).unwrap(), &payload("T1", 0, "1.0", "")),
            "ocmf.bad_signature",
        ),
        (good.replace("ECDSA-secp256r1-SHA256", "ECDSA-secp192k1-SHA256"), "ocmf.algorithm"),
        (good.replace("\"SD\":\"", "\"SD\":\"zz"), "ocmf.malformed"),
        (good.replace("OCMF|", "OCMG|"), "ocmf.malformed"),
        (format!("{good}|x"), "ocmf.malformed"),
        (record(&payload("T1", 0, "1.0", "").replace("987654321", "1")), "ocmf.foreign_meter"),
        (record("{}"), "ocmf.malformed"),
        (record("["), "device.malformed"),
        (record(&payload("X1", 0, "1.0", "")), "ocmf.malformed"),
        (record(&payload("T1", 0, "-1.0", "")), "device.negative"),
        (record(&payload("T1", 0, "\"NaN\"", "")), "device.not_a_number"),
        (record(&payload("T1", 0, "1.0", "").replace("kWh", "mOhm")), ""),
    ] {
        if code.is_empty() {
            assert_eq!(meter.says(&spoilt), Ok(Outcome::Nothing), "another quantity says nothing of energy");
            continue;
        }
        assert_eq!(meter.refused(&spoilt), code, "{spoilt}");
    }
}

#[test]
fn pages_go_forward_only() {
    let mut meter = Meter::new();
    let second = record(&payload("T2", 0, "1.0", ""));
    meter.says(&second).unwrap();
    assert_eq!(meter.refused(&second), "device.not_later");
    assert_eq!(meter.refused(&record(&payload("T2", 5, "1.1", ""))), "ocmf.old_page");
    assert_eq!(meter.refused(&record(&payload("T1", 5, "1.1", ""))), "ocmf.old_page");
    // An hour and five minutes after noon it is one hour after noon here.
    assert_eq!(
        meter.refused(&record(&payload("T3", 5, "1.1", "").replace("T12:05", "T13:05"))),
        "device.future"
    );
}

/// A new generation is a new baseline: a record of before it would be one that is too low, and
/// what was counted since would count again.
#[test]
fn a_new_generation_takes_no_record_that_was_taken_before() {
    let mut meter = Meter::new();
    meter.says(&record(&payload("T1", 0, "1.0", ""))).unwrap();
    meter.says(&record(&payload("T2", 15, "1.5", ""))).unwrap();
    meter.tally = meter.tally.anew(&meter.decoder);
    assert_eq!(meter.refused(&record(&payload("T1", 0, "1.0", ""))), "device.not_later");
    // One whose clock was never set is read when it comes, so only its page tells.
    let unset = payload("T1", 0, "1.0", "").replace(" S\"", " U\"");
    assert_eq!(meter.refused(&record(&unset)), "ocmf.old_page");
    meter.says(&record(&payload("T3", 20, "1.6", ""))).unwrap();
    assert_eq!(meter.import_wh(), 0, "its baseline");

    // Another meter begins its own pages.
    let other = SigningKey::from_slice(&[8; 32]).unwrap();
    meter.decoder = decoder_of(&other);
    meter.tally = meter.tally.anew(&meter.decoder);
    meter.says(&record_by(&other, &payload("T1", 25, "0.0", ""))).unwrap();
    meter.says(&record_by(&other, &payload("T2", 30, "0.2", ""))).unwrap();
    assert_eq!(meter.import_wh(), 200);
}

#[test]
fn counting_begins_with_a_value_of_the_present() {
    let mut meter = Meter::new();
    let mut says = |minute: u32, kwh: &str, seconds: i64| {
        let record = record(&payload(&format!("T{}", minute + 1), minute, kwh, ""));
        let heard = hear(&meter.decoder, "devices/m1/ocmf", record.as_bytes(), false, seconds)?;
        meter.tally.take(&meter.decoder, &heard.unwrap())
    };
    let held_back = says(0, "1.0", 3_601);
    assert_eq!(held_back.unwrap_err().code(), "device.old_baseline");
    says(5, "1.1", 3_601).unwrap();
    // What comes late after that counts from where it stood.
    says(10, "1.2", 30_000).unwrap();
    assert_eq!(meter.import_wh(), 100);
}

#[test]
fn every_status_but_good_refuses_the_value_by_name() {
    for status in ["N", "T", "D", "R", "M", "X", "I", "O", "S", "E", "F"] {
        let mut meter = Meter::new();
        let text = payload("T1", 0, "1.0", "").replace("\"ST\":\"G\"", &format!("\"ST\":\"{status}\""));
        assert_eq!(meter.refused(&record(&text)), "ocmf.status", "{status}");
    }
    let mut meter = Meter::new();
    for (flags, code) in [("E", "ocmf.error_flag"), ("t", "ocmf.error_flag"), ("Et", "ocmf.error_flag")] {
        let text = payload("T1", 0, "1.0", &format!(r#","EF":"{flags}""#));
        assert_eq!(meter.refused(&record(&text)), code, "{flags}");
    }
    assert_eq!(
        meter.refused(&record(&payload("T1", 0, "1.0", "").replace("\"G\"", "\"?\""))),
        "ocmf.malformed"
    );
}

#[test]
fn the_time_is_worth_what_its_letter_says() {
    for (letter, expected) in [
        ("S", Some(Moment::Signed(NOON))),
        ("I", Some(Moment::Device(NOON))),
        ("R", Some(Moment::Device(NOON))),
        ("U", Some(Moment::Received(NOON.plus_seconds(3_600)))),
        ("Z", None),
    ] {
        let mut meter = Meter::new();
        let said = meter.says(&record(&payload("T1", 0, "1.0", "").replace(" S\"", &format!(" {letter}\""))));
        let moment = match said {
            Ok(Outcome::Taken { moment, .. }) => Some(moment),
            _ => None,
        };
        assert_eq!(moment, expected, "{letter}");
    }
}

#[test]
fn what_a_reading_leaves_out_is_as_in_the_one_before() {
    let mut meter = Meter::new();
    meter.says(&record(&payload("T1", 0, "1.0", ""))).unwrap();
    let two = payload("T2", 5, "1.0", "")
        .replace("}]}", r#"},{"TM":"2026-06-01T12:10:00,000+0300 S","RV":1.25}]}"#);
    meter.says(&record(&two)).unwrap();
    assert_eq!(meter.import_wh(), 250);
}

#[test]
fn a_key_that_is_none_is_refused_before_anything_is_heard() {
    let spki = format!("3059301306072a8648ce3d020106082a8648ce3d030107034200{}", public_key(&key()));
    for (text, right) in [(spki.as_str(), true), ("04", false), ("zz", false), ("", false)] {
        let made =
            Decoder::new(built_in("ocmf").unwrap(), device("m1", &[("public_key", text), ("serial", "1")]));
        assert_eq!(made.is_ok(), right, "{text}");
    }
}
