//! What is found is stored, told and remembered until somebody has decided.

use super::Findings;
use crate::findings::FindingsConfig;
use jirani_plausibility::{Finding, Interval, Severity};
use jirani_store::{
    Change, FindingRecord, FindingState, HouseholdRecord, NoticeRecord, QuarantineRow, ReadingRow, StoreError,
};
use jirani_units::{Clock as _, HouseholdId, MeterId, Timestamp};
use std::collections::HashMap;

/// A finding and whom it is about.
#[derive(Clone, Debug)]
pub(super) struct Found {
    subject: Option<(HouseholdId, MeterId, u32)>,
    feeder: u16,
    span: (Timestamp, Timestamp),
    finding: Finding,
}

impl Found {
    pub(super) fn of(record: &HouseholdRecord, interval: &Interval, finding: Finding) -> Self {
        let end = interval.start.plus_seconds(interval.length_s.into());
        Self::about(record, (interval.start, end), finding)
    }

    pub(super) fn about(record: &HouseholdRecord, span: (Timestamp, Timestamp), finding: Finding) -> Self {
        let subject = record.meter.map(|meter| (record.id, meter, record.meter_epoch));
        Self { subject, feeder: record.feeder, span, finding }
    }

    pub(super) fn feeder(feeder: u16, span: (Timestamp, Timestamp), finding: Finding) -> Self {
        Self { subject: None, feeder, span, finding }
    }
}

/// A finding that is open or was decided lately.
pub(super) struct Live {
    household: Option<HouseholdId>,
    feeder: u16,
    code: String,
    holds: bool,
}

impl Live {
    fn of(record: &FindingRecord) -> Self {
        Self {
            household: record.household,
            feeder: record.feeder,
            code: record.code.clone(),
            holds: record.holds(),
        }
    }

    /// Whose attestation waits for it.
    pub(super) fn held(&self) -> Option<HouseholdId> {
        self.household.filter(|_| self.holds)
    }
}

impl Findings {
    /// What is open or refused, and what was accepted so lately that its rule still rests.
    ///
    /// A finding is about a household's registers, and those go on when the meter begins a new
    /// epoch or is replaced by another one: what was found is still in them, and the first
    /// attestation would mint it. So only a person's decision lifts a hold, never anything that
    /// a meter says or is.
    pub(super) async fn live(&self) -> Result<Vec<Live>, StoreError> {
        let FindingsConfig { accepted_days, .. } = self.config;
        let since = self.clock.now().plus_seconds(-i64::from(accepted_days) * 86_400);
        let kept = self.store.live_findings(since).await?;
        // A closed finding was mended: its rule may speak at once.
        Ok(kept.iter().filter(|record| record.state != FindingState::Closed).map(Live::of).collect())
    }

    /// Stores what was found and is not live already, and adds it there.
    pub(super) async fn store_all(
        &self,
        found: &[Found],
        live: &mut Vec<Live>,
        latest: &HashMap<MeterId, ReadingRow>,
    ) -> Result<(), StoreError> {
        for found in found {
            let household = found.subject.map(|(household, ..)| household);
            let code = found.finding.rule.code();
            let is_known = |known: &Live| {
                known.code == code && known.household == household && known.feeder == found.feeder
            };
            if live.iter().any(is_known) {
                continue;
            }
            let record = self.record(found).await?;
            let mut changes = vec![Change::Finding(Box::new(record.clone()))];
            changes.extend(told(&record));
            match self.store.commit(changes).await {
                Ok(_) => tracing::warn!(
                    finding = record.number, household = ?household, feeder = record.feeder, code,
                    evidence = record.evidence, "what a meter says cannot be taken as it is"
                ),
                // Another process found the same.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
            if record.severity == Severity::Refuse {
                self.quarantine(&record, latest).await?;
            }
            live.push(Live::of(&record));
        }
        Ok(())
    }

    async fn record(&self, found: &Found) -> Result<FindingRecord, StoreError> {
        let number = self.store.next_number("finding").await?;
        let evidence: serde_json::Map<String, serde_json::Value> = found
            .finding
            .evidence
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        Ok(FindingRecord {
            number,
            household: found.subject.map(|(household, ..)| household),
            meter: found.subject.map(|(_, meter, _)| meter),
            meter_epoch: found.subject.map_or(0, |(.., epoch)| epoch),
            feeder: found.feeder,
            from: found.span.0,
            until: found.span.1,
            code: found.finding.rule.code().to_owned(),
            severity: found.finding.severity,
            evidence: serde_json::Value::Object(evidence).to_string(),
            state: FindingState::Open,
            found_at: self.clock.now(),
            decided_by: None,
            decided_at: None,
            note: None,
            version: 0,
        })
    }

    /// The reading that cannot be true is kept apart as well, with the reason.
    async fn quarantine(
        &self,
        record: &FindingRecord,
        latest: &HashMap<MeterId, ReadingRow>,
    ) -> Result<(), StoreError> {
        let Some(row) = record.meter.and_then(|meter| latest.get(&meter)) else { return Ok(()) };
        let row = QuarantineRow {
            meter: record.meter,
            code: record.code.clone(),
            detail: format!("finding {}: {}", record.number, record.evidence),
            bytes: row.bytes.clone(),
            received_at: self.clock.now(),
        };
        self.store.append_readings(Vec::new(), vec![row]).await.map(drop)
    }
}

/// Whoever waits for a decision is told, and whoever is to decide.
fn told(record: &FindingRecord) -> Vec<Change> {
    let Some(household) = record.household.filter(|_| record.holds()) else { return Vec::new() };
    let number = record.number;
    let notice = |key: String, household, en: String, sw: String| {
        let code = "finding_held".to_owned();
        Change::Notice(NoticeRecord { key, household, code, en, sw, at: record.found_at })
    };
    vec![
        notice(
            format!("finding/{number}"),
            Some(household),
            "Your meter's numbers look odd. Your energy is kept and counted once the operator has checked."
                .to_owned(),
            "Namba za mita yako si za kawaida. Umeme wako umehifadhiwa, utahesabiwa baada ya ukaguzi."
                .to_owned(),
        ),
        notice(
            format!("finding/{number}/operator"),
            None,
            format!("Finding {number}: household {household} is held ({}). Look and decide.", record.code),
            format!("Tokeo {number}: nyumba {household} imesimamishwa ({}). Angalia, amua.", record.code),
        ),
    ]
}
