//! Gateway and broker are killed again and again, mid-flight, while meters go on: what was
//! acknowledged to a meter is in the store, once, byte for byte (R1).
//!
//! The short form runs with the tests; the full one, of two hundred rounds, is
//! `cargo test --release -p jirani-oracle --test killed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_broker::meter_password;
use jirani_meter::{Ack, PublicKey, Queue as _, Signer as _};
use jirani_store::Store as _;
use jirani_store_sqlite::SqliteStore;
use jirani_units::MeterId;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{HomeMeter, ROOM, enrol, gateway_key, id_of, meter_of, read, record};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const METERS: u32 = 6;
/// Readings that each round adds to each meter.
const NEW: u64 = 400;
const SECRET: [u8; 32] = [9; 32];
/// When a meter that hears nothing sends again.
const AGAIN: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_mins(1);

/// A meter, everything it ever signed, and what it was told is durable.
struct Home {
    meter: HomeMeter,
    read: u64,
    signed: BTreeMap<u64, Vec<u8>>,
    told: BTreeSet<u64>,
}

impl Home {
    fn new(home: u32) -> Self {
        Self { meter: meter_of(home), read: 0, signed: BTreeMap::new(), told: BTreeSet::new() }
    }

    /// Reads until `many` have been signed, as far as the queue has room without forgetting any.
    fn read_until(&mut self, many: u64) {
        while self.read < many && self.meter.queue().len() < ROOM {
            read(&mut self.meter, i64::try_from(self.read).unwrap() * 10, 7, 11);
            self.read += 1;
        }
        let signed = &mut self.signed;
        self.meter.queue().visit_oldest(usize::MAX, &mut |reading| {
            let bytes = reading.bytes.as_slice().to_vec();
            let before = signed.insert(reading.seq, bytes.clone());
            assert!(before.is_none_or(|before| before == bytes), "a reading in flash never changes");
        });
    }

    fn hear(&mut self, bytes: &[u8]) {
        let gateway = PublicKey::from_bytes(&gateway_key().public_key()).unwrap();
        let ack = Ack::open(bytes, &gateway).expect("only the gateway acknowledges");
        self.meter.acknowledge(bytes).unwrap();
        self.told.extend(ack.first_seq..=ack.seq);
    }
}

/// A meter's life: connected or not, it reads, sends, and sends again.
async fn live(home: u32, port: u16, state: Arc<Mutex<Home>>, target: watch::Receiver<u64>) {
    let id = id_of(home);
    let mut options = MqttOptions::new(id.to_string(), "127.0.0.1", port);
    options
        .set_credentials(id.to_string(), meter_password(&SECRET, id))
        .set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 64);
    let mut online = false;
    let mut again = tokio::time::interval(AGAIN);
    let send = || {
        let mut state = state.lock().unwrap();
        let many = *target.borrow();
        state.read_until(many);
        if let Some(message) = state.meter.message() {
            // A full queue of requests is a connection that does not move: sent again later.
            let _ = client.try_publish(format!("v1/{id}/up"), QoS::AtLeastOnce, false, message);
        }
    };
    loop {
        tokio::select! {
            event = events.poll() => match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    let _ = client.try_subscribe(format!("v1/{id}/ack"), QoS::AtMostOnce);
                }
                Ok(Event::Incoming(Packet::SubAck(_))) => {
                    online = true;
                    send();
                }
                Ok(Event::Incoming(Packet::Publish(ack))) => {
                    state.lock().unwrap().hear(&ack.payload);
                    send();
                }
                Ok(_) => {}
                Err(_) => {
                    online = false;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            _ = again.tick() => if online { send() },
        }
    }
}

/// The processes that are killed.
struct Site {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Site {
    fn start(&self, arguments: &[&str]) -> Child {
        Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()))
    }

    fn broker(&self) -> Child {
        let mut child = self.start(&["broker", &self.port.to_string()]);
        ready(&mut child);
        child
    }

    fn gateway(&self) -> Child {
        self.start(&["gateway", &self.port.to_string(), self.folder.to_str().unwrap()])
    }
}

