//! Real 32-slot finality: what is told at which commitment, and when.

use crate::support::*;
use jirani_localnet::{Finality, LocalnetConfig, SlotPace};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer as _;

fn realistic() -> LocalnetConfig {
    LocalnetConfig { finality: Finality::Realistic, pace: SlotPace::Clock, ..config() }
}

async fn at(chain: &jirani_localnet::RunningLocalnet, method: &str, first: &Value, level: &str) -> Value {
    let params =
        if first.is_null() { json!([{"commitment": level}]) } else { json!([first, {"commitment": level}]) };
    let answer = call(chain, method, params).await;
    let result = &answer["result"];
    if result["value"].is_null() { result.clone() } else { result["value"].clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_processed_then_confirmed_then_final() {
    let (chain, client, clock) = start(realistic()).await;
    let from = funded(&client, 1).await;
    clock.pass_slots(40);
    let to = Keypair::new_from_array([2; 32]);
    let address = json!(to.pubkey().to_string());
    let slot = at(&chain, "getSlot", &Value::Null, "processed").await.as_u64().unwrap();
    assert_eq!(at(&chain, "getSlot", &Value::Null, "confirmed").await, slot - 1);
    assert_eq!(at(&chain, "getSlot", &Value::Null, "finalized").await, slot - 32);
    let last_valid =
        at(&chain, "getLatestBlockhash", &Value::Null, "finalized").await["lastValidBlockHeight"].clone();
    assert_eq!(last_valid, slot - 32 + 150);

    let mut listener = Listener::connect(&chain).await;
    let transaction = transfer(&client, &from, &to, 1_000_000).await;
    let signature = transaction.signatures[0].to_string();
    let mut numbers = Vec::new();
    for level in ["processed", "confirmed", "finalized"] {
        let params = json!([signature, {"commitment": level}]);
        numbers.push(listener.subscribe("signatureSubscribe", params).await);
    }
    let account = listener
        .subscribe("accountSubscribe", json!([address, {"encoding": "base64", "commitment": "finalized"}]))
        .await;
    client.send_transaction(&transaction).await.unwrap();

    let status = async || {
        let answer = call(&chain, "getSignatureStatuses", json!([[signature]])).await;
        let status = &answer["result"]["value"][0];
        (status["confirmationStatus"].clone(), status["confirmations"].clone())
    };
    let seen = async |level: &str| {
        let balance = at(&chain, "getBalance", &address, level).await;
        let told = call(&chain, "getTransaction", json!([signature, {"commitment": level}])).await;
        let page = call(&chain, "getSignaturesForAddress", json!([address, {"commitment": level}])).await;
        (balance, told["result"].is_object(), page["result"].as_array().map_or(0, Vec::len))
    };
    assert_eq!(status().await, (json!("processed"), json!(0)));
    assert_eq!(at(&chain, "getBalance", &address, "processed").await, 1_000_000);
    assert_eq!(seen("confirmed").await, (json!(0), false, 0));
    let told = listener.notification("signatureNotification").await;
    assert_eq!(told["subscription"], numbers[0]);

    clock.pass_slots(1);
    let told = listener.notification("signatureNotification").await;
    assert_eq!(told["subscription"], numbers[1]);
    assert_eq!(status().await, (json!("confirmed"), json!(1)));
    assert_eq!(seen("confirmed").await, (json!(1_000_000), true, 1));
    assert_eq!(seen("finalized").await, (json!(0), false, 0));

    clock.pass_slots(30);
    assert_eq!(status().await, (json!("confirmed"), json!(31)));
    assert_eq!(seen("finalized").await, (json!(0), false, 0));
    clock.pass_slots(1);
    let told = listener.next().await;
    assert_eq!(told["params"]["subscription"], numbers[2], "not a slot earlier");
    let told = listener.next().await;
    assert_eq!(told["params"]["subscription"], account);
    assert_eq!(told["params"]["result"]["value"]["lamports"], 1_000_000);
    assert_eq!(status().await, (json!("finalized"), Value::Null));
    assert_eq!(seen("finalized").await, (json!(1_000_000), true, 1));
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_at_a_commitment_knows_only_its_blockhashes() {
    let (chain, client, clock) = start(realistic()).await;
    let from = funded(&client, 1).await;
    clock.pass_slots(40);
    let to = Keypair::new_from_array([2; 32]);
    let young = at(&chain, "getLatestBlockhash", &Value::Null, "processed").await["blockhash"].clone();
    let blockhash = young.as_str().unwrap().parse().unwrap();
    let instruction = solana_system_interface::instruction::transfer(&from.pubkey(), &to.pubkey(), 1_000_000);
    let message =
        solana_message::Message::new_with_blockhash(&[instruction], Some(&from.pubkey()), &blockhash);
    let message = solana_message::VersionedMessage::Legacy(message);
    let transaction =
        solana_transaction::versioned::VersionedTransaction::try_new(message, &[&from]).unwrap();
    let text = bs58::encode(wincode::serialize(&transaction).unwrap()).into_string();
    let send = async |level: &str| {
        call(&chain, "sendTransaction", json!([text, {"preflightCommitment": level}])).await
    };
    let refused = send("finalized").await;
    assert_eq!(refused["error"]["message"], "Transaction simulation failed: Blockhash not found");
    assert_eq!(send("processed").await["result"], transaction.signatures[0].to_string());
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_before_a_restart_is_final_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let stored = || LocalnetConfig { data_dir: Some(folder.path().to_owned()), ..realistic() };
    let (chain, client, _) = start(stored()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let signature = client.send_transaction(&transfer(&client, &from, &to, 1_000_000).await).await.unwrap();
    let address = json!(to.pubkey().to_string());
    assert_eq!(at(&chain, "getBalance", &address, "finalized").await, 0);
    chain.stop().await;
    let (chain, client, _) = start(stored()).await;
    assert_eq!(at(&chain, "getBalance", &address, "finalized").await, 1_000_000);
    let status = client.get_signature_statuses(&[signature]).await.unwrap().value[0].clone().unwrap();
    assert_eq!(status.confirmations, None);
    chain.stop().await;
}
