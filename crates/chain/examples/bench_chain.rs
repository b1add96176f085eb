//! The sender's figures on the local chain, as one line of JSON:
//! `cargo run --release -p jirani-chain --example bench_chain [ROUNDS] [HOUSEHOLDS] [OFFERED]`.
//!
//! `attest_rows_per_s`: attestations of 28 rows through the whole path (sign, keep,
//! JSON-RPC, execute, keep, report, index), as many at once as the sender lets through,
//! until the index's tables hold the last of them.
//! `outcome_p50_ms`, `outcome_p99_ms`: from `submit` to the durable outcome while 2,000
//! rows a second are offered evenly; `finality_p50_ms`, `finality_p99_ms`: from the same
//! `submit` until the index's tables hold the transaction.
//! `finality_realistic_p50_ms`: the same where a transaction is final after 32 slots of
//! 400 ms and the sender listens at the node's WebSocket; `finality_realistic_outcome_p50_ms`
//! until the sender knows, and `finality_realistic_polled_p50_ms` until a sender knows that
//! only looks.
//! `queued_p50_ms`, `queued_p99_ms`: until the outcome under the first load, which is
//! offered faster than the sender takes it: mostly the wait for a place.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on ends")]

use jirani_chain::index::{Live, LiveConfig};
use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{Finality, GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariff;
use jirani_store::{ChainIndex as _, Events, HouseholdKind};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, Price, Timestamp, Wh};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Attestations offered evenly where finality takes seconds.
const OFFERED_SLOWLY: u32 = 60;
/// Between two of them: not a multiple of a slot's 400 ms.
const SLOWLY: Duration = Duration::from_millis(130);
/// 28 rows every so often are 2,000 rows a second.
const EVENLY: Duration = Duration::from_millis(14);
const NOON: i64 = 1_795_348_800;

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// How the sender hears of finality.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    /// As in the server with its own chain: looks often.
    Closely,
    /// As with a node elsewhere: looks every half second at last.
    Looking,
    /// The same, and listens at the WebSocket.
    Listening,
}

/// A chain with households, a sender, and an index that is kept live.
struct Site {
    localnet: RunningLocalnet,
    store: Arc<SqliteStore>,
    chain: Arc<RpcEnergyChain>,
    clock: Arc<HandClock>,
    households: u32,
    cancel: CancellationToken,
    _folder: tempfile::TempDir,
}

/// When work was asked for, when its outcome was there, and its signature.
struct Sent {
    begun: Instant,
    outcome: Instant,
    signature: String,
}

