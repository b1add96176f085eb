//! Enrolment: how a meter comes to count for a household, and stops.
//!
//! A meter is claimed by its QR code, challenged over MQTT to prove that it has its key,
//! approved by another operator than the one who claimed it, and made known to the chain;
//! from then on it is active. It is replaced by another one, its key is rotated, or it is
//! retired. Lifting its hold, and a new epoch of its registers, take two operators as well.
//! Every step is kept with who, when and why, and none is ever removed.
//!
//! [`Enrolment`] is what operators ask for: it only writes the store. [`Registrar`] does
//! what an approval needs of the chain, between two slots. The gateway asks the challenges.

mod error;
mod identity;
mod registrar;
mod request;

pub use error::EnrolmentError;
pub use identity::identity;
pub use registrar::Registrar;

use crate::boundary::{Spans, registers};
use crate::journal::enrolled_before;
use crate::known::FIRMWARE;
use jirani_meter::Registers;
use jirani_readings::{Base, Span, virtual_of};
use jirani_store::words::Word as _;
use jirani_store::{
    Change, Event, Events, HouseholdRecord, MeterEventRow, MeterPurpose, MeterRecord, MeterState, Store,
};
use jirani_units::{Clock, HouseholdId, JSON_INTEGER_MAX, MeterId, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most images that may run at a time.
const FIRMWARE_MAX: usize = 64;
/// Most letters of a reason or a name.
const TEXT_MAX: usize = 200;
/// Most that a connection is rated at, W.
const RATING_MAX_W: u32 = 1_000_000;

/// A household that begins with its meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHome {
    /// What neighbours see.
    pub alias: String,
    /// What the household and the operator see.
    pub name: String,
    /// Its number in digits, `254712345678`; none for one without a phone.
    pub msisdn: Option<String>,
    /// Kiswahili, or English.
    pub swahili: bool,
    /// Feeder it hangs on.
    pub feeder: u16,
    /// Most it can export, W.
    pub export_rating_w: u32,
    /// Most it can import, W.
    pub import_rating_w: u32,
    /// Rated power of its panels, W; 0 without.
    pub pv_rated_w: u32,
}

/// Where a claimed meter is to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// For a household that begins with it.
    New(NewHome),
    /// For one that has no meter.
    Household(HouseholdId),
    /// In the place of another meter.
    Replaces(MeterId),
    /// It is another meter's new key.
    Rotates(MeterId),
}

/// What an operator claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Text of the QR code.
    pub identity: String,
    /// Where it counts.
    pub place: Place,
    /// Generation of its registers.
    pub epoch: u32,
    /// Where its registers end, Wh; None when they never do.
    pub modulus_wh: Option<u64>,
    /// What its registers showed when it was put in place.
    pub opening: Registers,
    /// Why.
    pub reason: String,
}

/// Bytes that nobody can foresee.
pub type Random = dyn Fn() -> [u8; 32] + Send + Sync;

/// A meter's password at the broker.
pub type Passwords = dyn Fn(MeterId) -> String + Send + Sync;

/// What operators ask for.
pub struct Enrolment {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    events: Events,
    random: Box<Random>,
    passwords: Box<Passwords>,
    gateway: [u8; 32],
}

type Done = Result<MeterRecord, EnrolmentError>;

