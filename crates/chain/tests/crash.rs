//! A sending process is killed again and again behind a line that loses, doubles and
//! forgets transactions: afterwards every intent is on the chain exactly once.
//!
//! The short form runs with the tests; the full one is
//! `cargo test --release -p jirani-chain --test crash -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/intents.rs"]
mod intents;

use faulty::{Faults, Happened};
use jirani_chain::interruption::Moment;
use jirani_chain::{ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariff;
use jirani_store::{HouseholdKind, OutboxState, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, OfferId, Price, Timestamp, Wh};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_transaction_status_client_types::UiTransactionEncoding;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Intents that each round adds.
const NEW: u64 = 6;
/// Older intents that each round asks for again.
const AGAIN: u64 = 18;

#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// An enrolment of the setting.
fn enrol(id: u32) -> Work {
    Work::Enrol {
        household: HouseholdId(id),
        kind: HouseholdKind::Home,
        feeder: 1,
        meter_key: [u8::try_from(id).unwrap(); 32],
        meter_epoch: 1,
        export_rating_w: 500_000,
        import_rating_w: 5_000,
    }
}

/// The first attestation: everybody gets tokens.
fn endow() -> Work {
    let rows = (1..=intents::HOUSEHOLDS).map(|id| intents::row(id, 100_000)).collect();
    Work::Attest { feeder: 1, slot_end: intents::NOON.plus_seconds(100_000), evidence_root: [9; 32], rows }
}

/// The offer that everybody buys from.
fn big_offer() -> Work {
    Work::PostOffer {
        seller: HouseholdId(1),
        offer: OfferId(intents::BIG_OFFER),
        energy_wh: Wh(50_000),
        price: Price(1_500),
        expires_at: intents::LATER.plus_seconds(86_400),
    }
}

/// The chain, with households, tokens and one offer to buy from.
async fn setting(folder: &Path) -> RunningLocalnet {
    let keys = ChainKeys::from_seed(&intents::KEYS);
    let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
    let program = GenesisProgram {
        address: LOCAL_PROGRAM_ID,
        elf: std::fs::read(elf).unwrap(),
        upgrade_authority: keys.upgrade_authority_address(),
    };
    let clock = HandClock(Arc::new(AtomicI64::new(intents::NOON.0)));
    let config = LocalnetConfig {
        data_dir: Some(folder.join("chain")),
        programs: vec![program],
        // A blockhash lives for 150 of these: one and a half seconds.
        slot_time: Duration::from_millis(10),
        ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [9; 32])
    };
    std::fs::create_dir_all(folder.join("chain")).unwrap();
    let localnet = Localnet::start(config, Arc::new(clock.clone())).await.unwrap();
    let store = Arc::new(SqliteStore::open(&folder.join("setting.db")).await.unwrap());
    let config = ChainConfig {
        blockhash_fresh: Duration::from_millis(200),
        ..ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys)
    };
    let chain = RpcEnergyChain::connect(config, store, Arc::new(clock.clone())).await.unwrap();
    let tariff = Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };
    chain.initialise(&tariff).await.unwrap();
    for id in 1..=intents::HOUSEHOLDS {
        let outcome = chain.submit(&format!("enrol/{id}"), enrol(id)).await.unwrap();
        assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
    }
    clock.0.store(intents::LATER.0, Ordering::SeqCst);
    for (key, work) in [("endow", endow()), ("offer", big_offer())] {
        let outcome = chain.submit(key, work).await.unwrap();
        assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
    }
    localnet
}

/// How a round ends.
#[derive(Clone, Copy)]
enum End {
    /// Killed after so many milliseconds.
    After(u64),
    /// Killed at the how many-th coming of a moment.
    At(Moment, u64),
    /// Not killed.
    Itself,
}

struct Rounds {
    url: String,
    store: PathBuf,
    sender: PathBuf,
}

impl Rounds {
    fn child(&self, from: u64, to: u64, end: End) -> Child {
        let (moment, nth) = match end {
            End::At(moment, nth) => (moment.name(), nth),
            End::After(_) | End::Itself => ("none", 1),
        };
        Command::new(&self.sender)
            .arg(&self.url)
            .arg(&self.store)
            .args([from.to_string(), to.to_string()])
            .arg(moment)
            .arg(nth.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.sender.display()))
    }

    /// Runs one process to its end; says at which moment it was killed, if at one.
    fn run(&self, from: u64, to: u64, end: End) -> Option<Moment> {
        let mut child = self.child(from, to, end);
        let begin = Instant::now();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut killed_at = None;
        let mut done = false;
        for line in lines {
            let line = line.unwrap();
            assert!(!line.starts_with("refused"), "{line}");
            match end {
                End::After(millis) if line == "ready" => {
                    // On purpose the one thing that waits for no condition: a moment that
                    // nobody chose is what is tried here.
                    std::thread::sleep(Duration::from_millis(millis));
                    child.kill().unwrap();
                }
                End::At(moment, _) if line == format!("at {}", moment.name()) => {
                    child.kill().unwrap();
                    killed_at = Some(moment);
                }
                _ => done |= line == "done",
            }
        }
        let status = child.wait().unwrap();
        assert!(done || !status.success(), "ended by itself with {status} before it was done");
        assert!(begin.elapsed() < Duration::from_mins(2), "a round hangs");
        if matches!(end, End::Itself) {
            assert!(done, "the last process had no end: {status}");
        }
        killed_at
    }
}

