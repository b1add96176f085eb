//! The chain's events, gone through once from the program's first day: what every
//! household, order and proof must look like now, by the program's own rules.

use jirani_chain::Address;
use jirani_chain::index::Happened;
use jirani_energy_interface::event::{AttestedRow, EventKind, RowStatus};
use jirani_energy_interface::instruction::{
    AttestData, ConfigSection, ConfigureData, EnrolData, FillData, InitialiseData, PlaceOrderData,
    PostOfferData, ReplaceMeterData, RowData, SettleData,
};
use jirani_energy_interface::state::{Household, HouseholdKind, INITIAL_BUCKET_S, Limits};
use jirani_market::report::is_awaited;
use jirani_store::{IndexedEvent, IndexedTransaction};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Accounts of an order's placement before its offers.
const PLACE_FIXED: usize = jirani_energy_interface::accounts::PLACE_ORDER.len();
/// Where an offer stands among the accounts of its posting.
const OFFER_AT: usize = 5;

/// A household as its events leave it.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its record.
    pub address: Address,
    /// What stands behind it.
    pub kind: HouseholdKind,
    /// Feeder.
    pub feeder: u16,
    /// When it was enrolled, Unix seconds.
    pub enrolled_at: i64,
    /// The meter's key now.
    pub meter_key: [u8; 32],
    /// Its epoch now.
    pub meter_epoch: u32,
    /// Every meter it had: epoch and key.
    pub meters: BTreeSet<(u32, [u8; 32])>,
    /// Attested export since enrolment, Wh.
    pub export_wh: u64,
    /// Attested import since enrolment, Wh.
    pub import_wh: u64,
    /// Export adjustments, Wh.
    pub adjusted_export_wh: u64,
    /// Import adjustments, Wh.
    pub adjusted_import_wh: u64,
    /// End of the last attested slot, Unix seconds; at first the enrolment.
    pub last_slot_end: i64,
    /// The bucket's rules, as the program keeps them.
    bucket: Household,
}

/// An applied row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Whose.
    pub household: u32,
    /// Feeder.
    pub feeder: u16,
    /// Epoch of the registers.
    pub meter_epoch: u32,
    /// End of the slot, Unix seconds.
    pub slot_end: i64,
    /// Export register, Wh.
    pub export_wh: u64,
    /// Import register, Wh.
    pub import_wh: u64,
    /// Root of the evidence.
    pub root: [u8; 32],
    /// The chain's slot it landed in.
    pub chain_slot: u64,
}

/// A slot through which a whole feeder is attested.
#[derive(Clone, Copy, Debug)]
pub struct Complete {
    /// Its end, Unix seconds.
    pub slot_end: i64,
}

/// An order as it was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Grid fee, cents per kWh.
    pub fee: u32,
    /// Tax, cents per kWh.
    pub tax: u32,
    /// Offer's seller and number, energy in Wh, price.
    pub fills: Vec<(u32, u64, u32, u32)>,
    /// What the buyer owes, cents.
    pub due_cents: u64,
}

/// How an order ended.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Buyer and order.
    pub order: (u32, u64),
    /// Kind and hash.
    pub proof: (u8, [u8; 32]),
    /// When the money moved, Unix seconds.
    pub paid_at: i64,
    /// The due, cents.
    pub due_cents: u64,
    /// The chain's slot it landed in.
    pub chain_slot: u64,
}

