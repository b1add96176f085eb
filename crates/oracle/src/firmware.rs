//! Hands out firmware: a meter that was told of an image asks for one piece after the
//! other (`v1/<meter>/want`) and hears each on `v1/<meter>/fw`.
//!
//! An ordinary MQTT client beside the gateway, trusted with nothing: what a meter fetched
//! counts only when its maker signed it. Promises: an answer never costs more than one
//! piece; no meter gets more than [`PIECES_PER_S`] of them, so none can slow the others; whoever
//! asks for what is not here hears nothing and asks again.

use crate::error::GatewayError;
use crate::gateway::GatewayConfig;
use crate::link::options;
use crate::tls::GatewayTls;
use jirani_meter::fetch::{ImageName, PIECE_BYTES, Piece, WANT_MAX, Want};
use jirani_units::MeterId;
use rumqttc::{AsyncClient, Event, EventLoop, Outgoing, Packet, Publish, QoS, SubscribeReasonCode};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Pieces for one meter in a second: an image of 1.5 MB takes half a minute at least, which
/// is less than its flash takes to be erased and written.
pub const PIECES_PER_S: u32 = 50;
/// Meters that are counted at once; whoever comes beyond waits for the next second.
const METERS_MAX: usize = 100_000;
/// Answers that wait for the connection.
const REQUESTS: usize = 1_024;
const SECOND: Duration = Duration::from_secs(1);
/// Real time to the next attempt to connect.
const RETRY: Duration = Duration::from_secs(1);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Where images are.
pub trait Images: Send + Sync {
    /// The image of this name, whole; nothing when it is not here. May block for as long
    /// as a disk does.
    fn image(&self, name: ImageName) -> Option<Arc<[u8]>>;
}

/// Hands out firmware.
pub struct FirmwareServer {
    client: AsyncClient,
    events: EventLoop,
    images: Arc<dyn Images>,
    subscribed: watch::Sender<bool>,
    given: Given,
}

/// Pieces given in this second.
#[derive(Default)]
struct Given {
    until: Option<Instant>,
    pieces: HashMap<MeterId, u32>,
}

impl Given {
    /// Counts one piece more, when the meter may have it.
    fn one_more(&mut self, meter: MeterId, now: Instant) -> bool {
        if self.until.is_none_or(|until| now >= until) {
            self.until = Some(now + SECOND);
            self.pieces.clear();
        }
        if self.pieces.len() >= METERS_MAX && !self.pieces.contains_key(&meter) {
            return false;
        }
        let pieces = self.pieces.entry(meter).or_default();
        *pieces += 1;
        *pieces <= PIECES_PER_S
    }
}

impl FirmwareServer {
    /// Prepares; nothing is connected yet. The client id must be another than the
    /// gateway's own.
    pub fn new(config: &GatewayConfig, images: Arc<dyn Images>) -> Result<Self, GatewayError> {
        let mut options = options(&config.url, &config.client_id)?;
        options
            .set_credentials(&config.username, &config.password)
            .set_clean_session(true)
            .set_manual_acks(false);
        let (client, events) = AsyncClient::new(options, REQUESTS);
        Ok(Self { client, events, images, subscribed: watch::channel(false).0, given: Given::default() })
    }

    /// Believes only brokers that these authorities vouch for, as
    /// [`Gateway::with_tls`](crate::Gateway::with_tls) does.
    pub fn with_tls(mut self, tls: &GatewayTls) -> Result<Self, GatewayError> {
        self.events.mqtt_options.set_transport(tls.transport()?);
        Ok(self)
    }

    /// True while the broker delivers what meters ask.
    pub fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.subscribe()
    }

    /// Runs until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), GatewayError> {
        loop {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                event = self.events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if let Err(error) = self.client.try_subscribe("v1/+/want", QoS::AtMostOnce) {
                        tracing::warn!("cannot subscribe to what meters ask: {error}");
                    }
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let taken = ack.return_codes.iter().all(|code| *code != SubscribeReasonCode::Failure);
                    if !taken {
                        tracing::error!("the broker refuses the subscription to v1/+/want");
                    }
                    self.subscribed.send_replace(taken);
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => self.answer(&publish).await,
                Ok(_) => {}
                Err(error) => {
                    self.subscribed.send_replace(false);
                    tracing::warn!("MQTT connection lost, next attempt in {RETRY:?}: {error}");
                    tokio::select! {
                        () = cancel.cancelled() => break,
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
            }
        }
        if self.client.try_disconnect().is_ok() {
            let goodbye = async {
                while self
                    .events
                    .poll()
                    .await
                    .is_ok_and(|event| event != Event::Outgoing(Outgoing::Disconnect))
                {}
            };
            let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        }
        Ok(())
    }

    /// Answers one question, or none.
    async fn answer(&mut self, publish: &Publish) {
        let Some(meter) = asker(&publish.topic) else { return };
        if publish.payload.len() > WANT_MAX || !self.given.one_more(meter, Instant::now()) {
            return;
        }
        let Ok(want) = Want::decode(&publish.payload) else {
            tracing::debug!(%meter, "a question for firmware that cannot be read");
            return;
        };
        let images = self.images.clone();
        let found = tokio::task::spawn_blocking(move || images.image(want.image)).await;
        let Ok(Some(image)) = found else {
            tracing::debug!(%meter, image = hex::encode(want.image), "asked for firmware that is not here");
            return;
        };
        let Some(piece) = cut(&image, want) else { return };
        // One that is lost is asked for again.
        let _ = self.client.try_publish(format!("v1/{meter}/fw"), QoS::AtMostOnce, false, piece);
    }
}

/// The piece that is wanted, as it goes out; none beyond the image's end.
fn cut(image: &[u8], want: Want) -> Option<Vec<u8>> {
    let from = usize::try_from(want.offset).ok()?;
    let length = usize::from(want.length).min(PIECE_BYTES);
    let bytes = image.get(from..from.checked_add(length)?)?;
    let piece = Piece { image: want.image, offset: want.offset, bytes };
    Some(piece.encode().ok()?.as_slice().to_vec())
}

fn asker(topic: &str) -> Option<MeterId> {
    topic.strip_prefix("v1/")?.strip_suffix("/want")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_meter_gets_more_than_its_pieces_a_second() {
        let (mut given, now) = (Given::default(), Instant::now());
        let (greedy, other) = (MeterId([1; 16]), MeterId([2; 16]));
        let got = (0..100).filter(|_| given.one_more(greedy, now)).count();
        assert_eq!(got, PIECES_PER_S as usize);
        assert!(given.one_more(other, now), "another's are its own");
        assert!(given.one_more(greedy, now + SECOND));
    }

    #[test]
    fn nothing_is_cut_beyond_the_end() {
        let want = |offset, length| Want { image: [1; 8], offset, length };
        assert!(cut(&[0; 10], want(0, 10)).is_some() && cut(&[0; 10], want(9, 1)).is_some());
        for beyond in [want(0, 11), want(10, 1), want(u32::MAX, 1_024)] {
            assert_eq!(cut(&[0; 10], beyond), None);
        }
    }
}
