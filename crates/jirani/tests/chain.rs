//! The operator's tools and a server against a chain that is not theirs, by URL as on
//! devnet: a standalone local chain whose program has an upgrade authority of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use support::cluster::{Cluster, Desk};
use support::{Running, binary};

#[test]
fn a_deployment_is_initialised_rotated_stopped_and_handed_over_by_url() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk { data_dir: folder.path(), url: "http://127.0.0.1:9".to_owned() };
    let keys = desk.keys();
    let of = |role: &str| keys[role].as_str().unwrap().to_owned();
    let file = folder.path().join("keys/oracle.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    desk.refused(&["keys", "generate", "oracle"], "chain.key_exists");
    assert_eq!(desk.state(), "rpc_down");

    let cluster = Cluster::start(&folder.path().join("cluster"), "127.0.0.1:0", &of("upgrade_authority"));
    desk.url.clone_from(&cluster.url);
    assert_eq!(desk.state(), "not_initialised");
    desk.refused(&["pause"], "chain.not_possible");
    desk.json(&["airdrop", "5000000000"]);

    // Rehearsed first: nothing changes. Then done, and repeated without harm.
    let rehearsed = desk.json(&["init", "--dry-run"]);
    assert!(rehearsed["transactions"][0]["fee_lamports"].as_u64() > Some(0), "{rehearsed}");
    assert_eq!(desk.state(), "not_initialised");
    assert!(desk.done(&["init", "--cap-wh", "5000"]).contains(&of("admin")));
    let again = desk.json(&["init"]);
    assert!(again["nothing_to_do"].as_str().unwrap().contains("the attestors differ"), "{again}");

    let status = desk.status();
    assert_eq!(status["state"], "ready", "{status}");
    assert_eq!(status["program"]["elf"], "committed", "{status}");
    assert_eq!(status["program"]["upgrade_authority"], of("upgrade_authority").as_str());
    assert_eq!(status["config"]["attestors"][0]["cap_wh"], 5_000);
    assert_eq!(status["supply_wh"], 0);

    // The wrong cluster is refused before anything is sent.
    let wrong = |arguments: &[&str]| {
        let output = binary()
            .args(["chain", "--url", &desk.url])
            .args(arguments)
            .env("JIRANI__DATA_DIR", folder.path())
            .env("JIRANI__CHAIN__CLUSTER", "devnet")
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(wrong(&["status"]).contains("chain.wrong_cluster"));
    assert!(wrong(&["pause"]).contains("chain.wrong_cluster"));

    // Every key and every section.
    let (second, _) = desk.key("oracle", "second");
    let told = desk.done(&["rotate-oracle", &of("oracle"), &second, "--threshold", "2"]);
    assert!(told.contains("version 1 -> 2") && told.contains("refused from then on"), "{told}");
    desk.refused(&["rotate-oracle", &of("oracle"), "--threshold", "2"], "chain.invalid");
    desk.done(&["rotate-attestor", &of("attestor"), &of("payer"), "--cap-wh", "7"]);
    desk.done(&["rotate-custodian", &of("custodian"), "--no-caps"]);
    desk.done(&["set-tariff", "--retail", "4000"]);
    desk.done(&["set-limits", "--order-window-s", "90"]);
    desk.refused(&["set-limits", "--marker-retention-s", "10"], "chain.invalid");
    desk.done(&["set-caps", "--withdrawal-wh", "3"]);
    let (stopper, stopper_file) = desk.key("pause_key", "stopper");
    desk.done(&["set-pause-key", &stopper]);
    let config = desk.status()["config"].clone();
    assert_eq!(
        (config["oracles"]["version"].as_u64(), config["oracles"]["threshold"].as_u64()),
        (Some(2), Some(2))
    );
    assert_eq!(config["attestors"].as_array().unwrap().len(), 2);
    assert_eq!(config["custodian"]["cap_wh"], Value::Null);
    assert_eq!(config["tariff"]["retail_cents_per_kwh"], 4_000);
    assert_eq!(config["limits"]["order_window_s"], 90);
    assert_eq!(config["caps"]["withdrawal_wh"], 3);
    assert_eq!(config["pause_key"], stopper.as_str());

    // The pause key stops; only the admin goes on.
    desk.done(&["pause", "--key", &format!("pause_key={stopper_file}")]);
    assert_eq!(desk.state(), "paused");
    assert!(desk.json(&["pause"])["nothing_to_do"].is_string());
    desk.done(&["resume"]);
    desk.done(&["hard-stop"]);
    assert_eq!(desk.status()["config"]["pause"], "stopped");
    desk.done(&["lift-hard-stop"]);
    desk.done(&["resume"]);
    assert_eq!(desk.state(), "ready");

    // The admin hands over in two steps, and has no say afterwards.
    let (next, next_file) = desk.key("admin", "next");
    desk.refused(&["accept-admin"], "nobody is proposed");
    desk.done(&["propose-admin", &next]);
    desk.refused(&["accept-admin"], "chain.key_missing");
    desk.done(&["accept-admin", "--key", &format!("signer={next_file}")]);
    desk.refused(&["set-tariff", "--retail", "4100"], "chain.key_missing");
    assert_eq!(desk.status()["config"]["admin"], next.as_str());

    // Keys on two machines: one makes and signs, the other signs, either sends. What the
    // program refuses then is told with its code.
    let exported = folder.path().join("pause.json");
    let exported = exported.to_str().unwrap();
    let with_next = format!("admin={next_file}");
    desk.json(&["hard-stop", "--export", exported]);
    desk.refused(&["submit", exported], "has not signed");
    desk.json(&["sign", exported]);
    let (_, contents, _) = desk.run(&["sign", exported, "--key", &with_next]);
    assert!(contents.contains("HardStop") && contents.contains(&next), "{contents}");
    desk.json(&["submit", exported]);
    assert_eq!(desk.status()["config"]["pause"], "stopped");
    let late = folder.path().join("late.json");
    let late = late.to_str().unwrap();
    desk.json(&["lift-hard-stop", "--export", late]);
    desk.json(&["sign", late, "--key", &with_next]);
    desk.done(&["lift-hard-stop", "--key", &with_next]);
    desk.refused(&["submit", late], "energy.");

    let accounts = desk.json(&["accounts"]);
    assert_eq!(accounts["households"], serde_json::json!([]));
    assert!(desk.json(&["close-markers"])["nothing_to_do"].is_string());
    assert!(desk.json(&["expire-offers"])["nothing_to_do"].is_string());
    desk.refused(&["close-household", "1"], "there is no household 1");
    desk.refused(&["release-order", "1", "1"], "there is no open order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_works_on_a_chain_elsewhere_waits_while_it_is_gone_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let mut desk = Desk { data_dir: &data_dir, url: String::new() };
    let keys = desk.keys();
    let authority = keys["upgrade_authority"].as_str().unwrap();
    let cluster_folder = folder.path().join("cluster");
    let cluster = Cluster::start(&cluster_folder, "127.0.0.1:0", authority);
    desk.url.clone_from(&cluster.url);
    desk.json(&["airdrop", "5000000000"]);
    desk.done(&["init", "--no-caps"]);

    let settings = [
        ("JIRANI__CHAIN__RPC_URL", cluster.url.as_str()),
        ("JIRANI__DEMO__HOUSEHOLDS", "2"),
        ("JIRANI__DEMO__TRADE", "false"),
        ("JIRANI__SITE__SLOT_LENGTH_S", "20"),
        ("JIRANI__SITE__GRACE_S", "3"),
    ];
    let running = Running::start_with(&data_dir, &settings).await;
    running.until_ready("ready").await;
    let operator = running.operator().await;
    let attested = |overview: &Value| overview["attested"][0]["attested_through"].as_str().map(str::to_owned);
    let overview = operator.get("/api/v1/operator/overview").await;
    assert_eq!(overview["chain_state"]["state"], "ready", "{overview}");

    // Households that a server enrolled are the operator's to mend.
    let accounts = desk.json(&["accounts", "households"]);
    let household = accounts["households"][0]["id"].as_u64().unwrap().to_string();
    assert!(accounts["rent_lamports"].as_u64() > Some(1_000_000), "{accounts}");
    let told =
        desk.done(&["adjust", &household, "--export-wh", "1500", "--reason", "the meter was exchanged late"]);
    assert!(told.contains("1500 Wh of export"), "{told}");
    desk.refused(
        &["adjust", &household, "--export-wh", "200000", "--reason", "too much"],
        "chain.not_possible",
    );
    desk.refused(&["close-household", &household], "chain.not_possible");
    desk.done(&["replace-meter", &household, "--export-rating-w", "7777"]);
    let (owner, owner_file) = desk.key("admin", "owner");
    desk.done(&["propose-authority", &household, &owner]);
    desk.refused(&["accept-authority", &household, "--key", &format!("signer={owner_file}")], "waits");
    desk.done(&["cancel-authority", &household]);

    // A pause shows everywhere; then the node goes, and comes back.
    desk.done(&["pause"]);
    running.until_ready("paused").await;
    desk.done(&["resume"]);
    running.until_ready("ready").await;
    let listen = cluster.listen();
    drop(cluster);
    running.until_ready("chain.rpc_down").await;
    let blind = operator.get("/api/v1/operator/overview").await;
    assert_eq!(blind["chain_state"]["state"], "rpc_down", "{blind}");
    let before = attested(&blind);
    let _cluster = Cluster::start(&cluster_folder, &listen, authority);
    running.until_ready("ready").await;
    operator
        .until("an attestation after the chain came back", "/api/v1/operator/overview", |overview| {
            attested(overview) > before
        })
        .await;
    running.interrupt();
}
