//! `jirani audit`: every invariant, recomputed from journal, readings and chain.
//!
//! Promises: reads only; each invariant is said to hold, to be violated (with the
//! first difference) or not to have been checked (with the reason). One file per
//! family: energy (E1-E4), money (M1-M3), trade (S1, S2), reading (R1), privacy (P1),
//! the guarantee (T1).

mod energy;
mod evidence;
mod guarantee;
mod money;
mod privacy;
mod reading;
mod trade;

pub use evidence::{Evidence, EvidenceError};

use serde::Serialize;
use std::collections::BTreeMap;

/// What is known of one invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// True.
    Holds,
    /// False: the first difference.
    Violated(String),
    /// Could not be checked: why.
    NotChecked(String),
}

impl Finding {
    /// Holds when there is no difference.
    pub(crate) fn from_difference(difference: Option<String>) -> Self {
        difference.map_or(Self::Holds, Self::Violated)
    }

    /// The stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated(_) => "violated",
            Self::NotChecked(_) => "not checked",
        }
    }

    /// Difference or reason.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Holds => None,
            Self::Violated(detail) | Self::NotChecked(detail) => Some(detail),
        }
    }
}

/// The names, in order.
pub const INVARIANTS: [&str; 12] = ["E1", "E2", "E3", "E4", "M1", "M2", "M3", "S1", "S2", "R1", "P1", "T1"];

/// Findings of one audit.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// Nothing is violated.
    pub ok: bool,
    /// One word per invariant.
    pub invariants: BTreeMap<&'static str, &'static str>,
    /// The first difference of each violated one, with its name.
    pub violations: Vec<String>,
    /// Why some were not checked, with their names.
    pub not_checked: Vec<String>,
}

impl AuditReport {
    pub(crate) fn from_findings(findings: &[(&'static str, Finding)]) -> Self {
        let said = |wanted: &str| -> Vec<String> {
            findings
                .iter()
                .filter(|(_, finding)| finding.word() == wanted)
                .filter_map(|(name, finding)| finding.detail().map(|detail| format!("{name}: {detail}")))
                .collect()
        };
        let violations = said("violated");
        Self {
            ok: violations.is_empty(),
            invariants: findings.iter().map(|(name, finding)| (*name, finding.word())).collect(),
            violations,
            not_checked: said("not checked"),
        }
    }

    /// Something beside what was gathered violates this invariant, too.
    pub fn violate(&mut self, name: &'static str, difference: &str) {
        self.ok = false;
        self.invariants.insert(name, "violated");
        self.violations.push(format!("{name}: {difference}"));
    }

    /// One line.
    pub fn summary(&self) -> String {
        if let Some(first) = self.violations.first() {
            return format!("VIOLATED: {first}");
        }
        let checked = self.invariants.values().filter(|word| **word == "holds").count();
        match self.not_checked.first() {
            None => format!("all {checked} invariants hold"),
            Some(reason) => format!("{checked} invariants hold; not checked: {reason}"),
        }
    }
}

/// Audits what was gathered.
pub fn audit(evidence: &Evidence) -> AuditReport {
    let findings: [(&'static str, Finding); 12] = [
        ("E1", energy::e1(evidence)),
        ("E2", energy::e2(evidence)),
        ("E3", energy::e3(evidence)),
        ("E4", energy::e4(evidence)),
        ("M1", money::m1(evidence)),
        ("M2", money::m2(evidence)),
        ("M3", money::m3(evidence)),
        ("S1", trade::s1(evidence)),
        ("S2", trade::s2(evidence)),
        ("R1", reading::r1(evidence)),
        ("P1", privacy::p1(evidence)),
        ("T1", evidence.guarantee.clone()),
    ];
    AuditReport::from_findings(&findings)
}
