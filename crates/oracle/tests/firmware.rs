//! A new firmware on its whole way: signed, announced, fetched through a real broker by
//! the firmware's own logic, read back from flash, started and kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

#[path = "../../../firmware/logic/tests/common/mod.rs"]
#[allow(dead_code, reason = "the firmware's own tests use the rest")]
mod flash;
mod support;

use flash::Chip;
use jirani_broker::{Broker, BrokerConfig, RunningBroker, meter_password};
use jirani_firmware_logic::flash::{Blocking, Shared};
use jirani_firmware_logic::otadata::{self, Slot};
use jirani_firmware_logic::store::Store;
use jirani_firmware_logic::trial::{self, Start};
use jirani_firmware_logic::update::{Running, Taken, Update};
use jirani_meter::fetch::{ImageName, Want};
use jirani_meter::{
    Action, Command, Ed25519Signer, Heard, Obeyed, PublicKey, Release, Signer as _, TimeQuality,
};
use jirani_oracle::{FirmwareServer, GatewayConfig, GatewayError, Images};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS, SubscribeFilter};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use support::{gateway_key, id_of, meter_of};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SECRET: [u8; 32] = [9; 32];
const PASSWORD: &str = "gateway password";
const PATIENCE: Duration = Duration::from_secs(20);
/// When a piece that did not come is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(300);
/// `firmware/meter/partitions.csv`, with smaller slots.
const STORE: Range<u32> = 0..0x4000;
const OTADATA: u32 = 0x4000;
const SLOTS: [Range<u32>; 2] = [0x6000..0x1_E000, 0x1_E000..0x3_6000];
const PAGES: usize = 0x36;
const CHIP: u16 = 5;

/// An image as the chip's bootloader knows them.
fn image(version: u32, content: u32) -> Vec<u8> {
    let mut image = vec![0; 24];
    (image[0], image[1], image[12], image[23]) = (0xE9, 1, 5, 1);
    image.extend([0, content, 0xABCD_5432, version].iter().flat_map(|word: &u32| word.to_le_bytes()));
    image.extend((8..content).map(|place| u8::try_from(place * 7 % 253).unwrap()));
    image.resize((image.len() + 1).next_multiple_of(16), 0);
    let digest = Sha256::digest(&image);
    image.extend(digest);
    image
}

struct Shelf(Vec<Arc<[u8]>>);

impl Images for Shelf {
    fn image(&self, name: ImageName) -> Option<Arc<[u8]>> {
        self.0.iter().find(|image| Sha256::digest(image)[..8] == name).cloned()
    }
}

struct Site {
    broker: RunningBroker,
    cancel: CancellationToken,
    serving: JoinHandle<Result<(), GatewayError>>,
}

impl Site {
    async fn with(images: Vec<Arc<[u8]>>) -> Self {
        let config = BrokerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            gateway_password: PASSWORD.into(),
            meter_secret: SECRET,
        };
        let broker = Broker::start(config).await.unwrap();
        let config = GatewayConfig {
            url: format!("mqtt://{}", broker.addr()),
            client_id: "gateway-firmware".into(),
            username: "gateway".into(),
            password: PASSWORD.into(),
            shared_group: None,
        };
        let server = FirmwareServer::new(&config, Arc::new(Shelf(images))).unwrap();
        let mut subscribed = server.subscribed();
        let cancel = CancellationToken::new();
        let serving = tokio::spawn(server.run(cancel.clone()));
        tokio::time::timeout(PATIENCE, subscribed.wait_for(|is| *is)).await.unwrap().unwrap();
        Self { broker, cancel, serving }
    }

    fn connect(&self, id: &str, user: &str, password: &str) -> Wire {
        let mut options =
            MqttOptions::new(id, self.broker.addr().ip().to_string(), self.broker.addr().port());
        options.set_credentials(user, password);
        let (client, events) = AsyncClient::new(options, 32);
        Wire { client, events, came: VecDeque::new() }
    }

    async fn end(self) {
        self.cancel.cancel();
        tokio::time::timeout(PATIENCE, self.serving).await.unwrap().unwrap().unwrap();
        self.broker.stop().await;
    }
}

struct Wire {
    client: AsyncClient,
    events: EventLoop,
    /// What came while something else was waited for.
    came: VecDeque<Publish>,
}

impl Wire {
    /// The next packet, unless it is a message, which is put aside.
    async fn next(&mut self) -> Option<Packet> {
        let event = tokio::time::timeout(PATIENCE, self.events.poll()).await;
        match event.expect("the broker stays silent").unwrap() {
            Event::Incoming(Packet::Publish(publish)) => {
                self.came.push_back(publish);
                None
            }
            Event::Incoming(packet) => Some(packet),
            Event::Outgoing(_) => None,
        }
    }

    async fn hear(&mut self, topics: &[String]) {
        let filters = topics.iter().map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtLeastOnce));
        self.client.subscribe_many(filters).await.unwrap();
        while !matches!(self.next().await, Some(Packet::SubAck(_))) {}
    }

    /// The next message of a topic.
    async fn message(&mut self, topic: &str) -> Vec<u8> {
        loop {
            match self.came.pop_front() {
                Some(publish) if publish.topic == topic => return publish.payload.to_vec(),
                Some(_) => {}
                None => drop(self.next().await),
            }
        }
    }

    async fn publish(&mut self, topic: &str, bytes: &[u8]) {
        self.client.publish(topic, QoS::AtLeastOnce, false, bytes).await.unwrap();
        while !matches!(self.next().await, Some(Packet::PubAck(_))) {}
    }
}

