//! The gateway at a broker of somebody else's: Debian's Mosquitto, with TLS, passwords,
//! certificates and access rules; and several gateways that share its meters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

#[path = "support/mosquitto.rs"]
mod broker;
mod support;

use broker::{Known, Mosquitto, authority, certificate};
use jirani_broker::{Broker, BrokerConfig, meter_password, own_client_id};
use jirani_clock::ServiceClock;
use jirani_meter::fetch::ImageName;
use jirani_meter::{Ack, PublicKey, Queue as _, Signer as _};
use jirani_oracle::{
    Counters, FirmwareServer, Gateway, GatewayConfig, GatewayTls, Images, Ordering, Told, Wanted,
    choose_cryptography,
};
use jirani_store::{Events, Store};
use jirani_store_postgres::PostgresStore;
use jirani_store_postgres::cluster::Cluster;
use jirani_store_sqlite::SqliteStore;
use jirani_units::MeterId;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use support::{HomeMeter, START, enrol, gateway_key, id_of, meter_of, read, record};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "gateway password";
const SECRET: [u8; 32] = [9; 32];
const PATIENCE: Duration = Duration::from_secs(30);
/// When a meter that hears nothing sends again.
const AGAIN: Duration = Duration::from_millis(300);

fn users(homes: u32) -> Vec<(String, String)> {
    let meters = (1..=homes).map(id_of).map(|id| (id.to_string(), meter_password(&SECRET, id)));
    std::iter::once(("gateway".to_owned(), PASSWORD.to_owned())).chain(meters).collect()
}

struct Running {
    subscribed: watch::Receiver<bool>,
    counters: Counters,
    cancel: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Running {
    async fn subscribed(&mut self) {
        let taken = self.subscribed.wait_for(|taken| *taken);
        tokio::time::timeout(PATIENCE, taken).await.expect("the broker takes the subscription").unwrap();
    }
}

async fn gateway(
    url: &str,
    name: &str,
    share: Option<&str>,
    store: Arc<dyn Store>,
    tls: Option<GatewayTls>,
) -> Running {
    let config = GatewayConfig {
        url: url.to_owned(),
        client_id: name.to_owned(),
        username: "gateway".to_owned(),
        password: PASSWORD.to_owned(),
        shared_group: share.map(str::to_owned),
    };
    let (counters, clock) =
        (Counters::default(), ServiceClock::advanced_from(START.plus_seconds(7 * 86_400)));
    let made = Gateway::new(config, store, gateway_key(), clock, Events::new(64), counters.clone()).await;
    let mut gateway = made.unwrap();
    if let Some(tls) = tls {
        gateway = gateway.with_tls(&tls).unwrap();
    }
    let (subscribed, cancel) = (gateway.subscribed(), CancellationToken::new());
    tokio::spawn(gateway.run(cancel.clone()));
    Running { subscribed, counters, cancel }
}

/// A meter's connection.
struct Wire {
    client: AsyncClient,
    events: EventLoop,
    meter: MeterId,
    /// How often it was let in.
    connections: usize,
}

impl Wire {
    async fn of(port: u16, meter: MeterId, transport: Option<Transport>) -> Self {
        Self::calling_itself(&meter.to_string(), port, meter, transport).await
    }

    /// A meter that connects under whatever client id.
    async fn calling_itself(id: &str, port: u16, meter: MeterId, transport: Option<Transport>) -> Self {
        // The certificate names this host, too.
        let mut options = MqttOptions::new(id, "localhost", port);
        options.set_credentials(meter.to_string(), meter_password(&SECRET, meter));
        if let Some(transport) = transport {
            options.set_transport(transport);
        }
        let (client, events) = AsyncClient::new(options, 64);
        let mut wire = Self { client, events, meter, connections: 0 };
        wire.client.subscribe(format!("v1/{meter}/ack"), QoS::AtMostOnce).await.unwrap();
        let taken = async { while !matches!(wire.incoming().await, Some(Packet::SubAck(_))) {} };
        tokio::time::timeout(PATIENCE, taken).await.expect("the meter is let in");
        wire
    }

    /// The next packet; `None` when the connection failed, and is made anew.
    async fn incoming(&mut self) -> Option<Packet> {
        loop {
            match self.events.poll().await {
                Ok(Event::Incoming(packet)) => {
                    self.connections += usize::from(matches!(packet, Packet::ConnAck(_)));
                    return Some(packet);
                }
                Ok(Event::Outgoing(_)) => {}
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    return None;
                }
            }
        }
    }

