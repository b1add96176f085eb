//! All devices of a site, from their broker to the gateway's.

use crate::bridged::Bridged;
use crate::error::BridgeError;
use crate::file::DeviceFile;
use crate::key::device_key;
use crate::link::{Arrived, Link, Said, Side, options};
use crate::status::Status;
use jirani_clock::ServiceClock;
use jirani_devices::{Decoder, Message};
use jirani_meter::PublicKey;
use jirani_store::ReadingRow;
use jirani_units::{Clock as _, MeterId};
use rumqttc::{MqttOptions, Transport};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Messages that wait to be looked at.
const INBOUND: usize = 1_024;
/// Answers to challenges that wait for a connection.
const CLAIMS: usize = 4;
/// Real time after which what nobody acknowledged is said again.
const AGAIN: Duration = Duration::from_secs(30);
/// Everything under this prefix is subscribed to at once.
const DEVICES: &str = "devices/";

/// Where a bridge listens and speaks.
pub struct BridgeConfig {
    /// The broker: `mqtt://host:1883`.
    pub url: String,
    /// How it is reached, where that is not what the address says: over TLS to a broker that
    /// only the site's own authority vouches for.
    pub transport: Option<Transport>,
    /// The listener's user.
    pub username: String,
    /// The listener's client id, which begins with its user: nobody else's, and not to be
    /// guessed, or whoever the broker lets in could end the connection.
    pub client_id: String,
    /// Its password.
    pub password: String,
    /// The MQTT password of a meter.
    pub meter_password: Box<dyn Fn(MeterId) -> String + Send + Sync>,
    /// The gateway's public key: only its acknowledgements free a reading.
    pub gateway: [u8; 32],
    /// What the devices' keys are derived from.
    pub key: [u8; 32],
    /// Folder of what must survive.
    pub folder: PathBuf,
}

impl BridgeConfig {
    /// How the broker is reached as somebody.
    fn options(&self, name: &str, user: &str, password: &str) -> Result<MqttOptions, BridgeError> {
        let mut options = options(&self.url, name, user, password)?;
        if let Some(transport) = &self.transport {
            options.set_transport(transport.clone());
        }
        Ok(options)
    }
}

/// A site's devices.
pub struct Bridge {
    config: BridgeConfig,
    devices: Vec<Bridged>,
    filters: Vec<String>,
    clock: ServiceClock,
    status: Status,
    subscribed: (watch::Sender<bool>, watch::Receiver<bool>),
}

impl Bridge {
    /// Reads what survived; nothing is connected yet. `latest`: the last stored reading of
    /// each meter, for devices whose file is gone.
    pub fn new(
        config: BridgeConfig,
        decoders: Vec<Decoder>,
        latest: &[ReadingRow],
        clock: ServiceClock,
    ) -> Result<Self, BridgeError> {
        let gateway = PublicKey::from_bytes(&config.gateway).map_err(BridgeError::GatewayKey)?;
        let status = Status::default();
        let (mut names, mut topics) = (BTreeSet::new(), BTreeSet::new());
        let mut devices = Vec::with_capacity(decoders.len());
        for decoder in decoders {
            let id = decoder.device().id.clone();
            if !names.insert(id.clone()) {
                return Err(BridgeError::Twice(format!("two devices are called {id}")));
            }
            for topic in decoder.topics() {
                if !topics.insert(topic.to_owned()) {
                    return Err(BridgeError::Twice(format!("two devices listen to {topic}")));
                }
            }
            let file = DeviceFile::new(&config.folder, &id);
            let key = device_key(&config.key, &id);
            let own = crate::device_meter(&config.key, &id);
            let latest = latest.iter().find(|row| row.meter == own);
            let started = clock.now();
            devices.push(Bridged::restore(decoder, &key, gateway, file, latest, started, status.clone())?);
        }
        let all =
            |topic: &String| if topic.starts_with(DEVICES) { format!("{DEVICES}#") } else { topic.clone() };
        let filters: BTreeSet<String> = topics.iter().map(all).collect();
        // What cannot be an address is said before anything starts.
        config.options("", "", "")?;
        let filters = filters.into_iter().collect();
        Ok(Self { config, devices, filters, clock, status, subscribed: watch::channel(false) })
    }