/// How often each set of instructions succeeded on the chain.
async fn successes(url: &str) -> BTreeMap<Vec<u8>, u32> {
    let node = RpcClient::new(url.to_owned());
    let mut found = BTreeMap::new();
    let mut before = None;
    loop {
        let config = GetConfirmedSignaturesForAddress2Config {
            before,
            limit: Some(1_000),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let page = node.get_signatures_for_address_with_config(&LOCAL_PROGRAM_ID, config).await.unwrap();
        let Some(last) = page.last() else { return found };
        before = Some(last.signature.parse().unwrap());
        for entry in page.iter().filter(|entry| entry.err.is_none()) {
            let config = RpcTransactionConfig {
                encoding: Some(UiTransactionEncoding::Base64),
                commitment: None,
                max_supported_transaction_version: Some(1),
            };
            let signature = entry.signature.parse().unwrap();
            let told = node.get_transaction_with_config(&signature, config).await.unwrap();
            let message = told.transaction.transaction.decode().unwrap().message;
            let mut what = Vec::new();
            for instruction in message.instructions() {
                let keys = message.static_account_keys();
                for index in &instruction.accounts {
                    what.extend_from_slice(keys[usize::from(*index)].as_ref());
                }
                what.extend_from_slice(&instruction.data);
            }
            *found.entry(what).or_default() += 1;
        }
    }
}

async fn crash(rounds: u64, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let localnet = setting(folder.path()).await;
    let before = successes(&localnet.rpc_url).await.len();
    let faults = Faults { dropped: 20, duplicated: 20, expired: 10, deaf: 5 };
    let (address, happened) = faulty::start(localnet.rpc_url.clone(), faults, seed).await;
    // Tests stand in deps/, examples beside it.
    let sender = std::env::current_exe().unwrap();
    let sender = sender.parent().unwrap().parent().unwrap().join("examples/crashing_sender");
    let store = folder.path().join("sender.db");
    let runner = Arc::new(Rounds { url: format!("http://{address}"), store: store.clone(), sender });
    let mut random = seed | 1;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut killed: BTreeMap<&'static str, u32> = BTreeMap::new();
    for round in 0..rounds {
        // Two in five at a random moment, the others at the named ones in turn.
        let end = match round % 5 {
            0 | 2 => End::After(next() % 400),
            _ => {
                End::At(Moment::ALL[usize::try_from(round / 5 + round % 5 * 3).unwrap() % 8], 1 + next() % 4)
            }
        };
        let to = (round + 1) * NEW;
        let runner = runner.clone();
        let at = tokio::task::spawn_blocking(move || runner.run(to.saturating_sub(NEW + AGAIN), to, end));
        let name = at.await.unwrap().map_or("other", Moment::name);
        *killed.entry(name).or_default() += 1;
    }
    let all = rounds * NEW;
    let last = runner.clone();
    tokio::task::spawn_blocking(move || last.run(0, all, End::Itself)).await.unwrap();
    report(rounds, all, &killed, &happened);
    for moment in Moment::ALL {
        assert!(killed.contains_key(moment.name()), "never killed at {}: {killed:?}", moment.name());
    }

    // None lost: every intent has landed, by our own record.
    let store = SqliteStore::open(&store).await.unwrap();
    assert_eq!(store.outbox_unfinished("", 10).await.unwrap(), []);
    let mut signed_anew = 0;
    for n in 0..all {
        let record = store.outbox(&intents::key(n)).await.unwrap().expect("an intent that was lost");
        assert!(matches!(record.state, OutboxState::Landed { .. }), "{n}: {:?}", record.state);
        signed_anew += u32::from(record.signed > 1);
    }
    assert!(signed_anew > 0, "some expired");
    println!("{signed_anew} of {all} were signed anew");
    // None doubled: each is on the chain once, by the chain's own history.
    let found = successes(&localnet.rpc_url).await;
    let doubled = found.values().filter(|count| **count > 1).count();
    assert_eq!(doubled, 0, "of {} that landed", found.len());
    assert_eq!(u64::try_from(found.len() - before).unwrap(), all);
    // And the tokens are those that were attested once.
    let keys = ChainKeys::from_seed(&intents::KEYS);
    let config = ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys);
    let clock = HandClock(Arc::new(AtomicI64::new(intents::LATER.0)));
    let chain = RpcEnergyChain::connect(config, Arc::new(store), Arc::new(clock)).await.unwrap();
    let snapshot = chain.snapshot().await.unwrap();
    let attested: Wh = snapshot.households.iter().map(|(_, household)| household.export_wh).sum();
    assert_eq!(snapshot.supply_wh, attested);
    assert_eq!(snapshot.token_accounts_wh, attested);
    assert_eq!(snapshot.markers, all / 3, "one proof used per purchase");
    assert_eq!(snapshot.escrow_wh, Wh(50_000 - all / 3 + all / 3 * 10));
    assert_eq!(snapshot.orders, []);
    localnet.stop().await;
}

fn report(rounds: u64, all: u64, killed: &BTreeMap<&'static str, u32>, happened: &Happened) {
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{rounds} rounds, {all} intents; killed {killed:?}; transactions dropped {}, doubled {}, swallowed {}, answers lost {}",
        read(&happened.dropped),
        read(&happened.duplicated),
        read(&happened.expired),
        read(&happened.deaf)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_by_a_sender_that_is_killed() {
    crash(45, 0x6a69_7261_6e69).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "300 rounds take several minutes; run by its command"]
async fn nothing_is_lost_or_doubled_in_three_hundred_rounds() {
    crash(300, 0x5eed).await;
}
