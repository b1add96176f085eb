//! What a start finds of tariffs, and what there is to show of them.

use super::{LEAD_S, tell};
use crate::error::SettlementError;
use jirani_market::schedule::ALIGNMENT_S;
use jirani_market::{Tariff, Tariffs};
use jirani_store::{Change, Store, TariffOrigin, TariffRecord, schedule_of};
use jirani_units::Timestamp;

/// Reads the schedule, and keeps the settings' tariff in it: from time 0 when nothing was
/// announced before; from the next quarter of an hour, with a message to every home, when
/// it differs from what the settings last said. Before any service runs.
pub async fn open_tariffs(
    store: &dyn Store,
    settings: Tariff,
    now: Timestamp,
) -> Result<Tariffs, SettlementError> {
    let mut records = store.tariffs().await?;
    let number = records.last().map_or(1, |last| last.number + 1);
    let last_said = records.iter().rev().find(|record| record.origin == TariffOrigin::Settings);
    let of_settings = |from| TariffRecord {
        number,
        from,
        tariff: settings,
        origin: TariffOrigin::Settings,
        by: None,
        key: format!("@settings/{number}/{}", now.0),
        announced_at: now,
    };
    let mut changes = Vec::new();
    let record = match last_said {
        Some(said) if said.tariff == settings => None,
        None if records.is_empty() => Some(of_settings(Timestamp(0))),
        _ => {
            let before = schedule_of(&records)?;
            let record = of_settings(next_quarter(now));
            let after = before.announce(now, record.from, settings)?;
            tracing::info!(
                from = %record.from, retail = %settings.retail, buy_back = %settings.buy_back,
                grid_fee = %settings.grid_fee, tax = %settings.tax,
                "[tariff] differs from what it said before: announced for the next quarter of an hour"
            );
            let homes = store.households().await?;
            changes = tell::announced(&homes, &record, &tell::before(&after, record.from), now);
            Some(record)
        }
    };
    if let Some(record) = record {
        changes.push(Change::Tariff(record));
        store.commit(changes).await?;
        records = store.tariffs().await?;
    }
    Ok(Tariffs::new(schedule_of(&records)?))
}

/// The first quarter of an hour that can still be announced at `now`.
fn next_quarter(now: Timestamp) -> Timestamp {
    let earliest = now.plus_seconds(LEAD_S).seconds();
    Timestamp::from_seconds((earliest.div_euclid(ALIGNMENT_S) + 1) * ALIGNMENT_S)
}

/// How an announced tariff stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TariffState {
    /// It was in force.
    Past,
    /// It is.
    InForce,
    /// It will be.
    Announced,
    /// It never was: a later announcement took its place before it began.
    Replaced,
}

/// An announced tariff and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As it was announced.
    pub record: TariffRecord,
    /// First moment no longer in force; `None` for the last, and for one that never was.
    pub until: Option<Timestamp>,
    /// How it stands.
    pub state: TariffState,
}

/// All announced tariffs in order of their numbers, each with how it stands at `now`.
pub fn list_tariffs(records: &[TariffRecord], now: Timestamp) -> Vec<Listed> {
    // The same as the schedule does, by number.
    let mut standing: Vec<&TariffRecord> = Vec::new();
    for record in records {
        standing.retain(|earlier| earlier.from < record.from);
        standing.push(record);
    }
    let listed = records.iter().map(|record| {
        let place = standing.iter().position(|standing| standing.number == record.number);
        let until = place.and_then(|place| standing.get(place + 1)).map(|next| next.from);
        let state = match place {
            None => TariffState::Replaced,
            Some(_) if record.from > now => TariffState::Announced,
            Some(_) if until.is_some_and(|until| until <= now) => TariffState::Past,
            Some(_) => TariffState::InForce,
        };
        Listed { record: record.clone(), until, state }
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_units::Price;

    #[test]
    fn what_was_replaced_before_it_began_never_was_in_force() {
        let record = |number: u64, from: i64, announced: i64| TariffRecord {
            number,
            from: Timestamp::from_seconds(900 * from),
            tariff: Tariff {
                retail: Price(3_500),
                buy_back: Price(1_000),
                grid_fee: Price(300),
                tax: Price(200),
            },
            origin: TariffOrigin::Settings,
            by: None,
            key: number.to_string(),
            announced_at: Timestamp::from_seconds(900 * announced),
        };
        let records = [record(1, 0, 0), record(2, 4, 1), record(3, 9, 2), record(4, 8, 3)];
        let now = Timestamp::from_seconds(900 * 5);
        let states: Vec<TariffState> = list_tariffs(&records, now).iter().map(|one| one.state).collect();
        assert_eq!(
            states,
            [TariffState::Past, TariffState::InForce, TariffState::Replaced, TariffState::Announced]
        );
        let schedule = schedule_of(&records).unwrap();
        let standing =
            list_tariffs(&records, now).into_iter().filter(|one| one.state != TariffState::Replaced);
        let shown: Vec<_> = standing.map(|one| (one.record.from, one.until)).collect();
        let truth: Vec<_> = schedule.versions().iter().map(|version| (version.from, version.until)).collect();
        assert_eq!(shown, truth);
    }

    #[test]
    fn a_quarter_that_begins_now_is_not_the_next() {
        assert_eq!(next_quarter(Timestamp::from_seconds(900)), Timestamp::from_seconds(1_800));
        assert_eq!(next_quarter(Timestamp(1)), Timestamp::from_seconds(900));
    }
}