/// What the events add up to.
#[derive(Default)]
pub struct Replay {
    /// Minted, gross, Wh.
    pub minted_wh: u128,
    /// Burned, gross, Wh.
    pub burned_wh: u128,
    /// Households that are not closed.
    pub households: BTreeMap<u32, Track>,
    /// Households as they were when they were closed.
    pub closed: BTreeMap<u32, Track>,
    /// Every applied row, in the chain's order.
    pub rows: Vec<Row>,
    /// The last slot through which each feeder with a loss record is attested.
    pub complete: BTreeMap<u16, Complete>,
    /// Orders by buyer and number.
    pub placed: BTreeMap<(u32, u64), Placed>,
    /// Settlements, in the chain's order.
    pub settled: Vec<Settled>,
    /// Orders given up.
    pub released: BTreeSet<(u32, u64)>,
    /// Markers closed.
    pub markers_closed: u64,
    /// All instructions' data: where no person may stand.
    pub calls: Vec<Vec<u8>>,
    /// The first thing that breaks a rule of attestation (E3).
    pub e3: Option<String>,
    /// The first slot at which a feeder did not add up (E4).
    pub e4: Option<String>,
    /// Export and import of closed households, by feeder.
    left: BTreeMap<u16, (u128, u128)>,
    offers: HashMap<Address, (u32, u64)>,
    bucket_s: u32,
}

/// Something on chain that this version cannot follow.
#[derive(Debug, thiserror::Error)]
#[error("audit.unreadable: event {place} of the chain cannot be followed ({what}); update jirani")]
pub struct ReplayError {
    place: u64,
    what: &'static str,
}

impl Replay {
    /// Goes through all events.
    pub fn of(transactions: &[IndexedTransaction]) -> Result<Self, ReplayError> {
        let mut replay = Self::default();
        for told in transactions {
            for event in &told.events {
                replay.take(event, told.slot).ok_or(ReplayError {
                    place: told.sequence,
                    what: "its instruction is not as expected",
                })?;
            }
        }
        Ok(replay)
    }

    fn take(&mut self, indexed: &IndexedEvent, chain_slot: u64) -> Option<()> {
        let happened = Happened::read(indexed)?;
        self.calls.push(happened.call.clone());
        let event = happened.decoded.event;
        let household = event.household_id;
        if happened.decoded.kind != EventKind::Attested {
            self.burned_wh += u128::from(event.burned_wh);
        }
        match happened.decoded.kind {
            EventKind::Initialised => {
                let (data, _) = happened.data::<InitialiseData>()?;
                self.bucket_s = data.limits.bucket_s;
            }
            EventKind::Configured => {
                let (head, rest) = happened.data::<ConfigureData>()?;
                if head.section == ConfigSection::Limits as u8 {
                    self.bucket_s = Happened::list::<Limits>(rest).first()?.bucket_s;
                }
            }
            EventKind::Enrolled => {
                self.enrol(household, Address::new_from_array(event.subject), event.at, &happened)?;
            }
            EventKind::MeterReplaced => self.replace_meter(household, event.at, &happened)?,
            EventKind::HouseholdClosed => self.close(household)?,
            EventKind::Attested => self.attest(&happened, chain_slot)?,
            EventKind::Adjusted => {
                let track = self.households.get_mut(&household)?;
                track.adjusted_export_wh = track.adjusted_export_wh.checked_add(event.energy_wh)?;
                track.adjusted_import_wh = track.adjusted_import_wh.checked_add(event.number)?;
                self.minted_wh += u128::from(event.energy_wh);
            }
            EventKind::OfferPosted => {
                happened.data::<PostOfferData>()?;
                self.offers.insert(*happened.accounts.get(OFFER_AT)?, (household, event.number));
            }
            EventKind::OrderPlaced => {
                let placed = self.placement(&happened, event.cents)?;
                self.placed.insert((household, event.number), placed);
            }
            EventKind::Settled => {
                let (data, _) = happened.data::<SettleData>()?;
                self.settled.push(Settled {
                    order: (household, event.number),
                    proof: (data.proof_kind, data.proof),
                    paid_at: data.paid_at,
                    due_cents: event.cents,
                    chain_slot,
                });
            }
            EventKind::Released => {
                self.released.insert((household, event.number));
            }
            EventKind::MarkersClosed => self.markers_closed += event.number,
            EventKind::PauseChanged
            | EventKind::OfferReturned
            | EventKind::AdminChanged
            | EventKind::HardStopChanged
            | EventKind::AuthorityChanged
            | EventKind::Moved
            | EventKind::Withdrawn
            | EventKind::Deposited => {}
        }
        Some(())
    }

