//! The gateway between real meters, a real broker and a real database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_broker::{Broker, BrokerConfig, RunningBroker, meter_password};
use jirani_clock::ServiceClock;
use jirani_market::shortfall::RelayPosition;
use jirani_meter::{
    Ack, ChallengeAnswer, MESSAGE_MAX, Obeyed, PublicKey, Queue as _, READING_CONTEXT, Reading, Registers,
    Relay, Signer as _, TimeQuality,
};
use jirani_oracle::{Counters, Gateway, GatewayConfig, GatewayError, Totals};
use jirani_readings::SpanReason;
use jirani_store::{
    Change, Event as Changed, Events, HouseholdRecord, MeterPurpose, MeterRecord, MeterState, RelayRecord,
    Store,
};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock as _, HouseholdId, MeterId};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS, SubscribeFilter};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::gated::Gated;
use support::{HomeMeter, START, enrol, gateway_key, id_of, key_of, meter_of, read, record};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SECRET: [u8; 32] = [9; 32];
const PASSWORD: &str = "gateway password";
const PATIENCE: Duration = Duration::from_secs(20);

struct Site {
    broker: RunningBroker,
    store: Arc<Gated>,
    clock: ServiceClock,
    counters: Counters,
    events: Events,
    running: Option<(CancellationToken, JoinHandle<Result<(), GatewayError>>)>,
    folder: tempfile::TempDir,
}

async fn open(folder: &Path) -> Arc<Gated> {
    Arc::new(Gated::new(Arc::new(SqliteStore::open(&folder.join("test.db")).await.unwrap())))
}

impl Site {
    /// A site with these homes enrolled and the gateway listening.
    async fn with(records: Vec<HouseholdRecord>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        enrol(&*store, records).await;
        let config = BrokerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            gateway_password: PASSWORD.into(),
            meter_secret: SECRET,
        };
        let mut site = Self {
            broker: Broker::start(config).await.unwrap(),
            store,
            clock: ServiceClock::advanced_from(START),
            counters: Counters::default(),
            events: Events::new(64),
            running: None,
            folder,
        };
        site.start_gateway().await;
        site
    }

    async fn start_gateway(&mut self) {
        let config = GatewayConfig {
            url: format!("mqtt://{}", self.broker.addr()),
            client_id: "gateway".into(),
            username: "gateway".into(),
            password: PASSWORD.into(),
            shared_group: None,
        };
        let (clock, events) = (self.clock.clone(), self.events.clone());
        let gateway =
            Gateway::new(config, self.store.clone(), gateway_key(), clock, events, self.counters.clone())
                .await
                .unwrap();
        let mut subscribed = gateway.subscribed();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(gateway.run(cancel.clone()));
        tokio::time::timeout(PATIENCE, subscribed.wait_for(|is| *is)).await.unwrap().unwrap();
        self.running = Some((cancel, task));
    }

    async fn stop_gateway(&mut self) {
        let (cancel, task) = self.running.take().unwrap();
        cancel.cancel();
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    }

    async fn quarantined(&self) -> Vec<String> {
        self.store.quarantine(100).await.unwrap().into_iter().rev().map(|(_, row)| row.code).collect()
    }

    /// How often a home's messages were refused for this reason.
    fn refused(&self, home: u32, code: &str) -> u64 {
        let counts = self.counters.refusals();
        let is_it = |count: &&jirani_store::RefusalCount| {
            count.code == code && count.meter == Some(id_of(home).to_string())
        };
        counts.iter().find(is_it).map_or(0, |count| count.count)
    }

    fn totals(&self) -> (u64, u64, u64) {
        let Totals { readings_stored, readings_duplicate, readings_rejected, .. } = self.counters.totals();
        (readings_stored, readings_duplicate, readings_rejected)
    }

    /// Sends, and waits until the gateway has dealt with it.
    async fn deal_with(&self, wire: &mut Wire, message: Vec<u8>) {
        wire.publish(message).await;
        // The gateway is behind the broker, so first it must have begun.
        wire.probe(self).await;
        tokio::time::timeout(PATIENCE, self.clock.idle()).await.unwrap();
    }
}

