//! The village itself: one task that walks from slot end to turn to slot end.

use crate::client::ApiClient;
use crate::equipment::Equipment;
use crate::error::VillageError;
use crate::file::{Identity, StoredVillage, VillageFile};
use crate::link::{Arrived, BrokerAddress, Downlink, Link};
use crate::meters::SimulatedMeter;
use crate::physics::{Flows, HomeFlow, balance, on_its_own};
use crate::profile::Source;
use crate::progress::{Progress, VillageReport};
use crate::registry::{id_of_home, ids_of_operator, meter_key};
use crate::schedule::{slot_end, turns};
use crate::trader::{Actor, People};
use jirani_clock::{Busy, ServiceClock};
use jirani_meter::{PublicKey, Relay};
use jirani_units::{Clock as _, MeterId, Timestamp};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Acknowledgements that wait for the village.
const ARRIVALS: usize = 1_024;
/// Real time until an unacknowledged message is sent again, first and longest.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_LAST: Duration = Duration::from_secs(15);

/// What a village is told.
pub struct VillageConfig {
    /// Everything random follows from it.
    pub seed: u64,
    /// Folder of what must survive; nothing survives without.
    pub data_dir: Option<PathBuf>,
    /// The broker, `mqtt://host:port`.
    pub mqtt_url: String,
    /// The password of each meter at the broker.
    pub meter_password: Box<dyn Fn(MeterId) -> String + Send + Sync>,
    /// Ed25519 key of the gateway, pinned in every meter.
    pub gateway_key: [u8; 32],
    /// The HTTP API, `http://host:port`; with demo sign-in.
    pub api_url: String,
    /// How long after a slot's end it is attested, in seconds.
    pub grace_s: u32,
    /// Whether people trade; otherwise only meters run.
    pub trading: bool,
    /// How often people trade: 1 is about twice a day, 4 about four times as often.
    pub eagerness: u64,
    /// Of a thousand homes, so many let the market trade for them by rules.
    pub rules_permille: u32,
    /// The emulated phones, `http://host:port`, when homes answer their own prompts;
    /// `None` when the phones answer by themselves.
    pub phones_url: Option<String>,
}

/// A village that is ready to run. Counts as busy until it runs.
pub struct Village {
    config: VillageConfig,
    source: Source,
    equipment: Equipment,
    clock: ServiceClock,
    broker: BrokerAddress,
    file: VillageFile,
    stored: StoredVillage,
    meters: Vec<SimulatedMeter>,
    people: Option<People<ApiClient>>,
    readings_sent: u64,
    began: Timestamp,
    cut_off: Option<CutOff>,
    progress: watch::Sender<Progress>,
    busy: Busy,
}

/// A meter without a network for a while.
#[derive(Clone, Debug)]
struct CutOff {
    meter: usize,
    slots: Range<u64>,
}

