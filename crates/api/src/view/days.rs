//! Attested energy, one line a day: slot by slot nobody could read it.

use super::nairobi::Day;
use crate::app::App;
use crate::error::ApiError;
use jirani_store::{AttestedRow, HouseholdRecord};
use jirani_units::{Timestamp, Wh};

/// What the chain has counted for a household on one day in Nairobi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayEnergy {
    /// The day.
    pub day: Day,
    /// End of its last attested slot.
    pub at: Timestamp,
    /// Exported: minted, or put against a shortfall.
    pub export: Wh,
    /// Imported: burned, or become a shortfall.
    pub import: Wh,
    /// Transaction of its last slot.
    pub signature: Option<String>,
}

/// A household's attested row, its slot's end and signature.
type Row = (Timestamp, AttestedRow, Option<String>);

/// How far back from a moment the last slot before it is looked for first, in
/// seconds: unless a meter is silent it is there, and a day costs a handful of rows
/// instead of one for every slot.
const NEAR_S: i64 = 3_600;

/// The last `days` days up to `now`, oldest first; days without slots are left out.
pub async fn attested(
    app: &App,
    household: &HouseholdRecord,
    days: u32,
    now: Timestamp,
) -> Result<Vec<DayEnergy>, ApiError> {
    let today = Day::of(now);
    let first = today.back(days.saturating_sub(1));
    let new = household.enrolled_at >= first.start();
    let mut rows = Vec::new();
    if !new {
        // The row at the first midnight, or the last one before it, is the start.
        let midnight = first.start();
        let near = rows_between(app, household, midnight.plus_seconds(-NEAR_S), midnight).await?;
        if near.is_empty() {
            let rows = rows_between(app, household, midnight, now).await?;
            return Ok(by_day(&rows, first, new));
        }
        rows.extend(near.into_iter().next_back());
    }
    for back in (0..days).rev() {
        let day = today.back(back);
        let end = day.next().start().min(now);
        rows.extend(last_between(app, household, day.start(), end).await?);
    }
    Ok(by_day(&rows, first, new))
}

async fn rows_between(
    app: &App,
    household: &HouseholdRecord,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Row>, ApiError> {
    Ok(app.deps.store.attested_rows(household.id, from, to).await?)
}

/// The last attested row with `from < end <= to`.
async fn last_between(
    app: &App,
    household: &HouseholdRecord,
    from: Timestamp,
    to: Timestamp,
) -> Result<Option<Row>, ApiError> {
    let near = to.plus_seconds(-NEAR_S).max(from);
    match rows_between(app, household, near, to).await?.pop() {
        Some(row) => Ok(Some(row)),
        None => Ok(rows_between(app, household, from, near).await?.pop()),
    }
}

/// Differences of the registers from day to day. Registers of a household that
/// is `new` within these days begin at zero; those of an older one at the first row.
fn by_day(rows: &[Row], first: Day, new: bool) -> Vec<DayEnergy> {
    let mut registers = match rows.first() {
        Some((_, row, _)) if !new => (row.export_wh, row.import_wh),
        _ => (Wh::ZERO, Wh::ZERO),
    };
    let mut days: Vec<DayEnergy> = Vec::new();
    for (end, row, signature) in rows {
        let export = row.export_wh.saturating_sub(registers.0);
        let import = row.import_wh.saturating_sub(registers.1);
        registers = (row.export_wh, row.import_wh);
        let day = Day::ending_at(*end);
        if day < first {
            continue;
        }
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => {
                last.at = *end;
                last.export = Wh(last.export.0.saturating_add(export.0));
                last.import = Wh(last.import.0.saturating_add(import.0));
                last.signature.clone_from(signature);
            }
            None => {
                days.push(DayEnergy { day, at: *end, export, import, signature: signature.clone() });
            }
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::HouseholdId;

    fn row(end: &str, export: u64, import: u64) -> Row {
        let row = AttestedRow {
            household: HouseholdId(1),
            export_wh: Wh(export),
            import_wh: Wh(import),
            estimated: false,
        };
        (end.parse().unwrap(), row, Some(end.to_owned()))
    }

    #[test]
    fn each_day_gets_what_its_own_slots_counted() {
        let rows = [
            row("2026-11-20T21:00:00Z", 100, 10),
            row("2026-11-20T21:15:00Z", 120, 10),
            row("2026-11-21T21:00:00Z", 200, 30),
            row("2026-11-22T09:00:00Z", 250, 70),
        ];
        let first = Day::of("2026-11-21T12:00:00Z".parse().unwrap());
        let days = by_day(&rows, first, false);
        let seen: Vec<_> = days.iter().map(|d| (d.day.to_string(), d.export.0, d.import.0)).collect();
        assert_eq!(seen, [("2026-11-21".into(), 100, 20), ("2026-11-22".into(), 50, 40)]);
        assert_eq!(days[0].signature.as_deref(), Some("2026-11-21T21:00:00Z"));
    }

    #[test]
    fn a_new_household_counts_from_zero() {
        let rows = [row("2026-11-21T09:00:00Z", 40, 5)];
        let first = Day::of(rows[0].0);
        assert_eq!(by_day(&rows, first, true)[0].export, Wh(40));
        assert_eq!(by_day(&rows, first, false)[0].export, Wh(0));
    }
}
