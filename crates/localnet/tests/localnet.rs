//! The local chain through its public door: HTTP and Solana's own client.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use jirani_localnet::{Localnet, LocalnetConfig, LocalnetError, RunningLocalnet};
use jirani_units::{Clock, Timestamp};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_message::{Message, VersionedMessage};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error, ErrorKind};
use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

const NOON: i64 = 1_795_348_800;
const SOL: u64 = 1_000_000_000;

fn config() -> LocalnetConfig {
    LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [7; 32])
}

async fn start(config: LocalnetConfig) -> (RunningLocalnet, RpcClient, Arc<HandClock>) {
    let clock = Arc::new(HandClock(AtomicI64::new(NOON)));
    let chain = Localnet::start(config, clock.clone()).await.unwrap();
    let client = RpcClient::new(chain.rpc_url.clone());
    (chain, client, clock)
}

async fn funded(client: &RpcClient, seed: u8) -> Keypair {
    let key = Keypair::new_from_array([seed; 32]);
    client.request_airdrop(&key.pubkey(), SOL).await.unwrap();
    key
}

async fn transfer(client: &RpcClient, from: &Keypair, to: &Keypair, lamports: u64) -> VersionedTransaction {
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let instruction = solana_system_interface::instruction::transfer(&from.pubkey(), &to.pubkey(), lamports);
    let message = Message::new_with_blockhash(&[instruction], Some(&from.pubkey()), &blockhash);
    VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[from]).unwrap()
}

async fn raw(chain: &RunningLocalnet, body: impl Into<String>) -> Value {
    let response = reqwest::Client::new()
        .post(&chain.rpc_url)
        .header("content-type", "application/json")
        .body(body.into())
        .send()
        .await
        .unwrap();
    response.json().await.unwrap()
}

