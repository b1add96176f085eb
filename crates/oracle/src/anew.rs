//! Registers that begin anew with a reading: the span that begins with it.

use crate::known::Enrolled;
use jirani_meter::Reading;
use jirani_readings::{Began, Span, SpanReason, time_of};
use jirani_store::{Change, Store, StoreError};
use jirani_units::{MeterId, Timestamp};
use std::sync::Arc;

/// What is kept when registers begin anew, and the meter as it counts from then on.
/// `None` when the registers would leave what is accounted in.
pub(crate) async fn begin(
    store: &dyn Store,
    (meter, enrolled): (MeterId, &Enrolled),
    reading: &Reading,
    began: Began,
    now: Timestamp,
) -> Result<Option<(Vec<Change>, Enrolled)>, StoreError> {
    let mut changes = Vec::new();
    let before = if let Some(span) = &enrolled.span {
        Arc::clone(span)
    } else {
        let first = Span::original(enrolled.household, meter, enrolled.key_bytes, enrolled.epoch);
        changes.push(Change::Span(Box::new(first.clone())));
        Arc::new(first)
    };
    let from = time_of(reading);
    let next = match began {
        Began::RolledOver { added, base } => before.rolled_over(added, base, from, now),
        Began::Epoch { base, opening } => {
            let begins = Span {
                epoch: reading.epoch,
                from,
                reason: SpanReason::ResetProven,
                note: String::new(),
                by: "gateway".to_owned(),
                at: now,
                ..Span::clone(&before)
            };
            before.followed(begins, base, opening)
        }
    };
    let Ok(next) = next else { return Ok(None) };
    if next.epoch != enrolled.epoch
        && let Some(record) = store.household(enrolled.household).await?
        && record.meter == Some(meter)
    {
        let meter_epoch = next.epoch;
        changes.push(Change::Household(jirani_store::HouseholdRecord { meter_epoch, ..record }));
    }
    changes.push(Change::Span(Box::new(next.clone())));
    let enrolled = Enrolled { epoch: next.epoch, span: Some(Arc::new(next)), ..enrolled.clone() };
    Ok(Some((changes, enrolled)))
}