impl Village {
    /// A new village, or the one at rest in the data folder. `source` must be the
    /// one it began with.
    pub fn new(config: VillageConfig, source: Source, clock: ServiceClock) -> Result<Self, VillageError> {
        let busy = clock.busy();
        let broker = config.mqtt_url.parse()?;
        let invalid = |problem: &str| VillageError::Invalid(problem.to_owned());
        let gateway = PublicKey::from_bytes(&config.gateway_key)
            .map_err(|_| invalid("the gateway's key is no Ed25519 key"))?;
        let length = i64::from(source.slot_length_s()) * 1_000_000;
        if source.households() == 0 || length == 0 || source.start().0.rem_euclid(length) != 0 {
            return Err(invalid("a village has homes, and begins with a slot"));
        }
        let homes = source.households();
        let equipment = Equipment::for_homes(&source);
        let identity = Identity {
            seed: config.seed,
            households: homes,
            slot_length_s: source.slot_length_s(),
            start_us: source.start().0,
            source: source.description(),
        };
        let (generator, battery) = ids_of_operator(homes);
        let owners: Vec<_> = (0..homes).map(id_of_home).chain([generator, battery]).collect();
        let file = VillageFile::in_folder(config.data_dir.as_deref());
        let stored = match file.read()? {
            None => StoredVillage::new(identity, equipment.battery_wh / 2, owners.len()),
            Some(stored) if stored.identity != identity => {
                let (stored, wanted) = (stored.identity.to_string(), identity.to_string());
                return Err(VillageError::Another { stored, wanted });
            }
            Some(stored) if stored.meters.len() != owners.len() => {
                return Err(file.damaged("it has another number of meters"));
            }
            Some(stored) => stored,
        };
        let meters = owners
            .iter()
            .zip(&stored.meters)
            .map(|(id, meter)| {
                SimulatedMeter::restore(*id, meter_key(config.seed, *id), gateway, meter, &file)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let people = if config.trading {
            let door = ApiClient::new(&config.api_url).map_err(|error| invalid(&error.to_string()))?;
            Some(People::new(
                &source,
                config.seed,
                config.eagerness,
                config.rules_permille,
                door.with_phones(config.phones_url.clone()),
            ))
        } else {
            None
        };
        let done = stored.slots_counted;
        let through = done.checked_sub(1).map_or(source.start(), |slot| slot_end(&source, slot));
        let first = Progress { slots_done: done, slots: source.slots(), through, finished: false };
        let began = clock.now();
        let progress = watch::Sender::new(first);
        Ok(Self {
            config,
            source,
            equipment,
            clock,
            broker,
            file,
            stored,
            meters,
            people,
            readings_sent: 0,
            began,
            cut_off: None,
            progress,
            busy,
        })
    }

    /// The same, but one meter (the first is 0) has no network from the end of the first
    /// of these slots to the end of the last; it keeps its readings meanwhile.
    #[must_use]
    pub fn with_cut_off(self, meter: usize, slots: Range<u64>) -> Self {
        Self { cut_off: Some(CutOff { meter, slots }), ..self }
    }

    /// When the village at rest in `folder` began, if there is one: its source must
    /// begin there again.
    pub fn stored_start(folder: &Path) -> Result<Option<Timestamp>, VillageError> {
        let stored = VillageFile::in_folder(Some(folder)).read()?;
        Ok(stored.map(|stored| Timestamp(stored.identity.start_us)))
    }

    /// How far it is, for the driver and for a progress bar.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Runs to the source's end, or until cancelled.
    pub async fn run(self, cancel: CancellationToken) -> Result<VillageReport, VillageError> {
        let (arrivals, arrived) = mpsc::channel(ARRIVALS);
        let hang_up = cancel.child_token();
        let links: Vec<Link> = self
            .meters
            .iter()
            .enumerate()
            .map(|(index, meter)| {
                let password = (self.config.meter_password)(meter.id());
                Link::open(&self.broker, meter.id(), password, index, arrivals.clone(), hang_up.clone())
            })
            .collect();
        let Self { busy, .. } = self;
        let mut running = Running {
            config: self.config,
            source: self.source,
            equipment: self.equipment,
            clock: self.clock,
            file: self.file,
            stored: self.stored,
            meters: self.meters,
            people: self.people,
            readings_sent: self.readings_sent,
            began: self.began,
            cut_off: self.cut_off,
            progress: self.progress,
            links,
            arrived,
        };
        let ended = running.run(busy, &cancel).await;
        hang_up.cancel();
        // Nobody reads acknowledgements any more: links must not wait for that.
        running.arrived.close();
        for link in running.links.drain(..) {
            link.closed().await;
        }
        ended.map(|()| running.report())
    }
}

/// A village whose meters are connected.
struct Running {
    config: VillageConfig,
    source: Source,
    equipment: Equipment,
    clock: ServiceClock,
    file: VillageFile,
    stored: StoredVillage,
    meters: Vec<SimulatedMeter>,
    people: Option<People<ApiClient>>,
    readings_sent: u64,
    began: Timestamp,
    cut_off: Option<CutOff>,
    progress: watch::Sender<Progress>,
    links: Vec<Link>,
    arrived: mpsc::Receiver<Arrived>,
}

impl Running {
    async fn run(&mut self, mut busy: Busy, cancel: &CancellationToken) -> Result<(), VillageError> {
        // Whose village it is, before its first slot.
        self.keep()?;
        if !self.deliver(cancel).await {
            return Ok(());
        }
        let mut slot = self.next_slot();
        let mut agenda = VecDeque::new();
        loop {
            if self.source.slots().is_some_and(|slots| slot >= slots) {
                self.progress.send_modify(|progress| progress.finished = true);
                return Ok(());
            }
            let end = slot_end(&self.source, slot);
            let turn: Option<(Timestamp, Actor)> = agenda.pop_front();
            let at = turn.map_or(end, |(at, _)| at);
            busy = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                busy = self.clock.rest_until(busy, at) => busy,
            };
            if let (Some((at, actor)), Some(people)) = (turn, &mut self.people) {
                people.act(actor, at).await;
                continue;
            }
            // A driven run takes commands only with the acknowledgements after them, so that it is
            // the same every time; one by the system's clock has a slot's length to wait until then.
            if !self.clock.is_advanced() {
                obey_arrived(&mut self.arrived, &mut self.meters, &self.links, self.clock.now());
            }
            let flows = self.count(slot, end)?;
            if !self.deliver(cancel).await {
                return Ok(());
            }
            self.tell(slot, end, &flows);
            agenda = self.turns_after(slot);
            slot += 1;
        }
    }

    /// The first slot that is not over yet; what passed while the village was down
    /// is missed, not made up.
    fn next_slot(&mut self) -> u64 {
        let length = i64::from(self.source.slot_length_s()) * 1_000_000;
        let passed = self.clock.now().since(self.source.start());
        // A slot that ends right now is still to be counted.
        let over = u64::try_from(passed.saturating_sub(1).div_euclid(length)).unwrap_or(0);
        let next = self.stored.slots_counted.max(over);
        self.stored.slots_missed += next - self.stored.slots_counted;
        next
    }

    /// Counts a slot's energy and reads every meter at its end; durable on return.
    fn count(&mut self, slot: u64, end: Timestamp) -> Result<Flows, VillageError> {
        let slot_s = self.source.slot_length_s();
        let relays = self.meters.iter().map(SimulatedMeter::relay);
        let homes: Vec<_> = (0..self.source.households())
            .zip(relays)
            .map(|(home, relay)| match relay {
                Relay::Closed => self.source.energy(home, slot),
                Relay::Open => on_its_own(self.source.energy(home, slot)),
            })
            .collect();
        let flows = balance(&self.equipment, &mut self.stored.battery_wh, &homes, slot_s);
        let uptime_s = u32::try_from(end.since(self.began) / 1_000_000).unwrap_or(0);
        let generator = HomeFlow { export_wh: flows.generator_export_wh, ..HomeFlow::default() };
        let battery = HomeFlow {
            import_wh: flows.battery_import_wh,
            export_wh: flows.battery_export_wh,
            ..HomeFlow::default()
        };
        let counts = flows.homes.iter().copied().chain([generator, battery]);
        for (meter, flow) in self.meters.iter_mut().zip(counts) {
            self.readings_sent += meter.count_and_read(flow, end, slot_s, uptime_s)?;
        }
        self.stored.slots_counted = slot + 1;
        self.stored.curtailed_wh += flows.curtailed_wh;
        self.stored.unserved_wh += flows.unserved_wh;
        self.keep()?;
        Ok(flows)
    }

    /// What must survive, before anything is published.
    fn keep(&mut self) -> Result<(), VillageError> {
        if self.config.data_dir.is_some() {
            self.stored.meters = self.meters.iter().map(SimulatedMeter::stored).collect();
        }
        self.file.write(&self.stored)
    }

    /// Sends all that is not acknowledged, and again, until all is. `false` when
    /// cancelled before.
    async fn deliver(&mut self, cancel: &CancellationToken) -> bool {
        let mut waiting = BTreeSet::new();
        let last = self.stored.slots_counted.saturating_sub(1);
        let silent = self.cut_off.as_ref().filter(|cut| cut.slots.contains(&last)).map(|cut| cut.meter);
        for (index, meter) in self.meters.iter().enumerate() {
            if let Some(message) = meter.message().filter(|_| silent != Some(index)) {
                self.links[index].send(Some(message));
                waiting.insert(index);
            }
        }
        let mut again = AGAIN_FIRST;
        while !waiting.is_empty() {
            let arrived = tokio::select! {
                biased;
                () = cancel.cancelled() => return false,
                arrived = tokio::time::timeout(again, self.arrived.recv()) => arrived,
            };
            match arrived {
                Ok(Some(Arrived { meter, what: Downlink::Command, bytes })) => {
                    if let Some(answer) = self.meters[meter].hear(&bytes, self.clock.now()) {
                        self.links[meter].answer(answer);
                    }
                }
                Ok(Some(Arrived { meter, what: Downlink::Acknowledgement, bytes })) => {
                    // An acknowledgement that comes twice asks for nothing.
                    if self.meters[meter].acknowledge(&bytes) > 0 {
                        let next = self.meters[meter].message();
                        if next.is_none() {
                            waiting.remove(&meter);
                        }
                        self.links[meter].send(next);
                    }
                }
                // INVARIANT: links hold the sending side until this village hangs up.
                Ok(None) => return false,
                Err(_) => {
                    tracing::warn!("{} meters wait for an acknowledgement; they send again", waiting.len());
                    again = (again * 2).min(AGAIN_LAST);
                    for index in &waiting {
                        self.links[*index].send(self.meters[*index].message());
                    }
                }
            }
        }
        true
    }

    fn tell(&mut self, slot: u64, end: Timestamp, flows: &Flows) {
        if let Some(people) = &mut self.people {
            let homes = flows.homes.iter().map(|home| (home.export_wh, home.import_wh));
            for (place, (export, import)) in (0..).zip(homes) {
                people.count_energy(Actor(place), export, import);
            }
        }
        self.progress.send_modify(|progress| {
            progress.slots_done = slot + 1;
            progress.through = end;
        });
    }

    fn turns_after(&self, slot: u64) -> VecDeque<(Timestamp, Actor)> {
        let Some(people) = &self.people else { return VecDeque::new() };
        turns(self.config.seed, &self.source, people.count(), slot, self.config.grace_s).into()
    }

    fn report(&self) -> VillageReport {
        let deeds = self.people.as_ref().map(|people| people.deeds().clone()).unwrap_or_default();
        let mut remarks = self.source.remarks();
        if self.stored.slots_missed > 0 {
            remarks.push(format!("{} slots passed while the village was down.", self.stored.slots_missed));
        }
        if self.stored.unserved_wh > 0 {
            remarks.push(format!("{} Wh of load could not be served.", self.stored.unserved_wh));
        }
        VillageReport {
            readings_sent: self.readings_sent,
            gaps_filled: self.source.gaps_filled(),
            curtailed_wh: self.stored.curtailed_wh,
            unserved_wh: self.stored.unserved_wh,
            slots_missed: self.stored.slots_missed,
            offers: deeds.offers,
            cancels: deeds.cancels,
            orders: deeds.orders,
            payouts: deeds.payouts,
            refusals: deeds.refusals,
            remarks,
        }
    }
}

/// Takes what has arrived while nothing was to be delivered: commands, challenges,
/// and acknowledgements that come twice.
fn obey_arrived(
    arrived: &mut mpsc::Receiver<Arrived>,
    meters: &mut [SimulatedMeter],
    links: &[Link],
    now: Timestamp,
) {
    while let Ok(Arrived { meter, what, bytes }) = arrived.try_recv() {
        match what {
            Downlink::Command => {
                let answer = meters[meter].hear(&bytes, now);
                if let (Some(answer), Some(link)) = (answer, links.get(meter)) {
                    link.answer(answer);
                }
            }
            Downlink::Acknowledgement => {
                meters[meter].acknowledge(&bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::StoredMeter;
    use jirani_meter::{Action, Command, Ed25519Signer, Signer as _};
    use jirani_units::HouseholdId;

    #[tokio::test]
    async fn a_command_that_arrived_before_a_slot_s_end_is_obeyed_in_it() {
        let gateway = Ed25519Signer::from_seed(&[9; 32]);
        let key = PublicKey::from_bytes(&gateway.public_key()).unwrap();
        let meter = |household| {
            let household = HouseholdId(household);
            let stored = StoredMeter::default();
            let file = VillageFile::in_folder(None);
            SimulatedMeter::restore(household, meter_key(5, household), key, &stored, &file).unwrap()
        };
        let mut meters = [meter(1), meter(2)];
        let action = Action::OpenRelay { not_after_us: 2_000_000 };
        let order = Command { meter: meters[1].id().0, number: 1, action };
        let bytes = order.sign(&gateway).unwrap().as_slice().to_vec();
        let (arrivals, mut arrived) = mpsc::channel(2);
        for meter in [0, 1] {
            let bytes = bytes.clone();
            arrivals.try_send(Arrived { meter, what: Downlink::Command, bytes }).unwrap();
        }
        obey_arrived(&mut arrived, &mut meters, &[], Timestamp(1_000_000));
        // Only the one whose name it carries.
        assert_eq!(meters.map(|meter| meter.relay()), [Relay::Closed, Relay::Open]);
    }
}
