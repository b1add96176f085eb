//! Faults on demand: each does what it says, and no more.

use crate::support::*;
use jirani_localnet::{Fault, FaultPlan, LocalnetConfig};
use serde_json::json;
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use std::time::{Duration, Instant};

async fn has_landed(client: &RpcClient, signature: &Signature) -> bool {
    client.get_signature_statuses(&[*signature]).await.unwrap().value[0].is_some()
}

async fn next(client: &RpcClient, from: &Keypair, lamports: u64) -> VersionedTransaction {
    transfer(client, from, &Keypair::new_from_array([2; 32]), lamports).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_transaction_lands_when_it_is_sent_again_and_an_expired_one_never() {
    let (chain, client, _) = start(config()).await;
    let from = funded(&client, 1).await;
    let (dropped, expired) = (next(&client, &from, 1_000_000).await, next(&client, &from, 2_000_000).await);
    chain.faults().inject(Fault::Drop, 1);
    chain.faults().inject(Fault::Expire, 1);
    let first = client.send_transaction(&dropped).await.expect("it is answered as if it had been taken");
    let second = client.send_transaction(&expired).await.unwrap();
    assert!(!has_landed(&client, &first).await && !has_landed(&client, &second).await);
    client.send_transaction(&dropped).await.unwrap();
    client.send_transaction(&expired).await.unwrap();
    assert!(has_landed(&client, &first).await);
    assert!(!has_landed(&client, &second).await);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicated_transaction_counts_once() {
    let (chain, client, _) = start(config()).await;
    let from = funded(&client, 1).await;
    chain.faults().inject(Fault::Duplicate, 1);
    client.send_transaction(&next(&client, &from, 1_000_000).await).await.unwrap();
    let to = Keypair::new_from_array([2; 32]).pubkey();
    assert_eq!(client.get_balance(&to).await.unwrap(), 1_000_000);
    assert_eq!(client.get_signatures_for_address(&to).await.unwrap().len(), 1);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_transaction_lands_after_its_answer() {
    let (chain, client, _) = start(config()).await;
    let from = funded(&client, 1).await;
    let delayed = next(&client, &from, 1_000_000).await;
    let mut listener = Listener::connect(&chain).await;
    listener.subscribe("signatureSubscribe", json!([delayed.signatures[0].to_string()])).await;
    chain.faults().inject(Fault::Delay(Duration::from_millis(500)), 1);
    let signature = client.send_transaction(&delayed).await.unwrap();
    assert!(!has_landed(&client, &signature).await);
    listener.notification("signatureNotification").await;
    assert!(has_landed(&client, &signature).await);
    // Stopping waits for nothing that waits on purpose: it lands now.
    chain.faults().inject(Fault::Delay(Duration::from_hours(1)), 1);
    client.send_transaction(&next(&client, &from, 2_000_000).await).await.unwrap();
    tokio::time::timeout(PATIENCE, chain.stop()).await.expect("it stops at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_or_broken_answer_does_not_undo_what_was_asked() {
    let (chain, client, _) = start(config()).await;
    let from = funded(&client, 1).await;
    let late = next(&client, &from, 1_000_000).await;
    let by = Duration::from_millis(300);
    chain.faults().inject(Fault::AnswerLate(by), 1);
    let begun = Instant::now();
    let signature = client.send_transaction(&late).await.unwrap();
    assert!(begun.elapsed() >= by);
    assert!(has_landed(&client, &signature).await);

    let broken = next(&client, &from, 2_000_000).await;
    chain.faults().inject(Fault::Disconnect, 1);
    let body = json!({"jsonrpc":"2.0","id":1,"method":"sendTransaction","params":[
        bs58::encode(wincode::serialize(&broken).unwrap()).into_string()]});
    let request = reqwest::Client::new()
        .post(&chain.rpc_url)
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer = match request.send().await {
        Ok(response) => response.bytes().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(answer.is_err(), "the client must not know");
    assert!(has_landed(&client, &broken.signatures[0]).await);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_by_chance_are_the_same_for_the_same_seed() {
    let run = async |seed| {
        let faults = FaultPlan { seed, drop: 300, expire: 200, ..FaultPlan::default() };
        let (chain, client, _) = start(LocalnetConfig { faults, ..config() }).await;
        let from = funded(&client, 1).await;
        let mut landed = Vec::new();
        for lamports in 1..=40 {
            let signature =
                client.send_transaction(&next(&client, &from, 1_000_000 + lamports).await).await.unwrap();
            landed.push(has_landed(&client, &signature).await);
        }
        chain.stop().await;
        landed
    };
    let first = run(7).await;
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
    assert!(first.contains(&true) && first.contains(&false));
}
