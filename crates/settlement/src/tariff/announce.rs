//! An operator announces a tariff.

use super::{LEAD_S, tell};
use crate::engine::Key;
use crate::error::SettlementError;
use crate::reconciliation::check_operator;
use crate::service::{Settlement, check_key};
use crate::step::Step;
use jirani_market::Tariff;
use jirani_market::schedule::ScheduleError;
use jirani_store::{Change, Event, TariffOrigin, TariffRecord, schedule_of};
use jirani_units::{Clock as _, Timestamp};

impl Settlement {
    /// Announces `tariff` from `from` on, as `operator` asks, in place of all that was
    /// announced for then or later; what is in force stays until then. Every home is told in
    /// the same commit. The same `key` again is the same announcement. Refused whole, with
    /// the schedule's code, when it begins in the past or off a quarter of an hour, or its
    /// prices contradict each other.
    pub async fn announce_tariff(
        &self,
        operator: &str,
        key: &str,
        from: Timestamp,
        tariff: Tariff,
    ) -> Result<TariffRecord, SettlementError> {
        let busy = self.clock.busy();
        check_key(key)?;
        check_operator(operator)?;
        let _announcing = self.following.announcing.lock().await;
        let records = self.store.tariffs().await?;
        let record = match records.iter().find(|record| record.key == key) {
            Some(kept) if (kept.from, kept.tariff) == (from, tariff) => kept.clone(),
            Some(_) => return Err(SettlementError::KeyReused),
            None => {
                let now = self.clock.now();
                let earliest = now.plus_seconds(LEAD_S);
                if from < earliest {
                    return Err(ScheduleError::InPast { earliest }.into());
                }
                let schedule = schedule_of(&records)?.announce(now, from, tariff)?;
                let record = TariffRecord {
                    number: records.last().map_or(1, |last| last.number + 1),
                    from,
                    tariff,
                    origin: TariffOrigin::Operator,
                    by: Some(operator.to_owned()),
                    key: key.to_owned(),
                    announced_at: now,
                };
                let homes = self.store.households().await?;
                let changes = tell::announced(&homes, &record, &tell::before(&schedule, from), now);
                let mut step = Step { changes, ..Step::default() };
                step.change(Change::Tariff(record.clone())).announce(Event::Tariff);
                self.commit(step).await?;
                record
            }
        };
        // As it is stored, also where an answer of before was lost.
        self.config.tariffs.replace(schedule_of(&self.store.tariffs().await?)?);
        self.lanes.poke(Key::Tariff, busy);
        Ok(record)
    }
}
