//! The audit, as the API asks for it.

use crate::audit::{self, AuditReport, Evidence, EvidenceError};
use async_trait::async_trait;
use jirani_api::dto::operator::{AuditView, InvariantState, InvariantView};
use jirani_chain::EnergyChain;
use jirani_clock::ServiceClock;
use jirani_oracle::verify_segments;
use jirani_store::Store;
use jirani_units::Clock as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs the audit on the live store and chain.
pub struct LiveAuditor {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The chain.
    pub chain: Arc<dyn EnergyChain>,
    /// Time.
    pub clock: ServiceClock,
    /// What proofs are made with.
    pub proof_key: ([u8; 32], String),
    /// The folder of the files of evidence, where they are written.
    pub evidence: Option<PathBuf>,
}

/// A busy system moves between two looks; a difference counts when it is still
/// there this many looks later.
const LOOKS: usize = 5;

impl LiveAuditor {
    /// Audits now. On a live system work may land between reading the store and
    /// reading the chain, so what looks violated is looked at again; so is E4, which needs
    /// a moment between two slots, not one between two transactions of one slot.
    pub async fn audit(&self) -> Result<AuditReport, EvidenceError> {
        let mut looks = 0;
        loop {
            looks += 1;
            let evidence =
                Evidence::gather(self.store.as_ref(), self.chain.as_ref(), self.proof_key.clone()).await?;
            let mut report = audit::audit(&evidence);
            if let Some(folder) = &self.evidence
                && let Err(error) = verify_segments(self.store.clone(), folder).await
            {
                report.violate("R1", &error.to_string());
            }
            let between = report.invariants.get("E4").is_some_and(|word| *word != "holds");
            if (report.ok && !between) || looks == LOOKS {
                return Ok(report);
            }
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    }
}

#[async_trait]
impl jirani_api::AuditRunner for LiveAuditor {
    async fn run(&self) -> AuditView {
        let at = self.clock.now().into();
        match self.audit().await {
            Ok(report) => AuditView {
                at,
                ok: report.ok,
                invariants: audit::INVARIANTS.iter().map(|id| view(&report, id)).collect(),
                violations: report.violations,
            },
            Err(error) => AuditView {
                at,
                ok: false,
                invariants: audit::INVARIANTS
                    .iter()
                    .map(|id| InvariantView {
                        id: (*id).to_owned(),
                        state: InvariantState::NotChecked,
                        detail: error.to_string(),
                    })
                    .collect(),
                violations: vec![format!("the audit could not run: {error}")],
            },
        }
    }
}

fn view(report: &AuditReport, id: &str) -> InvariantView {
    let detail = |list: &[String]| {
        list.iter()
            .find_map(|line| line.strip_prefix(id).and_then(|rest| rest.strip_prefix(": ")))
            .unwrap_or_default()
            .to_owned()
    };
    match report.invariants.get(id).copied() {
        Some("holds") => {
            InvariantView { id: id.to_owned(), state: InvariantState::Holds, detail: String::new() }
        }
        Some("violated") => InvariantView {
            id: id.to_owned(),
            state: InvariantState::Violated,
            detail: detail(&report.violations),
        },
        _ => InvariantView {
            id: id.to_owned(),
            state: InvariantState::NotChecked,
            detail: detail(&report.not_checked),
        },
    }
}
