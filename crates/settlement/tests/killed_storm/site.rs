//! What all processes of the storm agree on.

use jirani_chain::{ChainConfig, ChainKeys};
use jirani_daraja::{DarajaClient, DarajaConfig, PayoutCharges, SecurityCredential};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_localnet::{GenesisProgram, LocalnetConfig};
use jirani_market::Tariff;
use jirani_store::{HouseholdKind, HouseholdRecord, Language};
use jirani_units::{Cents, Clock, HouseholdId, MeterId, Msisdn, Price, Timestamp};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const SELLERS: u32 = 12;
/// Households whose phone never answers, and M-Pesa says nothing of it.
pub const SILENT: u32 = 3;
pub const SHORTCODE: &str = "600966";
pub const PAYOUT_SHORTCODE: &str = "600992";
/// So little that it runs dry again and again.
pub const FLOAT: Cents = Cents(20_000);
pub const TARIFF: Tariff =
    Tariff { retail: Price(4_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(160) };

pub fn buyer(number: u32) -> HouseholdId {
    HouseholdId(100 + number)
}

pub fn silent(number: u32) -> HouseholdId {
    HouseholdId(50 + number)
}

pub fn phone(id: HouseholdId) -> Msisdn {
    format!("25471{:07}", id.0).parse().unwrap()
}

pub fn keys() -> ChainKeys {
    ChainKeys::from_seed(&[3; 32])
}

pub fn chain_config(url: &str) -> ChainConfig {
    ChainConfig {
        poll_max: Duration::from_millis(5),
        resend: Duration::from_millis(200),
        ..ChainConfig::new(url, LOCAL_PROGRAM_ID, keys())
    }
}

pub fn localnet_config(listen: SocketAddr, folder: &Path) -> LocalnetConfig {
    let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
    let program = GenesisProgram {
        address: LOCAL_PROGRAM_ID,
        elf: std::fs::read(elf).unwrap(),
        upgrade_authority: keys().upgrade_authority_address(),
    };
    LocalnetConfig {
        data_dir: Some(folder.to_owned()),
        programs: vec![program],
        ..LocalnetConfig::new(listen, [9; 32])
    }
}

pub fn daraja(base_url: &str, clock: Arc<dyn Clock>) -> DarajaClient {
    let config = DarajaConfig {
        base_url: base_url.to_owned(),
        consumer_key: "sandbox-key".to_owned(),
        consumer_secret: "sandbox-secret".into(),
        shortcode: SHORTCODE.to_owned(),
        passkey: "sandbox-passkey".into(),
        b2c_shortcode: PAYOUT_SHORTCODE.to_owned(),
        initiator_name: "apiuser".to_owned(),
        credential: SecurityCredential::Ready("any blob".into()),
        charges: PayoutCharges::default(),
        timeout_s: 30,
    };
    DarajaClient::new(config, clock).unwrap()
}

pub fn household(id: HouseholdId) -> HouseholdRecord {
    let mut meter = [0; 16];
    meter[..4].copy_from_slice(&id.0.to_le_bytes());
    let mut meter_key = [1; 32];
    meter_key[..4].copy_from_slice(&id.0.to_le_bytes());
    HouseholdRecord {
        id,
        kind: HouseholdKind::Home,
        alias: format!("Home {id}"),
        name: format!("Home {id}"),
        msisdn: Some(phone(id)),
        language: Language::En,
        meter: Some(MeterId(meter)),
        meter_key,
        meter_epoch: 1,
        export_rating_w: 500_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: Some([1; 32]),
        enrolled_at: START,
        version: 0,
    }
}
