//! A household's virtual registers at a slot's end, from the stored readings around it.
//!
//! The one way from readings to what is attested: slots, witness, proofs and audit all
//! come through here.

use jirani_meter::Registers;
use jirani_readings::{Point, Span, covering, is_within};
use jirani_store::{HouseholdRecord, ReadingRow, Store, StoreError};
use jirani_units::{HouseholdId, MeterId, Timestamp, Wh};
use std::collections::HashMap;

/// Registers at a boundary, and what they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestable {
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
    /// Whether it lies between two readings.
    pub estimated: bool,
    /// The leaves of its evidence: the span's, when it is not the household's first, then
    /// the signed readings used, oldest first.
    pub evidence: Vec<Vec<u8>>,
}

/// Raw registers at `at`, given the last reading at or before it and the first one after
/// it ([`jirani_readings::at_boundary`]), with the readings used.
pub fn at_boundary(
    before: Option<&ReadingRow>,
    after: Option<&ReadingRow>,
    at: Timestamp,
) -> Option<Attestable> {
    let found = jirani_readings::at_boundary(before.map(point), after.map(point), at)?;
    let used = before.into_iter().chain(after.filter(|_| found.estimated));
    Some(Attestable {
        export_wh: found.export_wh,
        import_wh: found.import_wh,
        estimated: found.estimated,
        evidence: used.map(|row| row.bytes.clone()).collect(),
    })
}

fn point(row: &ReadingRow) -> Point {
    Point { time: row.time, export_wh: row.export_wh, import_wh: row.import_wh }
}

/// The same in a household's spans: readings of another span do not count, and the
/// offsets are added. `before` and `after` are of the stream that [`stream_at`] names.
pub fn in_spans(
    spans: &[Span],
    before: Option<&ReadingRow>,
    after: Option<&ReadingRow>,
    at: Timestamp,
) -> Option<Attestable> {
    let Some((span, next)) = covering(spans, at) else { return at_boundary(before, after, at) };
    let counts = |row: &&ReadingRow| is_within(span, next, row.time);
    let raw = at_boundary(before.filter(counts), after.filter(counts), at)?;
    let (import_wh, export_wh) = span.offsets.apply(raw.import_wh, raw.export_wh)?;
    let leaf = span.leaf().map(|leaf| leaf.encode());
    let evidence = leaf.into_iter().chain(raw.evidence).collect();
    Some(Attestable { export_wh, import_wh, evidence, ..raw })
}

/// The readings around a moment that count for a household, their registers virtual.
pub async fn virtual_around(
    store: &dyn Store,
    record: &HouseholdRecord,
    spans: &[Span],
    at: Timestamp,
) -> Result<(Option<ReadingRow>, Option<ReadingRow>), StoreError> {
    let Some((meter, epoch)) = stream_at(record, spans, at) else { return Ok((None, None)) };
    let (before, after) = store.readings_around(meter, epoch, at).await?;
    let Some((span, next)) = covering(spans, at) else { return Ok((before, after)) };
    let shifted = |row: ReadingRow| {
        let (import_wh, export_wh) = span.offsets.apply(row.import_wh, row.export_wh)?;
        is_within(span, next, row.time).then_some(ReadingRow { import_wh, export_wh, ..row })
    };
    Ok((before.and_then(shifted), after.and_then(shifted)))
}

/// Whose readings count for a household at a moment: meter and epoch.
pub fn stream_at(record: &HouseholdRecord, spans: &[Span], at: Timestamp) -> Option<(MeterId, u32)> {
    match covering(spans, at) {
        Some((span, _)) => Some((span.meter, span.epoch)),
        None => Some((record.meter?, record.meter_epoch)),
    }
}

/// The epoch that a household's attested rows name at a moment, and its meter's key.
pub fn row_epoch_at(record: &HouseholdRecord, spans: &[Span], at: Timestamp) -> (u32, [u8; 32]) {
    covering(spans, at)
        .map_or((record.meter_epoch, record.meter_key), |(span, _)| (span.chain_epoch, span.meter_key))
}

/// Whether a moment's rows name the epoch that the chain has now. Once another key counts
/// there, nothing of the former one's can be proven against the chain any more: what it
/// counted until its last reading is in the first row of the present one.
pub(crate) fn names_present_epoch(spans: &[Span], at: Timestamp) -> bool {
    match (covering(spans, at), spans.last()) {
        (Some((span, _)), Some(last)) => span.chain_epoch == last.chain_epoch,
        _ => true,
    }
}

/// A household's virtual registers at a moment, as the store knows them.
pub async fn registers_of(
    store: &dyn Store,
    record: &HouseholdRecord,
    spans: &[Span],
    at: Timestamp,
) -> Result<Option<Attestable>, StoreError> {
    let Some((meter, epoch)) = stream_at(record, spans, at) else { return Ok(None) };
    let (before, after) = store.readings_around(meter, epoch, at).await?;
    Ok(in_spans(spans, before.as_ref(), after.as_ref(), at))
}

/// Every household's spans.
#[derive(Clone, Debug, Default)]
pub struct Spans(HashMap<HouseholdId, Vec<Span>>);

impl Spans {
    /// Reads them.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut spans: HashMap<HouseholdId, Vec<Span>> = HashMap::new();
        for span in store.spans().await? {
            spans.entry(span.household).or_default().push(span);
        }
        Ok(Self(spans))
    }

    /// One household's, by number; empty while it has the meter it was enrolled with.
    pub fn of(&self, household: HouseholdId) -> &[Span] {
        self.0.get(&household).map_or(&[], Vec::as_slice)
    }
}

/// A reading's raw registers.
pub(crate) fn registers(row: &ReadingRow) -> Registers {
    Registers { import_wh: row.import_wh.0, export_wh: row.export_wh.0, generation_wh: row.generation_wh.0 }
}
