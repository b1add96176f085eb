//! What the gateway knows of meters: whose they are, what they said last, and what is
//! allowed of them.

use crate::boundary::{Spans, registers};
use jirani_meter::{Challenge, ChallengeAnswer, PublicKey};
use jirani_readings::{Ahead, Latest, Rating, Refusal, Span, Terms, short_hash};
use jirani_store::{HouseholdRecord, JudgedBy, MeterRecord, MeterState, ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, MeterId};
use std::collections::HashMap;
use std::sync::Arc;

/// The setting that names firmware which may run: short hashes in hexadecimal, with commas
/// between. Empty allows all.
pub const FIRMWARE: &str = "meters/firmware";
/// Length of a slot, s: how far ahead a clock may be at most.
const SLOT_S: u32 = 900;

/// An enrolled meter.
#[derive(Clone, Debug)]
pub(crate) struct Enrolled {
    pub(crate) household: HouseholdId,
    pub(crate) key: Result<PublicKey, Refusal>,
    pub(crate) key_bytes: [u8; 32],
    pub(crate) epoch: u32,
    pub(crate) rating: Rating,
    pub(crate) span: Option<Arc<Span>>,
    pub(crate) modulus_wh: Option<u64>,
    /// Versions of its household and of its enrolment.
    pub(crate) versions: (u64, u64),
}

/// What a meter is asked to prove.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    challenge: Challenge,
    key: [u8; 32],
}

impl Asked {
    /// What a record asks its meter; nothing unless it is challenged.
    pub(crate) fn of(record: &MeterRecord) -> Option<Self> {
        let nonce = record.nonce.filter(|_| record.state == MeterState::Challenged)?;
        Some(Self { challenge: Challenge { meter: record.meter.0, nonce }, key: record.key })
    }

    /// Whether an answer is this meter's to this challenge.
    pub(crate) fn is_met_by(&self, answer: &ChallengeAnswer) -> bool {
        let Challenge { meter, nonce } = self.challenge;
        (answer.meter, answer.nonce, answer.public_key) == (meter, nonce, self.key)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    enrolled: HashMap<MeterId, Enrolled>,
    /// Meters that counted once, or were told to stop.
    former: HashMap<MeterId, MeterState>,
    /// Meters that are challenged.
    asked: HashMap<MeterId, Asked>,
    firmware: Vec<[u8; 8]>,
    pub(crate) latest: HashMap<MeterId, Latest>,
}

impl Known {
    pub(crate) async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut known = Self::default();
        known.refresh_enrolled(store).await?;
        known.refresh_latest(store).await?;
        Ok(known)
    }

    pub(crate) async fn refresh_enrolled(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        // Versions first: what changes meanwhile is then newer than they say, and whatever is
        // judged by it is judged again.
        let households = store.households().await?;
        let meters = store.meters().await?;
        let spans = Spans::load(store).await?;
        let meters: HashMap<MeterId, MeterRecord> = meters.into_iter().map(|row| (row.meter, row)).collect();
        self.enrolled = households.iter().filter_map(|record| enrolled(record, &spans, &meters)).collect();
        let is_former = |row: &&MeterRecord| matches!(row.state, MeterState::Replaced | MeterState::Retired);
        self.former = meters.values().filter(is_former).map(|row| (row.meter, row.state)).collect();
        self.asked =
            meters.values().filter_map(|row| Asked::of(row).map(|asked| (row.meter, asked))).collect();
        let allowed = store.setting(FIRMWARE).await?.unwrap_or_default();
        self.firmware = allowed.split(',').filter_map(short).collect();
        Ok(())
    }

    pub(crate) async fn refresh_latest(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        self.latest =
            store.latest_readings().await?.iter().map(|row| (row.meter, self.carried(row))).collect();
        Ok(())
    }

    /// Reads again what these meters said last.
    pub(crate) async fn refresh_latest_of(
        &mut self,
        store: &dyn Store,
        meters: Vec<MeterId>,
    ) -> Result<(), StoreError> {
        let rows = store.latest_of(meters.clone()).await?;
        let read: Vec<(MeterId, Latest)> = rows.iter().map(|row| (row.meter, self.carried(row))).collect();
        for meter in &meters {
            self.latest.remove(meter);
        }
        self.latest.extend(read);
        Ok(())
    }