impl Site {
    async fn new(finality: Finality, hears: Hears, households: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
        let keys = ChainKeys::from_seed(&[1; 32]);
        let clock = Arc::new(HandClock(AtomicI64::new(NOON)));
        let config = LocalnetConfig {
            data_dir: Some(folder.path().to_owned()),
            programs: vec![GenesisProgram {
                address: LOCAL_PROGRAM_ID,
                elf: std::fs::read(elf).unwrap(),
                upgrade_authority: keys.upgrade_authority_address(),
            }],
            finality,
            ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [2; 32])
        };
        let localnet = Localnet::start(config, clock.clone()).await.unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        let mut config = ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys);
        match hears {
            Hears::Closely => config.poll_max = Duration::from_millis(5),
            Hears::Looking => {}
            Hears::Listening => config.ws_url = Some(localnet.ws_url.clone().into()),
        }
        config.in_flight_max = if hears == Hears::Closely { config.in_flight_max } else { 128 };
        let chain = Arc::new(RpcEnergyChain::connect(config, store.clone(), clock.clone()).await.unwrap());
        let cancel = CancellationToken::new();
        tokio::spawn(chain.clone().tend(cancel.clone()));
        let live = LiveConfig {
            subscriptions: Some(localnet.ws_url.clone().into()),
            ..LiveConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID)
        };
        let live = Live::new(live, store.clone(), Events::new(16)).unwrap();
        tokio::spawn(live.run(cancel.clone()));
        let tariff =
            Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };
        chain.initialise(&tariff).await.unwrap();
        let site = Self { localnet, store, chain, clock, households, cancel, _folder: folder };
        let enrolled: Vec<_> =
            (1..=households).map(|id| site.submit(format!("enrol/{id}"), enrol(id))).collect();
        for sent in enrolled {
            sent.await.unwrap();
        }
        site
    }

    fn submit(&self, key: String, work: Work) -> tokio::task::JoinHandle<Sent> {
        let (chain, begun) = (self.chain.clone(), Instant::now());
        tokio::spawn(async move {
            let outcome = chain.submit(&key, work).await.unwrap();
            let Outcome::Landed { signature, .. } = outcome else { panic!("{key}: {outcome:?}") };
            Sent { begun, outcome: Instant::now(), signature }
        })
    }

    /// When the index's tables held each transaction, until they hold `sent`.
    async fn indexed(store: Arc<SqliteStore>, after: u64, count: usize) -> HashMap<String, Instant> {
        let mut found = HashMap::new();
        let mut sequence = after;
        let mut looks = tokio::time::interval(Duration::from_millis(2));
        while found.len() < count {
            looks.tick().await;
            for told in store.indexed_after(sequence, 500).await.unwrap() {
                sequence = told.sequence;
                found.insert(bs58::encode(told.signature).into_string(), Instant::now());
            }
        }
        found
    }

    /// How many transactions the index holds, once it holds `count` of them.
    async fn index_holds(&self, count: u64) {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while self.store.index_cursor().await.unwrap().map_or(0, |cursor| cursor.transactions) < count {
            looks.tick().await;
        }
    }

    /// Offers attestations evenly; gives the times until outcome and until index.
    async fn evenly(&self, count: u32, every: Duration, first_round: u32) -> (Vec<Duration>, Vec<Duration>) {
        let before = self.store.index_cursor().await.unwrap().map_or(0, |cursor| cursor.transactions);
        let watching =
            tokio::spawn(Self::indexed(self.store.clone(), before, usize::try_from(count).unwrap()));
        let mut ticks = tokio::time::interval(every);
        let mut offered = Vec::new();
        for n in 0..count {
            ticks.tick().await;
            let slots = self.households.div_ceil(28).max(1);
            let work = attest(first_round + n / slots, 1 + n % slots * 28, self.households);
            offered.push(self.submit(format!("offered/{n}"), work));
        }
        let mut sent = Vec::new();
        for offered in offered {
            sent.push(offered.await.unwrap());
        }
        let indexed = watching.await.unwrap();
        let known = sent.iter().map(|sent| sent.outcome - sent.begun).collect();
        (known, sent.iter().map(|sent| indexed[&sent.signature] - sent.begun).collect())
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.localnet.stop().await;
        self.store.close().await;
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>().unwrap());
    let rounds = arguments.next().unwrap_or(60);
    let households = arguments.next().unwrap_or(280);
    let offered = arguments.next().unwrap_or(357);
    let (rows_per_s, mut queued, mut known, mut indexed) = at_once(rounds, households, offered).await;
    let ((mut realistic_known, mut realistic), (mut polled, _)) =
        tokio::join!(realistic(Hears::Listening), realistic(Hears::Looking));
    let figures = serde_json::json!({
        "attest_rows_per_s": rows_per_s,
        "finality_p50_ms": millis_at(&mut indexed, 50),
        "finality_p99_ms": millis_at(&mut indexed, 99),
        "finality_realistic_p50_ms": millis_at(&mut realistic, 50),
        "finality_realistic_outcome_p50_ms": millis_at(&mut realistic_known, 50),
        "finality_realistic_polled_p50_ms": millis_at(&mut polled, 50),
        "outcome_p50_ms": millis_at(&mut known, 50),
        "outcome_p99_ms": millis_at(&mut known, 99),
        "queued_p50_ms": millis_at(&mut queued, 50),
        "queued_p99_ms": millis_at(&mut queued, 99),
        "rows": u64::from(rounds) * u64::from(households),
    });
    println!("{figures}");
}

