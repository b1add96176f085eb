//! The sender's figures on the local chain, as one line of JSON:
//! `cargo run --release -p jirani-chain --example bench_chain [ROUNDS] [HOUSEHOLDS]`.
//!
//! `attest_rows_per_s`: attestations of 28 rows through the whole path (sign, keep,
//! JSON-RPC, execute, keep, report), as many at once as the sender lets through.
//! `finality_p50_ms`, `finality_p99_ms`: from `submit` to the durable outcome while 2,000
//! rows a second are offered evenly.
//! `queued_p50_ms`, `queued_p99_ms`: the same under the first load, which is offered
//! faster than the sender takes it: mostly the wait for a place.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig};
use jirani_market::Tariff;
use jirani_store::HouseholdKind;
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, Price, Timestamp, Wh};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Attestations offered evenly: five seconds of them.
const OFFERED: u32 = 357;
const NOON: i64 = 1_795_348_800;

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>().unwrap());
    let rounds = arguments.next().unwrap_or(60);
    let households = arguments.next().unwrap_or(280);
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
        ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [2; 32])
    };
    let localnet = Localnet::start(config, clock.clone()).await.unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
    let config = ChainConfig {
        poll_max: Duration::from_millis(5),
        ..ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys)
    };
    let chain = Arc::new(RpcEnergyChain::connect(config, store.clone(), clock.clone()).await.unwrap());
    let tariff = Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };
    chain.initialise(&tariff).await.unwrap();
    let enrolled = (1..=households).map(|id| {
        let chain = chain.clone();
        async move { submit(&chain, format!("enrol/{id}"), enrol(id)).await }
    });
    futures::future::join_all(enrolled).await;

    // Full load: every household, slot after slot; a slot's transactions at once and
    // slots side by side, as a sender that catches up would have it.
    clock.0.fetch_add(i64::from(rounds + 400) * 900, Ordering::SeqCst);
    let begun = Instant::now();
    let mut pipeline = Vec::new();
    for round in 1..=rounds {
        let sent = (1..=households).step_by(Work::ATTEST_ROWS_MAX).map(|first| {
            let chain = chain.clone();
            tokio::spawn(async move {
                let key = format!("attest/{round}/{first}");
                submit(&chain, key, attest(round, first, households)).await
            })
        });
        pipeline.extend(sent);
        // The next slot is offered while this one is under way, not all of them at once.
        while chain.free_places() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let mut under_load = Vec::new();
    for sent in pipeline {
        under_load.push(sent.await.unwrap());
    }
    let rows = u64::from(rounds) * u64::from(households);
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap().max(1);

    // The load that is asked for, offered evenly: 28 rows every 14 ms.
    let mut ticks = tokio::time::interval(Duration::from_millis(14));
    let mut offered = Vec::new();
    for n in 0..OFFERED {
        ticks.tick().await;
        let slots = households.div_ceil(28).max(1);
        let (round, first) = (rounds + 1 + n / slots, 1 + n % slots * 28);
        let (chain, work) = (chain.clone(), attest(round, first, households));
        offered.push(tokio::spawn(async move { submit(&chain, format!("offered/{n}"), work).await }));
    }
    let mut evenly = Vec::new();
    for sent in offered {
        evenly.push(sent.await.unwrap());
    }
    let figures = serde_json::json!({
        "attest_rows_per_s": rows * 1_000 / millis,
        "finality_p50_ms": millis_at(&mut evenly, 50),
        "finality_p99_ms": millis_at(&mut evenly, 99),
        "queued_p50_ms": millis_at(&mut under_load, 50),
        "queued_p99_ms": millis_at(&mut under_load, 99),
        "rows": rows,
    });
    println!("{figures}");
    let snapshot = chain.snapshot().await.unwrap();
    assert_eq!(snapshot.households.len(), usize::try_from(households).unwrap());
    localnet.stop().await;
    store.close().await;
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

async fn submit(chain: &RpcEnergyChain, key: String, work: Work) -> Duration {
    let begun = Instant::now();
    let outcome = chain.submit(&key, work).await.unwrap();
    assert!(matches!(outcome, Outcome::Landed { .. }), "{key}: {outcome:?}");
    begun.elapsed()
}

/// Milliseconds at a percentile, with two decimals, from whole microseconds.
fn millis_at(times: &mut [Duration], part: usize) -> serde_json::Number {
    times.sort_unstable();
    let micros = times[(times.len() * part / 100).min(times.len() - 1)].as_micros();
    let text = format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10);
    text.parse().unwrap()
}