    fn enrol(&mut self, household: u32, address: Address, now: i64, happened: &Happened) -> Option<()> {
        let (data, _) = happened.data::<EnrolData>()?;
        let initial_s = u64::from(INITIAL_BUCKET_S.min(self.bucket_s));
        let bucket = Household {
            export_rating_w: data.export_rating_w,
            import_rating_w: data.import_rating_w,
            export_bucket_j: u64::from(data.export_rating_w) * initial_s,
            import_bucket_j: u64::from(data.import_rating_w) * initial_s,
            meter_export_wh: data.initial_export_wh,
            meter_import_wh: data.initial_import_wh,
            last_slot_end: now,
            ..bytemuck::Zeroable::zeroed()
        };
        let track = Track {
            address,
            kind: HouseholdKind::from_byte(data.kind)?,
            feeder: data.feeder,
            enrolled_at: now,
            meter_key: data.meter_key,
            meter_epoch: data.meter_epoch,
            meters: BTreeSet::from([(data.meter_epoch, data.meter_key)]),
            export_wh: 0,
            import_wh: 0,
            adjusted_export_wh: 0,
            adjusted_import_wh: 0,
            last_slot_end: now,
            bucket,
        };
        self.households.insert(household, track);
        Some(())
    }

    /// What a closed household exported and imported stays part of its feeder's sums.
    fn close(&mut self, household: u32) -> Option<()> {
        let track = self.households.remove(&household)?;
        let left = self.left.entry(track.feeder).or_default();
        left.0 += u128::from(track.export_wh) + u128::from(track.adjusted_export_wh);
        left.1 += u128::from(track.import_wh) + u128::from(track.adjusted_import_wh);
        self.closed.insert(household, track);
        Some(())
    }

    /// A household, closed or not.
    pub fn track(&self, household: u32) -> Option<&Track> {
        self.households.get(&household).or_else(|| self.closed.get(&household))
    }

    fn replace_meter(&mut self, household: u32, now: i64, happened: &Happened) -> Option<()> {
        let (data, _) = happened.data::<ReplaceMeterData>()?;
        let bucket_s = self.bucket_s;
        let track = self.households.get_mut(&household)?;
        track.bucket.refit(now, data.export_rating_w, data.import_rating_w, bucket_s);
        let same_meter = (data.meter_epoch, data.meter_key) == (track.meter_epoch, track.meter_key);
        if !same_meter {
            track.bucket.meter_export_wh = data.initial_export_wh;
            track.bucket.meter_import_wh = data.initial_import_wh;
        }
        (track.meter_epoch, track.meter_key) = (data.meter_epoch, data.meter_key);
        track.meters.insert((data.meter_epoch, data.meter_key));
        track.last_slot_end = track.bucket.last_slot_end;
        Some(())
    }

    fn placement(&self, happened: &Happened, due_cents: u64) -> Option<Placed> {
        let (head, rest) = happened.data::<PlaceOrderData>()?;
        let offers = happened.accounts.get(PLACE_FIXED..)?;
        let fills = Happened::list::<FillData>(rest).into_iter().zip(offers).map(|(fill, offer)| {
            let (seller, number) = self.offers.get(offer).copied()?;
            Some((seller, number, fill.energy_wh, fill.price))
        });
        Some(Placed { fee: head.fee, tax: head.tax, fills: fills.collect::<Option<_>>()?, due_cents })
    }

    fn attest(&mut self, happened: &Happened, chain_slot: u64) -> Option<()> {
        let (head, rest) = happened.data::<AttestData>()?;
        let feeder = u16::try_from(happened.decoded.event.household_id).ok()?;
        let rows = Happened::list::<RowData>(rest);
        if rows.len() != happened.decoded.rows.len() {
            return None;
        }
        for (row, told) in rows.iter().zip(&happened.decoded.rows) {
            if RowStatus::from_byte(told.status)? == RowStatus::Applied {
                self.apply(&head, feeder, row, told, chain_slot)?;
            }
        }
        self.look_whole(feeder, head.slot_end);
        Some(())
    }

