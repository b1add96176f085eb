//! Two processes, one oracle each: above a daily value the server's attestations bear
//! the witness's signature too, wait while it is away, and are refused when they lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_store::{SlotRecord, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Timestamp, Wh};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use support::{Person, Running, binary};

const TOKEN: &str = "a token that nobody can guess";

/// The second oracle, with a folder, a key and a node's URL of its own.
struct WitnessProcess(Child);

impl WitnessProcess {
    fn start(folder: &Path, listen: &str, rpc: &str) -> Self {
        let mut child = binary()
            .arg("witness")
            .env("JIRANI__DATA_DIR", folder)
            .env("JIRANI__CHAIN__RPC_URL", rpc)
            .env("JIRANI__WITNESS__LISTEN", listen)
            .env("JIRANI__WITNESS__TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.starts_with("Ready"));
        assert!(ready, "jirani witness did not start");
        Self(child)
    }
}

impl Drop for WitnessProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `jirani chain ... --json` at the operator's desk; its exit code and answer.
fn desk(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, Value) {
    let output = binary()
        .arg("chain")
        .args(arguments)
        .arg("--json")
        .env("JIRANI__DATA_DIR", folder)
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{arguments:?}: {told} {complaint}"));
    (output.status.code(), value)
}

async fn rpc(url: &str, method: &str, params: Value) -> Value {
    let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer: Value =
        reqwest::Client::new().post(url).json(&question).send().await.unwrap().json().await.unwrap();
    answer["result"].clone()
}

/// How many finalised transactions `key` signed together with somebody else.
async fn signed_with(url: &str, key: &str) -> usize {
    let found = rpc(url, "getSignaturesForAddress", json!([key, { "limit": 1000 }])).await;
    let mut signed = 0;
    for row in found.as_array().unwrap() {
        let how = json!([row["signature"], { "maxSupportedTransactionVersion": 1, "encoding": "json" }]);
        let transaction = rpc(url, "getTransaction", how).await["transaction"].clone();
        let signers =
            usize::try_from(transaction["message"]["header"]["numRequiredSignatures"].as_u64().unwrap());
        let signers = signers.unwrap();
        let keys = transaction["message"]["accountKeys"].as_array().unwrap();
        signed += usize::from(signers > 1 && keys.iter().take(signers).any(|signer| signer == key));
    }
    signed
}

async fn attested(operator: &Person<'_>) -> Option<String> {
    let overview = operator.get("/api/v1/operator/overview").await;
    overview["attested"][0]["attested_through"].as_str().map(str::to_owned)
}

async fn attested_after(operator: &Person<'_>, before: Option<String>) {
    operator
        .until("a later attestation", "/api/v1/operator/overview", |overview| {
            overview["attested"][0]["attested_through"].as_str().map(str::to_owned) > before
        })
        .await;
}

/// The slot that waits for its signature, in a stopped server's store.
async fn waiting_slot(folder: &Path) -> SlotRecord {
    let store = SqliteStore::open(&folder.join("jirani.db")).await.unwrap();
    let slot = store
        .unattested_slots(1, Timestamp(i64::MIN), 1_000)
        .await
        .unwrap()
        .into_iter()
        .next()
        .expect("a slot that waits");
    store.close().await;
    slot
}

async fn keep(folder: &Path, slot: SlotRecord) {
    let store = SqliteStore::open(&folder.join("jirani.db")).await.unwrap();
    store.put_slot(slot).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_the_daily_value_attestations_are_signed_by_two_wait_for_the_second_and_never_lie() {
    let folder = tempfile::tempdir().unwrap();
    let (site, witness_folder) = (folder.path().join("site"), folder.path().join("witness"));
    let (_, made) = desk(&witness_folder, &[], &["keys", "generate", "oracle"]);
    let key = made["oracle"].as_str().unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{listen}");
    let settings = [
        ("JIRANI__DEMO__TRADE", "false"),
        ("JIRANI__DEMO__SPEED", "600"),
        ("JIRANI__DEMO__HOUSEHOLDS", "4"),
        ("JIRANI__WITNESS__URL", url.as_str()),
        ("JIRANI__WITNESS__KEY", key),
        ("JIRANI__WITNESS__TOKEN", TOKEN),
        ("JIRANI__WITNESS__ALONE_WH_PER_DAY", "4000"),
    ];

    // Nobody answers there: what is above the value waits, and everybody is told.
    let running = Running::start_with(&site, &settings).await;
    let sentence = running.until_ready("unwitnessed").await;
    assert!(sentence.contains("witness.unreachable"), "{sentence}");
    let operator = running.operator().await;
    let alone = attested(&operator).await;
    assert!(alone.is_some(), "below the value the oracle is enough");
    let overview = operator.get("/api/v1/operator/overview").await;
    assert_eq!(overview["chain_state"]["state"], "unwitnessed", "{overview}");
    let at = ["--url", running.rpc.as_str()];
    let status = |running: &Running| {
        let (code, status) = desk(&site, &settings, &["status", "--url", &running.rpc]);
        assert_eq!(code, Some(0), "a server without its witness is still of use: {status}");
        (status["state"].as_str().unwrap().to_owned(), status)
    };
    let (state, told) = status(&running);
    assert_eq!(state, "unwitnessed");
    assert!(told["witness"]["trouble"].as_str().unwrap().contains("witness.unreachable"), "{told}");

    // It comes, but is no member yet; then the admin makes it one.
    let witness = WitnessProcess::start(&witness_folder, &listen, &running.rpc);
    let (_, told) = status(&running);
    assert!(told["witness"]["trouble"].as_str().unwrap().contains("witness.no_member"), "{told}");
    let own = told["config"]["oracles"]["members"][0].as_str().unwrap().to_owned();
    let rotate = [&["rotate-oracle", &own, key, "--threshold", "1"][..], &at[..]].concat();
    let (code, told) = desk(&site, &settings, &rotate);
    assert_eq!(code, Some(0), "{told}");
    attested_after(&operator, alone).await;
    running.until_ready("ready").await;
    assert_eq!(status(&running).0, "ready");
    assert!(signed_with(&running.rpc, key).await > 0, "the witness's signature is on the chain");

    // It goes: work waits. It comes back: work goes on.
    drop(witness);
    running.until_ready("unwitnessed").await;
    let before = attested(&operator).await;
    let signed = signed_with(&running.rpc, key).await;
    let witness = WitnessProcess::start(&witness_folder, &listen, &running.rpc);
    attested_after(&operator, before).await;
    running.until_ready("ready").await;
    assert!(signed_with(&running.rpc, key).await > signed, "every one above the value");

    // A server that lies: a stored slot with energy that no meter signed.
    drop(witness);
    running.until_ready("unwitnessed").await;
    running.kill();
    let truth = waiting_slot(&site).await;
    let mut lie = truth.clone();
    let row = lie.rows.first_mut().unwrap();
    row.export_wh = Wh(row.export_wh.0 + 1);
    keep(&site, lie).await;
    let running = Running::start_with(&site, &settings).await;
    let signed = signed_with(&running.rpc, key).await;
    let witness = WitnessProcess::start(&witness_folder, &listen, &running.rpc);
    let begin = std::time::Instant::now();
    while !running.until_ready("unwitnessed").await.contains("witness.refused") {
        assert!(begin.elapsed() < support::PATIENCE, "the witness did not refuse the lie");
        tokio::task::yield_now().await;
    }
    assert_eq!(signed_with(&running.rpc, key).await, signed, "nothing was signed");
    running.kill();
    drop(witness);

    // The truth again: it goes on, and the books are whole.
    keep(&site, truth).await;
    let running = Running::start_with(&site, &settings).await;
    let _witness = WitnessProcess::start(&witness_folder, &listen, &running.rpc);
    let operator = running.operator().await;
    let before = attested(&operator).await;
    attested_after(&operator, before).await;
    running.finish(&site);
}

#[test]
fn a_witness_without_key_or_token_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |token: &str| {
        let output = binary()
            .arg("witness")
            .env("JIRANI__DATA_DIR", folder.path())
            .env("JIRANI__WITNESS__LISTEN", "127.0.0.1:0")
            .env("JIRANI__WITNESS__TOKEN", token)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused("short").contains("JIRANI__WITNESS__TOKEN"));
    assert!(refused(TOKEN).contains("chain.key_missing"));
}