/// A meter's MQTT connection.
struct Wire {
    meter: MeterId,
    client: AsyncClient,
    events: EventLoop,
    acks: Vec<Vec<u8>>,
    commands: Vec<Vec<u8>>,
}

impl Wire {
    async fn of(site: &Site, meter: MeterId) -> Self {
        let (addr, name) = (site.broker.addr(), meter.to_string());
        let mut options = MqttOptions::new(&name, addr.ip().to_string(), addr.port());
        options.set_credentials(&name, meter_password(&SECRET, meter)).set_clean_session(true);
        options.set_max_packet_size(64 * 1024, 64 * 1024);
        let (client, events) = AsyncClient::new(options, 64);
        let mut wire = Self { meter, client, events, acks: Vec::new(), commands: Vec::new() };
        let filters =
            ["ack", "cmd"].map(|leaf| SubscribeFilter::new(format!("v1/{meter}/{leaf}"), QoS::AtLeastOnce));
        wire.client.subscribe_many(filters).await.unwrap();
        while !matches!(wire.incoming().await, Packet::SubAck(_)) {}
        wire
    }

    async fn incoming(&mut self) -> Packet {
        let next = async {
            loop {
                if let Event::Incoming(packet) = self.events.poll().await.unwrap() {
                    return packet;
                }
            }
        };
        let packet = tokio::time::timeout(PATIENCE, next).await.expect("the broker stays silent");
        if let Packet::Publish(publish) = &packet {
            let heard = if publish.topic.ends_with("/cmd") { &mut self.commands } else { &mut self.acks };
            heard.push(publish.payload.to_vec());
        }
        packet
    }

    async fn publish(&mut self, message: Vec<u8>) {
        self.publish_on("up", message).await;
    }

    async fn publish_on(&mut self, leaf: &str, message: Vec<u8>) {
        let topic = format!("v1/{}/{leaf}", self.meter);
        self.client.publish(topic, QoS::AtLeastOnce, false, message).await.unwrap();
        while !matches!(self.incoming().await, Packet::PubAck(_)) {}
    }

    /// The next acknowledgement.
    async fn ack(&mut self) -> Vec<u8> {
        while self.acks.is_empty() {
            self.incoming().await;
        }
        self.acks.remove(0)
    }

    /// The next command.
    async fn command(&mut self) -> Vec<u8> {
        while self.commands.is_empty() {
            self.incoming().await;
        }
        self.commands.remove(0)
    }

    /// Sends a meter's message and hands it the acknowledgement.
    async fn deliver(&mut self, meter: &mut HomeMeter) -> usize {
        self.publish(meter.message().unwrap()).await;
        let ack = self.ack().await;
        meter.acknowledge(&ack).unwrap()
    }

    /// Another meter's reading, which the gateway answers after everything before it.
    async fn probe(&self, site: &Site) {
        let state = site.store.latest_readings().await.unwrap();
        if let Some(row) = state.iter().find(|row| row.meter == id_of(99)) {
            // Say again what was said: a duplicate is answered too.
            let mut wire = Box::pin(Wire::of(site, id_of(99))).await;
            let mut message = vec![0x81];
            message.extend_from_slice(&row.bytes);
            wire.publish(message).await;
            wire.ack().await;
            return;
        }
        let mut meter = meter_of(99);
        read(&mut meter, 0, 0, 0);
        let mut wire = Box::pin(Wire::of(site, id_of(99))).await;
        wire.deliver(&mut meter).await;
    }
}

/// A message of one signed reading, made by hand.
fn signed(home: u32, change: impl FnOnce(&mut Reading)) -> Vec<u8> {
    let mut reading = Reading {
        meter: key_of(home).name(),
        epoch: 1,
        seq: 1,
        time_us: START.0.cast_unsigned(),
        ..Reading::default()
    };
    change(&mut reading);
    let mut message = vec![0x81];
    message.extend_from_slice(reading.sign(&key_of(home)).unwrap().bytes.as_slice());
    message
}

