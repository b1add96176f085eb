//! What an advisor remembers never makes its forecasts stand on anything else than
//! what the store holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use async_trait::async_trait;
use jirani_advisor::{Advisor, AdvisorConfig};
use jirani_clock::ServiceClock;
use jirani_forecast::{Forecast, ForecastInput, Forecaster, SlotEnergy, Stage};
use jirani_market::Tariff;
use jirani_store::{Appended, Change, HouseholdKind, HouseholdRecord, Language, ReadingRow, Store};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, MeterId, Price, Timestamp, Wh};
use jirani_weather::{Request, Weather, WeatherError, WeatherProvider};
use std::sync::{Arc, Mutex};

const SLOT_S: i64 = 900;
const HOME: HouseholdId = HouseholdId(1);

/// Writes down the past it is given.
#[derive(Default)]
struct Listening(Mutex<Vec<SlotEnergy>>);

impl Forecaster for Listening {
    fn forecast(&self, input: &ForecastInput<'_>) -> Forecast {
        *self.0.lock().unwrap() = input.history.to_vec();
        Forecast { issued_at: input.issued_at, step_s: 900, stage: Stage::Cold, points: Vec::new() }
    }

    fn name(&self) -> &'static str {
        "listening"
    }
}

struct NoWeather;

#[async_trait]
impl WeatherProvider for NoWeather {
    async fn weather(&self, _: Request) -> Result<Weather, WeatherError> {
        unreachable!("without a place nobody asks for weather")
    }
}

struct Site {
    store: Arc<SqliteStore>,
    clock: ServiceClock,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("jirani.db")).await.unwrap());
        store.commit(vec![Change::Household(home())]).await.unwrap();
        Self { store, clock: ServiceClock::advanced_from(Timestamp(0)), _folder: folder }
    }

    async fn read(&self, slots: impl IntoIterator<Item = i64>) {
        let rows: Vec<_> = slots.into_iter().map(reading).collect();
        let count = rows.len();
        let appended = self.store.append_readings(rows, Vec::new()).await.unwrap();
        assert_eq!(appended, vec![Appended::New; count]);
    }

    fn advisor(&self) -> (Advisor, Arc<Listening>) {
        let heard = Arc::new(Listening::default());
        let config = AdvisorConfig {
            slot_length_s: 900,
            place: None,
            tariffs: jirani_market::Tariffs::always(tariff()).unwrap(),
        };
        let store: Arc<dyn Store> = self.store.clone();
        (Advisor::new(config, store, self.clock.clone(), Arc::new(NoWeather), heard.clone()), heard)
    }

    /// The past that `advisor` goes by now, and the one that a new advisor would.
    async fn pasts(&self, advisor: &(Advisor, Arc<Listening>)) -> (Vec<SlotEnergy>, Vec<SlotEnergy>) {
        let new = self.advisor();
        for (asked, _) in [advisor, &new] {
            let forecast = asked.forecast(HOME).await.unwrap().unwrap();
            assert_eq!(forecast.forecast.issued_at, self.clock.now());
        }
        let heard = |asked: &(Advisor, Arc<Listening>)| asked.1.0.lock().unwrap().clone();
        (heard(advisor), heard(&new))
    }
}

fn tariff() -> Tariff {
    Tariff { retail: Price(3_000), buy_back: Price(1_000), grid_fee: Price(300), tax: Price(200) }
}

fn home() -> HouseholdRecord {
    HouseholdRecord {
        id: HOME,
        kind: HouseholdKind::Home,
        alias: "Nyumba 1".to_owned(),
        name: "Nyumba 1".to_owned(),
        msisdn: None,
        language: Language::Sw,
        meter: Some(MeterId([1; 16])),
        meter_key: [7; 32],
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

fn reading(slot: i64) -> ReadingRow {
    let count = u64::try_from(slot).unwrap();
    ReadingRow {
        meter: MeterId([1; 16]),
        epoch: 1,
        seq: count,
        household: HOME,
        time: Timestamp::from_seconds(slot * SLOT_S),
        import_wh: Wh(7 * count + count * count % 5),
        export_wh: Wh(3 * count),
        generation_wh: Wh(11 * count),
        power_w: 0,
        bytes: count.to_le_bytes().to_vec(),
        received_at: Timestamp::from_seconds(slot * SLOT_S),
    }
}

#[tokio::test]
async fn the_past_of_a_forecast_is_the_same_whether_it_was_remembered_or_read() {
    let site = Site::new().await;
    let advisor = site.advisor();
    // Ten days, asked every five hours: days go out of sight at the old end, too.
    let mut read = 0;
    for now in (20..=960).step_by(20) {
        site.read(read..=now).await;
        read = now + 1;
        site.clock.advance_to(Timestamp::from_seconds(now * SLOT_S));
        let (remembered, anew) = site.pasts(&advisor).await;
        assert_eq!(remembered, anew, "at slot {now}");
        assert_eq!(anew.len(), usize::try_from(now.min(8 * 96)).unwrap());
    }
}

#[tokio::test]
async fn a_reading_that_came_late_is_in_the_next_forecast() {
    let site = Site::new().await;
    let advisor = site.advisor();
    site.read((0..40).filter(|slot| *slot != 38)).await;
    site.clock.advance_to(Timestamp::from_seconds(39 * SLOT_S));
    site.pasts(&advisor).await;
    site.read([38, 40, 41, 42, 43]).await;
    site.clock.advance_to(Timestamp::from_seconds(43 * SLOT_S));
    let (remembered, anew) = site.pasts(&advisor).await;
    assert_eq!(remembered, anew);
    // Not drawn evenly over the two slots: the late reading says what each of them used.
    assert_ne!(anew[37].consumption_wh, anew[38].consumption_wh);
}

#[tokio::test]
async fn of_more_readings_than_are_looked_at_the_newest_count() {
    let site = Site::new().await;
    // Every 20 seconds for a month: more than a hundred thousand.
    let day = 4_320;
    let now = 30 * 86_400;
    for day in (0..30).map(|number| number * day..(number + 1) * day) {
        let rows =
            day.map(|count| ReadingRow { time: Timestamp::from_seconds(count * 20), ..reading(count) });
        site.store.append_readings(rows.collect(), Vec::new()).await.unwrap();
    }
    site.clock.advance_to(Timestamp::from_seconds(now));
    let first = site.advisor();
    let (remembered, anew) = site.pasts(&first).await;
    assert_eq!(remembered, anew);
    assert!(anew.last().unwrap().start >= Timestamp::from_seconds(now - 2 * SLOT_S), "{:?}", anew.last());
}
