//! How long one piece of work takes on the local chain, from `submit` to a durable
//! outcome: `cargo run --release -p jirani-chain --example latency`.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig};
use jirani_market::{Fill, Tariff};
use jirani_store::{HouseholdKind, Proof};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const HOUSEHOLDS: u32 = 80;
const ROUNDS: u64 = 100;

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
    let keys = ChainKeys::from_seed(&[1; 32]);
    let clock = Arc::new(HandClock(AtomicI64::new(1_795_348_800)));
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
    let config = ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys);
    let chain = RpcEnergyChain::connect(config, store.clone(), clock.clone()).await.unwrap();
    let tariff = Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };
    chain.initialise(&tariff).await.unwrap();

    let mut times = Times::default();
    for id in 1..=HOUSEHOLDS {
        let work = Work::Enrol {
            household: HouseholdId(id),
            kind: HouseholdKind::Home,
            feeder: 1,
            meter_key: [u8::try_from(id).unwrap(); 32],
            meter_epoch: 1,
            export_rating_w: 5_000,
            import_rating_w: 5_000,
        };
        times.run(&chain, "enrol", format!("enrol/{id}"), work).await;
    }
    for round in 1..=ROUNDS {
        let now = clock.0.fetch_add(900, Ordering::SeqCst) + 900;
        let slot_end = Timestamp::from_seconds(now);
        for first in (1..=HOUSEHOLDS).step_by(Work::ATTEST_ROWS_MAX) {
            let rows = (first..=HOUSEHOLDS)
                .take(Work::ATTEST_ROWS_MAX)
                .map(|id| AttestRow {
                    household: HouseholdId(id),
                    export_wh: Wh(round * 300),
                    import_wh: Wh(round * 100),
                })
                .collect();
            let work = Work::Attest { feeder: 1, slot_end, evidence_root: [7; 32], rows };
            times.run(&chain, "attest", format!("attest/{now}/{first}"), work).await;
        }
        let (seller, offer) = (HouseholdId(1 + u32::try_from(round).unwrap() % 40), OfferId(round));
        let expires_at = slot_end.plus_seconds(3_600);
        let work = Work::PostOffer { seller, offer, energy_wh: Wh(100), price: Price(1_500), expires_at };
        times.run(&chain, "post", format!("post/{round}"), work).await;
        let fills = vec![Fill { offer, seller, energy_wh: 100, price: Price(1_500) }];
        let (buyer, order) = (HouseholdId(50), OrderId(round));
        let work = Work::PlaceOrder { buyer, order, fills: fills.clone(), fee: Price(200), tax: Price(100) };
        times.run(&chain, "place", format!("place/{round}"), work).await;
        let mut hash = [1; 32];
        hash[..8].copy_from_slice(&round.to_le_bytes());
        let work = Work::Settle { buyer, order, fills, proof: Proof::Receipt(hash), paid_at: slot_end };
        times.run(&chain, "settle", format!("settle/{round}"), work).await;
    }
    times.print();
    let begun = Instant::now();
    let snapshot = chain.snapshot().await.unwrap();
    println!("snapshot of {} households: {:?}", snapshot.households.len(), begun.elapsed());
    localnet.stop().await;
    store.close().await;
}

#[derive(Default)]
struct Times(Vec<(&'static str, Duration)>);

impl Times {
    async fn run(&mut self, chain: &RpcEnergyChain, kind: &'static str, key: String, work: Work) {
        let begun = Instant::now();
        let outcome = chain.submit(&key, work).await.unwrap();
        self.0.push((kind, begun.elapsed()));
        assert!(matches!(outcome, Outcome::Landed { .. }), "{key}: {outcome:?}");
    }

    fn print(&mut self) {
        for kind in ["enrol", "attest", "post", "place", "settle"] {
            let mut times: Vec<Duration> =
                self.0.iter().filter(|(name, _)| *name == kind).map(|(_, time)| *time).collect();
            times.sort_unstable();
            let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
            println!("{kind:8} n={:4} p50={:?} p99={:?}", times.len(), at(50), at(99));
        }
    }
}
