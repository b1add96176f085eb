//! Power now and energy today, from a meter's registers.

use super::nairobi::Day;
use crate::app::App;
use crate::dto::Time;
use crate::dto::home::EnergyView;
use crate::error::ApiError;
use jirani_chain::HouseholdOnChain;
use jirani_store::{HouseholdRecord, ReadingRow};
use jirani_units::{Timestamp, Wh};

/// A meter's last word, and what it counted since midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Net power of the last reading; export is positive.
    pub power_w: i32,
    /// When it was taken; None before the first.
    pub at: Option<Timestamp>,
    /// Energy since midnight in Nairobi.
    pub today: EnergyView,
}

/// What a household's meter says; nothing for a record without one.
pub async fn live(app: &App, household: &HouseholdRecord, now: Timestamp) -> Result<Live, ApiError> {
    let Some(meter) = household.meter else { return Ok(Live::default()) };
    let store = &app.deps.store;
    let (last, _) = store.readings_around(meter, household.meter_epoch, now).await?;
    let Some(last) = last else { return Ok(Live::default()) };
    let midnight = Day::of(now).start();
    let today = if last.time <= midnight {
        EnergyView::default()
    } else {
        match store.readings_around(meter, household.meter_epoch, midnight).await? {
            (Some(before), Some(after)) => since(&last, registers_at(&before, &after, midnight)),
            (None, Some(first)) => since(&last, registers(&first)),
            (Some(before), None) => since(&last, registers(&before)),
            (None, None) => EnergyView::default(),
        }
    };
    Ok(Live { power_w: last.power_w, at: Some(last.time), today })
}

/// End of the last slot that is on chain.
pub fn attested_through(household: Option<&HouseholdOnChain>) -> Option<Time> {
    household.map(|household| household.attested_through).filter(|at| at.0 > 0).map(Time)
}

/// Generation, import and export registers.
type Registers = [Wh; 3];

fn registers(reading: &ReadingRow) -> Registers {
    [reading.generation_wh, reading.import_wh, reading.export_wh]
}

fn since(last: &ReadingRow, start: Registers) -> EnergyView {
    let [generation, import, export] = start;
    EnergyView {
        generation_wh: last.generation_wh.saturating_sub(generation).0,
        import_wh: last.import_wh.saturating_sub(import).0,
        export_wh: last.export_wh.saturating_sub(export).0,
    }
}

/// Registers at a moment between two readings, as if power had not changed.
fn registers_at(before: &ReadingRow, after: &ReadingRow, at: Timestamp) -> Registers {
    let (span, part) = (after.time.since(before.time), at.since(before.time));
    let (Ok(span @ 1..), Ok(part)) = (u128::try_from(span), u128::try_from(part)) else {
        return registers(before);
    };
    let (from, to) = (registers(before), registers(after));
    std::array::from_fn(|i| {
        let gained = u128::from(to[i].saturating_sub(from[i]).0) * part.min(span) / span;
        Wh(from[i].0.saturating_add(u64::try_from(gained).unwrap_or(u64::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::{HouseholdId, MeterId};
    use proptest::prelude::*;

    fn reading(seconds: i64, export: u64) -> ReadingRow {
        ReadingRow {
            meter: MeterId([1; 16]),
            epoch: 1,
            seq: 1,
            household: HouseholdId(1),
            time: Timestamp::from_seconds(seconds),
            import_wh: Wh(0),
            export_wh: Wh(export),
            generation_wh: Wh(export),
            power_w: 0,
            bytes: Vec::new(),
            received_at: Timestamp::from_seconds(seconds),
        }
    }

    #[test]
    fn a_boundary_between_two_readings_takes_its_share() {
        let at = registers_at(&reading(0, 100), &reading(900, 400), Timestamp::from_seconds(300));
        assert_eq!(at, [Wh(200), Wh(0), Wh(200)]);
    }

    proptest! {
        #[test]
        fn a_boundary_never_leaves_the_readings_around_it(
            from in 0..u64::MAX / 2, gained in 0..u64::MAX / 2, span in 1..1_000_000i64, part in 0..1_000_000i64,
        ) {
            let (before, after) = (reading(0, from), reading(span, from + gained));
            let [_, _, export] = registers_at(&before, &after, Timestamp::from_seconds(part.min(span)));
            prop_assert!((from..=from + gained).contains(&export.0));
        }
    }
}
