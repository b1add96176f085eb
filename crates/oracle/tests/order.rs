//! An operator's orders through a real broker to the code that runs in meters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use jirani_broker::{Broker, BrokerConfig, RunningBroker, meter_password};
use jirani_meter::{
    Ack, Clock, Ed25519Signer, Heard, MeterState, Obeyed, PublicKey, Release, Sample, Schedule,
    SignedRelease, Signer as _, TimeQuality,
};
use jirani_oracle::{Ordering, Said, Told, Wanted};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::time::Duration;
use support::{HomeMeter, START, gateway_key, id_of, key_of, meter_of};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const SECRET: [u8; 32] = [9; 32];
const PASSWORD: &str = "gateway password";
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the meter reads, in real time.
const BEAT: Duration = Duration::from_millis(200);

async fn broker() -> RunningBroker {
    let listen = ([127, 0, 0, 1], 0).into();
    let config = BrokerConfig { listen, gateway_password: PASSWORD.into(), meter_secret: SECRET };
    Broker::start(config).await.unwrap()
}

/// A meter whose clock is set by nobody but the operator. It reads at every beat, a
/// minute of its own apart, and needs no acknowledgement.
struct Lonely {
    state: watch::Receiver<MeterState>,
    announced: watch::Receiver<Option<SignedRelease>>,
    task: JoinHandle<()>,
}

fn read(meter: &mut HomeMeter, clock: &Clock, counter_us: &mut u64) -> Vec<u8> {
    *counter_us += 60_000_000;
    let (time_us, time_quality) = clock.time(*counter_us);
    let interval_s = Schedule::interval_s(meter.state().interval_s, 0);
    meter.read(Sample { time_us, time_quality, interval_s, ..Sample::default() }).unwrap();
    let message = meter.message().unwrap();
    let ack = Ack { meter: meter.name(), epoch: 1, first_seq: 1, seq: meter.state().last_seq };
    meter.acknowledge(ack.sign(&gateway_key()).unwrap().as_slice()).unwrap();
    message
}

fn lonely(broker: &RunningBroker, home: u32, maker: PublicKey) -> Lonely {
    let name = id_of(home).to_string();
    let mut options = MqttOptions::new(&name, "127.0.0.1", broker.addr().port());
    options.set_credentials(&name, meter_password(&SECRET, id_of(home)));
    let (client, mut events) = AsyncClient::new(options, 64);
    let mut meter = meter_of(home).with_releases_of(maker, 1);
    let (told, state) = watch::channel(meter.state());
    let (fetch, announced) = watch::channel(None);
    let task = tokio::spawn(async move {
        let (mut clock, mut counter_us) = (Clock::new(0), 0);
        let (up, cmd) = (format!("v1/{name}/up"), format!("v1/{name}/cmd"));
        let mut beat = tokio::time::interval(BEAT);
        loop {
            let event = tokio::select! {
                event = events.poll() => match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        client.subscribe(&cmd, QoS::AtLeastOnce).await.unwrap();
                        continue;
                    }
                    Ok(event) => event,
                    // A broker that is busy refuses; a meter comes again.
                    Err(_) => {
                        tokio::time::sleep(BEAT).await;
                        continue;
                    }
                },
                _ = beat.tick() => {
                    let message = read(&mut meter, &clock, &mut counter_us);
                    client.publish(&up, QoS::AtLeastOnce, false, message).await.unwrap();
                    continue;
                }
            };
            let Event::Incoming(Packet::Publish(publish)) = event else { continue };
            let (time_us, quality) = clock.time(counter_us);
            match meter.hear(&publish.payload, time_us, quality) {
                Ok(Heard::Command(Obeyed::TimeTold(time_us))) => clock.take(time_us, counter_us),
                Ok(Heard::Command(Obeyed::Announced(signed))) => {
                    fetch.send_replace(Some(signed));
                }
                _ => {}
            }
            told.send_replace(meter.state());
        }
    });
    Lonely { state, announced, task }
}

async fn tell(broker: &RunningBroker, home: u32, number: u64, wanted: Wanted, patience: Duration) -> Told {
    let ordering = Ordering {
        url: &format!("mqtt://{}", broker.addr()),
        tls: None,
        client_id: &format!("gateway-order-{number}"),
        password: PASSWORD,
        signer: &gateway_key(),
        meter: id_of(home),
        key: PublicKey::from_bytes(&key_of(home).public_key()).unwrap(),
        number,
    };
    ordering.tell(wanted, &|| START, patience).await.unwrap()
}

fn obeyed(told: Told) -> Said {
    match told {
        Told::Obeyed(said) => said,
        other => panic!("not obeyed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interval_time_and_firmware_are_told_and_the_next_readings_show_them() {
    let broker = broker().await;
    let maker = Ed25519Signer::from_seed(&[77; 32]);
    let pinned = PublicKey::from_bytes(&maker.public_key()).unwrap();
    let mut meter = lonely(&broker, 1, pinned);

    let said = obeyed(tell(&broker, 1, 10, Wanted::Interval(300), PATIENCE).await);
    assert_eq!((said.interval_s, said.time_quality), (300, TimeQuality::Unset));
    assert_eq!(meter.state.borrow().last_order, 10);

    let time = tell(&broker, 1, 11, Wanted::Time, PATIENCE).await;
    let said = obeyed(time);
    assert_eq!(said.time_quality, TimeQuality::HeldOver);
    assert!(said.time >= START && said.time < START.plus_seconds(3_600), "{}", said.time);

    // Firmware is announced, but shown only when it runs: this meter stays as it is.
    let release = Release { version: 2, size: 9, sha256: [5; 32] };
    let forged = release.sign(&gateway_key()).unwrap();
    let told = tell(&broker, 1, 12, Wanted::Firmware(forged), Duration::from_secs(1)).await;
    assert!(matches!(told, Told::Unshown(_)), "{told:?}");
    assert_eq!(*meter.announced.borrow(), None, "not its maker's");
    let signed = release.sign(&maker).unwrap();
    let (told, heard) = tokio::join!(
        tell(&broker, 1, 13, Wanted::Firmware(signed), Duration::from_secs(2)),
        tokio::time::timeout(PATIENCE, meter.announced.changed()),
    );
    heard.unwrap().unwrap();
    assert!(matches!(told, Told::Unshown(_)), "{told:?}");
    assert_eq!(*meter.announced.borrow(), Some(signed));
    meter.task.abort();
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meter_that_is_not_there_is_silent_and_another_s_readings_say_nothing_of_it() {
    let broker = broker().await;
    let pinned = PublicKey::from_bytes(&gateway_key().public_key()).unwrap();
    let other = lonely(&broker, 2, pinned);
    let told = tell(&broker, 1, 1, Wanted::Interval(60), Duration::from_secs(1)).await;
    assert_eq!(told, Told::Silent);
    assert_eq!(other.state.borrow().last_order, 0);
    other.task.abort();
    broker.stop().await;
}
