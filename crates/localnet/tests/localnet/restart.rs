//! `kill -9` at any moment: everything that was answered is there, nothing twice.

use crate::support::*;
use futures::StreamExt as _;
use jirani_localnet::{Localnet, LocalnetConfig};
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signature::Signature;
use solana_signer::Signer as _;
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

const FOLDER: &str = "JIRANI_LOCALNET_TEST_FOLDER";
const ROUNDS: usize = 8;

/// A chain in a process of its own: this very program, told to run only that.
struct Process {
    child: Child,
    client: RpcClient,
}

impl Process {
    fn start(folder: &std::path::Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "restart::a_chain_for_another_process", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| line.unwrap().split_once("listens on ").map(|(_, url)| url.to_owned()))
            .expect("the other process says where it listens");
        Self { child, client: RpcClient::new(url) }
    }

    fn kill(mut self) {
        // SIGKILL: nothing of it gets to say goodbye.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
#[ignore = "run by the test below in a process of its own, which it kills"]
fn a_chain_for_another_process() {
    let folder = std::env::var_os(FOLDER).expect("the folder of the chain");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(HandClock(AtomicI64::new(NOON * 1_000_000)));
        let stored = LocalnetConfig { data_dir: Some(folder.into()), ..config() };
        let chain = Localnet::start(stored, clock).await.unwrap();
        println!("listens on {}", chain.rpc_url);
        std::future::pending::<()>().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_was_answered_survives_kill_minus_9() {
    let folder = tempfile::tempdir().unwrap();
    let to = Keypair::new_from_array([2; 32]);
    let mut answered: HashSet<Signature> = HashSet::new();
    let mut sent: HashSet<Signature> = HashSet::new();
    for round in 0..ROUNDS {
        let process = Process::start(folder.path());
        let from = Keypair::new_from_array([u8::try_from(100 + round).unwrap(); 32]);
        process.client.request_airdrop(&from.pubkey(), 100 * SOL).await.unwrap();
        let blockhash = process.client.get_latest_blockhash().await.unwrap();
        let transactions: Vec<_> = (0..400u64)
            .map(|number| {
                let pay = solana_system_interface::instruction::transfer(
                    &from.pubkey(),
                    &to.pubkey(),
                    1_000_000 + number,
                );
                let message =
                    solana_message::Message::new_with_blockhash(&[pay], Some(&from.pubkey()), &blockhash);
                let message = solana_message::VersionedMessage::Legacy(message);
                solana_transaction::versioned::VersionedTransaction::try_new(message, &[&from]).unwrap()
            })
            .collect();
        sent.extend(transactions.iter().map(|transaction| transaction.signatures[0]));
        let client = &process.client;
        let mut answers = futures::stream::iter(&transactions)
            .map(|transaction| client.send_transaction(transaction))
            .buffer_unordered(32);
        // Killed amid the stream, each time elsewhere, with others under way.
        for _ in 0..20 + 37 * round {
            answered.insert(answers.next().await.unwrap().unwrap());
        }
        drop(answers);
        process.kill();
    }
    let process = Process::start(folder.path());
    let client = &process.client;
    let mut history: Vec<(Signature, u64)> = Vec::new();
    loop {
        let config = solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config {
            before: history.last().map(|(signature, _)| *signature),
            ..Default::default()
        };
        let page = client.get_signatures_for_address_with_config(&to.pubkey(), config).await.unwrap();
        if page.is_empty() {
            break;
        }
        history.extend(page.iter().map(|entry| (entry.signature.parse().unwrap(), entry.slot)));
    }
    let landed: HashSet<Signature> = history.iter().map(|(signature, _)| *signature).collect();
    assert_eq!(landed.len(), history.len(), "nothing twice");
    assert!(answered.is_subset(&landed), "everything that was answered is there");
    assert!(landed.is_subset(&sent));
    assert!(history.is_sorted_by(|newer, older| newer.1 >= older.1), "slots never go back");
    // The balance is exactly that of the transactions in history.
    let mut sum = 0;
    for (signature, _) in &history {
        let told = client
            .get_transaction(signature, solana_rpc_client_api::config::UiTransactionEncoding::Base64)
            .await
            .unwrap();
        let meta = told.transaction.meta.unwrap();
        assert!(meta.err.is_none());
        sum += meta.post_balances[1] - meta.pre_balances[1];
    }
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), sum);
    process.kill();
}
