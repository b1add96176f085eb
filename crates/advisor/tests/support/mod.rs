//! A store, a clock and homes for tests of the advisor.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part; tests")]

pub mod sunny;

use jirani_advisor::{Advisor, AdvisorConfig};
use jirani_clock::ServiceClock;
use jirani_forecast::{ClearSkyAndYesterday, Place};
use jirani_market::{Tariff, Tariffs};
use jirani_store::{Change, HouseholdKind, HouseholdRecord, Language, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, MeterId, Price, Timestamp};
use jirani_weather::WeatherProvider;
use std::sync::Arc;

pub struct Site {
    pub store: Arc<SqliteStore>,
    pub clock: ServiceClock,
    pub folder: tempfile::TempDir,
}

impl Site {
    pub async fn new(now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        Self { store, clock: ServiceClock::advanced_from(now), folder }
    }

    pub async fn enrol(&self, home: HouseholdRecord) {
        self.store.commit(vec![Change::Household(home)]).await.unwrap();
    }

    pub fn advisor(&self, weather: Arc<dyn WeatherProvider>) -> Advisor {
        let first = Arc::new(ClearSkyAndYesterday);
        Advisor::new(config(), self.store.clone(), self.clock.clone(), weather, first)
    }
}

pub fn config() -> AdvisorConfig {
    let tariff =
        Tariff { retail: Price(3_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) };
    let tariffs = Tariffs::always(tariff).unwrap();
    AdvisorConfig { slot_length_s: 900, place: Some(Place::KITONYONI), tariffs }
}

pub fn home(number: u32) -> HouseholdRecord {
    let byte = u8::try_from(number).unwrap();
    HouseholdRecord {
        id: HouseholdId(number),
        kind: HouseholdKind::Home,
        alias: format!("Nyumba {number}"),
        name: format!("Nyumba {number}"),
        msisdn: None,
        language: Language::Sw,
        meter: Some(MeterId([byte; 16])),
        meter_key: [byte; 32],
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 3_000,
        feeder: 1,
        chain_address: None,
        enrolled_at: Timestamp(0),
        version: 0,
    }
}
