//! Everything that can be in the way of work for the chain: one word and one sentence
//! each, from the first moment of a server on, and work that goes on when it is over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use support::Running;
use support::cluster::{Cluster, Desk};

const GENESIS: &str = "JIRANI__CHAIN__GENESIS_HASH";

/// A node in front of `upstream` that says of itself that it is 42 slots behind.
fn behind(upstream: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let upstream = upstream.clone();
            std::thread::spawn(move || answer(stream, &upstream));
        }
    });
    url
}

/// One question per connection.
fn answer(mut stream: TcpStream, upstream: &str) {
    let Some(body) = question(&mut stream) else { return };
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let said = if asked["method"] == "getHealth" {
        let message = "Node is behind by 42 slots";
        let error =
            serde_json::json!({ "code": -32005, "message": message, "data": { "numSlotsBehind": 42 } });
        serde_json::json!({ "jsonrpc": "2.0", "error": error, "id": asked["id"] }).to_string().into_bytes()
    } else {
        let mut node = TcpStream::connect(upstream).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {upstream}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        node.write_all(head.as_bytes()).unwrap();
        node.write_all(&body).unwrap();
        question(&mut node).unwrap_or_default()
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        said.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&said));
}

/// The body of an HTTP message that names its length.
fn question(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
            let length: usize = length.trim().parse().ok()?;
            if bytes.len() >= end + 4 + length {
                return Some(bytes[end + 4..end + 4 + length].to_vec());
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// What status says: exit code, state and sentence.
fn told(desk: &Desk<'_>, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (code, out, _) = desk.run(&[&["status", "--json"], arguments].concat());
    let status: Value = serde_json::from_str(&out).unwrap();
    let text = |key: &str| status[key].as_str().unwrap().to_owned();
    (code, text("state"), text("sentence"))
}

#[test]
fn status_says_each_state_in_one_word_and_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk { data_dir: folder.path(), url: "http://127.0.0.1:9".to_owned() };
    let keys = desk.keys();
    let authority = keys["upgrade_authority"].as_str().unwrap();
    let says = |desk: &Desk<'_>, arguments: &[&str], code: i32, state: &str, word: &str| {
        let (ended, found, sentence) = told(desk, arguments);
        assert_eq!((ended, found.as_str()), (Some(code), state), "{sentence}");
        assert!(sentence.contains(word) && sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
    };
    says(&desk, &[], 1, "rpc_down", "does not answer");

    let cluster_folder = folder.path().join("cluster");
    let cluster = Cluster::start(&cluster_folder, "127.0.0.1:0", authority);
    desk.url.clone_from(&cluster.url);
    says(&desk, &[], 1, "not_initialised", "jirani chain init");
    desk.json(&["airdrop", "5000000000"]);
    desk.done(&["init"]);
    says(&desk, &[], 0, "ready", "takes work");
    let (stranger, _) = desk.key("payer", "stranger");
    says(&desk, &["--payer", &stranger], 1, "payer_unfunded", &stranger);
    says(&desk, &["--program", &stranger], 1, "program_missing", &stranger);
    desk.done(&["pause"]);
    says(&desk, &[], 0, "paused", "jirani chain resume");
    desk.done(&["resume"]);

    let honest = desk.url.clone();
    desk.url = behind(cluster.listen());
    says(&desk, &[], 1, "behind", "42 slots");
    desk.url = honest;
    drop(cluster);
    let late = ["--late-percent", "100", "--late-ms", "2300"];
    let slow = Cluster::start_with(&cluster_folder, "127.0.0.1:0", authority, &late);
    desk.url.clone_from(&slow.url);
    says(&desk, &[], 0, "slow", "lands late");

    let output = support::binary()
        .args(["chain", "--url", &slow.url, "status", "--json"])
        .env("JIRANI__DATA_DIR", folder.path())
        .env("JIRANI__CHAIN__CLUSTER", "devnet")
        .output()
        .unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), status["state"].as_str()), (Some(1), Some("wrong_cluster")));
}

