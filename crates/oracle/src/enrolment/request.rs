//! What one operator asks for about a meter that counts, and another one approves: that
//! nothing holds it any more, or that its registers began anew.
//!
//! The one mints what was held back, the other says from where registers go on; nobody does
//! either alone. What is approved is done by the [`super::Registrar`] between two slots, as
//! an enrolment is: no attestation of the household is under way then. One request about a
//! meter waits at a time, and who made it cannot take it back: another operator approves
//! exactly what they have read, by its revision, or rejects it.

use super::{Closing, Done, Enrolment, EnrolmentError, TEXT_MAX, closing, happened, in_state, last_span};
use jirani_meter::Registers;
use jirani_readings::{Span, SpanReason};
use jirani_store::words::Word as _;
use jirani_store::{Change, HouseholdRecord, MeterRecord, MeterRequest, MeterState, MeterWish, Store};
use jirani_units::{MeterId, Timestamp};

impl Enrolment {
    /// Asks that a held meter is attested again: what it said first stands.
    pub async fn release(&self, by: &str, meter: MeterId, reason: String) -> Done {
        let record = self.counted(meter).await?;
        check_held(&record)?;
        self.ask(by, record, MeterWish::Release, reason).await
    }

    /// Asks that an active meter's registers began anew at `opening`, in a later epoch.
    pub async fn begin_epoch(
        &self,
        by: &str,
        meter: MeterId,
        (epoch, opening): (u32, Registers),
        reason: String,
    ) -> Done {
        let record = self.counted(meter).await?;
        let wish = MeterWish::Epoch { epoch, opening };
        let request = self.request(by, wish, reason.clone());
        begins(&*self.store, &record, &request, (epoch, opening), self.clock.now()).await?;
        self.ask(by, record, wish, reason).await
    }

    fn request(&self, by: &str, wish: MeterWish, reason: String) -> MeterRequest {
        MeterRequest { wish, reason, asked_by: by.to_owned(), asked_at: self.clock.now(), approved: None }
    }

    async fn ask(&self, by: &str, record: MeterRecord, wish: MeterWish, reason: String) -> Done {
        if reason.chars().count() > TEXT_MAX {
            return Err(EnrolmentError::Invalid("a reason has at most 200 letters"));
        }
        if record.request.is_some() {
            return Err(EnrolmentError::RequestedBefore);
        }
        let (code, detail) = match wish {
            MeterWish::Release => ("meter.release_asked", reason.clone()),
            MeterWish::Epoch { epoch, opening } => {
                let Registers { import_wh, export_wh, generation_wh } = opening;
                let figures = format!(
                    "epoch {epoch} from import {import_wh}, export {export_wh}, generation {generation_wh} Wh"
                );
                ("meter.epoch_asked", format!("{figures}: {reason}"))
            }
        };
        let request = Some(self.request(by, wish, reason));
        self.write(MeterRecord { request, ..record }, by, code, detail).await
    }

    /// Approves what another operator has asked for; it is done between two slots.
    pub(super) async fn approve_request(&self, by: &str, record: MeterRecord, request: MeterRequest) -> Done {
        if request.asked_by == by {
            return Err(EnrolmentError::SameOperator);
        }
        if request.approved.is_some() {
            let (state, wanted) = (record.state.word(), "approved: what was asked for is approved already");
            return Err(EnrolmentError::WrongState { state, wanted });
        }
        let code = match request.wish {
            MeterWish::Release => "meter.release_approved",
            MeterWish::Epoch { .. } => "meter.epoch_approved",
        };
        let (detail, approved) = (request.reason.clone(), Some((by.to_owned(), self.clock.now())));
        let request = Some(MeterRequest { approved, ..request });
        self.write(MeterRecord { request, ..record }, by, code, detail).await
    }

