//! Turns the golden vectors of `crates/meter` into constants: the emulated machine has
//! no files.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const VECTORS: &str = "../../crates/meter/vectors/vectors.json";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    let vectors = Path::new(&here).join(VECTORS);
    let linked = Path::new(&here).join("memory.x");
    println!("cargo::rerun-if-changed={}", vectors.display());
    println!("cargo::rerun-if-changed={}", linked.display());
    println!("cargo::rustc-link-arg-bins=-T{}", linked.display());
    let vectors: Value = serde_json::from_str(&fs::read_to_string(vectors)?)?;
    fs::write(Path::new(&out).join("vectors.rs"), constants(&vectors).ok_or("the vectors lack a field")?)?;
    Ok(())
}

/// The constants' source; `None` when the file lacks something.
fn constants(vectors: &Value) -> Option<String> {
    let mut text = String::new();
    for who in ["meter", "gateway", "maker"] {
        let key = &vectors["keys"][who];
        let (seed, public, name) = (array(&key["seed"])?, array(&key["public"])?, array(&key["meter_id"])?);
        let who = who.to_uppercase();
        writeln!(text, "pub const {who}: Key = Key {{ seed: {seed}, public: {public}, name: {name} }};")
            .ok()?;
    }
    table(&mut text, vectors, "readings", "ReadingVector", |case| {
        Some(format!("reading: {}, {}", reading(&case["reading"])?, encoded(case)?))
    })?;
    table(&mut text, vectors, "acks", "AckVector", |case| {
        let ack = &case["ack"];
        Some(format!(
            "ack: Ack {{ meter: {}, epoch: {}, first_seq: {}, seq: {} }}, {}",
            array(&ack["meter"])?,
            ack["epoch"],
            ack["first_seq"],
            ack["seq"],
            encoded(case)?
        ))
    })?;
    table(&mut text, vectors, "commands", "CommandVector", |case| {
        let command = &case["command"];
        let action = match command["action"].as_u64()? {
            1 => format!("Action::OpenRelay {{ not_after_us: {} }}", command["not_after_us"]),
            2 => "Action::CloseRelay".to_owned(),
            _ => return None,
        };
        Some(format!(
            "command: Command {{ meter: {}, number: {}, action: {action} }}, {}",
            array(&command["meter"])?,
            command["number"],
            encoded(case)?
        ))
    })?;
    table(&mut text, vectors, "orders", "CommandVector", |case| {
        let order = &case["order"];
        Some(format!(
            "command: Command {{ meter: {}, number: {}, action: {} }}, {}",
            array(&order["meter"])?,
            order["number"],
            action(order)?,
            encoded(case)?
        ))
    })?;
    table(&mut text, vectors, "releases", "ReleaseVector", |case| {
        Some(format!("release: {}, {}", release(&case["release"])?, encoded(case)?))
    })?;
    table(&mut text, vectors, "challenges", "ChallengeVector", |case| {
        let challenge = &case["challenge"];
        Some(format!(
            "challenge: Challenge {{ meter: {}, nonce: {} }}, {}",
            array(&challenge["meter"])?,
            array(&challenge["nonce"])?,
            encoded(case)?
        ))
    })?;
    table(&mut text, vectors, "answers", "AnswerVector", |case| {
        Some(format!("nonce: {}, {}", array(&case["answer"]["nonce"])?, encoded(case)?))
    })?;
    table(&mut text, vectors, "messages", "MessageVector", |case| {
        Some(format!("readings: &{}, bytes: &{}", case["readings"], array(&case["message"])?))
    })?;
    table(&mut text, vectors, "refused", "RefusedVector", |case| {
        Some(format!("bytes: &{}, code: {}", array(&case["bytes"])?, case["code"]))
    })?;
    Some(text)
}

/// The source of an action that is no relay's.
fn action(order: &Value) -> Option<String> {
    Some(match order["action"].as_u64()? {
        3 => format!("Action::SetInterval {{ seconds: {} }}", order["seconds"]),
        4 => format!(
            "Action::SetTime {{ time_us: {}, epoch: {}, seq: {} }}",
            order["time_us"], order["epoch"], order["seq"]
        ),
        5 => format!(
            "Action::AnnounceFirmware(SignedRelease {{ release: {}, signature: {} }})",
            release(order)?,
            array(&order["signature"])?
        ),
        _ => return None,
    })
}

fn release(release: &Value) -> Option<String> {
    let (version, size, sha256) = (&release["version"], &release["size"], array(&release["sha256"])?);
    Some(format!("Release {{ version: {version}, size: {size}, sha256: {sha256} }}"))
}

fn table(
    text: &mut String,
    vectors: &Value,
    name: &str,
    kind: &str,
    row: impl Fn(&Value) -> Option<String>,
) -> Option<()> {
    writeln!(text, "pub const {}: &[{kind}] = &[", name.to_uppercase()).ok()?;
    for case in vectors[name].as_array()? {
        writeln!(text, "    {kind} {{ name: {}, {} }},", case["name"], row(case)?).ok()?;
    }
    writeln!(text, "];").ok()
}

fn encoded(case: &Value) -> Option<String> {
    Some(format!("payload: &{}, signed: &{}", array(&case["payload"])?, array(&case["signed"])?))
}

fn reading(reading: &Value) -> Option<String> {
    let quality = match reading["time_quality"].as_u64()? {
        0 => "Unset",
        1 => "HeldOver",
        2 => "Synchronised",
        _ => return None,
    };
    let fields = |names: &[&str]| {
        names.iter().map(|name| format!("{name}: {}", reading[*name])).collect::<Vec<_>>().join(", ")
    };
    Some(format!(
        "Reading {{ meter: {}, {}, time_quality: TimeQuality::{quality}, registers: Registers {{ {} }}, \
         instantaneous: Instantaneous {{ {} }}, flags: Flags({}), firmware: {}, previous: {} }}",
        array(&reading["meter"])?,
        fields(&["epoch", "seq", "time_us", "uptime_s", "interval_s"]),
        fields(&["import_wh", "export_wh", "generation_wh"]),
        fields(&["voltage_mv", "current_ma", "power_w", "frequency_millihertz", "power_factor_thousandths"]),
        reading["flags"],
        array(&reading["firmware"])?,
        array(&reading["previous"])?,
    ))
}

/// Hexadecimal digits as the source of an array of bytes.
fn array(digits: &Value) -> Option<String> {
    let bytes = digits
        .as_str()?
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    Some(format!("{bytes:?}"))
}
