//! A meter's own connection to the broker. Carries bytes and knows nothing of
//! what they mean; what is lost on the way is sent again by the village.

use crate::error::VillageError;
use jirani_units::MeterId;
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What waits for the connection at most.
const REQUESTS: usize = 16;
/// Most bytes of one packet: the largest message, and some.
const PACKET_MAX: usize = jirani_meter::MESSAGE_MAX + 1_024;
/// Real time between attempts to connect, first and longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// What arrived, and for which meter of the village.
pub struct Arrived {
    pub meter: usize,
    pub what: Downlink,
    pub bytes: Vec<u8>,
}

/// What a meter is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downlink {
    /// Readings are durable.
    Acknowledgement,
    /// To do something.
    Command,
}

/// A meter's connection.
pub struct Link {
    outbox: watch::Sender<Option<Vec<u8>>>,
    client: AsyncClient,
    claim: String,
    task: JoinHandle<()>,
}

/// Where the broker is: `mqtt://host:port`.
#[derive(Clone, Debug)]
pub struct BrokerAddress {
    host: String,
    port: u16,
}

impl std::str::FromStr for BrokerAddress {
    type Err = VillageError;

    fn from_str(url: &str) -> Result<Self, VillageError> {
        let invalid =
            || VillageError::Invalid(format!("the broker's address is written mqtt://host:port, not {url}"));
        let rest = url.strip_prefix("mqtt://").or_else(|| url.strip_prefix("tcp://")).ok_or_else(invalid)?;
        let (host, port) = match rest.trim_end_matches('/').rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| invalid())?),
            None => (rest, 1883),
        };
        if host.is_empty() {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl Link {
    /// Connects, and keeps trying. Acknowledgements go to `arrivals` under the
    /// number `index`.
    pub fn open(
        broker: &BrokerAddress,
        meter: MeterId,
        password: String,
        index: usize,
        arrivals: mpsc::Sender<Arrived>,
        cancel: CancellationToken,
    ) -> Self {
        let name = meter.to_string();
        let mut options = MqttOptions::new(&name, &broker.host, broker.port);
        options
            .set_credentials(&name, password)
            .set_keep_alive(Duration::from_mins(1))
            .set_clean_session(true)
            .set_max_packet_size(PACKET_MAX, PACKET_MAX)
            .set_last_will(LastWill::new(format!("v1/{name}/status"), "offline", QoS::AtLeastOnce, true));
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.network_options.set_tcp_nodelay(true);
        let (outbox, outgoing) = watch::channel(None);
        let (claim, answering) = (format!("v1/{name}/claim"), client.clone());
        let connection = Connection { client, events, name, index, arrivals, outgoing, subscribed: false };
        Self { outbox, client: answering, claim, task: tokio::spawn(connection.run(cancel)) }
    }

    /// Sends the answer to a challenge, once: whoever asked asks again.
    pub fn answer(&self, answer: Vec<u8>) {
        if let Err(error) = self.client.try_publish(&self.claim, QoS::AtLeastOnce, false, answer) {
            tracing::warn!("an answer could not be queued: {error}");
        }
    }

    /// Sends `message` now, and again whenever the connection comes back, until
    /// something else is to be sent.
    pub fn send(&self, message: Option<Vec<u8>>) {
        self.outbox.send_replace(message);
    }

    /// Waits until the connection has said goodbye.
    pub async fn closed(mut self) {
        // A task that was aborted has closed, too.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Connection {
    client: AsyncClient,
    events: EventLoop,
    name: String,
    index: usize,
    arrivals: mpsc::Sender<Arrived>,
    outgoing: watch::Receiver<Option<Vec<u8>>>,
    subscribed: bool,
}

impl Connection {
    async fn run(mut self, cancel: CancellationToken) {
        let mut retry = RETRY_FIRST;
        loop {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Ok(()) = self.outgoing.changed() => {
                    self.publish();
                    continue;
                }
                event = self.events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(packet)) => {
                    retry = RETRY_FIRST;
                    self.take(packet).await;
                }
                Ok(Event::Outgoing(_)) => {}
                Err(error) => {
                    self.subscribed = false;
                    tracing::warn!(meter = %self.name, "MQTT connection lost, next attempt in {retry:?}: {error}");
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

    async fn take(&mut self, packet: Packet) {
        match packet {
            Packet::ConnAck(_) => {
                // In one packet: its one answer says that acknowledgements can be heard.
                let filter =
                    |leaf| SubscribeFilter::new(format!("v1/{}/{leaf}", self.name), QoS::AtLeastOnce);
                self.note(self.client.try_subscribe_many(["ack", "cmd"].map(filter)));
                self.note(self.status("online"));
            }
            Packet::SubAck(_) => {
                // An acknowledgement could not have been heard before.
                self.subscribed = true;
                self.publish();
            }
            Packet::Publish(publish) => {
                let what = match publish.topic.rsplit_once('/') {
                    Some((_, "ack")) => Downlink::Acknowledgement,
                    Some((_, "cmd")) => Downlink::Command,
                    _ => return,
                };
                let arrived = Arrived { meter: self.index, what, bytes: publish.payload.to_vec() };
                // Nobody listens any more when the village ends.
                let _ = self.arrivals.send(arrived).await;
            }
            _ => {}
        }
    }

    fn publish(&mut self) {
        let message = self.outgoing.borrow_and_update().clone();
        if let Some(message) = message.filter(|_| self.subscribed) {
            let topic = format!("v1/{}/up", self.name);
            self.note(self.client.try_publish(topic, QoS::AtLeastOnce, false, message));
        }
    }

    fn status(&self, text: &str) -> Result<(), rumqttc::ClientError> {
        self.client.try_publish(format!("v1/{}/status", self.name), QoS::AtLeastOnce, true, text)
    }

    fn note(&self, sent: Result<(), rumqttc::ClientError>) {
        if let Err(error) = sent {
            tracing::warn!(meter = %self.name, "a message could not be queued, it will be sent again: {error}");
        }
    }

    /// Says that it goes, sends what is queued, then the goodbye.
    async fn say_goodbye(&mut self) {
        if self.events.network.is_none() || self.status("offline").is_err() {
            return;
        }
        if self.client.try_disconnect().is_err() {
            return;
        }
        while let Ok(event) = self.events.poll().await {
            if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_named_by_an_mqtt_url() {
        let address: BrokerAddress = "mqtt://127.0.0.1:1884".parse().unwrap();
        assert_eq!((address.host.as_str(), address.port), ("127.0.0.1", 1884));
        assert_eq!("mqtt://broker".parse::<BrokerAddress>().unwrap().port, 1883);
        for url in ["", "127.0.0.1:1883", "http://a:1", "mqtt://", "mqtt://a:port"] {
            assert!(url.parse::<BrokerAddress>().is_err(), "{url}");
        }
    }
}
