//! A Shelly and a Tasmota on a real broker, through the bridge and the gateway, to stored
//! readings and registers that are attested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_bridge::{Bridge, BridgeConfig, BridgeError, Status, device_key, device_meter};
use jirani_broker::{
    BRIDGE, Broker, BrokerConfig, RunningBroker, bridge_password, device_password, meter_password,
    own_client_id,
};
use jirani_clock::ServiceClock;
use jirani_devices::{Decoder, SiteDevice, built_in};
use jirani_meter::{Ed25519Signer, Flags, Reading, Signer as _};
use jirani_oracle::{
    Attestable, Claim, Counters, Gateway, GatewayConfig, GatewayError, Part, SlotProof, at_boundary,
    plan_slot,
};
use jirani_store::{
    AttestedMeterRecord, Change, Events, HouseholdKind, HouseholdRecord, Language, ReadingRow, Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, MeterId, Timestamp, Trust, Wh};
use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// 2026-06-01T00:00:00Z.
const START: Timestamp = Timestamp::from_seconds(1_780_272_000);
const SECRET: [u8; 32] = [9; 32];
const KEY: [u8; 32] = [5; 32];
const PASSWORD: &str = "gateway password";
const PATIENCE: Duration = Duration::from_secs(20);
const SHELLY: HouseholdId = HouseholdId(1);
const TASMOTA: HouseholdId = HouseholdId(2);

type Running<E> = (CancellationToken, JoinHandle<Result<(), E>>);

struct Site {
    broker: RunningBroker,
    store: Arc<SqliteStore>,
    clock: ServiceClock,
    gateway: Option<Running<GatewayError>>,
    bridge: Option<Running<BridgeError>>,
    status: Status,
    folder: tempfile::TempDir,
}

fn gateway_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[200; 32])
}

fn record(id: HouseholdId, device: &str) -> HouseholdRecord {
    HouseholdRecord {
        id,
        kind: HouseholdKind::Home,
        alias: device.to_owned(),
        name: device.to_owned(),
        msisdn: None,
        language: Language::En,
        meter: Some(device_meter(&KEY, device)),
        meter_key: Ed25519Signer::from_seed(&device_key(&KEY, device)).public_key(),
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 5_000,
        feeder: 1,
        chain_address: Some([1; 32]),
        enrolled_at: START,
        version: 0,
    }
}

