//! The broker as its clients see it, over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_broker::{
    BRIDGE, Broker, BrokerConfig, BrokerError, Limits, RunningBroker, bridge_password, meter_password,
    own_client_id,
};
use jirani_units::MeterId;
use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions};
use rumqttc::{Packet, QoS, SubscribeReasonCode};
use std::net::SocketAddr;
use std::time::Duration;

const SECRET: [u8; 32] = [5; 32];
const PASSWORD: &str = "the gateway's own";
const A: MeterId = MeterId([0xaa; 16]);
const B: MeterId = MeterId([0xbb; 16]);

fn config(listen: SocketAddr) -> BrokerConfig {
    BrokerConfig { listen, gateway_password: PASSWORD.to_owned(), meter_secret: SECRET }
}

async fn broker() -> RunningBroker {
    Broker::start(config("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

fn options(addr: SocketAddr, client_id: &str, username: &str, password: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, addr.ip().to_string(), addr.port());
    options.set_credentials(username, password).set_clean_session(true);
    options.set_max_packet_size(256 * 1024, 256 * 1024);
    options
}

fn meter(addr: SocketAddr, id: MeterId) -> MqttOptions {
    let name = id.to_string();
    options(addr, &name, &name, &meter_password(&SECRET, id))
}

fn gateway(addr: SocketAddr) -> MqttOptions {
    options(addr, "gateway", "gateway", PASSWORD)
}

async fn incoming(events: &mut EventLoop) -> Result<Packet, ConnectionError> {
    let next = async {
        loop {
            if let Event::Incoming(packet) = events.poll().await? {
                return Ok(packet);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), next).await.expect("the broker stays silent")
}

/// Connects, and keeps the connection's events.
async fn connect(options: MqttOptions) -> Result<(AsyncClient, EventLoop), ConnectionError> {
    let (client, mut events) = AsyncClient::new(options, 32);
    match incoming(&mut events).await? {
        Packet::ConnAck(ack) if ack.code == ConnectReturnCode::Success => Ok((client, events)),
        other => panic!("expected a connection, not {other:?}"),
    }
}

/// Connects once the broker has closed the session before, which it may still be doing.
async fn reconnect(options: MqttOptions) -> (AsyncClient, EventLoop) {
    loop {
        match connect(options.clone()).await {
            Ok(connected) => return connected,
            Err(ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

async fn refusal(options: MqttOptions) -> ConnectReturnCode {
    match connect(options).await.map(|_| ()) {
        Err(ConnectionError::ConnectionRefused(code)) => code,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

async fn subscribe(client: &AsyncClient, events: &mut EventLoop, filter: &str) -> SubscribeReasonCode {
    client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
    loop {
        if let Packet::SubAck(ack) = incoming(events).await.unwrap() {
            return ack.return_codes[0];
        }
    }
}

async fn publish_is_taken(client: &AsyncClient, events: &mut EventLoop, topic: &str) -> bool {
    client.publish(topic, QoS::AtLeastOnce, false, "x").await.unwrap();
    loop {
        match incoming(events).await {
            Ok(Packet::PubAck(_)) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[tokio::test]
async fn only_the_right_password_opens_the_door() {
    let broker = broker().await;
    let addr = broker.addr();
    let (a, b) = (A.to_string(), B.to_string());
    connect(gateway(addr)).await.unwrap();
    connect(meter(addr, A)).await.unwrap();
    for wrong in [
        options(addr, "gateway", "gateway", "guess"),
        options(addr, &a, &a, &meter_password(&SECRET, B)),
        options(addr, &a, &a, ""),
        // A meter's password under another client id, or somebody else's name.
        options(addr, &b, &a, &meter_password(&SECRET, A)),
        options(addr, "gateway", &a, &meter_password(&SECRET, A)),
        options(addr, &a, "gateway", PASSWORD),
        options(addr, "admin", "admin", PASSWORD),
        MqttOptions::new("anonymous", addr.ip().to_string(), addr.port()),
    ] {
        let code = refusal(wrong.clone()).await;
        assert!(
            matches!(code, ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized),
            "{wrong:?} {code:?}"
        );
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_meter_subscribes_under_its_own_prefix_only() {
    let broker = broker().await;
    let (client, mut events) = connect(meter(broker.addr(), A)).await.unwrap();
    for filter in [format!("v1/{A}/ack"), format!("v1/{A}/cmd")] {
        assert!(matches!(subscribe(&client, &mut events, &filter).await, SubscribeReasonCode::Success(_)));
    }
    for filter in [format!("v1/{B}/ack"), "v1/+/up".into(), "v1/+/ack".into(), "#".into(), "$SYS/#".into()] {
        assert_eq!(subscribe(&client, &mut events, &filter).await, SubscribeReasonCode::Failure, "{filter}");
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_meter_that_publishes_elsewhere_is_cut_off() {
    let broker = broker().await;
    for (topic, taken) in [
        (format!("v1/{A}/up"), true),
        (format!("v1/{A}/status"), true),
        (format!("v1/{B}/up"), false),
        (format!("v1/{A}/ack"), false),
        (format!("v1/{A}/cmd"), false),
        (format!("v1/{A}/up/more"), false),
        ("somewhere/else".into(), false),
    ] {
        let (client, mut events) = reconnect(meter(broker.addr(), A)).await;
        assert_eq!(publish_is_taken(&client, &mut events, &topic).await, taken, "{topic}");
    }
    broker.stop().await;
}

#[tokio::test]
async fn only_the_gateway_hears_readings_and_publishes_acknowledgements() {
    let broker = broker().await;
    let (gateway, mut gateway_events) = connect(gateway(broker.addr())).await.unwrap();
    let heard = subscribe(&gateway, &mut gateway_events, "v1/+/up").await;
    assert!(matches!(heard, SubscribeReasonCode::Success(_)));
    let (meter, mut meter_events) = connect(meter(broker.addr(), A)).await.unwrap();
    subscribe(&meter, &mut meter_events, &format!("v1/{A}/ack")).await;

    meter.publish(format!("v1/{A}/up"), QoS::AtLeastOnce, false, "reading").await.unwrap();
    let reading = async {
        loop {
            if let Packet::Publish(publish) = incoming(&mut gateway_events).await.unwrap() {
                return publish;
            }
        }
    };
    let (publish, ()) = tokio::join!(reading, async {
        while !matches!(incoming(&mut meter_events).await.unwrap(), Packet::PubAck(_)) {}
    });
    assert_eq!(publish.topic, format!("v1/{A}/up"));

    gateway.publish(format!("v1/{A}/ack"), QoS::AtLeastOnce, false, "durable").await.unwrap();
    let ack = async {
        loop {
            if let Packet::Publish(publish) = incoming(&mut meter_events).await.unwrap() {
                return publish;
            }
        }
    };
    let (ack, ()) = tokio::join!(ack, async {
        while !matches!(incoming(&mut gateway_events).await.unwrap(), Packet::PubAck(_)) {}
    });
    assert_eq!(&ack.payload[..], b"durable");

    assert!(!publish_is_taken(&gateway, &mut gateway_events, &format!("v1/{A}/up")).await);
    broker.stop().await;
}

#[tokio::test]
async fn a_lost_meter_leaves_its_last_will_as_retained_status() {
    let broker = broker().await;
    let mut options = meter(broker.addr(), A);
    options.set_last_will(LastWill::new(format!("v1/{A}/status"), "offline", QoS::AtLeastOnce, true));
    // Dropped without a goodbye.
    drop(connect(options).await.unwrap());
    let (gateway, mut events) = connect(gateway(broker.addr())).await.unwrap();
    subscribe(&gateway, &mut events, "v1/+/status").await;
    let status = loop {
        if let Packet::Publish(publish) = incoming(&mut events).await.unwrap() {
            break publish;
        }
    };
    assert_eq!((&status.topic[..], &status.payload[..]), (&format!("v1/{A}/status")[..], &b"offline"[..]));

    let mut foreign = meter(broker.addr(), A);
    foreign.set_last_will(LastWill::new(format!("v1/{B}/status"), "offline", QoS::AtLeastOnce, true));
    refusal(foreign).await;
    broker.stop().await;
}

#[tokio::test]
async fn floods_and_giants_end_their_own_connection_only() {
    let limits = Limits { messages_per_s: 1, messages_burst: 3, ..Limits::default() };
    let broker = Broker::start_with(config("127.0.0.1:0".parse().unwrap()), limits).await.unwrap();
    let (quiet, mut quiet_events) = connect(meter(broker.addr(), B)).await.unwrap();

    let (client, mut events) = connect(meter(broker.addr(), A)).await.unwrap();
    let up = format!("v1/{A}/up");
    for _ in 0..10 {
        client.publish(&up, QoS::AtLeastOnce, false, "x").await.unwrap();
    }
    let mut taken = 0;
    while let Ok(packet) = incoming(&mut events).await {
        taken += usize::from(matches!(packet, Packet::PubAck(_)));
    }
    // Acknowledgements that were under way when the connection ended may be lost with it.
    assert!(taken < 10, "{taken} taken");

    let (client, mut events) = reconnect(meter(broker.addr(), A)).await;
    client.publish(&up, QoS::AtLeastOnce, false, vec![0; 100_000]).await.unwrap();
    while incoming(&mut events).await.is_ok() {}

    assert!(publish_is_taken(&quiet, &mut quiet_events, &format!("v1/{B}/up")).await);
    broker.stop().await;
}

#[tokio::test]
async fn brokers_start_side_by_side_and_a_stopped_one_frees_its_port() {
    let (first, second) = (broker().await, broker().await);
    assert_ne!(first.addr(), second.addr());
    let addr = first.addr();
    let taken = Broker::start(config(addr)).await.map(|_| ()).unwrap_err();
    assert!(matches!(taken, BrokerError::Bind { .. }), "{taken}");
    assert!(taken.to_string().contains(&addr.port().to_string()), "{taken}");

    let (_client, mut events) = connect(gateway(addr)).await.unwrap();
    first.stop().await;
    while incoming(&mut events).await.is_ok() {}
    let again = Broker::start(config(addr)).await.unwrap();
    connect(gateway(again.addr())).await.unwrap();
    connect(gateway(second.addr())).await.unwrap();
    again.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn the_site_s_own_clients_have_ids_that_nobody_guesses() {
    let broker = broker().await;
    let addr = broker.addr();
    for (user, password) in [("gateway", PASSWORD.to_owned()), (BRIDGE, bridge_password(&SECRET))] {
        connect(options(addr, &own_client_id(&SECRET, user), user, &password)).await.unwrap();
    }
    let taken = options(addr, "gateway-1", BRIDGE, &bridge_password(&SECRET));
    assert_eq!(refusal(taken).await, ConnectReturnCode::NotAuthorized);
}

#[tokio::test]
async fn a_meter_whose_time_is_over_is_shut_out_by_name() {
    let broker = broker().await;
    let addr = broker.addr();
    let (client, mut events) = connect(meter(addr, A)).await.unwrap();
    assert!(publish_is_taken(&client, &mut events, &format!("v1/{A}/up")).await);
    broker.doors().shut_out([A].into());
    assert!(!publish_is_taken(&client, &mut events, &format!("v1/{A}/up")).await, "it is heard no more");
    assert_eq!(refusal(meter(addr, A)).await, ConnectReturnCode::NotAuthorized);
    connect(meter(addr, B)).await.unwrap();
    assert_eq!(broker.refusals()(), [(Some(A), "broker.shut_out", 2)]);

    // Taken back into service it comes in again.
    broker.doors().shut_out([].into());
    reconnect(meter(addr, A)).await;
}