fn ready(child: &mut Child) {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready", "the process serves");
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Everything that any meter was told is durable is there, as it was signed; gives how
/// much that is.
async fn nothing_told_is_missing(folder: &Path, homes: &[Arc<Mutex<Home>>], since: &mut [u64]) -> usize {
    let store = SqliteStore::open(&folder.join("site.db")).await.unwrap();
    let mut told = 0;
    for (place, home) in homes.iter().enumerate() {
        let (meter, fresh, all) = {
            let home = home.lock().unwrap();
            let fresh: Vec<(u64, Vec<u8>)> =
                home.told.range(since[place] + 1..).map(|seq| (*seq, home.signed[seq].clone())).collect();
            (MeterId(home.meter.name()), fresh, home.told.len())
        };
        for (seq, bytes) in fresh {
            let row = store.reading(meter, 1, seq).await.unwrap();
            let row = row.unwrap_or_else(|| panic!("{meter} seq {seq} was acknowledged and is lost"));
            assert_eq!(row.bytes, bytes, "{meter} seq {seq} is stored as it was signed");
            // Acknowledgements may overtake each other: only a gapless beginning is passed by.
            since[place] += u64::from(seq == since[place] + 1);
        }
        told += all;
    }
    store.close().await;
    told
}

/// A small generator: the same rounds every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

async fn rounds(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("site.db")).await.unwrap();
    enrol(&store, (1..=METERS).map(record)).await;
    store.close().await;
    drop(store);
    // Tests stand in deps/, examples beside it.
    let here = std::env::current_exe().unwrap();
    let program = here.parent().unwrap().parent().unwrap().join("examples/killed_site");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let site = Site { program, folder: folder.path().to_owned(), port };

    let homes: Vec<_> = (1..=METERS).map(|home| Arc::new(Mutex::new(Home::new(home)))).collect();
    let (target, heard) = watch::channel(0);
    let meters = tokio_util::task::TaskTracker::new();
    let stop = CancellationToken::new();
    for (home, state) in (1..).zip(&homes) {
        let life = live(home, port, state.clone(), heard.clone());
        meters.spawn(stop.clone().run_until_cancelled_owned(life));
    }
    meters.close();

    let mut dice = Dice(20_261_123);
    let mut since = vec![0; homes.len()];
    let mut broker = site.broker();
    let (mut of_gateway, mut of_broker, mut told) = (0, 0, 0);
    for round in 1..=count {
        target.send_replace(round * NEW);
        let mut gateway = site.gateway();
        // Now and then it is killed while it starts.
        if dice.below(5) > 0 {
            ready(&mut gateway);
        }
        tokio::time::sleep(Duration::from_millis(dice.below(100))).await;
        if dice.below(3) == 0 {
            kill(&mut broker);
            of_broker += 1;
            // The gateway outlives the broker by a moment, or finds its successor.
            if dice.below(2) == 0 {
                broker = site.broker();
                tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
                kill(&mut gateway);
            } else {
                kill(&mut gateway);
                broker = site.broker();
            }
        } else {
            kill(&mut gateway);
        }
        of_gateway += 1;
        told = nothing_told_is_missing(folder.path(), &homes, &mut since).await;
    }
    assert!(told > 0, "the rounds were long enough for acknowledgements");

    // Left alone, everything arrives.
    let mut gateway = site.gateway();
    ready(&mut gateway);
    let all = count * NEW;
    let arrived = async {
        while !homes.iter().all(|home| {
            let home = home.lock().unwrap();
            home.signed.len() as u64 == all && home.meter.queue().is_empty()
        }) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, arrived).await.is_err() {
        let left = homes.iter().map(|home| {
            let home = home.lock().unwrap();
            (home.signed.len(), home.meter.queue().len(), home.told.last().copied())
        });
        panic!("not all is acknowledged in the end: {:?}", left.collect::<Vec<_>>());
    }
    stop.cancel();
    meters.wait().await;
    kill(&mut gateway);
    kill(&mut broker);
    since.fill(0);
    let told_in_all = nothing_told_is_missing(folder.path(), &homes, &mut since).await;
    let expected = all * u64::from(METERS);
    assert_eq!(told_in_all as u64, expected);
    let store = SqliteStore::open(&folder.path().join("site.db")).await.unwrap();
    assert_eq!(store.count_readings().await.unwrap(), (expected, 0), "each once, and none refused");
    store.close().await;
    eprintln!(
        "{count} rounds: gateway killed {of_gateway} times, broker {of_broker}; {told} of {expected} readings \
         were acknowledged amid the kills; lost: 0"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_twelve_kills() {
    rounds(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two hundred rounds take a minute"]
async fn what_was_acknowledged_outlives_two_hundred_kills() {
    rounds(200).await;
}