fn decoder(id: &str, definition: &str, generation: u32) -> Decoder {
    let device = SiteDevice {
        id: id.to_owned(),
        definition: definition.to_owned(),
        generation,
        import_rating_w: 5_000,
        export_rating_w: 5_000,
        pv_rated_w: 5_000,
        interval_s: 60,
        parameters: BTreeMap::new(),
    };
    Decoder::new(built_in(definition).unwrap(), device).unwrap()
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it never happened");
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("test.db")).await.unwrap());
        let attested = |device: &str| {
            let meter = device_meter(&KEY, device);
            Change::AttestedMeter(AttestedMeterRecord { meter, device: device.to_owned(), since: START })
        };
        let homes = [record(SHELLY, "shelly"), record(TASMOTA, "tasmota")].map(Change::Household);
        let changes = homes.into_iter().chain([attested("shelly"), attested("tasmota")]).collect();
        store.commit(changes).await.unwrap();
        let broker = Broker::start(BrokerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            gateway_password: PASSWORD.into(),
            meter_secret: SECRET,
        });
        let mut site = Self {
            broker: broker.await.unwrap(),
            store,
            clock: ServiceClock::advanced_from(START),
            gateway: None,
            bridge: None,
            status: Status::default(),
            folder,
        };
        site.start_gateway().await;
        site.start_bridge(1).await;
        site
    }

    fn url(&self) -> String {
        format!("mqtt://{}", self.broker.addr())
    }

    async fn start_gateway(&mut self) {
        let config = GatewayConfig {
            url: self.url(),
            client_id: "gateway".into(),
            username: "gateway".into(),
            password: PASSWORD.into(),
            shared_group: None,
        };
        let (clock, events) = (self.clock.clone(), Events::new(64));
        let gateway =
            Gateway::new(config, self.store.clone(), gateway_key(), clock, events, Counters::default());
        let gateway = gateway.await.unwrap();
        let mut subscribed = gateway.subscribed();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(gateway.run(cancel.clone()));
        tokio::time::timeout(PATIENCE, subscribed.wait_for(|is| *is)).await.unwrap().unwrap();
        self.gateway = Some((cancel, task));
    }

    async fn start_bridge(&mut self, generation: u32) {
        let config = BridgeConfig {
            url: self.url(),
            transport: None,
            username: BRIDGE.into(),
            client_id: own_client_id(&SECRET, BRIDGE),
            password: bridge_password(&SECRET),
            meter_password: Box::new(|meter| meter_password(&SECRET, meter)),
            gateway: gateway_key().public_key(),
            key: KEY,
            folder: self.folder.path().join("bridge"),
        };
        let decoders =
            vec![decoder("shelly", "shelly-em", generation), decoder("tasmota", "tasmota", generation)];
        let latest = self.store.latest_readings().await.unwrap();
        let bridge = Bridge::new(config, decoders, &latest, self.clock.clone()).unwrap();
        self.status = bridge.status();
        let mut subscribed = bridge.subscribed();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(bridge.run(cancel.clone()));
        tokio::time::timeout(PATIENCE, subscribed.wait_for(|is| *is)).await.unwrap().unwrap();
        self.bridge = Some((cancel, task));
    }

    async fn stop_bridge(&mut self) {
        let (cancel, task) = self.bridge.take().unwrap();
        cancel.cancel();
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    }

    fn at(&self, seconds: i64) {
        self.clock.advance_to(START.plus_seconds(seconds));
    }

    /// The device says it, and the bridge has looked at it.
    async fn says(&self, device: &mut Device, leaf: &str, payload: &str) {
        let seen = |status: &Status| {
            let status = status.of(device.id);
            status.taken + status.nothing + status.refused.values().sum::<u64>()
        };
        let before = seen(&self.status);
        device.publish(&format!("devices/{}/{leaf}", device.id), payload).await;
        until(async || seen(&self.status) > before).await;
    }

    /// All readings of a household, once there are so many.
    async fn readings(&self, household: HouseholdId, count: usize) -> Vec<ReadingRow> {
        let far = START.plus_seconds(86_400);
        until(async || self.store.readings(household, START, far, 100).await.unwrap().len() >= count).await;
        self.store.readings(household, START, far, 100).await.unwrap()
    }

    async fn boundary(&self, device: &str, end: Timestamp) -> Option<Attestable> {
        let meter = device_meter(&KEY, device);
        let (before, after) = self.store.readings_around(meter, 1, end).await.unwrap();
        at_boundary(before.as_ref(), after.as_ref(), end)
    }
}

/// A device's own connection.
struct Device {
    id: &'static str,
    client: AsyncClient,
    events: EventLoop,
}

