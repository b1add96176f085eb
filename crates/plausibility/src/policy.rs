//! Where each rule's line is drawn. The defaults were chosen on real homes (the train span
//! of docs/plausibility.md) and are reported on others.

use crate::finding::{Finding, Rule, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Thresholds, and how grave each rule's findings are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Share of the connection's rating over which a slot is held, in percent.
    pub rated_hold_percent: u32,
    /// Share of the connection's rating over which a slot is refused, in percent.
    pub rated_refuse_percent: u32,
    /// Share of the panels' rating that a dark slot may show as power, in thousandths.
    pub night_slot_permille: u32,
    /// Share of the panels' rating that a whole night may show as power, in thousandths.
    pub night_day_permille: u32,
    /// Share of the panels' any-direction clear sky that a day may reach, in percent.
    pub clear_day_percent: u32,
    /// Share by which export may pass generation, in thousandths.
    pub balance_permille: u32,
    /// How far over the best of its past a meter's generation may be, in percent of it.
    pub jump_percent: u32,
    /// Hours of a day in which a register stood still while power flowed.
    pub stuck_hours: u32,
    /// By how much the middle of the generation curve may move, in minutes.
    pub shift_minutes: u32,
    /// How alike two days of different meters may be: squared cosine, in millionths.
    pub copied_ppm: u32,
    /// What part of a meter's register a feeder's missing energy must be, in thousandths.
    pub feeder_share_permille: u32,
    /// How much of the missing energy's movement that must explain: squared partial
    /// correlation, in thousandths.
    pub feeder_fit_permille: u32,
    /// Losses a feeder may have over a day, in thousandths of what flowed.
    pub feeder_loss_permille: u32,
    /// Severities that differ from the rules' own, by rule id.
    pub severity: BTreeMap<String, Severity>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rated_hold_percent: 110,
            rated_refuse_percent: 150,
            night_slot_permille: 10,
            night_day_permille: 3,
            clear_day_percent: 85,
            balance_permille: 20,
            jump_percent: 125,
            stuck_hours: 3,
            shift_minutes: 90,
            copied_ppm: 998_000,
            feeder_share_permille: 150,
            feeder_fit_permille: 350,
            feeder_loss_permille: 120,
            severity: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// The first rule id of the severities that no rule has.
    pub fn unknown_rule(&self) -> Option<&str> {
        let known = |id: &str| Rule::ALL.iter().any(|rule| rule.id() == id);
        self.severity.keys().map(String::as_str).find(|id| !known(id))
    }

    /// The same thresholds with every finding only noted, for data whose place nobody knows.
    #[must_use]
    pub fn only_noting(&self) -> Self {
        let severity = Rule::ALL.iter().map(|rule| (rule.id().to_owned(), Severity::Note)).collect();
        Self { severity, ..self.clone() }
    }

    /// A finding as grave as the policy has it.
    pub(crate) fn graded(&self, mut finding: Finding) -> Finding {
        if let Some(severity) = self.severity.get(finding.rule.id()) {
            finding.severity = *severity;
        }
        finding
    }
}

/// `rate` Watt over `length_s` seconds, `share` out of `whole`, in Wh.
pub(crate) fn share_wh(rate_w: u32, length_s: u32, share: u32, whole: u32) -> u64 {
    let product = u128::from(rate_w) * u128::from(length_s) * u128::from(share);
    u64::try_from(product / 3_600 / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}
