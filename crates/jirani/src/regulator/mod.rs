//! `jirani audit --rpc URL --export FILE`: the audit of somebody who trusts nobody.
//!
//! Promises: rests on the chain, which it indexes for itself over any node's JSON-RPC,
//! and on a signed bundle; never on the operator's server. Meters' keys, ratings,
//! prices, proofs and orders are taken from what stands on chain; the bundle must agree
//! with it, and its readings must bear the meters' signatures. What cannot be known
//! from the two is said not to be checked, and why.
//!
//! [`replay`] goes through the chain's events once; one file per family judges:
//! energy (E1-E4), reading (R1), trade (S1, S2), money (M1-M3), privacy (P1).

mod energy;
mod money;
mod privacy;
mod reading;
mod replay;
mod spans;
mod trade;

use crate::audit::{AuditReport, Finding};
use crate::bundle::{Bundle, Seal};
use jirani_chain::index::OnChain;
use jirani_store::IndexedTransaction;
pub use replay::{Replay, ReplayError};

/// Everything the audit rests on.
pub struct Material {
    /// The chain's accounts now.
    pub chain: OnChain,
    /// The chain's past.
    pub replay: Replay,
    /// The bundle.
    pub bundle: Bundle,
    /// Hash of the first block of the chain that was asked.
    pub cluster: String,
    /// The operator's export key, if the auditor knows it.
    pub key: Option<String>,
}

impl Material {
    /// Goes through the chain's past.
    pub fn replay(transactions: &[IndexedTransaction]) -> Result<Replay, ReplayError> {
        Replay::of(transactions)
    }

    /// What landed after the bundle was begun is not expected in it.
    fn in_bundle(&self, chain_slot: u64) -> bool {
        chain_slot <= self.bundle.deployment.chain_slot
    }
}

/// Audits; the bundle's own soundness comes first.
pub fn audit(material: &Material) -> AuditReport {
    let findings: [(&'static str, Finding); 12] = [
        ("bundle", seal(material)),
        ("E1", energy::e1(material)),
        ("E2", energy::e2(material)),
        ("E3", energy::e3(material)),
        ("E4", energy::e4(material)),
        ("M1", money::m1(material)),
        ("M2", money::m2(material)),
        ("M3", money::m3(material)),
        ("S1", trade::s1(material)),
        ("S2", trade::s2(material)),
        ("R1", reading::r1(material)),
        ("P1", privacy::p1(material)),
    ];
    AuditReport::from_findings(&findings)
}

/// The bundle is as it was signed, by the expected key, and speaks of this chain.
fn seal(material: &Material) -> Finding {
    let deployment = &material.bundle.deployment;
    let key = match &material.bundle.seal {
        Seal::Broken(what) => return Finding::Violated(what.clone()),
        Seal::Whole { key } => key,
    };
    if let Some(expected) = material.key.as_ref().filter(|expected| *expected != key) {
        return Finding::Violated(format!("it is signed by {key}, not by {expected}"));
    }
    if deployment.cluster != material.cluster {
        return Finding::Violated(format!(
            "it is of the cluster that begins with {}, the node is of {}",
            deployment.cluster, material.cluster
        ));
    }
    let program = material.chain.program;
    if deployment.program != program.id.to_string() || deployment.mint != program.mint.to_string() {
        return Finding::Violated(format!("it is of program {}, not {}", deployment.program, program.id));
    }
    let unknown = material.bundle.households.iter().find_map(|line| {
        let address = line.address.as_ref()?;
        let on_chain = material.replay.households.get(&line.id);
        let agrees = on_chain.is_some_and(|track| {
            track.address.to_string() == *address
                && track.feeder == line.feeder
                && hex::encode(track.meter_key) == line.meter_key
                && track.meter_epoch == line.meter_epoch
        });
        (!agrees).then(|| format!("household {} stands otherwise on chain", line.id))
    });
    if let Some(difference) = unknown {
        return Finding::Violated(difference);
    }
    match material.key {
        Some(_) => Finding::Holds,
        None => Finding::NotChecked(format!(
            "it is whole and signed by {key}; whether that is the operator only --key can say"
        )),
    }
}
