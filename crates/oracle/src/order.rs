//! One order to one meter, by hand: its interval, the time, or a firmware.
//!
//! The relay's commands wait in the store until they are obeyed ([`crate::relay`]); an
//! order is told by whoever stands there and waits. It goes out at once and again after
//! every message of the meter, and is done when a reading, signed by the meter, shows
//! it. A meter that is not there is not kept for: the order is given again later.

use crate::error::GatewayError;
use crate::link::options;
use crate::tls::GatewayTls;
use jirani_meter::{
    Action, Command, Ed25519Signer, PublicKey, READING_CONTEXT, Reading, SLOT_S, SignedRelease, TimeQuality,
    message,
};
use jirani_units::{MeterId, Timestamp};
use rumqttc::{AsyncClient, Event, Outgoing, Packet, QoS, SubscribeReasonCode};
use std::time::Duration;

/// Real time to the next attempt to connect.
const RETRY: Duration = Duration::from_secs(1);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// How far a clock that was told the time may be from it, µs: as long as the command may
/// have been under way, one interval, and one more until it was read.
const TIME_OFF_MAX_US: u64 = 2 * SLOT_S as u64 * 1_000_000;
/// What waits for the connection at most.
const REQUESTS: usize = 16;

/// Whom an order is for and how he is reached.
pub struct Ordering<'a> {
    /// The broker, `mqtt://host:port`.
    pub url: &'a str,
    /// Who may vouch for the broker; without it, the authorities that the system believes.
    pub tls: Option<&'a GatewayTls>,
    /// Client id: begins with `gateway-`, another than the gateway's own.
    pub client_id: &'a str,
    /// The gateway's password there.
    pub password: &'a str,
    /// The key that meters have pinned.
    pub signer: &'a Ed25519Signer,
    /// Which meter.
    pub meter: MeterId,
    /// Its key.
    pub key: PublicKey,
    /// The order's number: greater than that of any before it.
    pub number: u64,
}

/// What a meter is to do.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// Read every so many seconds.
    Interval(u32),
    /// Take the operator's time, which is handed to [`Ordering::tell`].
    Time,
    /// Fetch and start a firmware.
    Firmware(SignedRelease),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// This reading showed that it was obeyed.
    Obeyed(Said),
    /// This reading showed that it was so before: nothing was sent.
    Before(Said),
    /// The meter was heard, but no reading showed it in time.
    Unshown(Said),
    /// The meter was not heard in time.
    Silent,
}

/// The reading that was heard last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Generation of its registers.
    pub epoch: u32,
    /// Its number.
    pub seq: u64,
    /// Its time by the meter's clock.
    pub time: Timestamp,
    /// What that is worth.
    pub time_quality: TimeQuality,
    /// How often the meter reads, seconds.
    pub interval_s: u32,
    /// The first bytes of its firmware's SHA-256.
    pub firmware: [u8; 8],
}

impl Ordering<'_> {
    /// Tells, until it is shown or `patience` (of real time) is over. `now` gives the
    /// operator's time.
    pub async fn tell(
        &self,
        wanted: Wanted,
        now: &(dyn Fn() -> Timestamp + Sync),
        patience: Duration,
    ) -> Result<Told, GatewayError> {
        let mut options = options(self.url, self.client_id)?;
        options.set_credentials("gateway", self.password).set_clean_session(true).set_manual_acks(false);
        if let Some(tls) = self.tls {
            options.set_transport(tls.transport()?);
        }
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        let mut last: Option<Said> = None;
        let mut is_told = false;
        let told = tokio::time::timeout(patience, async {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        client.subscribe(format!("v1/{}/up", self.meter), QoS::AtLeastOnce).await.ok();
                    }
                    Ok(Event::Incoming(Packet::SubAck(ack))) => {
                        if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                            return Err(GatewayError::LinkEnded(
                                "the broker refuses the subscription".into(),
                            ));
                        }
                        is_told |= self.publish(&client, wanted, last, now()).await;
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let Some(shown) = self.newest(&publish.payload) else { continue };
                        // What lay in the queue was read before anybody told anything.
                        if last.is_some_and(|last| (shown.epoch, shown.seq) < (last.epoch, last.seq)) {
                            continue;
                        }
                        last = Some(shown);
                        if shows(wanted, &shown, now()) {
                            return Ok(if is_told { Told::Obeyed(shown) } else { Told::Before(shown) });
                        }
                        is_told |= self.publish(&client, wanted, last, now()).await;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!("MQTT connection lost, next attempt in {RETRY:?}: {error}");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        })
        .await;
        if told.is_ok() && client.disconnect().await.is_ok() {
            let is_over = |event| matches!(event, Event::Outgoing(Outgoing::Disconnect));
            let goodbye = async { while events.poll().await.is_ok_and(|event| !is_over(event)) {} };
            let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        }
        told.unwrap_or(Ok(last.map_or(Told::Silent, Told::Unshown)))
    }

    /// Signs and sends; whether there was something to send.
    async fn publish(
        &self,
        client: &AsyncClient,
        wanted: Wanted,
        last: Option<Said>,
        now: Timestamp,
    ) -> bool {
        let action = match (wanted, last) {
            (Wanted::Interval(seconds), _) => Action::SetInterval { seconds },
            (Wanted::Firmware(release), _) => Action::AnnounceFirmware(release),
            // The time answers a reading; before the first there is nothing to answer.
            (Wanted::Time, None) => return false,
            (Wanted::Time, Some(shown)) => {
                let time_us = u64::try_from(now.0).unwrap_or(0);
                Action::SetTime { time_us, epoch: shown.epoch, seq: shown.seq }
            }
        };
        let command = Command { meter: self.meter.0, number: self.number, action };
        match command.sign(self.signer) {
            Ok(bytes) => {
                let topic = format!("v1/{}/cmd", self.meter);
                client.publish(topic, QoS::AtLeastOnce, false, bytes.as_slice()).await.is_ok()
            }
            Err(error) => {
                tracing::error!("an order could not be signed: {error}");
                false
            }
        }
    }

    /// The last reading of a message, when all of it can be read and the meter signed it.
    fn newest(&self, payload: &[u8]) -> Option<Said> {
        let signed = message::split(payload).ok()?.last()?.ok()?;
        let reading = Reading::decode_payload(signed.payload).ok()?;
        signed.verify(&self.key, READING_CONTEXT).ok().filter(|()| reading.meter == self.meter.0)?;
        Some(Said {
            epoch: reading.epoch,
            seq: reading.seq,
            time: Timestamp(i64::try_from(reading.time_us).ok()?),
            time_quality: reading.time_quality,
            interval_s: reading.interval_s,
            firmware: reading.firmware,
        })
    }
}

/// Whether a reading shows what is wanted.
fn shows(wanted: Wanted, shown: &Said, now: Timestamp) -> bool {
    match wanted {
        Wanted::Interval(seconds) => shown.interval_s == seconds,
        Wanted::Time => match shown.time_quality {
            TimeQuality::Synchronised => true,
            TimeQuality::HeldOver => shown.time.since(now).unsigned_abs() <= TIME_OFF_MAX_US,
            TimeQuality::Unset => false,
        },
        Wanted::Firmware(signed) => shown.firmware == signed.release.sha256[..8],
    }
}
