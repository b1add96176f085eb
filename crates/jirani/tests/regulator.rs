//! A regulator with a node and a file, and nothing else: what holds, holds; what was
//! tampered with is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use support::binary;

/// A village that has run, its chain behind a node of its own, and its bundle.
struct Case {
    folder: tempfile::TempDir,
    node: Child,
    rpc: String,
    bundle: PathBuf,
    key: String,
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

fn ran(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The word after `name` at the beginning of a line.
fn told(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
    line.split_whitespace().next().expect("a word").to_owned()
}

impl Case {
    fn new(households: u32, days: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let run = binary()
            .args(["village", "run", "--seed", "5", "--json", "--households", &households.to_string()])
            .args(["--days", &days.to_string(), "--data-dir"])
            .arg(&data)
            .output()
            .unwrap();
        let report: Value = serde_json::from_str(ran(&run).lines().last().unwrap()).unwrap();
        assert!(report["trades"]["settled"].as_u64() > Some(0), "a village that trades: {report}");
        let bundle = folder.path().join("bundle.jsonl");
        let key = told(&ran(&export(&data, &bundle)), "Signed by");
        // Opened with the operator's node secrets, so that it is the same cluster.
        std::fs::create_dir_all(data.join("chain/keys")).unwrap();
        std::fs::copy(data.join("keys/root.key"), data.join("chain/keys/root.key")).unwrap();
        let mut node = binary()
            .args(["localnet", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.join("chain"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines().map_while(Result::ok);
        let rpc = lines.find(|line| line.contains("http://")).expect("the node's address");
        let rpc = rpc.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        // Whatever else it prints is read, or it would wait for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { folder, node, rpc, bundle, key }
    }

    fn audit(&self, bundle: &Path, key: &str) -> (Option<i32>, Value) {
        let output = binary()
            .args(["audit", "--json", "--rpc", &self.rpc, "--key", key, "--export"])
            .arg(bundle)
            // The settings of nobody: a regulator has none.
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let report = serde_json::from_str(text.lines().last().unwrap_or_default());
        let report = report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), report)
    }

    /// The records of the bundle, changed by `change` and sealed with `key`: what an
    /// operator could do who holds the key.
    fn forged(&self, key: &SigningKey, change: impl Fn(&mut Vec<Value>)) -> PathBuf {
        let text = std::fs::read_to_string(&self.bundle).unwrap();
        let mut records: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(&line[65..]).unwrap()).collect();
        records.pop();
        change(&mut records);
        let originals: Vec<&str> = text.lines().map(|line| &line[65..]).collect();
        let as_read: HashMap<String, &str> = originals
            .iter()
            .map(|json| (serde_json::from_str::<Value>(json).unwrap().to_string(), *json))
            .collect();
        let mut head = [0; 32];
        let mut written = String::new();
        let mut line = |json: &str| {
            head = Sha256::new().chain_update(head).chain_update(json).finalize().into();
            written.extend([hex::encode(head).as_str(), " ", json, "\n"]);
            head
        };
        let mut last = [0; 32];
        for record in &records {
            // Unchanged lines keep their bytes; a changed one is written in the order of its fields.
            let same = as_read.get(&record.to_string());
            last = line(&same.map_or_else(|| in_order(record, &originals), |json| (*json).to_owned()));
        }
        let count = records.len() as u64;
        let signed = [b"jirani/export/1\0".as_slice(), &last, &count.to_be_bytes()].concat();
        line(&format!(
            r#"{{"record":"seal","lines":{count},"head":"{}","key":"{}","signature":"{}"}}"#,
            hex::encode(last),
            hex::encode(key.verifying_key().as_bytes()),
            hex::encode(key.sign(&signed).to_bytes())
        ));
        let path = self.folder.path().join("forged.jsonl");
        std::fs::write(&path, written).unwrap();
        path
    }
}

/// A record's JSON with its fields in the order of a sister's that has them all.
fn in_order(record: &Value, originals: &[&str]) -> String {
    let head = format!(r#"{{"record":{}"#, record["record"]);
    let sisters = originals.iter().filter(|json| json.starts_with(&head));
    ordered(record, sisters.max_by_key(|json| json.len()).expect("a record of its kind"))
}

fn ordered(value: &Value, sister: &str) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_by_key(|name| sister.find(&format!(r#""{name}":"#)));
            let fields: Vec<String> =
                names.iter().map(|name| format!(r#""{name}":{}"#, ordered(&fields[*name], sister))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| ordered(value, sister)).collect();
            format!("[{}]", values.join(","))
        }
        plain => plain.to_string(),
    }
}

fn export(data: &Path, bundle: &Path) -> Output {
    binary()
        .args(["export", "--out"])
        .arg(bundle)
        .env("JIRANI__DATA_DIR", data)
        .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
        .output()
        .unwrap()
}

fn violated(report: &Value) -> Vec<&str> {
    let words = report["invariants"].as_object().unwrap();
    words.iter().filter(|(_, word)| **word == "violated").map(|(name, _)| name.as_str()).collect()
}

fn of<'a>(records: &'a mut [Value], kind: &'a str) -> impl Iterator<Item = &'a mut Value> {
    records.iter_mut().filter(move |record| record["record"] == kind)
}

#[test]
fn a_village_is_audited_by_who_trusts_nobody_and_every_forgery_is_named() {
    let case = Case::new(6, 2);
    let (code, report) = case.audit(&case.bundle, &case.key);
    assert_eq!(code, Some(0), "{report}");
    for name in ["bundle", "E1", "E2", "E3", "E4", "M1", "M2", "M3", "S1", "S2", "R1", "P1"] {
        assert_eq!(report["invariants"][name], "holds", "{name}: {report}");
    }

    // Somebody on the way: a byte, and another key.
    let mut bytes = std::fs::read(&case.bundle).unwrap();
    let place = bytes.windows(14).position(|bytes| bytes == b"\"amount_cents\"").unwrap() + 15;
    bytes[place] = if bytes[place] == b'9' { b'8' } else { bytes[place] + 1 };
    let changed = case.folder.path().join("changed.jsonl");
    std::fs::write(&changed, &bytes).unwrap();
    let (code, report) = case.audit(&changed, &case.key);
    assert_eq!(code, Some(1));
    assert!(violated(&report).contains(&"bundle"), "{report}");
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let resealed = case.forged(&stranger, |_| {});
    let (code, report) = case.audit(&resealed, &case.key);
    assert_eq!((code, violated(&report)), (Some(1), vec!["bundle"]), "{report}");

    // The operator: everything sealed anew with the key that the regulator knows.
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = hex::encode(key.verifying_key().as_bytes());
    let forge = |change: &dyn Fn(&mut Vec<Value>)| {
        let (code, report) = case.audit(&case.forged(&key, change), &public);
        assert_ne!(code, Some(2), "{report}");
        violated(&report).into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    assert!(forge(&|_| {}).is_empty(), "what is unchanged is whole");

    let sale = forge(&|records| {
        let row = of(records, "transfer").find(|row| row["reason"] == "sale").unwrap();
        row["amount_cents"] = json!(row["amount_cents"].as_i64().unwrap() - 1);
    });
    assert!(sale.contains(&"S2".to_owned()) && sale.contains(&"M1".to_owned()), "{sale:?}");

    let gone = forge(&|records| {
        let place = records.iter().position(|record| record["record"] == "reading").unwrap();
        records.remove(place + 20);
    });
    assert_eq!(gone, ["R1"]);

    let lowered = forge(&|records| {
        let row = of(records, "reading").nth(40).unwrap();
        let mut bytes = BASE64_STANDARD.decode(row["bytes"].as_str().unwrap()).unwrap();
        // Somewhere among the registers: the signature cannot fit any more.
        bytes[45] ^= 1;
        row["bytes"] = json!(BASE64_STANDARD.encode(bytes));
    });
    assert_eq!(lowered, ["R1"]);

    let unmetered = forge(&|records| {
        let whose = of(records, "reading").next().unwrap()["household"].clone();
        records.retain(|record| record["record"] != "reading" || record["household"] != whose);
    });
    assert_eq!(unmetered, ["R1"], "tokens that no meter stands behind");

    let hidden = forge(&|records| {
        let place = records
            .iter()
            .position(|record| record["record"] == "order" && record["state"] == "settled")
            .unwrap();
        records.remove(place);
    });
    assert!(hidden.contains(&"S1".to_owned()) && hidden.contains(&"S2".to_owned()), "{hidden:?}");

    let twice = forge(&|records| {
        let proofs: Vec<Value> =
            of(records, "order").filter(|o| o["state"] == "settled").map(|o| o["proof"].clone()).collect();
        let order = of(records, "order").find(|o| o["state"] == "settled").unwrap();
        order["proof"] = proofs[1].clone();
    });
    assert!(twice.contains(&"S1".to_owned()), "{twice:?}");

    let richer = forge(&|records| {
        let row = of(records, "balance").last().unwrap();
        row["net_cents"] = json!(row["net_cents"].as_i64().unwrap() + 100);
    });
    assert_eq!(richer, ["M1"]);
}

#[test]
fn an_index_kept_live_is_the_same_as_one_made_anew_and_exports_are_deterministic() {
    let mut case = Case::new(6, 2);
    let data = case.folder.path().join("data");
    let again = case.folder.path().join("again.jsonl");
    // The node lets go of the chain first.
    case.node.kill().unwrap();
    case.node.wait().unwrap();
    ran(&export(&data, &again));
    assert!(std::fs::read(&case.bundle).unwrap() == std::fs::read(&again).unwrap(), "byte for byte");
    let rebuild = || {
        let output = binary()
            .args(["chain", "rebuild"])
            .env("JIRANI__DATA_DIR", &data)
            .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
            .current_dir(case.folder.path())
            .output()
            .unwrap();
        ran(&output)
    };
    let first = rebuild();
    assert!(first.contains("the same as was kept, byte for byte"), "{first}");
    assert_eq!(rebuild(), first);
}

#[test]
fn a_row_is_proven_from_the_meters_key_to_the_chain_and_a_forged_proof_is_not() {
    let case = Case::new(6, 2);
    let text = std::fs::read_to_string(&case.bundle).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(&line[65..]).unwrap()).collect();
    let home = records.iter().find(|record| record["kind"] == "home").expect("a home");
    let program = records[0]["program"].as_str().unwrap();
    let noon = home["enrolled_at_us"].as_i64().unwrap() + 12 * 3_600_000_000;
    let slot = jirani_units::Timestamp(noon).to_string();
    let file = case.folder.path().join("proof.json");
    let proven = binary()
        .args(["meter", "prove", "--meter", home["meter"].as_str().unwrap(), "--slot", &slot, "--out"])
        .arg(&file)
        .env("JIRANI__DATA_DIR", case.folder.path().join("data"))
        .output()
        .unwrap();
    ran(&proven);

    // By us, and by who never saw our code.
    let verify = |file: &Path, program: &str| {
        binary()
            .args(["meter", "verify", "--json", "--rpc", &case.rpc, "--program", program])
            .arg(file)
            .current_dir(case.folder.path())
            .output()
            .unwrap()
    };
    let python = |file: &Path| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify_proof.py");
        let python = std::env::var_os("JIRANI_PYTHON")?;
        let output = std::process::Command::new(python)
            .arg(script)
            .arg(file)
            .args(["--rpc", &case.rpc, "--program", program])
            .output()
            .unwrap();
        Some(output)
    };
    let shown: Value = serde_json::from_str(&ran(&verify(&file, program))).unwrap();
    assert_eq!((&shown["holds"], &shown["household"]), (&json!(true), &home["id"]), "{shown}");
    match python(&file) {
        Some(output) => assert!(ran(&output).starts_with("holds"), "{output:?}"),
        None => eprintln!("JIRANI_PYTHON is not set: not compared with the verifier in Python"),
    }

    let proof: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let earlier = jirani_units::Timestamp(noon - 900_000_000).to_string();
    let other = case.folder.path().join("other.json");
    let proven = binary()
        .args(["meter", "prove", "--meter", home["meter"].as_str().unwrap(), "--slot", &earlier, "--out"])
        .arg(&other)
        .env("JIRANI__DATA_DIR", case.folder.path().join("data"))
        .output()
        .unwrap();
    ran(&proven);
    let other: Value = serde_json::from_str(&std::fs::read_to_string(&other).unwrap()).unwrap();
    for (code, field, value) in [
        ("proof.registers", "export_wh", json!(proof["export_wh"].as_u64().unwrap() + 1)),
        ("proof.path", "evidence_root", other["evidence_root"].clone()),
        ("proof.not_on_chain", "transaction", other["transaction"].clone()),
        ("proof.not_on_chain", "feeder", json!(2)),
    ] {
        let mut forged = proof.clone();
        forged[field] = value;
        let path = case.folder.path().join("forged.json");
        std::fs::write(&path, forged.to_string()).unwrap();
        let output = verify(&path, program);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(code), "{code}: {said}");
        if let Some(output) = python(&path) {
            assert_eq!(output.status.code(), Some(1), "{code}: {output:?}");
        }
    }
    // A program that somebody else wrote says nothing.
    let output = verify(&file, "11111111111111111111111111111111");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
