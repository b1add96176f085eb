//! Sending transactions, and what becomes of them.

use crate::support::*;
use jirani_localnet::{Localnet, LocalnetConfig, LocalnetError, SlotPace};
use solana_keypair::Keypair;
use solana_rpc_client_api::config::CommitmentConfig;
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction_error::TransactionError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_final_as_soon_as_it_is_sent() {
    let (chain, client, clock) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    clock.0.store((NOON + 90) * 1_000_000, Ordering::SeqCst);
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
    let clock = Arc::new(HandClock(std::sync::atomic::AtomicI64::new(NOON * 1_000_000)));
    let broken = LocalnetConfig { data_dir: Some(folder.path().to_owned()), ..config() };
    let error = Localnet::start(broken, clock).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("localnet.database"), "{error}");
    assert!(error.to_string().contains("localnet.db"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blockhash_lives_for_150_slots_of_the_clock_and_is_then_refused_in_agaves_words() {
    let (chain, client, clock) = start(LocalnetConfig { pace: SlotPace::Clock, ..config() }).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let young = transfer(&client, &from, &to, 1_000_000).await;
    let old = transfer(&client, &from, &to, 1_000_001).await;
    let slot = client.get_slot().await.unwrap();
    let (blockhash, last_valid) =
        client.get_latest_blockhash_with_commitment(CommitmentConfig::confirmed()).await.unwrap();
    assert_eq!(last_valid, slot + 150);
    clock.pass_slots(150);
    assert_eq!(client.get_block_height().await.unwrap(), last_valid);
    client.send_transaction(&young).await.expect("the last slot of its life");
    clock.pass_slots(1);
    assert!(!client.is_blockhash_valid(&blockhash, CommitmentConfig::confirmed()).await.unwrap());
    let (code, message, err) = preflight_error(&client.send_transaction(&old).await.unwrap_err());
    assert_eq!(code, -32_002);
    assert_eq!(message, "Transaction simulation failed: Blockhash not found");
    assert_eq!(err, Some(TransactionError::BlockhashNotFound));
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_of_real_time_pass_over_no_leap_of_the_clock() {
    let (chain, client, clock) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let before = transfer(&client, &from, &to, 1_000_000).await;
    clock.pass_slots(1_000_000);
    client.send_transaction(&before).await.expect("a simulated month does not end a blockhash's life");
    chain.skip_slots(151).await;
    let again = transfer(&client, &from, &to, 2_000_000).await;
    chain.skip_slots(151).await;
    let (_, _, err) = preflight_error(&client.send_transaction(&again).await.unwrap_err());
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