    /// What became of each device's messages.
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// True while the broker delivers the devices' messages.
    pub fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.1.clone()
    }

    /// Runs until cancelled.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), BridgeError> {
        let Self { config, mut devices, filters, clock, status: _, subscribed } = self;
        let (arrivals, mut arrived) = mpsc::channel(INBOUND);
        let links_end = CancellationToken::new();
        let _links_end_if_dropped = links_end.clone().drop_guard();
        let mut links = JoinSet::new();
        let listening = config.options(&config.client_id, &config.username, &config.password)?;
        let listener = Link::listener(listening, filters, arrivals.clone(), subscribed.0, clock.clone());
        links.spawn(listener.run(links_end.clone()));
        let mut outboxes = Vec::with_capacity(devices.len());
        let mut answers = Vec::with_capacity(devices.len());
        for (place, device) in devices.iter().enumerate() {
            let name = device.id().to_string();
            let options = config.options(&name, &name, &(config.meter_password)(device.id()))?;
            let (outbox, outgoing) = watch::channel(device.message());
            let (claim, claims) = mpsc::channel(CLAIMS);
            let said = Said { outgoing, claims };
            let link = Link::meter(place, &name, options, said, arrivals.clone(), clock.clone());
            links.spawn(link.run(links_end.clone()));
            outboxes.push(outbox);
            answers.push(claim);
        }
        let mut topics: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, device) in devices.iter().enumerate() {
            for topic in device.decoder().topics() {
                topics.entry(topic.to_owned()).or_default().push(place);
            }
        }
        let mut again = tokio::time::interval(AGAIN);
        loop {
            let next = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                next = arrived.recv() => next,
                _ = again.tick() => {
                    for (device, outbox) in devices.iter_mut().zip(&outboxes) {
                        say_again(device, outbox);
                    }
                    continue;
                }
            };
            let Some(Arrived { from, publish, _busy }) = next else { break };
            match from {
                Side::Meter(place) if publish.topic.ends_with("/cmd") => {
                    if let (Some(device), Some(claim)) = (devices.get(place), answers.get(place))
                        && let Some(answer) = device.answer(&publish.payload)
                    {
                        // One too many at once is asked for again.
                        let _ = claim.try_send(answer);
                    }
                }
                Side::Meter(place) => {
                    if let (Some(device), Some(outbox)) = (devices.get_mut(place), outboxes.get(place))
                        && device.acknowledge(&publish.payload)
                    {
                        outbox.send_replace(device.message());
                    }
                }
                Side::Devices => {
                    let message = Message {
                        topic: &publish.topic,
                        payload: &publish.payload,
                        retained: publish.retain,
                        received: clock.now(),
                    };
                    for place in topics.get(&publish.topic).into_iter().flatten() {
                        if let (Some(device), Some(outbox)) = (devices.get_mut(*place), outboxes.get(*place))
                        {
                            hear(device, outbox, message);
                        }
                    }
                }
            }
        }
        // What was counted since the last reading need not be told again.
        for device in &mut devices {
            device.keep()?;
        }
        links_end.cancel();
        while links.join_next().await.is_some() {}
        Ok(())
    }
}

fn hear(device: &mut Bridged, outbox: &watch::Sender<Option<Vec<u8>>>, message: Message<'_>) {
    // A disk that is full, or a register that is: the next message tries again.
    if let Err(error) = device.hear(message) {
        tracing::error!(device = %device.decoder().device().id, "{error}");
    }
    let next = device.message();
    if *outbox.borrow() != next {
        outbox.send_replace(next);
    }
}

fn say_again(device: &mut Bridged, outbox: &watch::Sender<Option<Vec<u8>>>) {
    if device.waits_for_disk()
        && let Err(error) = device.keep()
    {
        tracing::error!(device = %device.decoder().device().id, "{error}");
    }
    if let Some(message) = device.message() {
        outbox.send_replace(Some(message));
    }
}
