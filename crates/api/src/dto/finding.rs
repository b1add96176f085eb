//! What plausibility rules found, and what operators decide about it.

use super::Time;
use jirani_plausibility::Severity;
use jirani_store::{FindingDecision, FindingRecord, FindingState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// To be seen; nothing stops.
    Note,
    /// The household is not attested until somebody has decided.
    Hold,
    /// As `hold`, and the reading is in quarantine.
    Refuse,
}

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingStateView {
    /// Nobody has decided.
    Open,
    /// Found harmless.
    Accepted,
    /// Found true: the household stays held.
    Refused,
    /// Mended.
    Closed,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingView {
    /// Its number.
    pub number: u64,
    /// Whose meter; null when the feeder itself is meant.
    pub household_id: Option<u32>,
    /// The meter; null when the feeder itself is meant.
    pub meter_id: Option<String>,
    /// The feeder.
    pub feeder: u16,
    /// Beginning of the stretch that was judged.
    pub from: Time,
    /// Its end.
    pub until: Time,
    /// The rule: the code's last part.
    pub rule: String,
    /// Stable reason code, `plausibility.night`.
    pub code: String,
    /// How grave.
    pub severity: FindingSeverity,
    /// The numbers it rests on, each named with its unit.
    pub evidence: BTreeMap<String, i64>,
    /// Where it stands.
    pub state: FindingStateView,
    /// Whether the household's attestation waits for it.
    pub holds: bool,
    /// When it was found.
    pub found_at: Time,
    /// The operator who decided last.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Time>,
    /// Why.
    pub note: Option<String>,
}

impl From<FindingRecord> for FindingView {
    fn from(record: FindingRecord) -> Self {
        let rule = record.code.split_once('.').map_or("", |(_, rule)| rule).to_owned();
        Self {
            holds: record.holds(),
            number: record.number,
            household_id: record.household.map(|household| household.0),
            meter_id: record.meter.map(|meter| meter.to_string()),
            feeder: record.feeder,
            from: record.from.into(),
            until: record.until.into(),
            rule,
            severity: match record.severity {
                Severity::Note => FindingSeverity::Note,
                Severity::Hold => FindingSeverity::Hold,
                Severity::Refuse => FindingSeverity::Refuse,
            },
            // Written by us; what cannot be read shows as nothing rather than hides the rest.
            evidence: serde_json::from_str(&record.evidence).unwrap_or_default(),
            state: match record.state {
                FindingState::Open => FindingStateView::Open,
                FindingState::Accepted => FindingStateView::Accepted,
                FindingState::Refused => FindingStateView::Refused,
                FindingState::Closed => FindingStateView::Closed,
            },
            code: record.code,
            found_at: record.found_at.into(),
            decided_by: record.decided_by,
            decided_at: record.decided_at.map(Into::into),
            note: record.note,
        }
    }
}

/// A page of findings, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingsView {
    /// The findings.
    pub findings: Vec<FindingView>,
    /// What to ask the next page with; null on the last.
    pub next_before: Option<u64>,
}

/// What an operator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingDecisionView {
    /// It is harmless: attestation goes on, with all that was counted meanwhile.
    Accept,
    /// It is true: the household stays held until the meter is replaced or this is closed.
    Refuse,
    /// What was refused is mended.
    Close,
}

impl From<FindingDecisionView> for FindingDecision {
    fn from(decision: FindingDecisionView) -> Self {
        match decision {
            FindingDecisionView::Accept => Self::Accept,
            FindingDecisionView::Refuse => Self::Refuse,
            FindingDecisionView::Close => Self::Close,
        }
    }
}

/// A decision and its reason.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideFindingRequest {
    /// What.
    pub decision: FindingDecisionView,
    /// Why. No phone numbers.
    #[schema(min_length = 1, max_length = 500)]
    pub note: String,
}