fn store(chip: &RefCell<Chip>) -> Store<Shared<'_, Chip>> {
    Store::open(Shared::new(chip), STORE).unwrap()
}

#[tokio::test]
async fn an_announced_firmware_is_fetched_through_the_broker_and_started() {
    let maker = Ed25519Signer::from_seed(&[77; 32]);
    let new = image(2, 60_000);
    let size = u32::try_from(new.len()).unwrap();
    let signed = Release { version: 2, size, sha256: Sha256::digest(&new).into() }.sign(&maker).unwrap();
    let site = Site::with(vec![image(1, 900).into(), new.clone().into()]).await;

    // The meter, which runs version 1 and takes only this maker's images.
    let pinned = PublicKey::from_bytes(&maker.public_key()).unwrap();
    let mut meter = meter_of(1).with_releases_of(pinned, 1);
    let id = id_of(1);
    let running = Running { version: 1, chip: CHIP, maker: pinned, slots: SLOTS, slot: Slot::First };
    let chip = RefCell::new(Chip::new(PAGES));
    let topic = |leaf: &str| format!("v1/{id}/{leaf}");
    let mut wire = site.connect(&id.to_string(), &id.to_string(), &meter_password(&SECRET, id));
    wire.hear(&[topic("cmd"), topic("fw")]).await;

    let action = Action::AnnounceFirmware(signed);
    let command = Command { meter: id.0, number: 1, action }.sign(&gateway_key()).unwrap();
    let mut operator = site.connect("gateway-order", "gateway", PASSWORD);
    operator.publish(&topic("cmd"), command.as_slice()).await;
    let heard = meter.hear(&wire.message(&topic("cmd")).await, 0, TimeQuality::Unset).unwrap();
    let Heard::Command(Obeyed::Announced(announced)) = heard else { panic!("{heard:?}") };
    let mut update = Update::announced(&mut store(&chip), &running, announced).unwrap();

    let (mut asked, mut written, mut lost, mut cut) = (0, 0, 0, false);
    while let Some(want) = update.want() {
        asked += 1;
        wire.publish(&topic("want"), want.encode().unwrap().as_slice()).await;
        // Whoever asks for more than its share a second hears nothing, and asks again.
        let Ok(piece) = tokio::time::timeout(ASK_AGAIN, wire.message(&topic("fw"))).await else { continue };
        if asked % 7 == 0 {
            // It never came: the meter asks again.
            lost += 1;
            continue;
        }
        written += usize::from(
            update.take(&mut store(&chip), &mut Blocking::new(&chip), &piece).unwrap() == Taken::Written,
        );
        if written == 20 && !cut {
            cut = true;
            // Power goes: what was noted is gone on with.
            update = Update::resumed(&mut store(&chip), &running).unwrap().unwrap();
        }
    }
    // 59 pieces, and those of the page that the power cut cost.
    assert!(cut && written >= 59 && asked >= written + lost && lost > 5, "{asked}, {written}, {lost}");

    trial::begin(&mut store(&chip), &mut Blocking::new(&chip), OTADATA, (&update, &running)).unwrap();
    assert_eq!(otadata::selected(&mut Blocking::new(&chip), OTADATA).unwrap(), Slot::Second);
    let place = SLOTS[1].start as usize;
    assert!(chip.borrow().bytes[place..place + new.len()] == new);
    // It starts, reaches its gateway, and stays.
    let mut kept = store(&chip);
    let start = trial::start(&mut kept, &mut Blocking::new(&chip), OTADATA, Slot::Second).unwrap();
    assert_eq!(start, Start::OnTrial);
    trial::confirm(&mut kept, &mut Blocking::new(&chip), OTADATA, Slot::Second).unwrap();
    let start = trial::start(&mut kept, &mut Blocking::new(&chip), OTADATA, Slot::Second).unwrap();
    assert_eq!(start, Start::Settled);
    site.end().await;
}

#[tokio::test]
async fn questions_that_make_no_sense_get_no_answer_and_keep_nobody_from_theirs() {
    let new: Arc<[u8]> = image(2, 5_000).into();
    let name: ImageName = Sha256::digest(&new)[..8].try_into().unwrap();
    let site = Site::with(vec![new.clone()]).await;
    let id = id_of(1);
    let topic = |leaf: &str| format!("v1/{id}/{leaf}");
    let mut wire = site.connect(&id.to_string(), &id.to_string(), &meter_password(&SECRET, id));
    wire.hear(&[topic("fw")]).await;
    let unknown = Want { image: [0; 8], offset: 0, length: 1 }.encode().unwrap();
    let beyond = Want { image: name, offset: u32::MAX, length: 1_024 }.encode().unwrap();
    for strange in [b"noise".as_slice(), b"", unknown.as_slice(), beyond.as_slice()] {
        wire.publish(&topic("want"), strange).await;
    }
    let good = Want { image: name, offset: 1_024, length: 100 };
    wire.publish(&topic("want"), good.encode().unwrap().as_slice()).await;
    let answer = wire.message(&topic("fw")).await;
    let piece = jirani_meter::fetch::Piece::decode(&answer).unwrap();
    assert_eq!(
        (piece.offset, piece.bytes),
        (1_024, &new[1_024..1_124]),
        "the first answer is to the good one"
    );
    site.end().await;
}
