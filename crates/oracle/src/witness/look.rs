//! From signed readings to the rows they prove. Pure.

use crate::boundary::{Attestable, at_boundary};
use crate::evidence::merkle_root;
use crate::residual::{LossRegisters, add_residual};
use jirani_chain::witness::http::{HouseholdEvidence, Proposal};
use jirani_chain::witness::registry::RegisteredMeter;
use jirani_market::report::is_awaited;
use jirani_meter::{PublicKey, READING_CONTEXT, Reading};
use jirani_readings::{Leaf, time_of};
use jirani_store::{AttestedRow, ReadingRow};
use jirani_units::{HouseholdId, MeterId, Timestamp, Wh};

/// Signed readings that a slot's end needs at most: one before, one after.
const READINGS_MAX: usize = 2;
/// How far the proposer's clock may be ahead of the witness's, in seconds.
const AHEAD_MAX_S: i64 = 60;
/// Time added to the one that passed, for clocks that are a little off, in seconds.
const SLACK_S: u64 = 900;

/// What a slot's evidence proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrueSlot {
    /// Root of the evidence.
    pub evidence_root: [u8; 32],
    /// The spans that its rows rest on: what is added to raw registers.
    pub spans: Vec<Leaf>,
    /// Every row it proves, by household: the loss record's too when all meters are known, or
    /// have been silent for so long that losses no longer wait for them.
    pub rows: Vec<AttestedRow>,
    /// Why nothing is proven of the other households that evidence is told of.
    pub refused: Vec<NotTrue>,
}

/// Why a proposal is not signed, or a row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTrue {
    /// The slot's end is none, or has not come.
    #[error("witness.slot: {0} is not the end of a slot that has ended")]
    NotASlot(Timestamp),
    /// Evidence of a household that has no meter on this feeder; or twice, or out of order.
    #[error("witness.evidence_order: household {0} has no place in the evidence")]
    OutOfPlace(HouseholdId),
    /// A reading that cannot be read, or is not signed by the registered meter.
    #[error("witness.signature: a reading of household {0} is not signed by its registered meter")]
    NotSigned(HouseholdId),
    /// A reading of another epoch than the registered one.
    #[error("witness.epoch: a reading of household {0} belongs to another epoch")]
    WrongEpoch(HouseholdId),
    /// A span of another meter, or one that the readings are not in.
    #[error("witness.span: the span of registers of household {0} is not its meter's")]
    WrongSpan(HouseholdId),
    /// A span that said something else before.
    #[error("witness.span_changed: a span of household {0} had other offsets before")]
    SpanChanged(HouseholdId),
    /// Readings that do not stand around the slot's end, or contradict each other.
    #[error("witness.continuity: the readings of household {0} do not lead through the slot's end")]
    NotContinuous(HouseholdId),
    /// Registers below what the chain holds, for a later slot.
    #[error("witness.lowered: household {0}'s registers fell below what is attested")]
    Lowered(HouseholdId),
    /// More energy than its ratings allow for the time that passed.
    #[error("witness.rating: household {0} grew faster than its rating")]
    OverRating(HouseholdId),
    /// A row that the evidence does not prove.
    #[error("witness.no_evidence: nothing proves a row of household {0}")]
    NoEvidence(HouseholdId),
    /// Another row was signed for this household and slot before.
    #[error("witness.signed_otherwise: another row of household {0} was signed for this slot")]
    SignedOtherwise(HouseholdId),
}

impl NotTrue {
    /// Whose row it is about; `None` when it is about the slot.
    pub const fn household(&self) -> Option<HouseholdId> {
        match self {
            Self::NotASlot(_) => None,
            Self::OutOfPlace(household)
            | Self::NotSigned(household)
            | Self::WrongEpoch(household)
            | Self::WrongSpan(household)
            | Self::SpanChanged(household)
            | Self::NotContinuous(household)
            | Self::Lowered(household)
            | Self::OverRating(household)
            | Self::NoEvidence(household)
            | Self::SignedOtherwise(household) => Some(*household),
        }
    }
}