fn opened(ack: &[u8]) -> Ack {
    Ack::open(ack, &PublicKey::from_bytes(&gateway_key().public_key()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_reading_is_stored_then_acknowledged_then_announced() {
    let site = Site::with(vec![record(1)]).await;
    let mut announced = site.events.subscribe();
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 20);
    assert_eq!(wire.deliver(&mut meter).await, 1);
    assert!(meter.queue().is_empty());

    let stored = site.store.latest_readings().await.unwrap();
    assert_eq!((stored[0].household, stored[0].import_wh.0, stored[0].export_wh.0), (HouseholdId(1), 10, 20));
    let (reading, cose) = Reading::decode(&stored[0].bytes).unwrap();
    assert_eq!(reading.registers, Registers { import_wh: 10, export_wh: 20, generation_wh: 0 });
    cose.verify(&PublicKey::from_bytes(&key_of(1).public_key()).unwrap(), READING_CONTEXT).unwrap();
    let event = announced.recv().await.unwrap();
    assert_eq!(event, Changed::Reading { household: HouseholdId(1), time: START, power_w: 42 });
    tokio::time::timeout(PATIENCE, site.clock.idle()).await.unwrap();
    assert_eq!(site.totals(), (1, 0, 0));
}

#[tokio::test]
async fn a_week_offline_arrives_in_order_and_whole() {
    let site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    for slot in 0..200 {
        read(&mut meter, (slot - 199) * support::SLOT_S, 100, 0);
    }
    let mut freed = 0;
    while !meter.queue().is_empty() {
        freed += wire.deliver(&mut meter).await;
    }
    assert_eq!(freed, 200);
    assert_eq!(site.store.count_readings().await.unwrap(), (200, 0));
}

#[tokio::test]
async fn a_repeated_message_is_acknowledged_again_and_counted_once() {
    let site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, -900, 10, 0);
    read(&mut meter, 0, 10, 0);
    let message = meter.message().unwrap();
    for _ in 0..3 {
        wire.publish(message.clone()).await;
        let ack = opened(&wire.ack().await);
        assert_eq!((ack.first_seq, ack.seq), (1, 2));
    }
    assert_eq!(site.store.count_readings().await.unwrap(), (2, 0));
    assert_eq!(site.totals(), (2, 4, 0));
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable() {
    let site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 0);
    site.store.broken.store(true, Ordering::SeqCst);
    wire.publish(meter.message().unwrap()).await;
    let mut failures = site.store.failures.subscribe();
    tokio::time::timeout(PATIENCE, failures.wait_for(|count| *count >= 2)).await.unwrap().unwrap();
    assert_eq!(site.store.count_readings().await.unwrap(), (0, 0));
    assert!(site.clock.activity().count() > 0, "a reading that is not durable is work under way");

    site.store.broken.store(false, Ordering::SeqCst);
    let ack = wire.ack().await;
    assert_eq!(site.store.count_readings().await.unwrap(), (1, 0));
    assert_eq!(meter.acknowledge(&ack), Ok(1));
    tokio::time::timeout(PATIENCE, site.clock.idle()).await.unwrap();
    assert!(wire.acks.is_empty(), "only the successful commit was acknowledged");
}

#[tokio::test]
async fn what_a_stopped_gateway_did_not_commit_its_successor_does() {
    let mut site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 0);
    site.store.broken.store(true, Ordering::SeqCst);
    wire.publish(meter.message().unwrap()).await;
    let mut failures = site.store.failures.subscribe();
    tokio::time::timeout(PATIENCE, failures.wait_for(|count| *count >= 1)).await.unwrap().unwrap();
    site.stop_gateway().await;
    assert_eq!(site.clock.activity().count(), 0, "nothing is left under way");

    site.store.broken.store(false, Ordering::SeqCst);
    site.start_gateway().await;
    // The broker still has it: it was never acknowledged there either.
    let ack = wire.ack().await;
    assert_eq!(meter.acknowledge(&ack), Ok(1));
    assert_eq!(site.store.count_readings().await.unwrap(), (1, 0));
}