impl Enrolment {
    /// Writes to `store`; challenges are made of `random`, `passwords` are the meters' at
    /// the broker, `gateway` is the key that they pin.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        events: Events,
        random: Box<Random>,
        passwords: Box<Passwords>,
        gateway: [u8; 32],
    ) -> Self {
        Self { store, clock, events, random, passwords, gateway }
    }

    /// The gateway's public key: it is typed into the meter once, too.
    pub const fn gateway(&self) -> [u8; 32] {
        self.gateway
    }

    /// A meter's password at the broker: it is typed into the meter once.
    pub fn password(&self, meter: MeterId) -> String {
        (self.passwords)(meter)
    }

    /// Claims a meter.
    pub async fn claim(&self, by: &str, claim: Claim) -> Done {
        check(&claim)?;
        let (meter, key) = identity(&claim.identity)?;
        let (households, meters) = (self.store.households().await?, self.store.meters().await?);
        let before = meters.iter().find(|record| record.meter == meter);
        if before.is_some_and(|record| record.state != MeterState::Rejected) {
            return Err(EnrolmentError::ClaimedBefore(meter));
        }
        if households.iter().any(|record| record.meter == Some(meter)) {
            return Err(EnrolmentError::InUse(meter));
        }
        let (household, purpose, replaces, draft) = place(&claim.place, &households, &meters)?;
        let under_way = |record: &&MeterRecord| record.household == household && is_under_way(record.state);
        if meters.iter().any(|record| under_way(&record)) {
            return Err(EnrolmentError::AnotherUnderWay);
        }
        let opening = if purpose == MeterPurpose::Rotate { Registers::default() } else { claim.opening };
        let record = MeterRecord {
            meter,
            key,
            household,
            purpose,
            state: MeterState::Claimed,
            replaces,
            epoch: claim.epoch,
            modulus_wh: claim.modulus_wh,
            opening,
            trust: "device".to_owned(),
            draft,
            nonce: None,
            claimed_by: by.to_owned(),
            claimed_at: self.clock.now(),
            challenged_at: None,
            answered_at: None,
            approved_by: None,
            approved_at: None,
            reason: claim.reason.clone(),
            held: None,
            request: None,
            version: before.map_or(0, |record| record.version),
        };
        self.keep(record, by, "meter.claimed", claim.reason).await
    }

    /// Has the gateway ask a claimed meter to prove its key, with new bytes each time.
    pub async fn challenge(&self, by: &str, meter: MeterId) -> Done {
        let record = self.known(meter).await?;
        in_state(&record, &[MeterState::Claimed, MeterState::Challenged], "challenged")?;
        let (nonce, challenged_at) = (Some((self.random)()), Some(self.clock.now()));
        let record = MeterRecord { state: MeterState::Challenged, nonce, challenged_at, ..record };
        self.keep(record, by, "meter.challenged", String::new()).await
    }

    /// Approves a meter that has proven its key, or what is asked for about one that counts.
    /// The one who claimed it, or asked, cannot. `revision` is the record's that was read:
    /// nobody approves what has taken its place since.
    pub async fn approve(&self, by: &str, meter: MeterId, revision: u64) -> Done {
        let record = self.known(meter).await?;
        if record.version != revision {
            return Err(EnrolmentError::Changed);
        }
        if let Some(request) = record.request.clone() {
            return self.approve_request(by, record, request).await;
        }
        in_state(&record, &[MeterState::Answered], "approved")?;
        if record.claimed_by == by {
            return Err(EnrolmentError::SameOperator);
        }
        let (approved_by, approved_at) = (Some(by.to_owned()), Some(self.clock.now()));
        let record = MeterRecord { state: MeterState::Approved, approved_by, approved_at, ..record };
        self.keep(record, by, "meter.approved", String::new()).await
    }

    /// Ends a claim that is not approved, or what another operator asks for about a meter. Who
    /// claimed it cannot once it has proven its key: another claim of the same meter would
    /// stand where somebody is about to approve the first.
    pub async fn reject(&self, by: &str, meter: MeterId, reason: String) -> Done {
        let record = self.known(meter).await?;
        if let Some(request) = record.request.clone() {
            return self.reject_request(by, record, &request, reason).await;
        }
        let states = [MeterState::Claimed, MeterState::Challenged, MeterState::Answered];
        in_state(&record, &states, "rejected")?;
        if record.claimed_by == by && record.state == MeterState::Answered {
            return Err(EnrolmentError::SameOperator);
        }
        self.keep(MeterRecord { state: MeterState::Rejected, ..record }, by, "meter.rejected", reason).await
    }

    /// Takes a meter out of service: nothing of it is accepted any more.
    pub async fn retire(&self, by: &str, meter: MeterId, reason: String) -> Done {
        let record = self.counted(meter).await?;
        in_state(&record, &[MeterState::Active, MeterState::Replaced], "retired")?;
        self.keep(MeterRecord { state: MeterState::Retired, ..record }, by, "meter.retired", reason).await
    }

    /// Names the firmware that may run, by the first 8 bytes of its images' SHA-256 in
    /// hexadecimal; none allows all. What runs else is remarked.
    pub async fn allow_firmware(&self, hashes: &[String]) -> Result<(), EnrolmentError> {
        let sound = |hash: &String| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if hashes.len() > FIRMWARE_MAX || !hashes.iter().all(sound) {
            return Err(EnrolmentError::Invalid("firmware is at most 64 hashes of 16 hexadecimal digits"));
        }
        let setting = Change::Setting { key: FIRMWARE.to_owned(), value: hashes.join(",") };
        self.store.commit(vec![setting]).await?;
        self.events.publish(Event::Meter(MeterId([0; 16])));
        Ok(())
    }

    async fn known(&self, meter: MeterId) -> Done {
        self.store.meter(meter).await?.ok_or(EnrolmentError::Unknown(meter))
    }

    /// A meter that counts or counted, also one from before there were claims.
    async fn counted(&self, meter: MeterId) -> Done {
        if let Some(record) = self.store.meter(meter).await? {
            return Ok(record);
        }
        let households = self.store.households().await?;
        let home = households.iter().find(|record| record.meter == Some(meter));
        home.map(|home| enrolled_before(meter, home)).ok_or(EnrolmentError::Unknown(meter))
    }

    async fn keep(&self, record: MeterRecord, by: &str, code: &str, detail: String) -> Done {
        if detail.chars().count() > TEXT_MAX {
            return Err(EnrolmentError::Invalid("a reason has at most 200 letters"));
        }
        self.write(record, by, code, detail).await
    }

    /// Keeps a record and what happened to it.
    async fn write(&self, record: MeterRecord, by: &str, code: &str, detail: String) -> Done {
        let event = happened(&record, by, code, detail, self.clock.now());
        let kept = MeterRecord { version: record.version + 1, ..record.clone() };
        self.store.commit(vec![Change::Meter(Box::new(record)), Change::MeterEvent(event)]).await?;
        self.events.publish(Event::Meter(kept.meter));
        Ok(kept)
    }
}