/// Computes what the evidence of a proposal proves, given the feeder's meters as the
/// witness's own node knows them. One household's evidence never spoils another's: whose
/// does not hold is refused by name. The root is of all that is told.
pub fn look(
    proposal: &Proposal,
    meters: &[RegisteredMeter],
    slot_length_s: u32,
    now: Timestamp,
) -> Result<TrueSlot, NotTrue> {
    let end = proposal.slot_end;
    let length_us = i64::from(slot_length_s.max(1)) * 1_000_000;
    if end.0.rem_euclid(length_us) != 0 || end.since(now) > AHEAD_MAX_S * 1_000_000 {
        return Err(NotTrue::NotASlot(end));
    }
    let mut rows: Vec<AttestedRow> = Vec::with_capacity(proposal.evidence.len() + 1);
    let mut evidence: Vec<&[u8]> = Vec::new();
    let (mut spans, mut refused) = (Vec::new(), Vec::new());
    let mut last = None;
    for told in &proposal.evidence {
        if last.is_some_and(|last| last >= told.household) {
            return Err(NotTrue::OutOfPlace(told.household));
        }
        last = Some(told.household);
        evidence.extend(told.readings.iter().map(|reading| reading.0.as_slice()));
        let meter = meters.iter().find(|meter| meter.household == told.household && !meter.is_loss);
        match meter.ok_or(NotTrue::OutOfPlace(told.household)).and_then(|meter| row(meter, told, end)) {
            Ok((row, span)) => {
                spans.extend(span);
                rows.push(row);
            }
            Err(error) => refused.push(error),
        }
    }
    let evidence_root = merkle_root(evidence);
    let is_told = |meter: &RegisteredMeter| rows.iter().any(|row| row.household == meter.household);
    let metered = meters.iter().filter(|meter| !meter.is_loss && meter.enrolled_at <= end);
    let silent: Vec<&RegisteredMeter> = metered.filter(|meter| !is_told(meter)).collect();
    let all = !silent.iter().any(|meter| is_awaited(meter.attested_through, end));
    let loss = meters.iter().find(|meter| meter.is_loss).filter(|_| all);
    if let Some(loss) = loss {
        let before = LossRegisters { import_wh: loss.import_wh, export_wh: loss.export_wh };
        let registers = rows.iter().map(|row| (row.export_wh, row.import_wh));
        let registers = registers.chain(silent.iter().map(|meter| (meter.export_wh, meter.import_wh)));
        let estimated = rows.iter().any(|row| row.estimated);
        match add_residual(before, registers) {
            // Losses that fall are minted to the operator: nobody may bring that about by
            // keeping silent of those who feed in.
            Some(after) if !silent.is_empty() && after.export_wh > before.export_wh => {}
            Some(LossRegisters { export_wh, import_wh }) => {
                rows.push(AttestedRow { household: loss.household, export_wh, import_wh, estimated });
                rows.sort_by_key(|row| row.household);
            }
            None => refused.push(NotTrue::NoEvidence(loss.household)),
        }
    }
    Ok(TrueSlot { evidence_root, spans, rows, refused })
}

/// The row that a household's own evidence proves, and the span it rests on.
fn row(
    meter: &RegisteredMeter,
    told: &HouseholdEvidence,
    end: Timestamp,
) -> Result<(AttestedRow, Option<Leaf>), NotTrue> {
    let (registers, span) = registers(meter, told, end)?;
    plausible(meter, &registers, end)?;
    let Attestable { export_wh, import_wh, estimated, .. } = registers;
    Ok((AttestedRow { household: told.household, export_wh, import_wh, estimated }, span))
}

