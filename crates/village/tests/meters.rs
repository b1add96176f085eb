//! Meters of a village against a real broker: every slot is read once, whatever is
//! killed, and a village that starts again goes on where it was.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare what it needs has failed")]

use jirani_broker::{Broker, BrokerConfig, RunningBroker, meter_password};
use jirani_clock::{ServiceClock, StoredClock};
use jirani_forecast::Place;
use jirani_meter::{
    Ack, Action, Command, Ed25519Signer, PublicKey, Reading, Registers, Signer as _, message,
};
use jirani_units::{Clock as _, Timestamp};
use jirani_village::{BuiltInRequest, Source, Village, VillageConfig, drive, registry};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const METER_SECRET: [u8; 32] = [3; 32];
type Heard = BTreeMap<([u8; 16], u64), (Timestamp, Registers)>;

type Orders = BTreeMap<([u8; 16], u64), Command>;

/// A gateway that keeps what it hears, and acknowledges it until told to stop.
struct Gateway {
    heard: Arc<Mutex<Heard>>,
    deaf_after: watch::Sender<usize>,
    count: watch::Receiver<usize>,
    /// Commands, and before the acknowledgement of which reading of their meter.
    orders: Arc<Mutex<Orders>>,
}

fn gateway_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[9; 32])
}

async fn broker() -> RunningBroker {
    let listen = ([127, 0, 0, 1], 0).into();
    let config = BrokerConfig { listen, gateway_password: "open".to_owned(), meter_secret: METER_SECRET };
    Broker::start(config).await.unwrap()
}

async fn gateway(broker: &RunningBroker) -> Gateway {
    let mut options = MqttOptions::new("gateway", "127.0.0.1", broker.addr().port());
    options.set_credentials("gateway", "open").set_max_packet_size(65_536, 65_536);
    let (client, mut events) = AsyncClient::new(options, 1_024);
    client.subscribe("v1/+/up", QoS::AtLeastOnce).await.unwrap();
    let heard = Arc::new(Mutex::new(Heard::new()));
    let (deaf_after, limit) = watch::channel(usize::MAX);
    let (counted, count) = watch::channel(0);
    let (ready, mut is_ready) = watch::channel(false);
    let kept = heard.clone();
    let orders = Arc::new(Mutex::new(BTreeMap::new()));
    let ordered = orders.clone();
    tokio::spawn(async move {
        while let Ok(event) = events.poll().await {
            if matches!(event, Event::Incoming(Packet::SubAck(_))) {
                ready.send_replace(true);
            }
            let Event::Incoming(Packet::Publish(publish)) = event else { continue };
            for signed in message::split(&publish.payload).unwrap() {
                let reading = Reading::decode_payload(signed.unwrap().payload).unwrap();
                let time = Timestamp(i64::try_from(reading.time_us).unwrap());
                let known = {
                    let mut heard = kept.lock().unwrap();
                    let new = (time, reading.registers);
                    let known = *heard.entry((reading.meter, reading.seq)).or_insert(new);
                    assert_eq!(known, new, "one number, one reading");
                    heard.len()
                };
                counted.send_replace(known);
                if known <= *limit.borrow() {
                    let (meter, epoch, seq) = (reading.meter, reading.epoch, reading.seq);
                    let order: Option<Command> = ordered.lock().unwrap().get(&(meter, seq)).copied();
                    if let Some(order) = order {
                        let topic = format!("v1/{}/cmd", jirani_units::MeterId(meter));
                        let signed = order.sign(&gateway_key()).unwrap();
                        client.try_publish(topic, QoS::AtLeastOnce, false, signed.as_slice()).unwrap();
                    }
                    let ack = Ack { meter, epoch, first_seq: seq, seq }.sign(&gateway_key()).unwrap();
                    let topic = format!("v1/{}/ack", jirani_units::MeterId(meter));
                    client.try_publish(topic, QoS::AtLeastOnce, false, ack.as_slice()).unwrap();
                }
            }
        }
    });
    is_ready.wait_for(|ready| *ready).await.unwrap();
    Gateway { heard, deaf_after, count, orders }
}

fn source(days: u32) -> Source {
    Source::built_in(&BuiltInRequest {
        households: 3,
        seed: 5,
        place: Place::KITONYONI,
        slot_length_s: 900,
        start: BuiltInRequest::FIRST_DAY,
        days: Some(days),
    })
}