    /// Applies a row by the program's own rules; the first that they forbid is kept.
    fn apply(
        &mut self,
        head: &AttestData,
        feeder: u16,
        row: &RowData,
        told: &AttestedRow,
        chain_slot: u64,
    ) -> Option<()> {
        self.minted_wh += u128::from(told.minted_wh);
        self.burned_wh += u128::from(told.burned_wh);
        let track = self.households.get_mut(&told.household_id)?;
        let bucket = &mut track.bucket;
        let elapsed = head.slot_end.saturating_sub(track.last_slot_end);
        let exported = row.export_wh.checked_sub(bucket.meter_export_wh);
        let imported = row.import_wh.checked_sub(bucket.meter_import_wh);
        let elapsed_s = u32::try_from(elapsed.max(0)).unwrap_or(u32::MAX);
        let drain =
            |bucket_j, rating_w, wh| Household::drain(bucket_j, rating_w, elapsed_s, self.bucket_s, wh);
        let export_bucket = exported.and_then(|wh| drain(bucket.export_bucket_j, bucket.export_rating_w, wh));
        let import_bucket = imported.and_then(|wh| drain(bucket.import_bucket_j, bucket.import_rating_w, wh));
        let broken = if exported.is_none() || imported.is_none() {
            Some("a register falls")
        } else if elapsed <= 0 {
            Some("a slot is attested twice")
        } else if export_bucket.is_none() || import_bucket.is_none() {
            Some("more energy than its ratings allow")
        } else if exported != Some(told.minted_wh) {
            Some("minted is not what was exported")
        } else if track.feeder != feeder || track.meter_epoch != row.meter_epoch {
            Some("attested on another feeder or of another epoch")
        } else {
            None
        };
        if let Some(what) = broken {
            let told = format!("household {} at {}: {what}", told.household_id, moment(head.slot_end));
            self.e3.get_or_insert(told);
        }
        bucket.export_bucket_j = export_bucket.unwrap_or(0);
        bucket.import_bucket_j = import_bucket.unwrap_or(0);
        bucket.meter_export_wh = row.export_wh;
        bucket.meter_import_wh = row.import_wh;
        track.export_wh += exported.unwrap_or(0);
        track.import_wh += imported.unwrap_or(0);
        track.last_slot_end = head.slot_end;
        self.rows.push(Row {
            household: told.household_id,
            feeder,
            meter_epoch: row.meter_epoch,
            slot_end: head.slot_end,
            export_wh: row.export_wh,
            import_wh: row.import_wh,
            root: head.evidence_root,
            chain_slot,
        });
        Some(())
    }

    /// E4 at this slot, if all of the feeder is attested through it, or has been silent for so
    /// long that losses no longer wait for it.
    fn look_whole(&mut self, feeder: u16, slot_end: i64) {
        let mut has_losses = false;
        let (mut export_wh, mut import_wh) = self.left.get(&feeder).copied().unwrap_or_default();
        for track in self.households.values().filter(|track| track.feeder == feeder) {
            if track.enrolled_at > slot_end {
                continue;
            }
            let is_loss = track.kind == HouseholdKind::Loss;
            let is_told = track.last_slot_end == slot_end;
            if !is_told && (is_loss || is_awaited(moment(track.last_slot_end), moment(slot_end))) {
                return;
            }
            has_losses |= is_loss;
            export_wh += u128::from(track.export_wh) + u128::from(track.adjusted_export_wh);
            import_wh += u128::from(track.import_wh) + u128::from(track.adjusted_import_wh);
        }
        if !has_losses {
            return;
        }
        if export_wh != import_wh {
            self.e4.get_or_insert_with(|| {
                format!(
                    "feeder {feeder} at {}: exported {export_wh} Wh, imported {import_wh} Wh, losses included",
                    moment(slot_end)
                )
            });
        }
        self.complete.insert(feeder, Complete { slot_end });
    }
}

/// A moment for people.
pub(super) fn moment(seconds: i64) -> jirani_units::Timestamp {
    jirani_units::Timestamp::from_seconds(seconds)
}