/// The registers at `end` that a meter's own readings prove.
fn registers(
    meter: &RegisteredMeter,
    told: &HouseholdEvidence,
    end: Timestamp,
) -> Result<(Attestable, Option<Leaf>), NotTrue> {
    let household = told.household;
    let span = told.readings.first().and_then(|first| Leaf::decode(&first.0));
    let signed = told.readings.get(usize::from(span.is_some())..).unwrap_or_default();
    if signed.is_empty() || signed.len() > READINGS_MAX {
        return Err(NotTrue::NotContinuous(household));
    }
    let key = PublicKey::from_bytes(&meter.key).map_err(|_| NotTrue::NotSigned(household))?;
    let name = MeterId(key.name());
    let mut readings = Vec::with_capacity(READINGS_MAX);
    if let Some(span) = span
        && (span.household, span.meter.0, span.chain_epoch) != (household, name.0, meter.epoch)
    {
        return Err(NotTrue::WrongSpan(household));
    }
    let epoch = span.map_or(meter.epoch, |span| span.epoch);
    for signed in signed {
        let (reading, sign1) = Reading::decode(&signed.0).map_err(|_| NotTrue::NotSigned(household))?;
        sign1.verify(&key, READING_CONTEXT).map_err(|_| NotTrue::NotSigned(household))?;
        if reading.meter != name.0 {
            return Err(NotTrue::NotSigned(household));
        }
        if reading.epoch != epoch {
            return Err(NotTrue::WrongEpoch(household));
        }
        readings.push(row_of(household, name, &reading, signed.0.clone()));
    }
    if let [before, after] = readings.as_slice()
        && (after.seq <= before.seq
            || after.time <= before.time
            || after.export_wh < before.export_wh
            || after.import_wh < before.import_wh)
    {
        return Err(NotTrue::NotContinuous(household));
    }
    let found = at_boundary(readings.first(), readings.get(1), end);
    // A reading more than the boundary needs would only change the root.
    let used = readings.len();
    let found = found.filter(|found| found.evidence.len() == used);
    let mut found = found.ok_or(NotTrue::NotContinuous(household))?;
    if let Some(span) = &span {
        if readings.first().is_some_and(|first| first.time < span.from) {
            return Err(NotTrue::WrongSpan(household));
        }
        let (import_wh, export_wh) =
            span.offsets.apply(found.import_wh, found.export_wh).ok_or(NotTrue::WrongSpan(household))?;
        found = Attestable { export_wh, import_wh, ..found };
    }
    Ok((found, span))
}

/// Whether registers go on where the chain's stand, no faster than the ratings allow.
fn plausible(meter: &RegisteredMeter, registers: &Attestable, end: Timestamp) -> Result<(), NotTrue> {
    if end <= meter.attested_through {
        // The chain leaves such a row out as stale.
        return Ok(());
    }
    let elapsed_s = u64::try_from(end.since(meter.attested_through) / 1_000_000).unwrap_or(0);
    for (now_wh, before_wh, rating_w) in [
        (registers.export_wh, meter.export_wh, meter.export_rating_w),
        (registers.import_wh, meter.import_wh, meter.import_rating_w),
    ] {
        let grew = now_wh.0.checked_sub(before_wh.0).ok_or(NotTrue::Lowered(meter.household))?;
        // What the program's bucket may have saved up is its to know; ten days at most.
        let saved_s = elapsed_s.max(10 * 86_400) + SLACK_S;
        if u128::from(grew) * 3_600 > u128::from(rating_w) * u128::from(saved_s) {
            return Err(NotTrue::OverRating(meter.household));
        }
    }
    Ok(())
}

fn row_of(household: HouseholdId, meter: MeterId, reading: &Reading, bytes: Vec<u8>) -> ReadingRow {
    let time = time_of(reading);
    ReadingRow {
        meter,
        epoch: reading.epoch,
        seq: reading.seq,
        household,
        time,
        import_wh: Wh(reading.registers.import_wh),
        export_wh: Wh(reading.registers.export_wh),
        generation_wh: Wh(reading.registers.generation_wh),
        power_w: reading.instantaneous.power_w,
        bytes,
        received_at: time,
    }
}