fn preflight_error(error: &Error) -> (i64, String, Option<TransactionError>) {
    let ErrorKind::RpcError(RpcError::RpcResponseError { code, message, data }) = error.kind() else {
        panic!("not an answer of the node: {error}")
    };
    let err = match data {
        RpcResponseErrorData::SendTransactionPreflightFailure(result) => result.err.clone().map(Into::into),
        _ => None,
    };
    (*code, message.clone(), err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_final_as_soon_as_it_is_sent() {
    let (chain, client, clock) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    clock.0.store(NOON + 90, Ordering::SeqCst);
    let signature = client.send_transaction(&transfer(&client, &from, &to, 5_000_000).await).await.unwrap();

    let status = client.get_signature_statuses(&[signature]).await.unwrap().value[0].clone().unwrap();
    assert_eq!((status.err, status.confirmations), (None, None));
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 5_000_000);
    assert_eq!(client.get_balance(&from.pubkey()).await.unwrap(), SOL - 5_000_000 - 5_000);
    let told = client
        .get_transaction(&signature, solana_rpc_client_api::config::UiTransactionEncoding::Base64)
        .await
        .unwrap();
    assert_eq!(told.block_time, Some(NOON + 90), "the chain's time is the injected clock's");
    let meta = told.transaction.meta.unwrap();
    assert_eq!((meta.fee, meta.pre_balances[0], meta.post_balances[1]), (5_000, SOL, 5_000_000));
    let history = client.get_signatures_for_address(&to.pubkey()).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].signature, signature.to_string());
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_signatures_and_blockhashes_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = || LocalnetConfig { data_dir: Some(folder.path().to_owned()), ..config() };
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let done = transfer(&client, &from, &to, 5_000_000).await;
    let signature = client.send_transaction(&done).await.unwrap();
    let later = transfer(&client, &from, &to, 1_000_000).await;
    let (genesis, slot) = (client.get_genesis_hash().await.unwrap(), client.get_slot().await.unwrap());
    // Not stopped: dropped, as good as killed. Everything answered is on disk.
    drop(chain);

    let (chain, client, _) = start(config()).await;
    assert_eq!(client.get_genesis_hash().await.unwrap(), genesis);
    assert!(client.get_slot().await.unwrap() >= slot, "slots never go back");
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 5_000_000);
    let status = client.get_signature_statuses_with_history(&[signature]).await.unwrap().value[0].clone();
    assert_eq!(status.unwrap().err, None);
    let (code, _, err) = preflight_error(&client.send_transaction(&done).await.unwrap_err());
    assert_eq!((code, err), (-32_002, Some(TransactionError::AlreadyProcessed)), "it is known to have run");
    client.send_transaction(&later).await.expect("a blockhash handed out before the restart still counts");
    assert_eq!(client.get_signatures_for_address(&to.pubkey()).await.unwrap().len(), 2);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_on_disk_even_if_the_process_ends_there() {
    let (living, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (chain, client, _) =
        start(LocalnetConfig { data_dir: Some(living.path().to_owned()), ..config() }).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let signature = client.send_transaction(&transfer(&client, &from, &to, 5_000_000).await).await.unwrap();
    // The files as they are at the moment of the answer, as `kill -9` leaves them.
    for name in ["localnet.db", "localnet.db-wal"] {
        std::fs::copy(living.path().join(name), image.path().join(name)).unwrap();
    }
    chain.stop().await;

    let (chain, client, _) =
        start(LocalnetConfig { data_dir: Some(image.path().to_owned()), ..config() }).await;
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 5_000_000);
    assert_eq!(client.get_balance(&from.pubkey()).await.unwrap(), SOL - 5_000_000 - 5_000);
    let status = client.get_signature_statuses_with_history(&[signature]).await.unwrap().value[0].clone();
    assert_eq!(status.unwrap().err, None);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("localnet.db"), "not a database, but long enough to be looked at")
        .unwrap();
    let clock = Arc::new(HandClock(AtomicI64::new(NOON)));
    let broken = LocalnetConfig { data_dir: Some(folder.path().to_owned()), ..config() };
    let error = Localnet::start(broken, clock).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("localnet.database"), "{error}");
    assert!(error.to_string().contains("localnet.db"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_blockhash_is_refused_in_agaves_words() {
    let (chain, client, _) =
        start(LocalnetConfig { slot_time: Duration::from_micros(200), ..config() }).await;
    let (from, to) = (Keypair::new_from_array([1; 32]), Keypair::new_from_array([2; 32]));
    let old = transfer(&client, &from, &to, 1).await;
    let blockhash = *old.message.recent_blockhash();
    while client
        .is_blockhash_valid(&blockhash, solana_rpc_client_api::config::CommitmentConfig::confirmed())
        .await
        .unwrap()
    {}
    let (code, message, err) = preflight_error(&client.send_transaction(&old).await.unwrap_err());
    assert_eq!(code, -32_002);
    assert_eq!(message, "Transaction simulation failed: Blockhash not found");
    assert_eq!(err, Some(TransactionError::BlockhashNotFound));
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_transaction_runs_once() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let transaction = transfer(&client, &from, &to, 5_000_000).await;
    client.send_transaction(&transaction).await.unwrap();
    let (code, message, err) = preflight_error(&client.send_transaction(&transaction).await.unwrap_err());
    assert_eq!((code, err), (-32_002, Some(TransactionError::AlreadyProcessed)));
    assert_eq!(message, "Transaction simulation failed: This transaction has already been processed");
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 5_000_000);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_costs_a_fee_only_when_it_skipped_preflight() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let too_much = transfer(&client, &from, &to, 2 * SOL).await;
    let (code, message, err) = preflight_error(&client.send_transaction(&too_much).await.unwrap_err());
    assert_eq!(
        (code, message.starts_with("Transaction simulation failed: Error processing Instruction 0")),
        (-32_002, true)
    );
    assert!(matches!(err, Some(TransactionError::InstructionError(0, _))));
    assert_eq!(client.get_balance(&from.pubkey()).await.unwrap(), SOL);

    let skip = solana_rpc_client_api::config::RpcSendTransactionConfig {
        skip_preflight: true,
        ..Default::default()
    };
    let signature = client.send_transaction_with_config(&too_much, skip).await.unwrap();
    let status = client.get_signature_statuses(&[signature]).await.unwrap().value[0].clone().unwrap();
    assert!(matches!(status.err, Some(TransactionError::InstructionError(0, _))));
    assert_eq!(client.get_balance(&from.pubkey()).await.unwrap(), SOL - 5_000);
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 0);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_transactions_at_once_all_land_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, client, _) =
        start(LocalnetConfig { data_dir: Some(folder.path().to_owned()), ..config() }).await;
    let client = Arc::new(client);
    let (from, to) = (Arc::new(funded(&client, 1).await), Arc::new(Keypair::new_from_array([2; 32])));
    let sent = (1..=100u64).map(|i| {
        let (client, from, to) = (client.clone(), from.clone(), to.clone());
        tokio::spawn(async move {
            let transaction = transfer(&client, &from, &to, 1_000_000 + i).await;
            client.send_transaction(&transaction).await.unwrap()
        })
    });
    let signatures: Vec<Signature> = futures::future::try_join_all(sent).await.unwrap();
    let statuses = client.get_signature_statuses(&signatures).await.unwrap().value;
    assert!(statuses.iter().all(|status| status.as_ref().is_some_and(|status| status.err.is_none())));
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 100 * 1_000_000 + 5_050);
    let page = client.get_signatures_for_address(&to.pubkey()).await.unwrap();
    assert_eq!(page.len(), 100);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_keeps_the_newest_transactions() {
    let (chain, client, _) = start(LocalnetConfig { history_limit: 100, ..config() }).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let first = client.send_transaction(&transfer(&client, &from, &to, 1_000_000).await).await.unwrap();
    let mut last = first;
    for i in 1..=511 {
        last = client.send_transaction(&transfer(&client, &from, &to, 1_000_000 + i).await).await.unwrap();
    }
    let page = client.get_signatures_for_address(&to.pubkey()).await.unwrap();
    assert!((100..512).contains(&page.len()), "{}", page.len());
    assert_eq!(page[0].signature, last.to_string());
    let encoding = solana_rpc_client_api::config::UiTransactionEncoding::Base64;
    assert!(client.get_transaction(&first, encoding).await.is_err());
    assert!(client.get_transaction(&last, encoding).await.is_ok());
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_calls_get_agaves_errors() {
    let (chain, _, _) = start(config()).await;
    let code = |value: &Value| value["error"]["code"].as_i64();
    assert_eq!(code(&raw(&chain, "{").await), Some(-32_700));
    assert_eq!(code(&raw(&chain, "[]").await), Some(-32_600));
    assert_eq!(code(&raw(&chain, "[1]").await[0]), Some(-32_600));
    assert_eq!(code(&raw(&chain, r#"{"jsonrpc":"1.0","id":1,"method":"getSlot"}"#).await), Some(-32_600));
    let call = |method: &str, params: Value| {
        json!({"jsonrpc":"2.0","id":7,"method":method,"params":params}).to_string()
    };
    let unknown = raw(&chain, call("getLuck", json!([]))).await;
    assert_eq!(
        unknown,
        json!({"jsonrpc":"2.0","error":{"code":-32_601,"message":"Method not found"},"id":7})
    );
    for (method, params) in [
        ("getBalance", json!([])),
        ("getBalance", json!(["not an address"])),
        ("getBalance", json!({"address": "x"})),
        ("getTransaction", json!(["1111"])),
        ("getSignatureStatuses", json!([vec!["1"; 300]])),
        ("sendTransaction", json!(["!!!", {"encoding": "base64"}])),
        ("sendTransaction", json!(["A".repeat(6_000), {"encoding": "base64"}])),
        ("sendTransaction", json!(["AAAA", {"encoding": "base64"}])),
        ("sendTransaction", json!(["AAAA", {"encoding": "jsonParsed"}])),
        (
            "getProgramAccounts",
            json!(["11111111111111111111111111111111", {"filters": [{"dataSize": 1}, {"dataSize": 1}, {"dataSize": 1}, {"dataSize": 1}, {"dataSize": 1}]}]),
        ),
    ] {
        let answer = raw(&chain, call(method, params.clone())).await;
        assert_eq!(code(&answer), Some(-32_602), "{method} {params} {answer}");
    }
    let batch = format!("[{},{}]", call("getHealth", json!([])), call("getLuck", json!([])));
    let answers = raw(&chain, batch).await;
    assert_eq!((answers[0]["result"].as_str(), code(&answers[1])), (Some("ok"), Some(-32_601)));
    let future = raw(&chain, call("getSlot", json!([{"minContextSlot": 1_000_000}]))).await;
    assert_eq!(code(&future), Some(-32_016));
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_bounded_and_must_say_that_they_are_json() {
    let (chain, _, _) = start(config()).await;
    let client = reqwest::Client::new();
    let large =
        client.post(&chain.rpc_url).header("content-type", "application/json").body(" ".repeat(51 * 1024));
    assert_eq!(large.send().await.unwrap().status(), 413);
    let plain = client.post(&chain.rpc_url).header("content-type", "text/plain").body("{}");
    assert_eq!(plain.send().await.unwrap().status(), 415);
    let health = client.get(format!("{}/health", chain.rpc_url)).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_signature_is_refused() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let mut transaction = transfer(&client, &from, &to, 1_000_000).await;
    transaction.signatures[0] = Signature::from([1; 64]);
    let (code, _, _) = preflight_error(&client.send_transaction(&transaction).await.unwrap_err());
    assert_eq!(code, -32_003);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named() {
    let (chain, _, clock) = start(config()).await;
    let taken = LocalnetConfig { listen: chain.addr, ..config() };
    let error = Localnet::start(taken, clock).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, LocalnetError::Bind { .. }));
    assert!(error.to_string().contains(&chain.addr.port().to_string()), "{error}");
    chain.stop().await;
}
