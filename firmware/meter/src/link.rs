//! The way to the gateway: MQTT 5, one message under way at a time.
//!
//! Publishes `v1/<meter>/up` and `v1/<meter>/status` (retained, last will), hears
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
const RETRY_FIRST_S: u32 = 2;
const RETRY_LAST_S: u32 = 120;
/// Acknowledgements and commands are 128 bytes at most.
const PACKET_MAX: u32 = 512;

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
    let mut retry_s = RETRY_FIRST_S;
    loop {
        stack.wait_config_up().await;
        let begun = Instant::now();
        let Err(error) = session(stack, device, &gateway).await;
        log::warn!("after {} s: {error}", begun.elapsed().as_secs());
        // A session that held was a good one.
        retry_s = if begun.elapsed() > SILENCE { RETRY_FIRST_S } else { (retry_s * 2).min(RETRY_LAST_S) };
        // A whole village comes back at once when its broker does: spread it.
        let spread_s = u64::from(Rng::new().random() % retry_s);
        Timer::after(Duration::from_secs(u64::from(retry_s) + spread_s)).await;
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
    let (up, status) = (topic_name(&up)?, topic_name(&status)?);
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
    let mut client = Client::<'_, '_, _, _, 2, 4, 4, 0, 0, 0, 0>::new(&mut buffer);
    with_timeout(CONNECT, client.connect(socket, &options, Some(text(&gateway.name)?)))
        .await
        .map_err(|_| LinkError::Connection)?
        .map_err(|_| LinkError::Broker)?;
    for leaf in [&ack, &cmd] {
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
        // An acknowledgement could not be heard before both subscriptions stand.
        if subscribed == 2 && sent.is_none_or(|sent| sent.elapsed() >= ANSWER) {
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
                if hear(device, topic, &ack, &publish.message) {
                    sent = None;
                }
            }
            _ => {}
        }
    }
}

/// Gives the core what came; whether the message under way was acknowledged.
fn hear(device: Shared, topic: &str, ack: &str, bytes: &[u8]) -> bool {
    let mut device = device.borrow_mut();
    if topic == ack {
        return match device.acknowledge(bytes) {
            Ok(freed) => freed > 0,
            Err(error) => {
                log::warn!("{error}");
                false
            }
        };
    }
    match device.command(bytes) {
        Ok(obeyed) => log::info!("command: {obeyed:?}"),
        Err(error) => log::warn!("{error}"),
    }
    false
}

fn text(text: &str) -> Result<MqttString<'_>, LinkError> {
    MqttString::try_from(text).map_err(|_| LinkError::Broker)
}

fn topic_name(topic: &str) -> Result<TopicName<'_>, LinkError> {
    TopicName::new(text(topic)?).ok_or(LinkError::Broker)
}
