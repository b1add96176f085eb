//! Connections to the broker: one that hears the devices, and one per bridged meter, under
//! that meter's own name and password, so that the broker's rules for meters hold for it.

use crate::error::BridgeError;
use jirani_clock::{Busy, ServiceClock};
use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS, SubscribeFilter, Transport,
};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What waits for a connection at most.
const REQUESTS: usize = 64;
/// Most bytes of one packet. Larger ones end the connection, which comes back.
const PACKET_MAX: usize = 64 * 1024;
/// Real time between attempts to connect, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// What arrived, work under way from that moment on.
pub(crate) struct Arrived {
    pub(crate) from: Side,
    pub(crate) publish: Publish,
    pub(crate) _busy: Busy,
}

/// Who heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The listener: a device's message.
    Devices,
    /// A bridged meter, by its place: an acknowledgement.
    Meter(usize),
}

/// How to reach the broker as somebody.
pub(crate) fn options(url: &str, name: &str, user: &str, password: &str) -> Result<MqttOptions, BridgeError> {
    let bad = |reason: String| BridgeError::BadUrl { url: url.to_owned(), reason };
    let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
    let (tls, default_port) = match parsed.scheme() {
        "mqtt" | "tcp" => (false, 1883),
        "mqtts" | "ssl" => (true, 8883),
        other => return Err(bad(format!("the scheme is {other}"))),
    };
    let host = parsed.host_str().ok_or_else(|| bad("it names no host".to_owned()))?;
    let mut options = MqttOptions::new(name, host, parsed.port().unwrap_or(default_port));
    if tls {
        options.set_transport(Transport::tls_with_default_config());
    }
    options
        .set_credentials(user, password)
        .set_keep_alive(Duration::from_secs(30))
        .set_clean_session(true)
        .set_max_packet_size(PACKET_MAX, PACKET_MAX);
    Ok(options)
}

/// A connection that subscribes, hands on what arrives, and says what is in its outbox.
pub(crate) struct Link {
    from: Side,
    client: AsyncClient,
    events: EventLoop,
    filters: Vec<String>,
    /// `v1/<meter>/up`, for a meter.
    up: Option<String>,
    outgoing: watch::Receiver<Option<Vec<u8>>>,
    /// Answers to challenges, each said once: whoever asked asks again.
    claims: mpsc::Receiver<Vec<u8>>,
    arrivals: mpsc::Sender<Arrived>,
    subscribed: watch::Sender<bool>,
    clock: ServiceClock,
}

/// What a bridged meter has to say.
pub(crate) struct Said {
    /// The message that is under way.
    pub(crate) outgoing: watch::Receiver<Option<Vec<u8>>>,
    /// Answers to challenges.
    pub(crate) claims: mpsc::Receiver<Vec<u8>>,
}

impl Link {
    /// Hears the devices.
    pub(crate) fn listener(
        options: MqttOptions,
        filters: Vec<String>,
        arrivals: mpsc::Sender<Arrived>,
        subscribed: watch::Sender<bool>,
        clock: ServiceClock,
    ) -> Self {
        let said = Said { outgoing: watch::channel(None).1, claims: mpsc::channel(1).1 };
        Self::new(Side::Devices, options, (filters, None), said, arrivals, subscribed, clock)
    }

    /// Speaks as a bridged meter.
    pub(crate) fn meter(
        place: usize,
        name: &str,
        mut options: MqttOptions,
        said: Said,
        arrivals: mpsc::Sender<Arrived>,
        clock: ServiceClock,
    ) -> Self {
        options.set_last_will(LastWill::new(format!("v1/{name}/status"), "offline", QoS::AtLeastOnce, true));
        let (subscribed, _) = watch::channel(false);
        let heard = ["ack", "cmd"].map(|leaf| format!("v1/{name}/{leaf}"));
        let topics = (heard.to_vec(), Some(format!("v1/{name}/up")));
        Self::new(Side::Meter(place), options, topics, said, arrivals, subscribed, clock)
    }

    fn new(
        from: Side,
        options: MqttOptions,
        (filters, up): (Vec<String>, Option<String>),
        said: Said,
        arrivals: mpsc::Sender<Arrived>,
        subscribed: watch::Sender<bool>,
        clock: ServiceClock,
    ) -> Self {
        let Said { outgoing, claims } = said;
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.network_options.set_tcp_nodelay(true);
        Self { from, client, events, filters, up, outgoing, claims, arrivals, subscribed, clock }
    }

    /// Runs until cancelled, connecting again as often as needed.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let mut retry = RETRY_FIRST;
        loop {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Ok(()) = self.outgoing.changed() => {
                    self.publish();
                    continue;
                }
                Some(claim) = self.claims.recv() => {
                    self.claim(claim);
                    continue;
                }
                event = self.events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(packet)) => {
                    retry = RETRY_FIRST;
                    self.take(packet);
                }
                Ok(Event::Outgoing(_)) => {}
                Err(error) => {
                    self.subscribed.send_replace(false);
                    tracing::warn!(from = ?self.from, "MQTT connection lost, next attempt in {retry:?}: {error}");
                    tokio::select! {
                        () = cancel.cancelled() => break,
                        () = tokio::time::sleep(retry) => {}
                    }
                    retry = (retry * 2).min(RETRY_LAST);
                }
            }
        }
        let _ = self.client.try_disconnect();
        // One turn lets the goodbye out; a broker that is gone needs none.
        let _ = tokio::time::timeout(RETRY_FIRST, self.events.poll()).await;
    }

    fn take(&mut self, packet: Packet) {
        match packet {
            Packet::ConnAck(_) => {
                // In one packet: its one answer says that all can be heard.
                let filters =
                    self.filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
                self.note(self.client.try_subscribe_many(filters.collect::<Vec<_>>()));
                if let Some(up) = &self.up {
                    let status = up.replace("/up", "/status");
                    self.note(self.client.try_publish(status, QoS::AtLeastOnce, true, "online"));
                }
            }
            Packet::SubAck(ack) => {
                let refused = |code: &_| matches!(code, rumqttc::SubscribeReasonCode::Failure);
                if ack.return_codes.iter().any(refused) {
                    tracing::error!(from = ?self.from, "the broker refuses a subscription of the bridge");
                    return;
                }
                self.subscribed.send_replace(true);
                self.publish();
            }
            Packet::Publish(publish) => {
                let arrived = Arrived { from: self.from, publish, _busy: self.clock.busy() };
                if self.arrivals.try_send(arrived).is_err() {
                    // Counters are cumulative, and acknowledgements are repeated.
                    tracing::warn!(from = ?self.from, "too many messages wait; one was not taken");
                }
            }
            _ => {}
        }
    }

    /// Says what is in the outbox, once an acknowledgement could be heard.
    fn publish(&mut self) {
        let message = self.outgoing.borrow_and_update().clone();
        let (Some(up), Some(message), true) = (&self.up, message, *self.subscribed.borrow()) else { return };
        self.note(self.client.try_publish(up, QoS::AtLeastOnce, false, message));
    }

    fn claim(&self, claim: Vec<u8>) {
        if let Some(up) = &self.up {
            self.note(self.client.try_publish(up.replace("/up", "/claim"), QoS::AtLeastOnce, false, claim));
        }
    }

    fn note(&self, sent: Result<(), rumqttc::ClientError>) {
        if let Err(error) = sent {
            tracing::warn!(from = ?self.from, "a message could not be queued, it will be sent again: {error}");
        }
    }
}