pub(crate) fn happened(
    record: &MeterRecord,
    by: &str,
    code: &str,
    detail: String,
    at: Timestamp,
) -> MeterEventRow {
    MeterEventRow {
        meter: record.meter,
        household: Some(record.household),
        at,
        by: by.to_owned(),
        code: code.to_owned(),
        detail,
    }
}

/// Where a household's account of its present meter ends.
pub(crate) struct Closing {
    /// Its spans so far.
    pub(crate) spans: Vec<Span>,
    /// Its virtual registers as that meter said last.
    pub(crate) base: Base,
    /// That this still is the meter's last word: another one by now would be nobody's.
    pub(crate) condition: Change,
}

/// A household's spans, and its virtual registers as its present meter said last.
pub(crate) async fn closing(store: &dyn Store, home: &HouseholdRecord) -> Result<Closing, EnrolmentError> {
    let spans = Spans::load(store).await?.of(home.id).to_vec();
    let last = last_span(&spans, home);
    let latest = store.latest_of(vec![last.meter]).await?.pop();
    let condition = Change::LastReading { meter: last.meter, last: latest.map(|row| (row.epoch, row.seq)) };
    let nothing = Base { time: home.enrolled_at, registers: Registers::default() };
    let base = if last.number == 0 { nothing } else { last.base };
    let (row, _) = store.readings_around(last.meter, last.epoch, Timestamp(i64::MAX)).await?;
    let row = row.filter(|row| last.number == 0 || row.time >= last.from);
    let said = row.and_then(|row| {
        Some(Base { time: row.time, registers: virtual_of(&last.offsets, &registers(&row))? })
    });
    Ok(Closing { spans, base: said.unwrap_or(base), condition })
}