#[test]
fn what_a_nodes_url_opens_is_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let url = "http://amina:paasword@127.0.0.1:9/v2/Abcdef0123456789Abcdef01/?api-key=topsecret";
    let commands: [&[&str]; 5] = [
        &["chain", "status"],
        &["chain", "status", "--json"],
        &["chain", "accounts"],
        &["chain", "pause"],
        &["check-config"],
    ];
    for command in commands {
        let output = support::binary()
            .args(command)
            .env("JIRANI__DATA_DIR", folder.path())
            .env("JIRANI__CHAIN__RPC_URL", url)
            .env("JIRANI__CHAIN__CLUSTER", "devnet")
            .env("JIRANI__CHAIN__PROGRAM", "JiraniEnergy1111111111111111111111111111111")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.is_empty(), "{command:?} says nothing");
        for secret in ["paasword", "Abcdef0123456789", "topsecret"] {
            assert!(!said.contains(secret), "{command:?}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_answers_from_the_first_moment_and_begins_its_work_when_the_chain_can_take_it() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let mut desk = Desk { data_dir: &data_dir, url: String::new() };
    let keys = desk.keys();
    let authority = keys["upgrade_authority"].as_str().unwrap();
    let right_folder = folder.path().join("right");
    let right = Cluster::start(&right_folder, "127.0.0.1:0", authority);
    desk.url.clone_from(&right.url);
    desk.json(&["airdrop", "5000000000"]);
    desk.done(&["init", "--no-caps"]);
    let genesis = desk.status()["genesis_hash"].as_str().unwrap().to_owned();
    let listen = right.listen();
    drop(right);

    // The node is down: the server answers, and says so.
    let (payer, payer_file) = desk.key("payer", "server");
    let settings = [
        ("JIRANI__CHAIN__RPC_URL", desk.url.as_str()),
        (GENESIS, genesis.as_str()),
        ("JIRANI__CHAIN__KEYS__PAYER", payer_file.as_str()),
        ("JIRANI__DEMO__HOUSEHOLDS", "2"),
        ("JIRANI__DEMO__TRADE", "false"),
        ("JIRANI__SITE__SLOT_LENGTH_S", "20"),
        ("JIRANI__SITE__GRACE_S", "3"),
    ];
    let running = Running::start_with(&data_dir, &settings).await;
    let sentence = running.until_ready("chain.rpc_down").await;
    assert!(sentence.contains("does not answer"), "{sentence}");
    let operator = running.operator().await;
    let state = async || {
        let overview = operator.get("/api/v1/operator/overview").await;
        overview["chain_state"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state().await, "rpc_down");
    running.household(1).await;

    // Another cluster at its address, then the right one with an empty payer.
    let wrong = Cluster::start(&folder.path().join("wrong"), &listen, authority);
    running.until_ready("chain.wrong_cluster").await;
    assert_eq!(state().await, "wrong_cluster");
    drop(wrong);
    let _right = Cluster::start(&right_folder, &listen, authority);
    let sentence = running.until_ready("chain.payer_unfunded").await;
    assert!(sentence.contains(&payer), "{sentence}");
    assert_eq!(desk.json(&["accounts"])["households"], serde_json::json!([]), "nothing was sent");

    // The payer gets lamports: homes are enrolled, meters begin, slots are attested.
    desk.json(&["airdrop", "5000000000", "--key", &format!("payer={payer_file}")]);
    running.until_ready("ready").await;
    operator
        .until("an attestation", "/api/v1/operator/overview", |overview| {
            overview["attested"][0]["attested_through"].is_string()
        })
        .await;
    running.interrupt();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_program_is_missing_says_so_and_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk { data_dir: folder.path(), url: String::new() };
    let keys = desk.keys();
    let cluster =
        Cluster::start(&folder.path().join("cluster"), "127.0.0.1:0", keys["admin"].as_str().unwrap());
    desk.url.clone_from(&cluster.url);
    let settings = [
        ("JIRANI__CHAIN__RPC_URL", desk.url.as_str()),
        ("JIRANI__CHAIN__PROGRAM", keys["pause_key"].as_str().unwrap()),
        ("JIRANI__DEMO__HOUSEHOLDS", "2"),
    ];
    let running = Running::start_with(folder.path(), &settings).await;
    let sentence = running.until_ready("chain.program_missing").await;
    assert!(sentence.contains("chain.program"), "{sentence}");
    running.interrupt();
}