#[tokio::test]
async fn a_gateway_finds_its_way_back_to_a_broker_that_restarted() {
    let mut site = Site::with(vec![record(1)]).await;
    let addr = site.broker.addr();
    let config = BrokerConfig { listen: addr, gateway_password: PASSWORD.into(), meter_secret: SECRET };
    let spare = BrokerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..config.clone() };
    let old = std::mem::replace(&mut site.broker, Broker::start(spare).await.unwrap());
    old.stop().await;
    site.broker = Broker::start(config).await.unwrap();
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 0);
    let mut wire = Wire::of(&site, id_of(1)).await;
    // As a meter does: the same again until it is acknowledged.
    let resent = async {
        loop {
            wire.publish(meter.message().unwrap()).await;
            let heard = tokio::time::timeout(Duration::from_millis(200), wire.ack()).await;
            if let Ok(ack) = heard {
                return ack;
            }
        }
    };
    let ack = tokio::time::timeout(PATIENCE, resent).await.unwrap();
    assert_eq!(meter.acknowledge(&ack), Ok(1));
}

#[tokio::test]
async fn what_must_not_be_minted_is_kept_with_its_reason() {
    let site = Site::with(vec![record(1), record(2), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, -900, 1_000, 1_000);
    wire.deliver(&mut meter).await;

    let now_us = START.0.cast_unsigned();
    let registers = |import_wh, export_wh| Registers { import_wh, export_wh, generation_wh: 0 };
    let mut forged = signed(1, |reading| (reading.seq, reading.registers) = (2, registers(1_100, 1_000)));
    *forged.last_mut().unwrap() ^= 1;
    let cases: Vec<(&str, Vec<u8>, bool)> = vec![
        ("reading.bad_signature", forged, false),
        ("reading.wrong_topic", signed(2, |_| {}), false),
        ("reading.malformed", b"hello".to_vec(), false),
        ("reading.malformed", vec![0x82, 0xd2], false),
        ("reading.too_large", vec![0; MESSAGE_MAX + 1], false),
        (
            "reading.clock_ahead",
            signed(1, |r| {
                (r.seq, r.time_us, r.registers) = (2, now_us + 901_000_000, registers(1_100, 1_000));
            }),
            true,
        ),
        ("reading.falling_register", signed(1, |r| (r.seq, r.registers) = (2, registers(999, 1_000))), true),
        ("reading.implausible", signed(1, |r| (r.seq, r.registers) = (2, registers(90_000, 1_000))), true),
        (
            "reading.time_not_later",
            signed(1, |r| {
                (r.seq, r.time_us, r.registers) = (2, now_us - 900_000_000, registers(1_000, 1_000));
            }),
            true,
        ),
        ("reading.equivocation", signed(1, |r| r.registers = registers(1_001, 1_000)), true),
        ("reading.old_seq", signed(1, |r| (r.epoch, r.seq) = (0, 9)), true),
        ("reading.unknown_epoch", signed(1, |r| r.epoch = 2), false),
        ("reading.out_of_range", signed(1, |r| (r.seq, r.registers) = (2, registers(u64::MAX, 1_000))), true),
    ];
    let mut expected = Vec::new();
    for (code, message, acknowledged) in cases {
        site.deal_with(&mut wire, message).await;
        expected.push(code);
        assert_eq!(site.quarantined().await.last().map(String::as_str), Some(code));
        if acknowledged {
            wire.ack().await;
        }
        assert!(wire.acks.is_empty(), "{code}");
    }
    assert_eq!(site.quarantined().await, expected);

    // Nothing of it counts: the next honest reading is accepted where the first left off.
    read(&mut meter, 0, 100, 100);
    assert_eq!(wire.deliver(&mut meter).await, 1);
    let latest = site.store.latest_readings().await.unwrap();
    let home = latest.iter().find(|row| row.meter == id_of(1)).unwrap();
    assert_eq!((home.seq, home.import_wh.0), (2, 1_100));
}

#[tokio::test]
async fn readings_of_one_batch_after_another_share_one_slack() {
    let site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    // At 5 kW a minute carries 104 Wh, and the one slack 1,562 Wh.
    for (seconds, export_wh) in [(-180, 0), (-120, 1_600), (-60, 1_600)] {
        read(&mut meter, seconds, 0, export_wh);
        assert_eq!(wire.deliver(&mut meter).await, 1);
    }
    assert_eq!(site.quarantined().await, ["reading.implausible"]);
    let latest = site.store.latest_readings().await.unwrap();
    assert_eq!((latest[0].seq, latest[0].export_wh.0), (2, 1_600));
}

#[tokio::test]
async fn a_number_that_was_skipped_cannot_be_filled_in_later() {
    let site = Site::with(vec![record(1), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let at = |seq: u64| {
        signed(1, move |r| {
            (r.seq, r.time_us) =
                (seq, START.plus_seconds(i64::try_from(seq).unwrap() - 10).0.cast_unsigned());
        })
    };
    wire.publish(at(1)).await;
    wire.ack().await;
    wire.publish(at(3)).await;
    let ack = opened(&wire.ack().await);
    assert_eq!((ack.first_seq, ack.seq), (3, 3), "2 was never heard, so it is not acknowledged");
    site.deal_with(&mut wire, at(2)).await;
    assert_eq!(site.quarantined().await, ["reading.old_seq"]);
}

#[tokio::test]
async fn a_stranger_fills_the_quarantine_once_and_is_heard_when_enrolled() {
    let site = Site::with(vec![record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 0);
    for _ in 0..3 {
        site.deal_with(&mut wire, meter.message().unwrap()).await;
    }
    assert_eq!(site.quarantined().await, ["reading.unknown_meter"]);
    assert!(wire.acks.is_empty());

    enrol(&*site.store, [record(1)]).await;
    assert_eq!(wire.deliver(&mut meter).await, 1);
}

#[tokio::test]
async fn one_bad_reading_does_not_spoil_its_message() {
    let site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    for slot in 0..60 {
        read(&mut meter, (slot - 60) * support::SLOT_S, 10, 0);
    }
    let mut message = meter.message().unwrap();
    let last = message.len() - 1;
    message[last] ^= 1;
    wire.publish(message).await;
    let ack = opened(&wire.ack().await);
    assert_eq!((ack.first_seq, ack.seq), (1, 59));
    assert_eq!(site.quarantined().await, ["reading.bad_signature"]);
}

#[tokio::test]
async fn a_restarted_gateway_remembers_what_was_said() {
    let mut site = Site::with(vec![record(1), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, -900, 1_000, 0);
    wire.deliver(&mut meter).await;
    site.stop_gateway().await;
    site.start_gateway().await;
    let falling = signed(1, |r| (r.seq, r.registers.import_wh) = (2, 999));
    site.deal_with(&mut wire, falling).await;
    assert_eq!(site.quarantined().await, ["reading.falling_register"]);
    assert!(site.clock.now() == START && site.folder.path().exists());
}

#[tokio::test]
async fn an_address_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    for url in ["127.0.0.1:1883", "http://127.0.0.1", "mqtt://", ""] {
        let config = GatewayConfig {
            url: url.into(),
            client_id: "gateway".into(),
            username: "gateway".into(),
            password: PASSWORD.into(),
            shared_group: None,
        };
        let clock = ServiceClock::advanced_from(START);
        let made =
            Gateway::new(config, store.clone(), gateway_key(), clock, Events::new(1), Counters::default())
                .await;
        let error = made.map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("gateway.bad_url"), "{error}");
    }
}

/// Orders a command as settlement does: kept, then announced.
async fn order(site: &Site, number: u64, position: RelayPosition) {
    let household = HouseholdId(1);
    let before = site.store.relay(household).await.unwrap();
    let record = RelayRecord {
        household,
        number,
        position,
        not_after: (position == RelayPosition::Open).then(|| START.plus_seconds(600)),
        ordered_at: START,
        obeyed_at: None,
        version: before.map_or(0, |before| before.version),
    };
    site.store.commit(vec![Change::Relay(record)]).await.unwrap();
    site.events.publish(Changed::Relay(household));
}

fn obey(meter: &mut HomeMeter, command: &[u8]) -> Obeyed {
    meter.command(command, START.0.cast_unsigned(), TimeQuality::Synchronised).unwrap()
}

#[tokio::test]
async fn a_command_goes_out_at_once_and_again_until_a_reading_says_that_it_was_obeyed() {
    let site = Site::with(vec![record(1)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    order(&site, 1, RelayPosition::Open).await;
    let lost = wire.command().await;
    read(&mut meter, 0, 10, 0);
    // The reading knows of no command: it is told again, before the acknowledgement.
    assert_eq!(wire.deliver(&mut meter).await, 1);
    let again = wire.command().await;
    assert_eq!(again, lost);
    assert_eq!(obey(&mut meter, &again), Obeyed::Done);
    assert_eq!(obey(&mut meter, &lost), Obeyed::Before);
    assert_eq!(meter.state().relay, Relay::Open);
    assert_eq!(site.store.relay(HouseholdId(1)).await.unwrap().unwrap().obeyed_at, None);

    let mut announced = site.events.subscribe();
    read(&mut meter, 1, 0, 0);
    assert_eq!(wire.deliver(&mut meter).await, 1);
    let obeyed = site.store.relay(HouseholdId(1)).await.unwrap().unwrap();
    assert_eq!(obeyed.obeyed_at, Some(START.plus_seconds(1)));
    let mut heard = Vec::new();
    while let Ok(event) = announced.try_recv() {
        heard.push(event);
    }
    assert!(heard.contains(&Changed::Relay(HouseholdId(1))), "{heard:?}");

    // Nothing more is said of it.
    read(&mut meter, 2, 0, 0);
    wire.deliver(&mut meter).await;
    assert_eq!(wire.commands, Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn a_meter_that_was_off_hears_the_last_command_when_it_comes_back_and_no_void_one() {
    let mut site = Site::with(vec![record(1)]).await;
    order(&site, 1, RelayPosition::Open).await;
    site.clock.advance_to(START.plus_seconds(600));
    // Its time is over, whoever starts when.
    site.stop_gateway().await;
    site.start_gateway().await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 0);
    wire.deliver(&mut meter).await;
    assert_eq!(wire.commands, Vec::<Vec<u8>>::new());

    order(&site, 2, RelayPosition::Closed).await;
    let close = wire.command().await;
    assert_eq!(obey(&mut meter, &close), Obeyed::Done);
    read(&mut meter, 1, 0, 0);
    wire.deliver(&mut meter).await;
    let relay = site.store.relay(HouseholdId(1)).await.unwrap().unwrap();
    assert_eq!((relay.number, relay.obeyed_at), (2, Some(START.plus_seconds(1))));
}

#[tokio::test]
async fn registers_that_go_on_in_a_new_epoch_begin_a_span_and_count_on() {
    let site = Site::with(vec![record(1), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let at = |epoch: u32, seq: u64, seconds: i64, wh: u64| {
        signed(1, move |r| {
            (r.epoch, r.seq, r.time_us) = (epoch, seq, START.plus_seconds(seconds).0.cast_unsigned());
            r.registers = Registers { import_wh: wh, export_wh: wh, generation_wh: wh };
        })
    };
    site.deal_with(&mut wire, at(1, 5, -1_800, 500)).await;
    site.deal_with(&mut wire, at(2, 1, -900, 510)).await;
    site.deal_with(&mut wire, at(2, 2, -60, 520)).await;
    assert_eq!(site.quarantined().await, Vec::<String>::new());
    let spans = site.store.spans().await.unwrap();
    let told: Vec<_> = spans.iter().map(|span| (span.number, span.epoch, span.reason)).collect();
    assert_eq!(told, [(0, 1, SpanReason::Enrolled), (1, 2, SpanReason::ResetProven)]);
    assert_eq!(spans[1].offsets.import_wh, 0);
    assert_eq!(site.store.household(HouseholdId(1)).await.unwrap().unwrap().meter_epoch, 2);
    let remarks = site.store.meter_events(Some(id_of(1)), 9).await.unwrap();
    let codes: Vec<&str> = remarks.iter().map(|row| row.code.as_str()).collect();
    assert!(codes.contains(&"reading.new_epoch"), "{codes:?}");
    // At zero, without the proof of what was: a person decides, and the meter keeps it.
    site.deal_with(&mut wire, at(3, 1, -30, 3)).await;
    assert_eq!(site.quarantined().await, ["reading.unknown_epoch"]);
}

#[tokio::test]
async fn a_meter_that_another_process_has_replaced_keeps_what_would_not_count() {
    let site = Site::with(vec![record(1), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let mut meter = meter_of(1);
    read(&mut meter, 0, 10, 20);
    assert_eq!(wire.deliver(&mut meter).await, 1);
    // No word of it comes here: it is only in the store.
    let home = site.store.household(HouseholdId(1)).await.unwrap().unwrap();
    let home = HouseholdRecord { meter: Some(id_of(9)), meter_key: key_of(9).public_key(), ..home };
    site.store.commit(vec![Change::Household(home)]).await.unwrap();
    read(&mut meter, 60, 10, 20);
    site.deal_with(&mut wire, meter.message().unwrap()).await;
    assert_eq!(site.quarantined().await, ["reading.unknown_meter"]);
    assert_eq!(site.store.reading(id_of(1), 1, 2).await.unwrap(), None);
    assert!(wire.acks.is_empty() && !meter.queue().is_empty(), "it is not told that it counted");
    // The one in its place counts at once.
    let (mut wire, mut meter) = (Wire::of(&site, id_of(9)).await, meter_of(9));
    read(&mut meter, 60, 1, 2);
    assert_eq!(wire.deliver(&mut meter).await, 1);
    assert_eq!(site.store.reading(id_of(9), 1, 1).await.unwrap().unwrap().household, HouseholdId(1));
}

#[tokio::test]
async fn two_meters_with_one_key_are_held_and_both_readings_kept() {
    let site = Site::with(vec![record(1), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    let says = |wh: u64| signed(1, move |r| r.registers.import_wh = wh);
    site.deal_with(&mut wire, says(10)).await;
    assert_eq!(site.store.meter(id_of(1)).await.unwrap(), None);
    site.deal_with(&mut wire, says(11)).await;
    assert_eq!(site.quarantined().await, ["reading.equivocation"]);
    let held = site.store.meter(id_of(1)).await.unwrap().unwrap();
    assert_eq!(held.held.as_deref(), Some("reading.equivocation"));
    let kept = site.store.quarantine(1).await.unwrap();
    assert_eq!(kept[0].1.bytes, says(11)[1..]);
    assert_eq!(site.store.reading(id_of(1), 1, 1).await.unwrap().unwrap().bytes, says(10)[1..]);
    // Once is enough.
    site.deal_with(&mut wire, says(12)).await;
    assert_eq!(site.store.meter(id_of(1)).await.unwrap().unwrap().version, held.version);
}

#[tokio::test]
async fn a_meter_that_floods_fills_its_own_places_and_never_anothers() {
    let site = Site::with(vec![record(1), record(2)]).await;
    let (mut flooding, mut honest) = (Wire::of(&site, id_of(1)).await, Wire::of(&site, id_of(2)).await);
    // Nothing is taken on while the disk is gone, so everything waits.
    site.store.broken.store(true, Ordering::SeqCst);
    flooding.publish(signed(1, |_| {})).await;
    let mut failures = site.store.failures.subscribe();
    tokio::time::timeout(PATIENCE, failures.wait_for(|count| *count >= 1)).await.unwrap().unwrap();
    for _ in 0..300 {
        flooding.publish(b"noise".to_vec()).await;
    }
    let refused = |code: &str| site.refused(1, code);
    let flooded = async {
        while refused("gateway.flood") < 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, flooded).await.unwrap();
    let mut meter = meter_of(2);
    read(&mut meter, 0, 10, 0);
    honest.publish(meter.message().unwrap()).await;
    site.store.broken.store(false, Ordering::SeqCst);
    assert_eq!(meter.acknowledge(&honest.ack().await), Ok(1));
    // What was taken of the flood has its reason, each time, and is kept once.
    let named = async {
        while refused("reading.malformed") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, named).await.unwrap();
    assert_eq!(site.quarantined().await, ["reading.malformed"]);
    assert!(site.counters.refusals().iter().all(|count| count.meter != Some(id_of(2).to_string())));
}

#[tokio::test]
async fn what_a_meter_invents_is_counted_each_time_and_kept_up_to_its_share_of_a_day() {
    let site = Site::with(vec![record(1), record(99)]).await;
    let mut wire = Wire::of(&site, id_of(1)).await;
    site.deal_with(&mut wire, signed(1, |r| r.registers.import_wh = 10)).await;
    for number in 0..240_u32 {
        let noise = format!("noise {number}").into_bytes();
        // Now and then all of it is dealt with, or the gateway would not take it.
        if number % 40 == 39 {
            site.deal_with(&mut wire, noise).await;
        } else {
            wire.publish(noise).await;
        }
    }
    assert_eq!(site.refused(1, "reading.malformed"), 240);
    let kept = |codes: Vec<String>| codes.iter().filter(|code| *code == "reading.malformed").count();
    assert_eq!(
        kept(site.store.quarantine(500).await.unwrap().into_iter().map(|(_, row)| row.code).collect()),
        100
    );

    // Noise does not hide the proof that two meters have one key.
    let second = signed(1, |r| r.registers.import_wh = 11);
    site.deal_with(&mut wire, second.clone()).await;
    let newest = site.store.quarantine(1).await.unwrap().remove(0).1;
    assert_eq!((newest.code.as_str(), &newest.bytes[..]), ("reading.equivocation", &second[1..]));

    site.clock.advance_to(START.plus_seconds(86_400));
    site.deal_with(&mut wire, b"the next day".to_vec()).await;
    assert_eq!(site.store.quarantine(1).await.unwrap()[0].1.bytes, b"the next day");
}

fn claimed(home: u32, state: MeterState, nonce: [u8; 32]) -> MeterRecord {
    MeterRecord {
        meter: id_of(home),
        key: key_of(home).public_key(),
        household: HouseholdId(home),
        purpose: MeterPurpose::Enrol,
        state,
        replaces: None,
        epoch: 1,
        modulus_wh: None,
        opening: Registers::default(),
        trust: "device".to_owned(),
        draft: None,
        nonce: Some(nonce),
        claimed_by: "Amina".to_owned(),
        claimed_at: START,
        challenged_at: Some(START),
        answered_at: None,
        approved_by: None,
        approved_at: None,
        reason: String::new(),
        held: None,
        request: None,
        version: 0,
    }
}

#[tokio::test]
async fn a_wrong_answer_is_counted_like_any_refusal_and_a_right_one_is_taken() {
    let nonce = [4; 32];
    let site = Site::with(vec![record(99)]).await;
    let change = Change::Meter(Box::new(claimed(1, MeterState::Challenged, nonce)));
    site.store.commit(vec![change]).await.unwrap();
    site.events.publish(Changed::Meter(id_of(1)));
    let mut wire = Wire::of(&site, id_of(1)).await;
    let answer = |nonce| ChallengeAnswer::sign(nonce, &key_of(1)).unwrap().as_slice().to_vec();
    let state = async || site.store.meter(id_of(1)).await.unwrap().unwrap().state;

    for _ in 0..5 {
        wire.publish_on("claim", b"nonsense".to_vec()).await;
        wire.publish_on("claim", answer([5; 32])).await;
    }
    wire.probe(&site).await;
    assert_eq!(site.refused(1, "meter.wrong_answer"), 5);
    assert_eq!(site.refused(1, "reading.malformed"), 5);
    let mut kept = site.quarantined().await;
    kept.sort();
    assert_eq!(kept, ["meter.wrong_answer", "reading.malformed"], "each once");
    assert_eq!(state().await, MeterState::Challenged);

    wire.publish_on("claim", answer(nonce)).await;
    wire.probe(&site).await;
    assert_eq!(state().await, MeterState::Answered);
    // From now on nobody asks, and whatever it answers says nothing.
    for number in 0..5_u8 {
        wire.publish_on("claim", vec![number]).await;
    }
    wire.publish_on("claim", answer(nonce)).await;
    wire.probe(&site).await;
    assert_eq!(site.refused(1, "reading.malformed"), 5);
    assert_eq!(site.quarantined().await.len(), 2);
    assert_eq!(state().await, MeterState::Answered);
}

#[tokio::test]
async fn a_retired_meter_is_refused_by_name_where_the_broker_lets_it_in() {
    let site = Site::with(vec![record(1), record(99)]).await;
    let change = Change::Meter(Box::new(claimed(1, MeterState::Retired, [4; 32])));
    site.store.commit(vec![change]).await.unwrap();
    site.events.publish(Changed::Meter(id_of(1)));
    let mut wire = Wire::of(&site, id_of(1)).await;
    site.deal_with(&mut wire, signed(1, |_| {})).await;
    assert_eq!(site.quarantined().await, ["reading.retired_meter"]);
    assert!(wire.acks.is_empty());
}