    /// Ends what another operator has asked for: nothing is done.
    pub(super) async fn reject_request(
        &self,
        by: &str,
        record: MeterRecord,
        request: &MeterRequest,
        reason: String,
    ) -> Done {
        if request.asked_by == by {
            return Err(EnrolmentError::SameOperator);
        }
        self.keep(MeterRecord { request: None, ..record }, by, "meter.request_rejected", reason).await
    }
}

/// Does what is approved. What can be done no more, since the meter has gone on meanwhile, is
/// ended with the reason in the meter's history.
pub(super) async fn fulfil(
    store: &dyn Store,
    record: MeterRecord,
    now: Timestamp,
) -> Result<(), EnrolmentError> {
    let Some((request, by)) = approved(&record) else { return Ok(()) };
    let (request, by) = (request.clone(), by.to_owned());
    let record = MeterRecord { request: None, ..record };
    let done = match request.wish {
        MeterWish::Release => check_held(&record).map(|()| {
            let event = happened(&record, &by, "meter.released", request.reason.clone(), now);
            let released = MeterRecord { held: None, ..record.clone() };
            vec![Change::Meter(Box::new(released)), Change::MeterEvent(event)]
        }),
        MeterWish::Epoch { epoch, opening } => {
            begins(store, &record, &request, (epoch, opening), now).await.map(|mut changes| {
                let event = happened(&record, &by, "meter.epoch_begun", request.reason.clone(), now);
                let begun = MeterRecord { epoch, ..record.clone() };
                changes.extend([Change::Meter(Box::new(begun)), Change::MeterEvent(event)]);
                changes
            })
        }
    };
    let changes = match done {
        Ok(changes) => changes,
        Err(error @ (EnrolmentError::Store(_) | EnrolmentError::Changed)) => return Err(error),
        Err(error) => {
            let event = happened(&record, &by, "meter.request_void", error.to_string(), now);
            vec![Change::Meter(Box::new(record)), Change::MeterEvent(event)]
        }
    };
    Ok(store.commit(changes).await.map(drop)?)
}

/// What waits to be done for a meter, and who approved it.
pub(super) fn approved(record: &MeterRecord) -> Option<(&MeterRequest, &str)> {
    let request = record.request.as_ref()?;
    request.approved.as_ref().map(|(by, _)| (request, by.as_str()))
}

fn check_held(record: &MeterRecord) -> Result<(), EnrolmentError> {
    if record.held.is_some() {
        return Ok(());
    }
    Err(EnrolmentError::WrongState { state: record.state.word(), wanted: "released: nothing holds it" })
}

/// What is kept when a meter's registers begin anew at `opening`.
async fn begins(
    store: &dyn Store,
    record: &MeterRecord,
    request: &MeterRequest,
    (epoch, opening): (u32, Registers),
    now: Timestamp,
) -> Result<Vec<Change>, EnrolmentError> {
    in_state(record, &[MeterState::Active], "given a new epoch")?;
    let household = store.household(record.household).await?;
    let household = household.filter(|home| home.meter == Some(record.meter));
    let household = household.ok_or(EnrolmentError::NoHousehold)?;
    if epoch <= household.meter_epoch {
        return Err(EnrolmentError::Invalid("a new epoch is later than the present one"));
    }
    let Closing { spans, base: closing, condition } = closing(store, &household).await?;
    let last = last_span(&spans, &household);
    let by = request.approved.as_ref().map_or(&request.asked_by, |(by, _)| by);
    let begins = Span {
        epoch,
        from: Timestamp(closing.time.max(last.from).0 + 1),
        reason: SpanReason::ResetApproved,
        note: request.reason.clone(),
        by: by.clone(),
        at: now,
        ..last.clone()
    };
    let next = last.followed(begins, closing, opening)?;
    let mut changes = vec![Change::Household(HouseholdRecord { meter_epoch: epoch, ..household })];
    if spans.is_empty() {
        changes.push(Change::Span(Box::new(last)));
    }
    changes.extend([Change::Span(Box::new(next)), condition]);
    Ok(changes)
}
