//! The connection to the broker, whichever it is.

use crate::counters::Counters;
use crate::error::GatewayError;
use crate::waiting::{Place, Waiting};
use jirani_clock::{Busy, ServiceClock};
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode, Transport,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Publishes that wait for the batcher. More than a broker keeps in flight; what
/// comes beyond is not taken, and its meter sends it again.
pub(crate) const INBOUND: usize = 4_096;
/// Acknowledgements that wait for the connection.
const REQUESTS: usize = 8_192;
/// Most bytes of a packet that is received at all.
const PACKET_MAX: usize = 256 * 1024;
/// Real time between attempts to connect, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// Answers to challenges; every gateway hears them.
const CLAIMS: &str = "v1/+/claim";
/// Why a message of a meter that has too many waiting is not taken.
const FLOOD: &str = "gateway.flood";
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A publish as it came, work under way from that moment on.
pub(crate) struct Inbound {
    pub(crate) publish: Publish,
    pub(crate) connection: u64,
    pub(crate) _busy: Busy,
    pub(crate) _place: Place,
}

/// Reads the address `mqtt://host:port` (or `mqtts://`).
pub(crate) fn options(url: &str, client_id: &str) -> Result<MqttOptions, GatewayError> {
    let bad = |reason: String| GatewayError::BadUrl { url: url.to_owned(), reason };
    let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
    let (tls, default_port) = match parsed.scheme() {
        "mqtt" | "tcp" => (false, 1883),
        "mqtts" | "ssl" => (true, 8883),
        other => return Err(bad(format!("the scheme is {other}"))),
    };
    let host = parsed.host_str().ok_or_else(|| bad("it names no host".to_owned()))?;
    let mut options = MqttOptions::new(client_id, host, parsed.port().unwrap_or(default_port));
    if tls {
        options.set_transport(Transport::tls_with_default_config());
    }
    options
        .set_keep_alive(Duration::from_secs(30))
        .set_clean_session(false)
        .set_manual_acks(true)
        .set_max_packet_size(PACKET_MAX, PACKET_MAX)
        .set_inflight(1_000);
    Ok(options)
}

/// The side that receives.
pub(crate) struct Link {
    pub(crate) client: AsyncClient,
    /// Number of the connection; a publish of an earlier one is acknowledged no more.
    pub(crate) connection: Arc<AtomicU64>,
    events: EventLoop,
    filter: String,
    inbound: mpsc::Sender<Inbound>,
    subscribed: watch::Sender<bool>,
    clock: ServiceClock,
    counters: Counters,
    waiting: Waiting,
}

impl Link {
    pub(crate) fn new(
        options: MqttOptions,
        filter: String,
        inbound: mpsc::Sender<Inbound>,
        subscribed: watch::Sender<bool>,
        clock: ServiceClock,
        counters: Counters,
    ) -> Self {
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.network_options.set_tcp_nodelay(true);
        Self {
            client,
            connection: Arc::default(),
            events,
            filter,
            inbound,
            subscribed,
            clock,
            counters,
            waiting: Waiting::default(),
        }
    }

    /// Speaks to the broker this way.
    pub(crate) fn set_transport(&mut self, transport: Transport) {
        self.events.mqtt_options.set_transport(transport);
    }

    /// Receives until cancelled, connecting again as often as needed. Never waits
    /// for the batcher: that would keep acknowledgements from going out.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let mut retry = RETRY_FIRST;
        loop {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                event = self.events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Packet::Publish(publish))) => self.take(publish),
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    retry = RETRY_FIRST;
                    self.connection.fetch_add(1, Ordering::SeqCst);
                    let filters = [self.filter.as_str(), CLAIMS]
                        .map(|filter| SubscribeFilter::new(filter.to_owned(), QoS::AtLeastOnce));
                    if let Err(error) = self.client.try_subscribe_many(filters) {
                        tracing::warn!("cannot subscribe to {}: {error}", self.filter);
                    }
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let taken = ack.return_codes.iter().all(|code| *code != SubscribeReasonCode::Failure);
                    if !taken {
                        tracing::error!("the broker refuses the subscription to {}", self.filter);
                    }
                    self.subscribed.send_replace(taken);
                }
                Ok(_) => {}
                Err(error) => {
                    self.subscribed.send_replace(false);
                    tracing::warn!("MQTT connection lost, next attempt in {retry:?}: {error}");
                    tokio::select! {
                        () = cancel.cancelled() => break,
                        () = tokio::time::sleep(retry) => {}
                    }
                    retry = (retry * 2).min(RETRY_LAST);
                }
            }
        }
        let _ = tokio::time::timeout(GOODBYE, self.say_goodbye()).await;
    }

    fn take(&self, publish: Publish) {
        let connection = self.connection.load(Ordering::SeqCst);
        let not_taken = |publish: &Publish| {
            self.counters.dropped();
            // The broker forgets it, or its window would fill with what nobody takes; the
            // meter does not: it was not acknowledged to it, and it sends it again.
            let _ = self.client.try_ack(publish);
        };
        let Some(place) = self.waiting.place(&publish.topic) else {
            let rest = publish.topic.strip_prefix("v1/");
            let meter =
                rest.and_then(|rest| rest.strip_suffix("/up").or_else(|| rest.strip_suffix("/claim")));
            self.counters.tally().refuse(meter.and_then(|meter| meter.parse().ok()), FLOOD);
            return not_taken(&publish);
        };
        let inbound = Inbound { publish, connection, _busy: self.clock.busy(), _place: place };
        if let Err(mpsc::error::TrySendError::Full(inbound)) = self.inbound.try_send(inbound) {
            tracing::warn!("too many messages wait; one was not taken");
            not_taken(&inbound.publish);
        }
    }

    /// Sends what is queued, then the goodbye.
    async fn say_goodbye(&mut self) {
        if self.events.network.is_none() || self.client.try_disconnect().is_err() {
            return;
        }
        while let Ok(event) = self.events.poll().await {
            if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                return;
            }
        }
    }
}
