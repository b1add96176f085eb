//! A meter on this computer: the core that runs in firmware, over real MQTT, with constant
//! sun and load instead of energy ICs. For trying enrolment without a board or a simulator
//! of one; docs/wokwi.md uses it. Its key comes from the seed you give, so keep that secret.
//!
//! `cargo run --release -p jirani-oracle --example host_meter -- SEED` prints who it is;
//! `... -- SEED HOST:PORT PASSWORD GATEWAY_KEY SUN_W LOAD_W EVERY_S` runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "an example ends where it fails")]

use jirani_firmware_logic::integration::{Integrator, Powers, Remainders};
use jirani_meter::{
    Ed25519Signer, HeapQueue, Heard, Instantaneous, Meter, MeterState, PublicKey, Queue as _, Relay, Sample,
    Schedule, Signer as _, TimeQuality,
};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, SubscribeFilter};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const QUEUE: usize = 5_000;
/// When a message that was not acknowledged is sent again.
const ANSWER: Duration = Duration::from_secs(30);

fn time_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right");
    u64::try_from(since.as_micros()).expect("the clock is right")
}

fn bytes<const N: usize>(text: &str, what: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).unwrap_or_else(|_| panic!("{what}: {} hexadecimal digits", 2 * N));
    bytes
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(seed) = arguments.first() else { panic!("say at least the seed: 64 hexadecimal digits") };
    let signer = Ed25519Signer::from_seed(&bytes(seed, "the seed"));
    let name = hex::encode(signer.name());
    println!("meter {name}");
    println!("key {}", hex::encode(signer.public_key()));
    let [_, broker, password, gateway, sun, load, every] = arguments.as_slice() else { return };

    let gateway = PublicKey::from_bytes(&bytes(gateway, "the gateway's key")).expect("the gateway's key");
    let watts = |text: &str| text.parse::<u32>().expect("watts");
    let (sun, load) = (watts(sun), watts(load));
    let interval_s: u32 = every.parse().expect("seconds");
    let (host, port) = broker.split_once(':').expect("host:port");
    let mut options = MqttOptions::new(&name, host, port.parse().expect("a port"));
    options.set_credentials(&name, password);
    let (client, mut events) = AsyncClient::new(options, 32);

    let state = MeterState { epoch: 1, ..MeterState::default() };
    let mut meter = Meter::new(signer, gateway, [0; 8], HeapQueue::with_bound(QUEUE), state);
    let (mut integrator, mut schedule) = (Integrator::new(Remainders::default()), Schedule::default());
    let (begun, mut sent) = (Instant::now(), None::<Instant>);
    let mut beat = tokio::time::interval(Duration::from_millis(500));
    let topic = |leaf: &str| format!("v1/{name}/{leaf}");
    loop {
        let event = tokio::select! {
            event = events.poll() => event,
            _ = beat.tick() => {
                let flows = meter.state().relay == Relay::Closed;
                let part = |watts: u32| if flows { watts * 10 } else { 0 };
                let powers = Powers { generation_deciwatts: part(sun), load_deciwatts: part(load) };
                let now_ms = u64::try_from(begun.elapsed().as_millis()).expect("no meter lives so long");
                meter.count(integrator.sample(now_ms, powers)).expect("registers have room");
                let interval_s = match meter.state().interval_s { 0 => interval_s, ordered => ordered };
                if schedule.is_due(time_us(), interval_s) {
                    let power_w = i32::try_from(powers.net_deciwatts() / 10).expect("watts");
                    let seq = meter.read(Sample {
                        time_us: time_us(),
                        time_quality: TimeQuality::Synchronised,
                        uptime_s: u32::try_from(begun.elapsed().as_secs()).expect("no meter lives so long"),
                        interval_s,
                        instantaneous: Instantaneous { power_w, ..Instantaneous::default() },
                        ..Sample::default()
                    });
                    let registers = meter.state().registers;
                    println!(
                        "reading {seq:?}: import {} Wh, export {} Wh, generation {} Wh",
                        registers.import_wh, registers.export_wh, registers.generation_wh
                    );
                }
                if sent.is_none_or(|sent| sent.elapsed() > ANSWER) && let Some(message) = meter.message() {
                    client.try_publish(topic("up"), QoS::AtLeastOnce, false, message).ok();
                    sent = Some(Instant::now());
                }
                continue;
            }
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                println!("connected to {broker}");
                let filters = ["ack", "cmd"].map(|leaf| SubscribeFilter::new(topic(leaf), QoS::AtLeastOnce));
                client.try_subscribe_many(filters).ok();
                sent = None;
            }
            Ok(Event::Incoming(Packet::Publish(publish))) if publish.topic == topic("ack") => {
                match meter.acknowledge(&publish.payload) {
                    Ok(freed) => {
                        println!("{freed} readings are durable at the gateway, {} wait", meter.queue().len());
                        sent = None;
                    }
                    Err(error) => println!("{error}"),
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                match meter.hear(&publish.payload, time_us(), TimeQuality::Synchronised) {
                    Ok(Heard::Challenge(answer)) => {
                        println!("the gateway asked for proof of the key");
                        client.try_publish(topic("claim"), QoS::AtLeastOnce, false, answer.as_slice()).ok();
                    }
                    Ok(Heard::Command(obeyed)) => println!("command: {obeyed:?}"),
                    Err(error) => println!("{error}"),
                }
            }
            Ok(_) => {}
            Err(error) => {
                println!("{error}");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}
