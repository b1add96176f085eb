//! The way to the gateway: MQTT 5, one message under way at a time.
//!
//! Publishes `v1/<meter>/up`, `v1/<meter>/status` (retained, last will) and, when it is
//! challenged, `v1/<meter>/claim`; hears
//! `v1/<meter>/ack` and `v1/<meter>/cmd`. Whatever comes goes to the core, which
//! believes nothing but the gateway's signature; the broker is trusted with nothing.

use crate::Shared;
use alloc::format;
use alloc::string::String;
use core::num::NonZero;
use embassy_futures::select::{Either, select};
use embassy_net::Stack;
use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::TcpSocket;
use embassy_time::{Duration, Instant, Timer, with_timeout};
use esp_hal::rng::Rng;
use jirani_firmware_logic::provisioning;
use jirani_meter::{ANSWER_MAX, Buffer, Retry};
use rust_mqtt::Bytes;
use rust_mqtt::buffer::AllocBuffer;
use rust_mqtt::client::Client;
use rust_mqtt::client::event::Event;
use rust_mqtt::client::options::{
    ConnectOptions, PublicationOptions, SubscriptionOptions, TopicReference, WillOptions,
};
use rust_mqtt::config::KeepAlive;
use rust_mqtt::types::{MqttBinary, MqttString, TopicFilter, TopicName};

const CONNECT: Duration = Duration::from_secs(20);
/// How long an acknowledgement may take before the same message is sent again.
const ANSWER: Duration = Duration::from_secs(30);
const PING: Duration = Duration::from_secs(20);
const KEEP_ALIVE_S: u16 = 60;
/// Nothing heard for this long: the connection is dead.
const SILENCE: Duration = Duration::from_secs(90);
const BEAT: Duration = Duration::from_secs(1);
const RETRY_FIRST_MS: u32 = 4_000;
const RETRY_LAST_MS: u32 = 240_000;
/// Acknowledgements, commands and pieces of firmware: what is heard.
const SUBSCRIPTIONS: usize = 3;
/// A piece of firmware with its topic; all else is shorter.
const PACKET_MAX: u32 = 1_280;