/// The span that counts now.
pub(crate) fn last_span(spans: &[Span], home: &HouseholdRecord) -> Span {
    let first = || {
        let meter = home.meter.unwrap_or(MeterId([0; 16]));
        Span::original(home.id, meter, home.meter_key, home.meter_epoch)
    };
    spans.last().cloned().unwrap_or_else(first)
}

fn is_under_way(state: MeterState) -> bool {
    matches!(
        state,
        MeterState::Claimed | MeterState::Challenged | MeterState::Answered | MeterState::Approved
    )
}

fn in_state(record: &MeterRecord, states: &[MeterState], wanted: &'static str) -> Result<(), EnrolmentError> {
    if states.contains(&record.state) {
        return Ok(());
    }
    Err(EnrolmentError::WrongState { state: record.state.word(), wanted })
}

fn check(claim: &Claim) -> Result<(), EnrolmentError> {
    let Registers { import_wh, export_wh, generation_wh } = claim.opening;
    if [import_wh, export_wh, generation_wh].into_iter().any(|register| register > JSON_INTEGER_MAX) {
        return Err(EnrolmentError::Invalid("registers are at most 2^53 - 1 Wh"));
    }
    if claim.modulus_wh.is_some_and(|modulus| modulus == 0 || modulus > JSON_INTEGER_MAX) {
        return Err(EnrolmentError::Invalid("a modulus is 1 to 2^53 - 1 Wh"));
    }
    let Place::New(home) = &claim.place else { return Ok(()) };
    let name = |text: &str| (1..=TEXT_MAX).contains(&text.trim().chars().count());
    if !name(&home.alias) || !name(&home.name) {
        return Err(EnrolmentError::Invalid("alias and name have 1 to 200 letters"));
    }
    let number = |number: &String| number.parse::<jirani_units::Msisdn>().is_ok();
    if !home.msisdn.as_ref().is_none_or(number) {
        return Err(EnrolmentError::Invalid("the phone number is none of Kenya's"));
    }
    let ratings = [home.export_rating_w, home.import_rating_w];
    if ratings.into_iter().any(|rating| rating == 0 || rating > RATING_MAX_W)
        || home.pv_rated_w > RATING_MAX_W
    {
        return Err(EnrolmentError::Invalid("ratings are 1 to 1,000,000 W, panels at most that"));
    }
    Ok(())
}

type Placed = (HouseholdId, MeterPurpose, Option<MeterId>, Option<String>);

fn place(
    place: &Place,
    households: &[HouseholdRecord],
    meters: &[MeterRecord],
) -> Result<Placed, EnrolmentError> {
    match place {
        Place::New(home) => {
            let highest = households.iter().map(|record| record.id.0);
            let highest = highest.chain(meters.iter().map(|record| record.household.0)).max().unwrap_or(0);
            let draft = serde_json::to_string(home).map_err(|_| EnrolmentError::NoHousehold)?;
            Ok((HouseholdId(highest + 1), MeterPurpose::Enrol, None, Some(draft)))
        }
        Place::Household(id) => {
            let home = households.iter().find(|record| record.id == *id);
            let home = home.ok_or(EnrolmentError::NoHousehold)?;
            if home.meter.is_some() {
                return Err(EnrolmentError::HasOne);
            }
            Ok((*id, MeterPurpose::Enrol, None, None))
        }
        Place::Replaces(old) | Place::Rotates(old) => {
            let home = households.iter().find(|record| record.meter == Some(*old));
            let home = home.ok_or(EnrolmentError::HasNone)?;
            let rotates = matches!(place, Place::Rotates(_));
            let purpose = if rotates { MeterPurpose::Rotate } else { MeterPurpose::Replace };
            Ok((home.id, purpose, Some(*old), None))
        }
    }
}
