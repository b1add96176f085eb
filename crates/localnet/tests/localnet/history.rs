//! History: pages, bounds, and what the index says of every address.

use crate::support::*;
use jirani_localnet::{LocalnetConfig, RunningLocalnet};
use proptest::prelude::*;
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::UiTransactionEncoding;
use solana_signature::Signature;
use solana_signer::Signer as _;
use std::sync::OnceLock;
use std::time::Duration;

/// Sends `count` transfers, a hundred at a time; signatures in no order.
async fn fill(client: &RpcClient, from: &Keypair, to: &Keypair, count: u64) -> Vec<Signature> {
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let mut signatures = Vec::new();
    for chunk in (1..=count).collect::<Vec<_>>().chunks(100) {
        let sent = chunk.iter().map(|lamports| {
            let pay = solana_system_interface::instruction::transfer(
                &from.pubkey(),
                &to.pubkey(),
                1_000_000 + lamports,
            );
            let message =
                solana_message::Message::new_with_blockhash(&[pay], Some(&from.pubkey()), &blockhash);
            let message = solana_message::VersionedMessage::Legacy(message);
            let transaction =
                solana_transaction::versioned::VersionedTransaction::try_new(message, &[from]).unwrap();
            async move { client.send_transaction(&transaction).await.unwrap() }
        });
        signatures.extend(futures::future::join_all(sent).await);
    }
    signatures
}

async fn page(chain: &RunningLocalnet, address: &str, config: Value) -> Vec<String> {
    let answer = call(chain, "getSignaturesForAddress", json!([address, config])).await;
    let entries = answer["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    entries.iter().map(|entry| entry["signature"].as_str().unwrap().to_owned()).collect()
}

struct Filled {
    runtime: tokio::runtime::Runtime,
    chain: RunningLocalnet,
    address: String,
    newest_first: Vec<String>,
    _folder: tempfile::TempDir,
}

/// More than one segment of the index, started again in between so that both ways
/// of making its unfinished part are used.
fn filled() -> &'static Filled {
    static FILLED: OnceLock<Filled> = OnceLock::new();
    FILLED.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stored = || LocalnetConfig { data_dir: Some(folder.path().to_owned()), ..config() };
        let (chain, address, newest_first) = runtime.block_on(async {
            let to = Keypair::new_from_array([2; 32]);
            let (chain, client, _) = start(stored()).await;
            let from = Keypair::new_from_array([1; 32]);
            client.request_airdrop(&from.pubkey(), 1_000 * SOL).await.unwrap();
            fill(&client, &from, &to, 4_500).await;
            chain.stop().await;
            let (chain, client, _) = start(stored()).await;
            let other = Keypair::new_from_array([3; 32]);
            client.request_airdrop(&other.pubkey(), 1_000 * SOL).await.unwrap();
            fill(&client, &other, &to, 500).await;
            let address = to.pubkey().to_string();
            let mut all: Vec<String> = Vec::new();
            loop {
                let config = all.last().map_or(json!({}), |last| json!({"before": last}));
                let next = page(&chain, &address, config).await;
                if next.is_empty() {
                    break;
                }
                all.extend(next);
            }
            (chain, address, all)
        });
        Filled { runtime, chain, address, newest_first, _folder: folder }
    })
}

#[test]
fn paging_gives_every_signature_once() {
    let filled = filled();
    let mut sorted = filled.newest_first.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!((filled.newest_first.len(), sorted.len()), (5_000, 5_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_page_is_the_part_of_history_between_its_bounds(
        before in 0usize..5_001, until in 0usize..5_001, limit in 1usize..1_001,
    ) {
        let filled = filled();
        // Position 0 stands for no bound at the newest end, 5,000 for none at the oldest.
        let mut config = json!({"limit": limit});
        if before > 0 {
            config["before"] = json!(filled.newest_first[before - 1]);
        }
        if until < 5_000 {
            config["until"] = json!(filled.newest_first[until]);
        }
        let expected: Vec<String> =
            filled.newest_first.get(before..until).unwrap_or_default().iter().take(limit).cloned().collect();
        let got = filled.runtime.block_on(page(&filled.chain, &filled.address, config));
        prop_assert_eq!(got, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_tells_slot_time_error_and_memo() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let memo = solana_instruction::Instruction {
        program_id: solana_address::Address::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
        accounts: vec![],
        data: b"for three kilowatt-hours".to_vec(),
    };
    let too_much = solana_system_interface::instruction::transfer(&from.pubkey(), &to.pubkey(), 2 * SOL);
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let message =
        solana_message::Message::new_with_blockhash(&[memo, too_much], Some(&from.pubkey()), &blockhash);
    let message = solana_message::VersionedMessage::Legacy(message);
    let transaction =
        solana_transaction::versioned::VersionedTransaction::try_new(message, &[&from]).unwrap();
    let text = bs58::encode(wincode::serialize(&transaction).unwrap()).into_string();
    call(&chain, "sendTransaction", json!([text, {"skipPreflight": true}])).await;
    let answer = call(&chain, "getSignaturesForAddress", json!([to.pubkey().to_string()])).await;
    let slot = answer["result"][0]["slot"].clone();
    assert!(slot.is_u64());
    assert_eq!(
        answer["result"],
        json!([{
            "signature": transaction.signatures[0].to_string(),
            "slot": slot,
            "err": {"InstructionError": [1, {"Custom": 1}]},
            "memo": "[24] for three kilowatt-hours",
            "blockTime": NOON,
            "confirmationStatus": "finalized",
        }])
    );
    assert_eq!(
        page(&chain, &to.pubkey().to_string(), json!({"before": Signature::default().to_string()})).await,
        Vec::<String>::new()
    );
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_keeps_the_newest_transactions() {
    let (chain, client, _) = start(LocalnetConfig { history_limit: 100, ..config() }).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let first = client.send_transaction(&transfer(&client, &from, &to, 1_000_000).await).await.unwrap();
    fill(&client, &from, &to, 511).await;
    let kept = page(&chain, &to.pubkey().to_string(), json!({})).await;
    assert!((100..512).contains(&kept.len()), "{}", kept.len());
    assert!(client.get_transaction(&first, UiTransactionEncoding::Base64).await.is_err());
    let newest: Signature = kept[0].parse().unwrap();
    assert!(client.get_transaction(&newest, UiTransactionEncoding::Base64).await.is_ok());
    let cleaned = call(&chain, "getFirstAvailableBlock", json!([])).await;
    assert!(cleaned["result"].is_u64());
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_forgets_what_is_too_old() {
    let day = Duration::from_hours(24);
    let limits = LocalnetConfig { history_age: Some(day), ..config() };
    let (chain, client, clock) = start(limits).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    fill(&client, &from, &to, 200).await;
    clock.pass_slots(3 * 216_000);
    let other = Keypair::new_from_array([3; 32]);
    client.request_airdrop(&other.pubkey(), SOL).await.unwrap();
    fill(&client, &other, &to, 400).await;
    assert_eq!(page(&chain, &to.pubkey().to_string(), json!({})).await.len(), 400);
    chain.stop().await;
}