fn village(broker: &RunningBroker, folder: Option<&Path>, clock: &ServiceClock) -> Village {
    village_of(1, broker, folder, clock)
}

fn village_of(days: u32, broker: &RunningBroker, folder: Option<&Path>, clock: &ServiceClock) -> Village {
    let config = VillageConfig {
        seed: 5,
        data_dir: folder.map(Path::to_owned),
        mqtt_url: format!("mqtt://{}", broker.addr()),
        meter_password: Box::new(|meter| meter_password(&METER_SECRET, meter)),
        gateway_key: gateway_key().public_key(),
        api_url: "http://127.0.0.1:1".to_owned(),
        grace_s: 60,
        trading: false,
        rules_permille: 0,
        eagerness: 1,
        phones_url: None,
    };
    Village::new(config, source(days), clock.clone()).unwrap()
}

/// Every meter read at each slot's end, numbers without a
/// hole, and no register ever fell.
fn check(heard: &Heard) {
    let mut meters: BTreeMap<[u8; 16], Vec<(u64, Timestamp, Registers)>> = BTreeMap::new();
    for ((meter, seq), (time, registers)) in heard {
        meters.entry(*meter).or_default().push((*seq, *time, *registers));
    }
    let enrolled = registry(&source(1), 5, 0, BuiltInRequest::FIRST_DAY);
    assert_eq!(meters.len(), enrolled.iter().filter(|record| record.meter.is_some()).count());
    let (mut exported, mut imported) = (0, 0);
    for readings in meters.values() {
        assert_eq!(readings.len(), 96);
        for (place, (seq, time, _)) in (0i64..).zip(readings) {
            assert_eq!(i64::try_from(*seq).unwrap(), place + 1);
            assert_eq!(*time, BuiltInRequest::FIRST_DAY.plus_seconds((place + 1) * 900));
        }
        for pair in readings.windows(2) {
            let (a, b) = (pair[0].2, pair[1].2);
            assert!(
                a.import_wh <= b.import_wh
                    && a.export_wh <= b.export_wh
                    && a.generation_wh <= b.generation_wh
            );
        }
        exported += readings[95].2.export_wh;
        imported += readings[95].2.import_wh;
    }
    assert!(exported > 1_000 && exported >= imported, "what is pushed is drawn or lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_read_slot_by_slot_and_ends_by_itself() {
    let broker = broker().await;
    let gateway = gateway(&broker).await;
    let clock = ServiceClock::advanced_from(BuiltInRequest::FIRST_DAY);
    let village = village(&broker, None, &clock);
    let progress = village.progress();
    let running = tokio::spawn(village.run(CancellationToken::new()));
    let mut slots = 0;
    drive(&clock, None, progress, || async { true }, |progress| slots = progress.slots_done).await.unwrap();
    let report = running.await.unwrap().unwrap();
    assert_eq!((slots, report.readings_sent), (96, 96 * 5));
    check(&gateway.heard.lock().unwrap());
    assert_eq!(clock.now(), BuiltInRequest::FIRST_DAY.plus_seconds(86_400));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_whose_relay_is_open_draws_nothing_and_pushes_nothing() {
    let broker = broker().await;
    let gateway = gateway(&broker).await;
    let enrolled = registry(&source(1), 5, 0, BuiltInRequest::FIRST_DAY);
    let meter = enrolled[0].meter.unwrap().0;
    let not_after_us = BuiltInRequest::FIRST_DAY.plus_seconds(86_400).0.cast_unsigned();
    gateway.orders.lock().unwrap().extend([
        ((meter, 20), Command { meter, number: 1, action: Action::OpenRelay { not_after_us } }),
        ((meter, 60), Command { meter, number: 2, action: Action::CloseRelay }),
    ]);
    let clock = ServiceClock::advanced_from(BuiltInRequest::FIRST_DAY);
    let village = village(&broker, None, &clock);
    let progress = village.progress();
    let running = tokio::spawn(village.run(CancellationToken::new()));
    drive(&clock, None, progress, || async { true }, |_| ()).await.unwrap();
    running.await.unwrap().unwrap();
    let heard = gateway.heard.lock().unwrap().clone();
    check(&heard);
    let at = |seq| {
        let (_, registers) = heard[&(meter, seq)];
        (registers.import_wh, registers.export_wh)
    };
    assert_eq!(at(20), at(60), "ten hours from the command to open to the one to close");
    assert_ne!(at(1), at(20));
    assert_ne!(at(60), at(96));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meter_that_was_cut_off_for_days_catches_up_without_a_slot_missing() {
    let broker = broker().await;
    let gateway = gateway(&broker).await;
    let clock = ServiceClock::advanced_from(BuiltInRequest::FIRST_DAY);
    let (days, silent) = (5, 20..400);
    let village = village_of(days, &broker, None, &clock).with_cut_off(0, silent.clone());
    let enrolled = registry(&source(days), 5, 0, BuiltInRequest::FIRST_DAY);
    let (meter, other) = (enrolled[0].meter.unwrap().0, enrolled[1].meter.unwrap().0);
    let progress = village.progress();
    let running = tokio::spawn(village.run(CancellationToken::new()));
    let heard = gateway.heard.clone();
    let count = |of: [u8; 16]| heard.lock().unwrap().keys().filter(|(meter, _)| *meter == of).count();
    let mut while_silent = (0, 0);
    drive(
        &clock,
        None,
        progress,
        || async { true },
        |progress| {
            if progress.slots_done == silent.end {
                while_silent = (count(meter), count(other));
            }
        },
    )
    .await
    .unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(while_silent, (20, 400), "it said nothing for almost four days");
    let heard = gateway.heard.lock().unwrap().clone();
    let seqs: Vec<_> = heard.keys().filter(|(of, _)| *of == meter).map(|(_, seq)| *seq).collect();
    assert_eq!(seqs, (1..=480).collect::<Vec<_>>());
    let (time, _) = heard[&(meter, 200)];
    assert_eq!(time, BuiltInRequest::FIRST_DAY.plus_seconds(200 * 900), "each at its own slot's end");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_slot_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker().await;
    let mut gateway = gateway(&broker).await;
    let mut start = BuiltInRequest::FIRST_DAY;
    // The gateway falls silent in the middle of a slot's readings; then the village is killed.
    for silent_after in [7, 123, 124, 301] {
        gateway.deaf_after.send_replace(silent_after);
        let stored = StoredClock::open(&folder.path().join("clock"), start).unwrap();
        let clock = ServiceClock::advanced_from(stored.start());
        let village = village(&broker, Some(folder.path()), &clock);
        let progress = village.progress();
        let running = tokio::spawn(village.run(CancellationToken::new()));
        let driver = tokio::spawn({
            let clock = clock.clone();
            async move { drive(&clock, Some(stored), progress, || async { true }, |_| ()).await }
        });
        gateway.count.wait_for(|count| *count > silent_after).await.unwrap();
        running.abort();
        driver.abort();
        let _ = (running.await, driver.await);
        start = clock.now();
    }
    gateway.deaf_after.send_replace(usize::MAX);
    let stored = StoredClock::open(&folder.path().join("clock"), start).unwrap();
    let clock = ServiceClock::advanced_from(stored.start());
    assert_eq!(Village::stored_start(folder.path()).unwrap(), Some(BuiltInRequest::FIRST_DAY));
    let village = village(&broker, Some(folder.path()), &clock);
    let progress = village.progress();
    let running = tokio::spawn(village.run(CancellationToken::new()));
    drive(&clock, Some(stored), progress, || async { true }, |_| ()).await.unwrap();
    assert_eq!(running.await.unwrap().unwrap().slots_missed, 0);
    check(&gateway.heard.lock().unwrap());
    broker.stop().await;
}

#[tokio::test]
async fn another_village_s_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker().await;
    let clock = ServiceClock::advanced_from(BuiltInRequest::FIRST_DAY);
    let cancel = CancellationToken::new();
    cancel.cancel();
    village(&broker, Some(folder.path()), &clock).run(cancel).await.unwrap();
    let config = VillageConfig {
        seed: 6,
        data_dir: Some(folder.path().to_owned()),
        mqtt_url: "mqtt://127.0.0.1:1".to_owned(),
        meter_password: Box::new(|_| String::new()),
        gateway_key: PublicKey::from_bytes(&gateway_key().public_key()).unwrap().to_bytes(),
        api_url: String::new(),
        grace_s: 60,
        trading: false,
        rules_permille: 0,
        eagerness: 1,
        phones_url: None,
    };
    let error = Village::new(config, source(1), clock).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("village.another") && error.contains("seed 5"), "{error}");
    broker.stop().await;
}
