//! What the chain carries: 28-row token transactions through JSON-RPC to the disk, the
//! wait of one, and pages of a history of a million.
//!
//! `cargo run --release -p jirani-localnet --example load -- [TRANSACTIONS] [HISTORY]`
//!
//! `--only-pages HISTORY` leaves the transactions out; `--json` prints the figures of the
//! pages as one line, last: `sigs_page_ms` and `sigs_page_sparse_ms` (medians), `rss_bytes`
//! of chain and client together.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt as _;
use jirani_localnet::{Address, Localnet, LocalnetConfig, bench};
use jirani_units::{Clock, Timestamp};
use serde_json::{Value, json};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{VersionedMessage, v1};
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const TOKEN_2022: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
const ROWS: usize = 28;
const ACCOUNTS: usize = 560;
const IN_FLIGHT: usize = 16;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(now.as_micros()).unwrap())
    }
}

#[tokio::main]
async fn main() {
    let only_pages = std::env::args().any(|text| text == "--only-pages");
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    if !only_pages {
        let folder = tempfile::tempdir().unwrap();
        transactions(folder.path(), numbers.next().unwrap_or(3_000)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let figures = pages(folder.path(), numbers.next().unwrap_or(1_000_000)).await;
    if std::env::args().any(|text| text == "--json") {
        println!("{figures}");
    }
}

fn config(folder: &Path) -> LocalnetConfig {
    let listen = "127.0.0.1:0".parse().unwrap();
    LocalnetConfig { data_dir: Some(folder.to_owned()), ..LocalnetConfig::new(listen, [7; 32]) }
}

struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({"jsonrpc":"2.0","id":1,"method":method,"params":params});
        let answer: Value = self.http.post(&self.url).json(&body).send().await.unwrap().json().await.unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn blockhash(&self) -> Hash {
        let latest = self.call("getLatestBlockhash", json!([])).await;
        latest["value"]["blockhash"].as_str().unwrap().parse().unwrap()
    }

    async fn send(&self, instructions: &[Instruction], signers: &[&Keypair], blockhash: Hash) {
        let limits = v1::TransactionConfig::empty()
            .with_compute_unit_limit(1_400_000)
            .with_loaded_accounts_data_size_limit(16 << 20);
        let payer = signers[0].pubkey();
        let message = v1::Message::try_compile_with_config(&payer, instructions, blockhash, limits).unwrap();
        let transaction = VersionedTransaction::try_new(VersionedMessage::V1(message), signers).unwrap();
        let text = BASE64_STANDARD.encode(wincode::serialize(&transaction).unwrap());
        self.call(
            "sendTransaction",
            json!([text, {"encoding": "base64", "preflightCommitment": "confirmed"}]),
        )
        .await;
    }
}

fn token(data: Vec<u8>, accounts: &[(Address, bool, bool)]) -> Instruction {
    let meta = |(pubkey, is_signer, is_writable): &(Address, bool, bool)| AccountMeta {
        pubkey: *pubkey,
        is_signer: *is_signer,
        is_writable: *is_writable,
    };
    Instruction { program_id: TOKEN_2022, accounts: accounts.iter().map(meta).collect(), data }
}

fn key(number: usize) -> Keypair {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Keypair::new_from_array(seed)
}

async fn transactions(folder: &Path, count: u64) {
    let chain = Localnet::start(config(folder), Arc::new(SystemClock)).await.unwrap();
    let client = Client { http: reqwest::Client::new(), url: chain.rpc_url.clone() };
    let payer = Keypair::new_from_array([1; 32]);
    client.call("requestAirdrop", json!([payer.pubkey().to_string(), 1_000_000_000_000u64])).await;
    let mint = Keypair::new_from_array([2; 32]);
    let owner = payer.pubkey().to_bytes();
    let create = |account: &Keypair, length| {
        solana_system_interface::instruction::create_account(
            &payer.pubkey(),
            &account.pubkey(),
            10_000_000,
            length,
            &TOKEN_2022,
        )
    };
    let initialise = token([&[20, 3], &owner[..], &[0]].concat(), &[(mint.pubkey(), false, true)]);
    let blockhash = client.blockhash().await;
    client.send(&[create(&mint, 82), initialise], &[&payer, &mint], blockhash).await;
    let accounts: Vec<Keypair> = (0..ACCOUNTS).map(key).collect();
    for some in accounts.chunks(8) {
        let mut instructions = Vec::new();
        let mut signers = vec![&payer];
        for account in some {
            instructions.push(create(account, 165));
            let shape = [(account.pubkey(), false, true), (mint.pubkey(), false, false)];
            instructions.push(token([&[18], &owner[..]].concat(), &shape));
            signers.push(account);
        }
        client.send(&instructions, &signers, client.blockhash().await).await;
    }

    let row = |number: u64, row: usize| {
        let account = &accounts[(usize::try_from(number).unwrap() * ROWS + row) % ACCOUNTS];
        let amount = (number * 100 + row as u64 + 1).to_le_bytes();
        let touched =
            [(mint.pubkey(), false, true), (account.pubkey(), false, true), (payer.pubkey(), true, false)];
        token([&[7], &amount[..]].concat(), &touched)
    };
    let instructions = |number| (0..ROWS).map(|at| row(number, at)).collect::<Vec<_>>();
    let (client, payer) = (&client, &payer);
    let mut waits = Vec::new();
    for number in 0..300 {
        let blockhash = client.blockhash().await;
        let begun = Instant::now();
        client.send(&instructions(number), &[payer], blockhash).await;
        waits.push(begun.elapsed());
    }
    waits.sort_unstable();
    println!("one at a time: p50 {:?}, p99 {:?} from bytes to disk", waits[150], waits[297]);

    let begun = Instant::now();
    let mut sent = futures::stream::iter(300..300 + count)
        .map(|number| {
            let instructions = instructions(number);
            async move {
                let blockhash = client.blockhash().await;
                client.send(&instructions, &[payer], blockhash).await;
            }
        })
        .buffer_unordered(IN_FLIGHT);
    while sent.next().await.is_some() {}
    let took = begun.elapsed();
    let rate = f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64();
    println!("{IN_FLIGHT} at a time: {rate:.0} transactions/s, {:.0} rows/s", rate * 28.0);
    println!("memory {} MB", resident() >> 20);
    drop(sent);
    chain.stop().await;
    let bytes = std::fs::metadata(folder.join("localnet.db")).unwrap().len();
    println!("{} bytes on disk per transaction", bytes / (count + 300));
}

async fn pages(folder: &Path, history: u64) -> Value {
    let begun = Instant::now();
    bench::fill_history(&config(folder), history).unwrap();
    println!("{history} transactions of history made in {:?}", begun.elapsed());
    let size = std::fs::metadata(folder.join("localnet.db")).unwrap().len() >> 20;
    let begun = Instant::now();
    let chain = Localnet::start(config(folder), Arc::new(SystemClock)).await.unwrap();
    println!("{size} MB on disk, started in {:?}", begun.elapsed());
    let client = Client { http: reqwest::Client::new(), url: chain.rpc_url.clone() };
    let mut medians = Vec::new();
    let busy = vec![bench::busy_address()];
    // Two pages of each of many, so that no page was looked at before.
    let sparse = (0..100).map(|turn| bench::address(turn * 10)).collect();
    for (name, addresses, pages) in [("every transaction's", busy, 200), ("every 500th's", sparse, 2)] {
        let mut times: Vec<Duration> = Vec::new();
        let mut seen = 0;
        let turns = addresses.iter().flat_map(|address: &Address| std::iter::repeat_n(address, pages));
        let (mut before, mut last): (Option<String>, Option<&Address>) = (None, None);
        for address in turns {
            if last != Some(address) {
                (before, last) = (None, Some(address));
            }
            let mut config = json!({"limit": 1_000});
            if let Some(before) = &before {
                config["before"] = json!(before);
            }
            let begun = Instant::now();
            let page = client.call("getSignaturesForAddress", json!([address.to_string(), config])).await;
            times.push(begun.elapsed());
            let page = page.as_array().unwrap();
            seen += page.len();
            before = page.last().map(|last| last["signature"].as_str().unwrap().to_owned());
        }
        times.sort_unstable();
        let at = |part: usize| times[times.len() * part / 100];
        println!("{name} address: {seen} signatures, a page of 1,000: p50 {:?}, p99 {:?}", at(50), at(99));
        medians.push(millis(at(50)));
    }
    let figures = json!({
        "sigs_page_ms": medians[0],
        "sigs_page_sparse_ms": medians[1],
        "rss_bytes": resident(),
    });
    println!("memory {} MB", resident() >> 20);
    chain.stop().await;
    figures
}

/// Milliseconds with two decimals.
fn millis(time: Duration) -> Value {
    let micros = time.as_micros();
    serde_json::from_str(&format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)).unwrap()
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) * 1_024
}