    /// A stored reading, with how far its meter was ahead when this gateway last heard of it:
    /// the store does not keep that, and reading it again must not forget it.
    fn carried(&self, row: &ReadingRow) -> Latest {
        let (read, rating) = (latest(row), self.enrolled.get(&row.meter).map(|enrolled| enrolled.rating));
        match (self.latest.get(&row.meter), rating) {
            (Some(before), Some(rating)) => before.followed_by(read, rating),
            _ => read,
        }
    }

    pub(crate) fn meter(&self, meter: MeterId) -> Option<&Enrolled> {
        self.enrolled.get(&meter).filter(|_| !self.former.contains_key(&meter))
    }

    /// What a judgement of this meter's readings rests on.
    pub(crate) fn judged_by(&self, meter: MeterId) -> JudgedBy {
        let latest = self.latest.get(&meter).map(|latest| (latest.epoch, latest.seq));
        let versions = self.enrolled.get(&meter).map_or((0, 0), |enrolled| enrolled.versions);
        let (household_version, enrolment_version) = versions;
        JudgedBy { meter, latest, household_version, enrolment_version }
    }

    /// Whether its state is known to be over: only word of a change makes that old.
    pub(crate) fn is_former(&self, meter: MeterId) -> bool {
        self.former.contains_key(&meter)
    }

    /// Why a meter that no household has is refused.
    pub(crate) fn stranger(&self, meter: MeterId) -> Refusal {
        match self.former.get(&meter) {
            Some(MeterState::Retired) => Refusal::RetiredMeter(meter),
            Some(_) => Refusal::ReplacedMeter(meter),
            None => Refusal::UnknownMeter(meter),
        }
    }

    /// What a meter is asked to prove, if it is.
    pub(crate) fn asked(&self, meter: MeterId) -> Option<Asked> {
        self.asked.get(&meter).copied()
    }

    /// Every challenge that is not answered yet.
    pub(crate) fn challenges(&self) -> Vec<Challenge> {
        self.asked.values().map(|asked| asked.challenge).collect()
    }

    pub(crate) fn terms<'a>(&'a self, enrolled: &'a Enrolled) -> Terms<'a> {
        Terms {
            span: enrolled.span.as_deref(),
            epoch: enrolled.epoch,
            rating: enrolled.rating,
            modulus_wh: enrolled.modulus_wh,
            slot_s: SLOT_S,
            firmware: &self.firmware,
        }
    }

    /// The meter that is settled for a household.
    pub(crate) fn meter_of(&self, household: HouseholdId) -> Option<MeterId> {
        let is_its = |(_, enrolled): &(&MeterId, &Enrolled)| enrolled.household == household;
        self.enrolled.iter().find(is_its).map(|(meter, _)| *meter)
    }
}

fn short(text: &str) -> Option<[u8; 8]> {
    let mut hash = [0; 8];
    hex::decode_to_slice(text.trim(), &mut hash).ok().map(|()| hash)
}

pub(crate) fn latest(row: &ReadingRow) -> Latest {
    Latest {
        epoch: row.epoch,
        seq: row.seq,
        time: row.time,
        registers: registers(row),
        hash: short_hash(&row.bytes),
        received_at: row.received_at,
        ahead: Ahead::default(),
    }
}

fn enrolled(
    record: &HouseholdRecord,
    spans: &Spans,
    meters: &HashMap<MeterId, MeterRecord>,
) -> Option<(MeterId, Enrolled)> {
    let meter = record.meter?;
    let enrolled = Enrolled {
        household: record.id,
        key: PublicKey::from_bytes(&record.meter_key).map_err(Refusal::from),
        key_bytes: record.meter_key,
        epoch: record.meter_epoch,
        rating: Rating {
            export_w: record.export_rating_w,
            import_w: record.import_rating_w,
            panels_w: record.pv_rated_w,
        },
        span: spans.of(record.id).last().filter(|span| span.meter == meter).cloned().map(Arc::new),
        modulus_wh: meters.get(&meter).and_then(|row| row.modulus_wh),
        versions: (record.version, meters.get(&meter).map_or(0, |row| row.version)),
    };
    Some((meter, enrolled))
}