/// Final at once: rows a second under full load, waits under it, and times to outcome and
/// index under the load that is asked for.
async fn at_once(
    rounds: u32,
    households: u32,
    offered: u32,
) -> (u64, Vec<Duration>, Vec<Duration>, Vec<Duration>) {
    let site = Site::new(Finality::Instant, Hears::Closely, households).await;
    // The Config and every household.
    site.index_holds(u64::from(households) + 1).await;
    // Full load: every household, slot after slot; a slot's transactions at once and
    // slots side by side, as a sender that catches up would have it.
    site.clock.0.fetch_add(i64::from(rounds + offered) * 900, Ordering::SeqCst);
    let begun = Instant::now();
    let mut pipeline = Vec::new();
    for round in 1..=rounds {
        for first in (1..=households).step_by(Work::ATTEST_ROWS_MAX) {
            let work = attest(round, first, households);
            pipeline.push(site.submit(format!("attest/{round}/{first}"), work));
        }
        // The next slot is offered while this one is under way, not all of them at once.
        while site.chain.free_places() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let transactions = u64::try_from(pipeline.len()).unwrap();
    let mut queued = Vec::new();
    for sent in pipeline {
        let sent = sent.await.unwrap();
        queued.push(sent.outcome - sent.begun);
    }
    site.index_holds(u64::from(households) + 1 + transactions).await;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap().max(1);
    let rows = u64::from(rounds) * u64::from(households);
    let (known, indexed) = site.evenly(offered, EVENLY, rounds + 1).await;
    let snapshot = site.chain.snapshot().await.unwrap();
    assert_eq!(snapshot.households.len(), usize::try_from(households).unwrap());
    site.stop().await;
    (rows * 1_000 / millis, queued, known, indexed)
}

/// Final after 32 slots: times to outcome and to index.
async fn realistic(hears: Hears) -> (Vec<Duration>, Vec<Duration>) {
    let site = Site::new(Finality::Realistic, hears, 28).await;
    site.index_holds(29).await;
    site.clock.0.fetch_add(i64::from(OFFERED_SLOWLY + 1) * 900, Ordering::SeqCst);
    let times = site.evenly(OFFERED_SLOWLY, SLOWLY, 1).await;
    site.stop().await;
    times
}

fn enrol(id: u32) -> Work {
    let mut meter_key = [7; 32];
    meter_key[..4].copy_from_slice(&id.to_le_bytes());
    Work::Enrol {
        household: HouseholdId(id),
        kind: HouseholdKind::Home,
        feeder: 1,
        meter_key,
        meter_epoch: 1,
        export_rating_w: 50_000,
        import_rating_w: 50_000,
    }
}

/// Registers that grow with the round: half the rows mint, half burn or owe.
fn attest(round: u32, first: u32, last: u32) -> Work {
    let rows = (first..=last)
        .take(Work::ATTEST_ROWS_MAX)
        .map(|id| {
            let (export, import) = if id % 2 == 0 { (300, 100) } else { (100, 300) };
            AttestRow {
                household: HouseholdId(id),
                export_wh: Wh(u64::from(round * export)),
                import_wh: Wh(u64::from(round * import)),
            }
        })
        .collect();
    let slot_end = Timestamp::from_seconds(NOON + i64::from(round) * 900);
    Work::Attest { feeder: 1, slot_end, evidence_root: [7; 32], rows }
}

/// Milliseconds at a percentile, with two decimals, from whole microseconds.
fn millis_at(times: &mut [Duration], part: usize) -> serde_json::Number {
    times.sort_unstable();
    let micros = times[(times.len() * part / 100).min(times.len() - 1)].as_micros();
    let text = format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10);
    text.parse().unwrap()
}