    async fn say(&mut self, topic: &str, payload: Vec<u8>) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
    }

    /// Sends until all that the meter keeps is acknowledged, as a meter does.
    async fn deliver(&mut self, meter: &mut HomeMeter) {
        let topic = format!("v1/{}/up", self.meter);
        let delivered = async {
            while let Some(message) = meter.message() {
                self.say(&topic, message).await;
                let heard = tokio::time::timeout(AGAIN, async {
                    loop {
                        match self.incoming().await {
                            Some(Packet::Publish(ack)) => return ack.payload,
                            None => {
                                // A broker that restarted knows of no subscription.
                                let filter = format!("v1/{}/ack", self.meter);
                                self.client.subscribe(filter, QoS::AtMostOnce).await.unwrap();
                            }
                            Some(_) => {}
                        }
                    }
                });
                if let Ok(ack) = heard.await {
                    meter.acknowledge(&ack).unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, delivered).await.expect("everything is acknowledged");
    }
}

async fn sqlite(folder: &Path, homes: u32) -> Arc<SqliteStore> {
    let store = Arc::new(SqliteStore::open(&folder.join("test.db")).await.unwrap());
    enrol(&*store, (1..=homes).map(record)).await;
    store
}

fn meter_with(home: u32, readings: i64) -> HomeMeter {
    let mut meter = meter_of(home);
    for minute in 0..readings {
        read(&mut meter, minute * 60, 7, 11);
    }
    meter
}

fn tls(folder: &Path, own: Option<&str>) -> GatewayTls {
    choose_cryptography();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let own = own.map(|name| (read(&format!("{name}.pem")), read(&format!("{name}.key"))));
    GatewayTls { authorities: read("authority.pem"), own }
}

fn transport(tls: &GatewayTls) -> Transport {
    let client_auth = tls.own.clone();
    Transport::tls_with_config(TlsConfiguration::Simple {
        ca: tls.authorities.clone(),
        alpn: None,
        client_auth,
    })
}

#[tokio::test]
async fn a_meter_cannot_speak_for_another_and_a_restart_of_the_broker_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path(), 2).await;
    let mut mosquitto = Mosquitto::start(folder.path(), Known::Password, &users(2));
    let url = format!("mqtt://127.0.0.1:{}", mosquitto.port);
    let mut running = gateway(&url, "gateway", None, store.clone(), None).await;
    running.subscribed().await;
    let (mut first, mut second) =
        (Wire::of(mosquitto.port, id_of(1), None).await, Wire::of(mosquitto.port, id_of(2), None).await);
    // What the second meter honestly signed, said by the first on the second's topic.
    let mut other = meter_with(2, 1);
    first.say(&format!("v1/{}/up", id_of(2)), other.message().unwrap()).await;
    let mut own = meter_with(1, 100);
    first.deliver(&mut own).await;
    assert_eq!(store.count_readings().await.unwrap(), (100, 0), "the broker let none of it through");
    second.deliver(&mut other).await;
    assert_eq!(store.count_readings().await.unwrap(), (101, 0));

    mosquitto.restart();
    for minute in 100..200 {
        read(&mut own, minute * 60, 7, 11);
    }
    first.deliver(&mut own).await;
    assert_eq!(store.count_readings().await.unwrap(), (201, 0));
}

#[tokio::test]
async fn no_meter_ends_the_gateway_s_connection_or_another_meter_s() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(folder.path(), 2).await;
    let mosquitto = Mosquitto::start(folder.path(), Known::Password, &users(2));
    let url = format!("mqtt://127.0.0.1:{}", mosquitto.port);
    let own = own_client_id(&SECRET, "gateway");
    let mut running = gateway(&url, &own, None, store.clone(), None).await;
    running.subscribed().await;
    running.subscribed.mark_unchanged();
    let mut honest = Wire::of(mosquitto.meters, id_of(2), None).await;
    // Where Mosquitto believes every client id, whatever can be guessed is not the gateway's.
    let guesses = [
        ("gateway".to_owned(), mosquitto.port),
        (own, mosquitto.meters),
        (id_of(2).to_string(), mosquitto.meters),
    ];
    for (guess, port) in guesses {
        Wire::calling_itself(&guess, port, id_of(1), None).await;
    }
    honest.deliver(&mut meter_with(2, 70)).await;
    assert_eq!(store.count_readings().await.unwrap(), (70, 0));
    assert!(!running.subscribed.has_changed().unwrap(), "the gateway has kept its connection");
    assert_eq!(honest.connections, 1, "and so has the meter");
}

