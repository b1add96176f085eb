//! A meter's life on the real binary: claimed by its QR code, challenged over MQTT,
//! approved by another operator, attested on chain; replaced by one that counts from zero,
//! retired, and held when it says two things.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use jirani_meter::{
    Ed25519Signer, HeapQueue, Heard, Meter, MeterState, PublicKey, Registers, Sample, Signer as _,
    TimeQuality,
};
use jirani_store::Store as _;
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, Timestamp};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};
use support::{PATIENCE, Running, binary};

type HostMeter = Meter<Ed25519Signer, HeapQueue>;

fn key(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |all, byte| all + &format!("{byte:02x}"))
}

fn bytes32(text: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

/// `jirani meter ... --json` as an operator; its exit code, and its answer or complaint.
fn desk(running: &Running, operator: &str, arguments: &[&str]) -> Result<Value, String> {
    let output = binary()
        .arg("meter")
        .args(arguments)
        .args(["--node", &running.dashboard, "--as", operator, "--json"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(serde_json::from_str(&told).unwrap());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Approves or rejects what the operator reads in the list.
fn decide(running: &Running, operator: &str, verb: &str, name: &str) -> Result<Value, String> {
    let read = desk(running, operator, &["list"]).unwrap();
    let revision = state_of(read.as_array().unwrap(), name)["revision"].to_string();
    let seen: &[&str] = if verb == "approve" { &["--revision", &revision] } else { &[] };
    desk(running, operator, &[&[verb, name][..], seen].concat())
}

/// A meter on this machine: the firmware's core, and MQTT as it speaks it.
struct Device {
    meter: HostMeter,
    name: String,
    client: AsyncClient,
    events: EventLoop,
}

impl Device {
    fn connect(seed: u8, claimed: &Value, port: u16) -> Self {
        let gateway = PublicKey::from_bytes(&bytes32(claimed["gateway_key"].as_str().unwrap())).unwrap();
        let state = MeterState { epoch: 1, ..MeterState::default() };
        let meter = Meter::new(key(seed), gateway, [1; 8], HeapQueue::with_bound(5_000), state);
        let name = claimed["meter"]["meter_id"].as_str().unwrap().to_owned();
        let mut options = MqttOptions::new(&name, "127.0.0.1", port);
        options.set_credentials(&name, claimed["broker_password"].as_str().unwrap());
        let (client, events) = AsyncClient::new(options, 64);
        for leaf in ["ack", "cmd"] {
            client.try_subscribe(format!("v1/{name}/{leaf}"), QoS::AtLeastOnce).unwrap();
        }
        Self { meter, name, client, events }
    }

    /// Takes a reading at the village's time.
    async fn read(&mut self, running: &Running, import_wh: u64, export_wh: u64) {
        self.meter.count(Registers { import_wh, export_wh, generation_wh: export_wh }).unwrap();
        let time_us = now(running).await.0.cast_unsigned();
        // Village time may stand still between two questions.
        let time_us = time_us.max(self.meter.state().last_time_us + 1);
        self.meter.read(Sample { time_us, interval_s: 60, ..Sample::default() }).unwrap();
    }

    /// Sends what is queued, and takes what comes.
    async fn speak(&mut self) {
        if let Some(message) = self.meter.message() {
            // One that the client has no room for is said again.
            let _ = self.client.try_publish(format!("v1/{}/up", self.name), QoS::AtLeastOnce, false, message);
        }
        let until = tokio::time::Instant::now() + Duration::from_millis(100);
        while let Ok(event) = tokio::time::timeout_at(until, self.events.poll()).await {
            let Ok(Event::Incoming(Packet::Publish(publish))) = event else { continue };
            if publish.topic.ends_with("/ack") {
                let _ = self.meter.acknowledge(&publish.payload);
            } else if let Ok(Heard::Challenge(answer)) =
                self.meter.hear(&publish.payload, 0, TimeQuality::Synchronised)
            {
                let topic = format!("v1/{}/claim", self.name);
                self.client.try_publish(topic, QoS::AtLeastOnce, false, answer.as_slice()).unwrap();
            }
        }
    }

    /// Speaks, reading each time when `energy` is given, until `right` says so of the list.
    async fn until(
        &mut self,
        running: &Running,
        energy: Option<(u64, u64)>,
        what: &str,
        right: impl Fn(&[Value], &Value) -> bool,
    ) {
        let begin = Instant::now();
        let operator = running.operator().await;
        loop {
            if let Some((import_wh, export_wh)) = energy {
                self.read(running, import_wh, export_wh).await;
            }
            self.speak().await;
            let meters = operator.get("/api/v1/operator/meters").await;
            let homes = operator.get("/api/v1/operator/households").await;
            if right(meters.as_array().unwrap(), &homes) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{what} did not come: {meters}");
        }
    }
}

async fn now(running: &Running) -> Timestamp {
    let config = running.operator().await.get("/api/v1/config").await;
    config["now"].as_str().unwrap().parse().unwrap()
}

fn state_of<'a>(meters: &'a [Value], name: &str) -> &'a Value {
    meters.iter().find(|meter| meter["meter_id"] == name).unwrap_or(&Value::Null)
}

fn attested_through(homes: &Value, home: u64) -> Option<String> {
    let homes = homes.as_array().unwrap();
    let row = homes.iter().find(|row| row["id"] == home)?;
    row["attested_through"].as_str().map(str::to_owned)
}

/// Claims, challenges and approves by two operators; the device answers meanwhile.
async fn bring_in(running: &Running, claimed: &Value, device: &mut Device) {
    let name = device.name.clone();
    let early = decide(running, "Baraka", "approve", &name).unwrap_err();
    assert!(early.contains("meter.wrong_state"), "{early}");
    desk(running, "Amina", &["challenge", &name]).unwrap();
    device
        .until(running, None, "the answer", |meters, _| state_of(meters, &name)["state"] == "answered")
        .await;
    // What was proven stays as it stands until another operator has decided.
    for verb in ["approve", "reject"] {
        let alone = decide(running, "Amina", verb, &name).unwrap_err();
        assert!(alone.contains("meter.same_operator"), "{alone}");
    }
    decide(running, "Baraka", "approve", &name).unwrap();
    device.until(running, None, "the chain", |meters, _| state_of(meters, &name)["state"] == "active").await;
    assert_eq!(claimed["meter"]["state"], "claimed");
}

/// The household's attested rows: end, export, import.
async fn rows(folder: &Path, home: u32) -> Vec<(Timestamp, u64, u64)> {
    let store = SqliteStore::open_read_only(&folder.join("jirani.db")).unwrap();
    let rows =
        store.attested_rows(HouseholdId(home), Timestamp(i64::MIN), Timestamp(i64::MAX)).await.unwrap();
    rows.into_iter().map(|(end, row, _)| (end, row.export_wh.0, row.import_wh.0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meter_is_enrolled_replaced_retired_and_held_and_every_wh_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let settings = [
        ("JIRANI__DEMO__TRADE", "false"),
        ("JIRANI__DEMO__SPEED", "600"),
        ("JIRANI__DEMO__HOUSEHOLDS", "3"),
        ("JIRANI__MQTT__LISTEN", listen.as_str()),
    ];
    let running = Running::start_with(folder.path(), &settings).await;

    // A new home, by the text of its meter's QR code.
    let qr = hex(&key(201).public_key()).to_ascii_uppercase();
    let new_home = ["claim", &qr, "--alias", "Mti", "--name", "Mama Mti", "--pv-rated-w", "3000"];
    let claimed = desk(&running, "Amina", &new_home).unwrap();
    let again = desk(&running, "Amina", &new_home).unwrap_err();
    assert!(again.contains("meter.claimed_before"), "{again}");
    let home = claimed["meter"]["household_id"].as_u64().unwrap();
    // Who is to approve it reads what the household will be.
    let read = desk(&running, "Baraka", &["list"]).unwrap();
    let (name, new) = (claimed["meter"]["meter_id"].as_str().unwrap(), "new_household");
    let will_be = &state_of(read.as_array().unwrap(), name)[new];
    assert_eq!((&will_be["name"], &will_be["pv_rated_w"]), (&Value::from("Mama Mti"), &Value::from(3_000)));
    let mut first = Device::connect(201, &claimed, port);
    bring_in(&running, &claimed, &mut first).await;
    let first_name = first.name.clone();
    let attested = |homes: &Value| attested_through(homes, home);
    first.until(&running, Some((7, 20)), "an attestation", |_, homes| attested(homes).is_some()).await;

    // Another meter in its place, whose registers begin at zero.
    let qr = hex(&key(202).public_key());
    let claimed = desk(&running, "Amina", &["replace", &first_name, &qr, "--reason", "lightning"]).unwrap();
    let mut second = Device::connect(202, &claimed, port);
    bring_in(&running, &claimed, &mut second).await;
    let replaced_at = now(&running).await;
    let since = |homes: &Value| attested(homes).and_then(|at| at.parse::<Timestamp>().ok());
    let far = replaced_at.plus_seconds(2 * 900);
    second
        .until(&running, Some((5, 11)), "the second meter's slots", |_, homes| since(homes) > Some(far))
        .await;

    // The first is retired: the broker lets it in no more.
    desk(&running, "Amina", &["retire", &first_name, "--reason", "scrapped"]).unwrap();
    first.read(&running, 1, 1).await;
    let (begin, operator) = (Instant::now(), running.operator().await);
    loop {
        first.speak().await;
        let refusals = operator.get("/api/v1/operator/refusals").await;
        let is_it = |row: &Value| row["meter_id"] == first_name.as_str() && row["code"] == "broker.shut_out";
        if refusals.as_array().unwrap().iter().any(is_it) {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "the refusal did not come: {refusals}");
    }

    // Two meters with one key are one meter that says two things.
    let second_name = second.name.clone();
    second.until(&running, Some((0, 0)), "silence", |_, _| true).await;
    while !jirani_meter::Queue::is_empty(second.meter.queue()) {
        second.speak().await;
    }
    let mut twin = second.meter.clone();
    second.read(&running, 1, 0).await;
    second.speak().await;
    std::mem::swap(&mut second.meter, &mut twin);
    second.read(&running, 2, 0).await;
    let held = |meters: &[Value]| state_of(meters, &second_name)["held"] == "reading.equivocation";
    second.until(&running, None, "the hold", |meters, _| held(meters)).await;
    std::mem::swap(&mut second.meter, &mut twin);
    desk(&running, "Baraka", &["release", &second_name, "--reason", "the copy was found"]).unwrap();
    let alone = decide(&running, "Baraka", "approve", &second_name).unwrap_err();
    assert!(alone.contains("meter.same_operator"), "{alone}");
    let asked = decide(&running, "Amina", "approve", &second_name).unwrap();
    assert_eq!(asked["request"]["asked_by"], "Baraka", "{asked}");
    let released = |meters: &[Value]| state_of(meters, &second_name)["held"].is_null();
    second.until(&running, None, "the release", |meters, _| released(meters)).await;
    let history = desk(&running, "Amina", &["history", &second_name]).unwrap();
    let codes: Vec<&str> =
        history["events"].as_array().unwrap().iter().map(|event| event["code"].as_str().unwrap()).collect();
    for code in ["meter.released", "reading.equivocation", "meter.active", "meter.approved", "meter.answered"]
    {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    let spans = history["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 2, "{history}");
    assert_eq!(spans[1]["reason"], "replaced");

    // One of its slots is proven to anybody, offsets and all.
    let rows_then = rows(folder.path(), u32::try_from(home).unwrap()).await;
    let (end, ..) = *rows_then.last().unwrap();
    let proof = folder.path().join("proof.json");
    let slot = end.plus_seconds(-900).to_string();
    let made = binary()
        .args(["meter", "prove", "--meter", &second_name, "--slot", &slot, "--out"])
        .arg(&proof)
        .env("JIRANI__DATA_DIR", folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text: Value = serde_json::from_slice(&std::fs::read(&proof).unwrap()).unwrap();
    assert_eq!((&text["version"], text["span"].is_object()), (&json!(2), true), "{text}");
    let verified = binary().args(["meter", "verify", "--rpc", &running.rpc]).arg(&proof).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify_proof.py");
    let program = text["program"].as_str().unwrap();
    match std::env::var_os("JIRANI_PYTHON") {
        Some(python) => {
            let mut python = std::process::Command::new(python);
            let python = python.arg(script).arg(&proof).args(["--rpc", &running.rpc, "--program", program]);
            let independent = python.output().unwrap();
            assert!(independent.status.success(), "{}", String::from_utf8_lossy(&independent.stderr));
        }
        None => eprintln!("JIRANI_PYTHON is not set: not compared with the verifier in Python"),
    }

    let report = running.finish(folder.path());
    assert_eq!(report["ok"], true);
    let rows = rows(folder.path(), u32::try_from(home).unwrap()).await;
    assert!(rows.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0].2 <= pair[1].2), "{rows:?}");
    let (_, export, import) = *rows.last().unwrap();
    let old = spans[1]["offset_export_wh"].as_u64().unwrap();
    let counted = second.meter.state().registers;
    assert!(export > old, "the second meter's energy counts on top of the first's");
    assert!(export <= old + counted.export_wh, "nothing counts twice: {export} of {old} and {counted:?}");
    assert!(import <= spans[1]["offset_import_wh"].as_u64().unwrap() + counted.import_wh);
}
