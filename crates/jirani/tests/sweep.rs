//! What the operator ends by hand, seen to its end: against the real program on a chain
//! whose clock the test moves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_chain::{AttestRow, ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::{Fill, Tariff};
use jirani_store::{HouseholdKind, Proof};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use support::binary;
use support::cluster::Desk;

const START: Timestamp = Timestamp::from_seconds(1_795_348_800);
const DAY_S: i64 = 86_400;
const SELLER: HouseholdId = HouseholdId(1);
const BUYER: HouseholdId = HouseholdId(2);
/// Exported as much as it imported, in one slot: nothing is left of it.
const LEAVER: HouseholdId = HouseholdId(3);

#[derive(Clone)]
struct HandClock(Arc<AtomicI64>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Site {
    clock: HandClock,
    chain: RpcEnergyChain,
    localnet: RunningLocalnet,
}

impl Site {
    async fn new(folder: &Path) -> Self {
        let keys = ChainKeys::load_or_create(&folder.join("keys"), &[3; 32]).unwrap();
        let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
        let program = GenesisProgram {
            address: LOCAL_PROGRAM_ID,
            elf: std::fs::read(elf).unwrap(),
            upgrade_authority: keys.upgrade_authority_address(),
        };
        let clock = HandClock(Arc::new(AtomicI64::new(START.0)));
        let config = LocalnetConfig {
            programs: vec![program],
            ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [9; 32])
        };
        let localnet = Localnet::start(config, Arc::new(clock.clone())).await.unwrap();
        let store = Arc::new(SqliteStore::open(&folder.join("jirani.db")).await.unwrap());
        let config = ChainConfig::new(localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, keys);
        let chain = RpcEnergyChain::connect(config, store, Arc::new(clock.clone())).await.unwrap();
        let tariff =
            Tariff { retail: Price(3_500), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
        chain.initialise(&tariff).await.unwrap();
        let site = Self { clock, chain, localnet };
        for id in [SELLER, BUYER, LEAVER] {
            let work = Work::Enrol {
                household: id,
                kind: HouseholdKind::Home,
                feeder: 1,
                meter_key: [u8::try_from(id.0).unwrap(); 32],
                meter_epoch: 1,
                export_rating_w: 10_000,
                import_rating_w: 10_000,
            };
            site.done(&format!("enrol/{id}"), work).await;
        }
        site.forward(960);
        let row = |household, export_wh, import_wh| AttestRow {
            household,
            export_wh: Wh(export_wh),
            import_wh: Wh(import_wh),
        };
        let rows = vec![row(SELLER, 1_000, 0), row(BUYER, 0, 0), row(LEAVER, 300, 300)];
        let slot_end = START.plus_seconds(900);
        site.done("attest", Work::Attest { feeder: 1, slot_end, evidence_root: [1; 32], rows }).await;
        site
    }

    fn forward(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn done(&self, key: &str, work: Work) {
        let outcome = self.chain.submit(key, work).await.unwrap();
        assert!(matches!(outcome, Outcome::Landed { .. }), "{key}: {outcome:?}");
    }

    async fn offer(&self, offer: u64, energy_wh: u64) {
        let expires_at = self.clock.now().plus_seconds(3_600);
        let offer_id = OfferId(offer);
        let (price, energy_wh) = (Price(1_500), Wh(energy_wh));
        let work = Work::PostOffer { seller: SELLER, offer: offer_id, energy_wh, price, expires_at };
        self.done(&format!("post/{offer}"), work).await;
    }

    async fn order(&self, order: u64, energy_wh: u32) -> Vec<Fill> {
        let fills = vec![Fill { offer: OfferId(1), seller: SELLER, energy_wh, price: Price(1_500) }];
        let work = Work::PlaceOrder {
            buyer: BUYER,
            order: OrderId(order),
            fills: fills.clone(),
            fee: Price(300),
            tax: Price(200),
        };
        self.done(&format!("place/{order}"), work).await;
        fills
    }
}

fn energy_audit(folder: &Path, rpc: &str) -> Value {
    let output = binary()
        .args(["audit", "--json"])
        .env("JIRANI__DATA_DIR", folder)
        .env("JIRANI__CHAIN__RPC_URL", rpc)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_offers_markers_authorities_and_households_end_by_the_operators_hand() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path()).await;
    let desk = Desk { data_dir: folder.path(), url: site.localnet.rpc_url.clone() };
    site.offer(1, 600).await;
    site.offer(2, 200).await;

    // An attestor gives an order up at once; anybody does when its time is over.
    site.order(1, 50).await;
    let (code, shown, _) = desk.run(&["release-order", "2", "1", "--reason", "refused"]);
    assert_eq!(code, Some(0), "{shown}");
    for word in ["order 1 of household 2 is given up", "50 Wh are free again", "Landed in slot"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    site.order(2, 60).await;
    let bare = folder.path().join("bare");
    std::fs::create_dir_all(bare.join("keys")).unwrap();
    std::fs::copy(folder.path().join("keys/payer.json"), bare.join("keys/payer.json")).unwrap();
    let anybody = Desk { data_dir: &bare, url: desk.url.clone() };
    anybody.refused(&["release-order", "2", "2"], "only an attestor");
    site.forward(120 + 300 + 2);
    assert!(anybody.done(&["release-order", "2", "2"]).contains("60 Wh are free again"));
    assert_eq!(desk.json(&["accounts", "orders"])["orders"], serde_json::json!([]));

    // A settled order leaves a marker, an open one holds its part of an expired offer.
    let fills = site.order(3, 100).await;
    let (proof, paid_at) = (Proof::Receipt([7; 32]), site.clock.now());
    let settle = Work::Settle { buyer: BUYER, order: OrderId(3), fills, proof, paid_at };
    site.done("settle/3", settle).await;
    assert!(desk.json(&["expire-offers"])["nothing_to_do"].is_string());
    site.forward(3_600);
    let told = anybody.done(&["expire-offers"]);
    assert!(told.contains("offer 1 of household 1: 500 Wh go back"), "{told}");
    assert!(told.contains("offer 2 of household 1: 200 Wh go back"), "{told}");
    let accounts = desk.json(&["accounts"]);
    assert_eq!(accounts["offers"], serde_json::json!([]));
    assert_eq!(accounts["households"][0]["vault_wh"], 900, "{accounts}");

    assert!(desk.json(&["close-markers"])["nothing_to_do"].is_string());
    site.forward(30 * DAY_S + 600);
    let told = anybody.done(&["close-markers"]);
    assert!(told.contains("1 markers are closed") && told.contains("lamports of rent go back"), "{told}");
    assert_eq!(desk.json(&["accounts", "markers"])["markers"], serde_json::json!([]));

    // Another authority after its delay, and back to the custodian by the admin.
    let (owner, owner_file) = desk.key("admin", "owner");
    desk.done(&["propose-authority", "1", &owner]);
    site.forward(2 * DAY_S + 1);
    let told = desk.done(&["accept-authority", "1", "--key", &format!("signer={owner_file}")]);
    assert!(told.contains(&owner), "{told}");
    let authority = |desk: &Desk<'_>| desk.json(&["accounts"])["households"][0]["authority"].clone();
    assert_eq!(authority(&desk), owner.as_str());
    desk.done(&["propose-authority", "1", "custodian"]);
    site.forward(2 * DAY_S + 1);
    assert!(desk.done(&["accept-authority", "1"]).contains("-> the custodian"));
    assert_eq!(authority(&desk), Value::Null);

    // A household with a life behind it: its sums stay in the books.
    desk.refused(&["close-household", "1"], "900 Wh in its vault");
    desk.refused(&["close-household", "3"], "retire its meter instead");
    let told = desk.done(&["close-household", "3", "--feeder-ended"]);
    assert!(told.contains("its counters go to the totals of closed households"), "{told}");
    assert_eq!(desk.json(&["accounts"])["households"].as_array().unwrap().len(), 2);
    let snapshot = site.chain.snapshot().await.unwrap();
    assert_eq!((snapshot.closed.households, snapshot.closed.minted_wh), (1, Wh(300)));
    let report = energy_audit(folder.path(), &desk.url);
    assert_eq!(
        (&report["invariants"]["E1"], &report["invariants"]["E2"]),
        (&"holds".into(), &"holds".into()),
        "{report}"
    );
    site.localnet.stop().await;
}