impl Device {
    async fn connect(site: &Site, id: &'static str) -> Self {
        let (addr, name) = (site.broker.addr(), format!("device-{id}"));
        let mut options = MqttOptions::new(&name, addr.ip().to_string(), addr.port());
        options.set_credentials(&name, device_password(&SECRET, id)).set_clean_session(true);
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        let let_in = async {
            loop {
                let (client, mut events) = AsyncClient::new(options.clone(), 16);
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => return Self { id, client, events },
                    Ok(other) => panic!("first of all comes {other:?}"),
                    // The broker may still be closing the session before.
                    Err(ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, let_in).await.expect("the broker stays silent")
    }

    async fn publish(&mut self, topic: &str, payload: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        self.wait_for(|packet| matches!(packet, Packet::PubAck(_))).await;
    }

    async fn wait_for(&mut self, mut is_it: impl FnMut(&Packet) -> bool) {
        let waiting = async {
            loop {
                if let Event::Incoming(packet) = self.events.poll().await.expect("a connection")
                    && is_it(&packet)
                {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the broker stays silent");
    }
}

fn shelly(drawn: &str, returned: &str) -> String {
    format!(r#"{{"id":0,"total_act_energy":{drawn},"total_act_ret_energy":{returned}}}"#)
}

fn tasmota(kwh: &str) -> String {
    format!(r#"{{"Time":"2026-06-01T01:00:00","ENERGY":{{"Total":{kwh},"Power":240}}}}"#)
}

#[tokio::test]
async fn a_shelly_s_wh_and_a_tasmota_s_kwh_become_attested_registers() {
    let site = Site::new().await;
    let mut shelly_em = Device::connect(&site, "shelly").await;
    let mut sonoff = Device::connect(&site, "tasmota").await;
    for (seconds, drawn, returned, kwh) in [
        (0, "52648.59", "100.0", "123.456"),
        (300, "52658.59", "100.0", "123.466"),
        (900, "52668.84", "160.5", "123.556"),
        (1_200, "52669.00", "161.0", "123.556"),
    ] {
        site.at(seconds);
        site.says(&mut shelly_em, "status/em1:0", r#"{"id":0,"act_power":-420.5,"voltage":231.4}"#).await;
        site.says(&mut shelly_em, "status/em1data:0", &shelly(drawn, returned)).await;
        site.says(&mut sonoff, "tele/SENSOR", &tasmota(kwh)).await;
    }
    let read = site.readings(SHELLY, 4).await;
    let registers: Vec<(u64, u64, u64)> =
        read.iter().map(|row| (row.seq, row.import_wh.0, row.export_wh.0)).collect();
    assert_eq!(registers, [(1, 0, 0), (2, 10, 0), (3, 20, 60), (4, 20, 61)]);
    assert_eq!(read[2].power_w, 420, "export is positive");
    assert_eq!(site.readings(TASMOTA, 4).await.last().unwrap().import_wh, Wh(100));

    // At the slot's end both are known, and what is attested rests on what the bridge signed.
    let end = START.plus_seconds(900);
    let homes = site.store.households().await.unwrap();
    let known = BTreeMap::from([
        (SHELLY, site.boundary("shelly", end).await.unwrap()),
        (TASMOTA, site.boundary("tasmota", end).await.unwrap()),
    ]);
    let slot = plan_slot(1, end, &homes, &known).unwrap();
    let rows: Vec<_> = slot.rows.iter().map(|row| (row.household, row.export_wh, row.import_wh)).collect();
    assert_eq!(rows, [(SHELLY, Wh(60), Wh(20)), (TASMOTA, Wh(0), Wh(100))]);

    // A proof says by itself that the site vouches for it.
    let parts: Vec<Part> = slot
        .rows
        .iter()
        .map(|row| Part { row: *row, evidence: known[&row.household].evidence.clone() })
        .collect();
    let claim = Claim {
        program: "program".to_owned(),
        transaction: "transaction".to_owned(),
        feeder: 1,
        slot_end: end,
        household: SHELLY,
        meter_key: homes[0].meter_key,
        meter_epoch: 1,
    };
    let shown = SlotProof::of(&claim, &parts).unwrap().check().unwrap();
    assert_eq!((shown.trust, shown.meter), (Trust::GatewayAttested, device_meter(&KEY, "shelly")));
    let (reading, _) = Reading::decode(&read[0].bytes).unwrap();
    assert_ne!(reading.flags.0 & Flags::SITE_SIGNED, 0);
    assert_eq!(reading.firmware, built_in("shelly-em").unwrap().fingerprint);
    assert_eq!(site.store.trust_of(homes[0].meter).await.unwrap(), Trust::GatewayAttested);
    assert_eq!(site.store.trust_of(Some(MeterId([1; 16]))).await.unwrap(), Trust::DeviceSigned);
}

#[tokio::test]
async fn a_restart_goes_on_and_gives_no_number_twice() {
    let mut site = Site::new().await;
    let mut device = Device::connect(&site, "shelly").await;
    site.says(&mut device, "status/em1data:0", &shelly("1000", "0")).await;
    site.at(60);
    site.says(&mut device, "status/em1data:0", &shelly("1010.5", "0")).await;
    site.readings(SHELLY, 2).await;
    // While the bridge is away the device counts on.
    site.stop_bridge().await;
    site.at(600);
    site.start_bridge(1).await;
    site.says(&mut device, "status/em1data:0", &shelly("1030.75", "0")).await;
    let read = site.readings(SHELLY, 3).await;
    assert_eq!(
        read.iter().map(|row| (row.seq, row.import_wh.0)).collect::<Vec<_>>(),
        [(1, 0), (2, 10), (3, 30)]
    );

    // Its files are gone: it goes on behind the last stored reading, with a new baseline.
    site.stop_bridge().await;
    std::fs::remove_dir_all(site.folder.path().join("bridge")).unwrap();
    site.at(1_200);
    site.start_bridge(1).await;
    site.says(&mut device, "status/em1data:0", &shelly("1040", "0")).await;
    site.at(1_260);
    site.says(&mut device, "status/em1data:0", &shelly("1045", "0")).await;
    let read = site.readings(SHELLY, 5).await;
    assert_eq!(
        read[3..].iter().map(|row| (row.seq, row.import_wh.0)).collect::<Vec<_>>(),
        [(4, 30), (5, 35)]
    );

    // Another device was put in its place, and the operator has said so.
    site.stop_bridge().await;
    site.at(1_800);
    site.start_bridge(2).await;
    site.says(&mut device, "status/em1data:0", &shelly("7", "0")).await;
    site.at(1_860);
    site.says(&mut device, "status/em1data:0", &shelly("9", "0")).await;
    let read = site.readings(SHELLY, 7).await;
    assert_eq!(
        read[5..].iter().map(|row| (row.seq, row.import_wh.0)).collect::<Vec<_>>(),
        [(6, 35), (7, 37)]
    );
    assert!(site.store.quarantine(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn nonsense_is_counted_by_its_reason_and_disturbs_nobody() {
    let site = Site::new().await;
    let mut bad = Device::connect(&site, "tasmota").await;
    let mut good = Device::connect(&site, "shelly").await;
    for payload in [
        "",
        "{",
        r#"{"ENERGY":{"Total":-1}}"#,
        r#"{"ENERGY":{"Total":"NaN"}}"#,
        r#"{"ENERGY":{"Total":1,"Total":2}}"#,
    ] {
        site.says(&mut bad, "tele/SENSOR", payload).await;
    }
    site.says(&mut bad, "tele/SENSOR", r#"{"Time":"2026-06-01T03:00:00","Other":{}}"#).await;
    let megabyte = format!(r#"{{"x":"{}"}}"#, "x".repeat(20_000));
    site.says(&mut bad, "tele/SENSOR", &megabyte).await;
    site.says(&mut good, "status/em1data:0", &shelly("1", "1")).await;
    site.readings(SHELLY, 1).await;
    let status = site.status.of("tasmota");
    let refused: Vec<(&str, u64)> = status.refused.into_iter().collect();
    assert_eq!(
        refused,
        [
            ("device.malformed", 3),
            ("device.negative", 1),
            ("device.not_a_number", 1),
            ("device.too_large", 1)
        ]
    );
    assert_eq!((status.taken, status.nothing, status.readings), (0, 1, 0));
    assert_eq!(site.status.of("shelly").refused, BTreeMap::new());
}

#[tokio::test]
async fn a_device_cannot_speak_for_another_nor_as_a_meter() {
    let site = Site::new().await;
    let meter = device_meter(&KEY, "tasmota");
    for topic in
        ["devices/tasmota/tele/SENSOR".to_owned(), format!("v1/{meter}/up"), "devices/shelly".to_owned()]
    {
        let mut device = Device::connect(&site, "shelly").await;
        device.client.publish(topic.clone(), QoS::AtLeastOnce, false, "x").await.unwrap();
        let ended = async {
            loop {
                match device.events.poll().await {
                    Ok(Event::Incoming(Packet::PubAck(_))) => panic!("{topic} was taken"),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("the connection goes on");
    }
    assert_eq!(site.status.of("tasmota"), jirani_bridge::DeviceStatus::default());
}