/// Where and as whom.
pub struct Gateway {
    /// The meter's name, 32 hexadecimal digits: client id and user name.
    pub name: String,
    /// `host` or `host:port`.
    pub broker: String,
    /// The meter's password at the broker.
    pub password: String,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum LinkError {
    /// The broker's name or address.
    #[error("link.address: the broker's name was not found; check `broker` and the network")]
    Address,
    /// No connection, or it broke.
    #[error("link.connection: the connection to the broker broke or was not made")]
    Connection,
    /// The broker refused, or said something wrong.
    #[error("link.broker: the broker refused; check `broker_password` and that the meter is enrolled")]
    Broker,
    /// Nothing heard for too long.
    #[error("link.silence: nothing was heard from the broker")]
    Silence,
}

/// Runs for ever.
#[embassy_executor::task]
pub async fn run(stack: Stack<'static>, device: Shared, gateway: Gateway) -> ! {
    let mut retry = Retry::new(RETRY_FIRST_MS, RETRY_LAST_MS);
    loop {
        stack.wait_config_up().await;
        let begun = Instant::now();
        let Err(error) = session(stack, device, &gateway).await;
        log::warn!("after {} s: {error}", begun.elapsed().as_secs());
        // A session that held was a good one.
        if begun.elapsed() > SILENCE {
            retry.succeeded();
        }
        Timer::after(Duration::from_millis(u64::from(retry.wait_ms(Rng::new().random())))).await;
    }
}

/// One connection, until it breaks.
async fn session(
    stack: Stack<'static>,
    device: Shared,
    gateway: &Gateway,
) -> Result<core::convert::Infallible, LinkError> {
    let (host, port) = provisioning::broker(&gateway.broker).ok_or(LinkError::Address)?;
    let found = with_timeout(CONNECT, stack.dns_query(host, DnsQueryType::A)).await;
    let address = *found
        .ok()
        .and_then(Result::ok)
        .as_ref()
        .and_then(|found| found.first())
        .ok_or(LinkError::Address)?;
    let (mut from, mut to) = ([0; 1_024], [0; 4_096]);
    let mut socket = TcpSocket::new(stack, &mut from, &mut to);
    socket.set_timeout(Some(SILENCE));
    with_timeout(CONNECT, socket.connect((address, port)))
        .await
        .map_err(|_| LinkError::Connection)?
        .map_err(|_| LinkError::Connection)?;

    let topic = |leaf: &str| format!("v1/{}/{leaf}", gateway.name);
    let (up, status, ack, cmd) = (topic("up"), topic("status"), topic("ack"), topic("cmd"));
    let (claim, want, fw) = (topic("claim"), topic("want"), topic("fw"));
    let (up, status, claim) = (topic_name(&up)?, topic_name(&status)?, topic_name(&claim)?);
    let want = topic_name(&want)?;
    let will = WillOptions::new(status.as_borrowed(), text("offline")?.into()).at_least_once().retain();
    let mut options = ConnectOptions::new()
        .clean_start()
        .user_name(text(&gateway.name)?)
        .password(MqttBinary::try_from(gateway.password.as_str()).map_err(|_| LinkError::Broker)?)
        .will(will);
    if let Some(seconds) = NonZero::new(KEEP_ALIVE_S) {
        options = options.keep_alive(KeepAlive::Seconds(seconds));
    }
    if let Some(bytes) = NonZero::new(PACKET_MAX) {
        options = options.maximum_packet_size(bytes);
    }
    let mut buffer = AllocBuffer;
    let mut client = Client::<'_, '_, _, _, 3, 4, 4, 0, 0, 0, 0>::new(&mut buffer);
    with_timeout(CONNECT, client.connect(socket, &options, Some(text(&gateway.name)?)))
        .await
        .map_err(|_| LinkError::Connection)?
        .map_err(|_| LinkError::Broker)?;
    for leaf in [&ack, &cmd, &fw] {
        let filter = TopicFilter::new(text(leaf)?).ok_or(LinkError::Broker)?;
        let options = SubscriptionOptions::new().at_least_once();
        client.subscribe(filter, &options).await.map_err(|_| LinkError::Broker)?;
    }
    let online = PublicationOptions::new(TopicReference::Name(status)).at_least_once().retain();
    client.publish(&online, Bytes::from("online")).await.map_err(|_| LinkError::Broker)?;
    log::info!("link: connected to {host}:{port}");

    let (mut subscribed, mut sent) = (0, None::<Instant>);
    let (mut heard, mut pinged) = (Instant::now(), Instant::now());
    loop {
        // An acknowledgement could not be heard before all subscriptions stand.
        if subscribed == SUBSCRIPTIONS && sent.is_none_or(|sent| sent.elapsed() >= ANSWER) {
            let message = device.borrow_mut().message();
            if let Some(message) = message {
                let options = PublicationOptions::new(TopicReference::Name(up.as_borrowed())).at_least_once();
                client
                    .publish(&options, Bytes::from(message.as_slice()))
                    .await
                    .map_err(|_| LinkError::Connection)?;
                sent = Some(Instant::now());
            }
        }
        let question = if subscribed == SUBSCRIPTIONS { device.borrow_mut().want() } else { None };
        if let Some(question) = question {
            // One that is lost is sent again.
            let options = PublicationOptions::new(TopicReference::Name(want.as_borrowed()));
            client
                .publish(&options, Bytes::from(question.as_slice()))
                .await
                .map_err(|_| LinkError::Connection)?;
        }
        if pinged.elapsed() >= PING {
            client.ping().await.map_err(|_| LinkError::Connection)?;
            pinged = Instant::now();
        }
        if heard.elapsed() >= SILENCE {
            return Err(LinkError::Silence);
        }
        let Either::First(header) = select(client.poll_header(), Timer::after(BEAT)).await else { continue };
        let header = header.map_err(|_| LinkError::Connection)?;
        heard = Instant::now();
        let event = with_timeout(CONNECT, client.poll_body(header))
            .await
            .map_err(|_| LinkError::Silence)?
            .map_err(|_| LinkError::Broker)?;
        match event {
            Event::Suback(suback) if suback.reason_code.is_success() => subscribed += 1,
            Event::Suback(_) => return Err(LinkError::Broker),
            Event::Publish(publish) => {
                let topic = publish.topic.name().map_or("", |topic| topic.as_ref().as_str());
                if topic == fw {
                    device.borrow_mut().piece(&publish.message);
                    continue;
                }
                match hear(device, topic, &ack, &publish.message) {
                    Outcome::Acknowledged => sent = None,
                    Outcome::Asked(answer) => {
                        let claim = TopicReference::Name(claim.as_borrowed());
                        let options = PublicationOptions::new(claim).at_least_once();
                        client
                            .publish(&options, Bytes::from(answer.as_slice()))
                            .await
                            .map_err(|_| LinkError::Connection)?;
                    }
                    Outcome::Nothing => {}
                }
            }
            _ => {}
        }
    }
}

/// What follows from what came.
enum Outcome {
    /// The message under way was acknowledged.
    Acknowledged,
    /// The gateway wants this answer.
    Asked(Buffer<ANSWER_MAX>),
    /// Nothing is to be sent.
    Nothing,
}

/// Gives the core what came.
fn hear(device: Shared, topic: &str, ack: &str, bytes: &[u8]) -> Outcome {
    let mut device = device.borrow_mut();
    let outcome = if topic == ack {
        device
            .acknowledge(bytes)
            .map(|freed| if freed > 0 { Outcome::Acknowledged } else { Outcome::Nothing })
    } else {
        device.hear(bytes).map(|answer| answer.map_or(Outcome::Nothing, Outcome::Asked))
    };
    outcome.unwrap_or_else(|error| {
        log::warn!("{error}");
        Outcome::Nothing
    })
}

fn text(text: &str) -> Result<MqttString<'_>, LinkError> {
    MqttString::try_from(text).map_err(|_| LinkError::Broker)
}

fn topic_name(topic: &str) -> Result<TopicName<'_>, LinkError> {
    TopicName::new(text(topic)?).ok_or(LinkError::Broker)
}