/// A folder without images.
struct Nothing;

impl Images for Nothing {
    fn image(&self, _: ImageName) -> Option<Arc<[u8]>> {
        None
    }
}

#[tokio::test]
async fn firmware_and_orders_go_to_a_broker_of_the_named_authority_and_no_other() {
    let (folder, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    authority(folder.path());
    authority(foreign.path());
    let mosquitto = Mosquitto::start(folder.path(), Known::PasswordOverTls, &users(1));
    let url = format!("mqtts://localhost:{}", mosquitto.port);
    let (right, wrong) = (tls(folder.path(), None), tls(foreign.path(), None));
    let config = GatewayConfig {
        url: url.clone(),
        client_id: own_client_id(&SECRET, "gateway-firmware"),
        username: "gateway".to_owned(),
        password: PASSWORD.to_owned(),
        shared_group: None,
    };
    let server = FirmwareServer::new(&config, Arc::new(Nothing)).unwrap().with_tls(&right).unwrap();
    let (mut subscribed, cancel) = (server.subscribed(), CancellationToken::new());
    let _ends = cancel.clone().drop_guard();
    let serving = tokio::spawn(server.run(cancel.clone()));
    tokio::time::timeout(PATIENCE, subscribed.wait_for(|taken| *taken)).await.unwrap().unwrap();

    // A meter that says, again and again, that it reads every quarter of an hour.
    let meter = meter_with(1, 1);
    let mut wire = Wire::of(mosquitto.meters, id_of(1), Some(transport(&right))).await;
    let (topic, message) = (format!("v1/{}/up", id_of(1)), meter.message().unwrap());
    let saying = tokio::spawn(async move {
        loop {
            wire.say(&topic, message.clone()).await;
            let _ = tokio::time::timeout(AGAIN, wire.incoming()).await;
        }
    });
    let tell = async |tls: &GatewayTls, patience: Duration| {
        let ordering = Ordering {
            url: &url,
            tls: Some(tls),
            client_id: &own_client_id(&SECRET, "gateway-order"),
            password: PASSWORD,
            signer: &gateway_key(),
            meter: id_of(1),
            key: PublicKey::from_bytes(&support::key_of(1).public_key()).unwrap(),
            number: 1,
        };
        ordering.tell(Wanted::Interval(900), &|| START, patience).await.unwrap()
    };
    let told = tell(&right, PATIENCE).await;
    assert!(matches!(told, Told::Obeyed(_) | Told::Before(_)), "{told:?}");
    assert_eq!(tell(&wrong, Duration::from_secs(2)).await, Told::Silent, "no other broker is spoken to");
    saying.abort();
    cancel.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn only_a_broker_of_the_named_authority_is_believed() {
    let (folder, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    authority(folder.path());
    authority(foreign.path());
    let store = sqlite(folder.path(), 1).await;
    let mosquitto = Mosquitto::start(folder.path(), Known::PasswordOverTls, &users(1));
    let url = format!("mqtts://localhost:{}", mosquitto.port);
    let mut running = gateway(&url, "gateway", None, store.clone(), Some(tls(folder.path(), None))).await;
    running.subscribed().await;
    let mut wire = Wire::of(mosquitto.port, id_of(1), Some(transport(&tls(folder.path(), None)))).await;
    wire.deliver(&mut meter_with(1, 70)).await;
    assert_eq!(store.count_readings().await.unwrap(), (70, 0));

    // Another authority's client sees at once that this is not its broker.
    let mut options = MqttOptions::new("gateway-foreign", "localhost", mosquitto.port);
    options.set_credentials("gateway", PASSWORD).set_transport(transport(&tls(foreign.path(), None)));
    let (_client, mut events) = AsyncClient::new(options, 4);
    let error = tokio::time::timeout(PATIENCE, events.poll()).await.unwrap().unwrap_err().to_string();
    assert!(error.contains("certificate") && !error.contains('\n'), "{error}");
    let deceived = gateway(&url, "gateway-2", None, store, Some(tls(foreign.path(), None))).await;
    assert!(!*deceived.subscribed.borrow());
}

#[tokio::test]
async fn certificates_name_gateway_and_meters() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    certificate(folder.path(), "gateway", "gateway");
    certificate(folder.path(), "first", &id_of(1).to_string());
    let store = sqlite(folder.path(), 2).await;
    let mosquitto = Mosquitto::start(folder.path(), Known::Certificate, &[]);
    let url = format!("mqtts://localhost:{}", mosquitto.port);
    let mut running =
        gateway(&url, "gateway", None, store.clone(), Some(tls(folder.path(), Some("gateway")))).await;
    running.subscribed().await;
    let own = tls(folder.path(), Some("first"));
    let mut wire = Wire::of(mosquitto.port, id_of(1), Some(transport(&own))).await;
    // The certificate decides who it is, whatever its packets say.
    wire.say(&format!("v1/{}/up", id_of(2)), meter_with(2, 1).message().unwrap()).await;
    wire.deliver(&mut meter_with(1, 5)).await;
    assert_eq!(store.count_readings().await.unwrap(), (5, 0));
}

/// Two gateways over two connections to one PostgreSQL share the meters of one broker.
async fn two_gateways_count_each_reading_once(port: u16, homes: u32, cluster: &Cluster) -> [u64; 2] {
    let database = cluster.address(&cluster.database().await.unwrap()).unwrap();
    let one: Arc<PostgresStore> = Arc::new(PostgresStore::open(&database).await.unwrap());
    enrol(&*one, (1..=homes).map(record)).await;
    let two: Arc<PostgresStore> = Arc::new(PostgresStore::open(&database).await.unwrap());
    let url = format!("mqtt://127.0.0.1:{port}");
    let mut first = gateway(&url, "gateway-1", Some("site"), one.clone(), None).await;
    let mut second = gateway(&url, "gateway-2", Some("site"), two.clone(), None).await;
    first.subscribed().await;
    second.subscribed().await;
    let mut meters = Vec::new();
    for home in 1..=homes {
        meters.push(tokio::spawn(async move {
            let mut wire = Wire::of(port, id_of(home), None).await;
            let meter = meter_with(home, 450);
            // Several messages at a time, which the broker deals out to both gateways: a later
            // one must not make an earlier one old.
            let mut kept = Vec::new();
            meter
                .queue()
                .visit_oldest(usize::MAX, &mut |reading| kept.push(reading.bytes.as_slice().to_vec()));
            for chunk in kept.chunks(20) {
                let mut message = vec![0x80 | u8::try_from(chunk.len()).unwrap()];
                message.extend(chunk.concat());
                wire.say(&format!("v1/{}/up", id_of(home)), message).await;
            }
            let gateway = PublicKey::from_bytes(&gateway_key().public_key()).unwrap();
            let mut heard = BTreeSet::new();
            let all = async {
                while heard.len() < 450 {
                    if let Some(Packet::Publish(ack)) = wire.incoming().await {
                        let word = Ack::open(&ack.payload, &gateway).unwrap();
                        heard.extend(word.first_seq..=word.seq);
                    }
                }
            };
            let all = tokio::time::timeout(PATIENCE, all).await;
            assert!(all.is_ok(), "home {home} heard of {} readings", heard.len());
        }));
    }
    for meter in meters {
        meter.await.unwrap();
    }
    assert_eq!(one.count_readings().await.unwrap(), (u64::from(homes) * 450, 0), "each once, none refused");
    let stored = [first.counters.totals().readings_stored, second.counters.totals().readings_stored];
    assert_eq!(stored.iter().sum::<u64>(), u64::from(homes) * 450, "counted by one of them each");
    drop((first, second));
    one.close().await;
    two.close().await;
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_share_mosquittos_meters_count_each_reading_once() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&std::env::temp_dir(), &[]).unwrap();
    let mosquitto = Mosquitto::start(folder.path(), Known::Password, &users(6));
    let stored = two_gateways_count_each_reading_once(mosquitto.port, 6, &cluster).await;
    assert!(stored.iter().all(|count| *count > 0), "both have worked: {stored:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_share_the_embedded_brokers_meters_count_each_reading_once() {
    let cluster = Cluster::start(&std::env::temp_dir(), &[]).unwrap();
    let config = BrokerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        gateway_password: PASSWORD.into(),
        meter_secret: SECRET,
    };
    let embedded = Broker::start(config).await.unwrap();
    let stored = two_gateways_count_each_reading_once(embedded.addr().port(), 6, &cluster).await;
    assert!(stored.iter().all(|count| *count > 0), "both have worked: {stored:?}");
    embedded.stop().await;
}
