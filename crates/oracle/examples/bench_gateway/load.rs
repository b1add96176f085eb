//! Meters: their readings, signed beforehand, and the clients that publish them.

use crate::mqtt;
use crate::site::{SECRET, START, Server, Told};
use jirani_broker::meter_password;
use jirani_meter::{Ack, Ed25519Signer, Instantaneous, PublicKey, Reading, Registers, Signer as _};
use jirani_units::MeterId;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When a meter that hears nothing sends again.
const AGAIN: Duration = Duration::from_secs(5);
/// Meters that connect at the same time.
const CONNECTING: usize = 64;

/// A message as it is published.
#[derive(Clone)]
pub struct Message {
    pub first_seq: u32,
    pub last_seq: u32,
    pub bytes: Vec<u8>,
}

pub fn key_of(meter: u32) -> Ed25519Signer {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&meter.to_le_bytes());
    Ed25519Signer::from_seed(&seed)
}

/// One signed reading a minute until the start, for each meter.
pub fn signed(meters: u32, readings: u32) -> Vec<Vec<Vec<u8>>> {
    let of = |meter: u32| {
        let key = key_of(meter);
        (1..=readings).map(|seq| reading(&key, seq, readings)).collect::<Vec<_>>()
    };
    let half = meters / 2;
    std::thread::scope(|scope| {
        let second = scope.spawn(move || (half..meters).map(of).collect::<Vec<_>>());
        let mut all: Vec<_> = (0..half).map(of).collect();
        all.extend(second.join().unwrap());
        all
    })
}

fn reading(key: &Ed25519Signer, seq: u32, readings: u32) -> Vec<u8> {
    let reading = Reading {
        meter: key.name(),
        epoch: 1,
        seq: u64::from(seq),
        time_us: START.plus_seconds(i64::from(seq) * 60 - i64::from(readings) * 60).0 as u64,
        interval_s: 60,
        registers: Registers {
            import_wh: 1_000_000 + u64::from(seq) * 3,
            export_wh: 2_000_000 + u64::from(seq) * 40,
            generation_wh: 3_000_000 + u64::from(seq) * 50,
        },
        instantaneous: Instantaneous {
            voltage_mv: 231_000,
            current_ma: 9_870,
            power_w: 2_280,
            ..Instantaneous::default()
        },
        ..Reading::default()
    };
    reading.sign(key).unwrap().bytes.as_slice().to_vec()
}

/// A meter's messages of `each` readings.
pub fn messages(readings: &[Vec<u8>], each: usize) -> Vec<Message> {
    let message = |(place, chunk): (usize, &[Vec<u8>])| {
        let count = chunk.len() as u8;
        let mut bytes = if count < 24 { vec![0x80 | count] } else { vec![0x98, count] };
        bytes.extend(chunk.concat());
        let first_seq = (place * each) as u32 + 1;
        Message { first_seq, last_seq: first_seq + chunk.len() as u32 - 1, bytes }
    };
    readings.chunks(each).enumerate().map(message).collect()
}

struct Client {
    reader: mqtt::Reader,
    writer: mqtt::Writer,
    topic: String,
    gateway: PublicKey,
}

async fn connect_all(port: u16, meters: u32) -> Vec<Client> {
    let gateway = PublicKey::from_bytes(&crate::site::gateway_key().public_key()).unwrap();
    let connect = async move |meter: u32| {
        let id = MeterId(key_of(meter).name());
        let (name, password) = (id.to_string(), meter_password(&SECRET, id));
        let (reader, writer) = mqtt::connect(port, &name, &password, &format!("v1/{name}/ack")).await;
        Client { reader, writer, topic: format!("v1/{name}/up"), gateway }
    };
    let meters: Vec<u32> = (0..meters).collect();
    let mut clients = Vec::with_capacity(meters.len());
    for group in meters.chunks(CONNECTING) {
        clients.extend(futures::future::join_all(group.iter().map(|meter| connect(*meter))).await);
    }
    clients
}

/// All meters publish all their messages, `window` of them unacknowledged at once; from
/// the first publish to the last signed acknowledgement.
pub async fn publish(port: u16, messages: &[Vec<Message>], window: usize) -> Duration {
    let clients = connect_all(port, messages.len() as u32).await;
    let begin = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .zip(messages.to_vec())
        .map(|(client, messages)| tokio::spawn(client.deliver(messages, window)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    begin.elapsed()
}

/// All meters are connected; each publishes its message at its own moment of the minute.
pub async fn watch(server: &Server, messages: &[Vec<Message>], minute: Duration) -> (Told, Told) {
    let clients = connect_all(server.port, messages.len() as u32).await;
    let (begin, began) = (Instant::now(), server.told());
    let count = clients.len() as u32;
    let tasks: Vec<_> = (0_u32..)
        .zip(clients.into_iter().zip(messages.to_vec()))
        .map(|(place, (client, messages))| {
            tokio::spawn(async move {
                tokio::time::sleep_until((begin + minute * place / count).into()).await;
                client.deliver(messages, 1).await
            })
        })
        .collect();
    // The connections stay until the minute is over.
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.unwrap());
    }
    tokio::time::sleep_until((begin + minute).into()).await;
    (began, server.told())
}

impl Client {
    async fn deliver(mut self, messages: Vec<Message>, window: usize) -> Self {
        let mut waiting = VecDeque::from(messages);
        let mut sent: VecDeque<Message> = VecDeque::new();
        let mut heard = std::collections::HashSet::new();
        loop {
            while sent.len() < window
                && let Some(message) = waiting.pop_front()
            {
                self.writer.publish(&self.topic, &message.bytes).await;
                sent.push_back(message);
            }
            if sent.is_empty() {
                return self;
            }
            match tokio::time::timeout(AGAIN, self.reader.message()).await {
                Ok(ack) => {
                    let ack =
                        Ack::open(&ack.expect("the broker keeps the connection"), &self.gateway).unwrap();
                    heard.extend(ack.first_seq..=ack.seq);
                    sent.retain(|message| {
                        !(message.first_seq..=message.last_seq).all(|seq| heard.contains(&u64::from(seq)))
                    });
                }
                Err(_) => {
                    for message in &sent {
                        self.writer.publish(&self.topic, &message.bytes).await;
                    }
                }
            }
        }
    }
}
