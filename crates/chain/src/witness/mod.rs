//! A second oracle that signs attestations too: its own key, its own look at the
//! evidence.
//!
//! Promises: an attestation that Config's threshold or the daily limit of
//! [`WitnessPolicy`] asks a witness for is not sent without its signature, and waits
//! while it is away: [`ChainError::NotReady`] with a code that begins with
//! [`WAITS_PREFIX`]; what it does not sign is [`ChainError::Unsigned`], with the rows it
//! would sign the others without; what it signs is the very message that is sent.
//! Here stands what both sides of the wire share: the proposal and its exact check
//! ([`exact`]), the HTTP door and its client ([`http`]), and what the witness reads from
//! its own node ([`registry`]). Who recomputes registers from readings is in
//! `crates/oracle`.

pub mod exact;
pub mod http;

pub mod registry;

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use crate::plan::Facts;
use crate::work::{AttestRow, Work};
use async_trait::async_trait;
use jirani_energy_interface::EnergyProgram;
pub use jirani_energy_interface::client::AttestationRow;
use jirani_store::Change;
use jirani_units::{HouseholdId, Timestamp};
use serde::{Deserialize, Serialize};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
pub use solana_signature::Signature;
use solana_signer::Signer as _;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How the words of [`ChainError::NotReady`] begin when it is the witness's signature
/// that an attestation waits for.
pub const WAITS_PREFIX: &str = "witness.";
/// Where the energy attested alone today is kept.
const ALONE_SETTING: &str = "chain.attested_alone";
/// Microseconds of a UTC day.
const DAY_US: i64 = 86_400_000_000;

/// An attestation that a witness is asked to sign.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Feeder.
    pub feeder: u16,
    /// End of the slot.
    pub slot_end: Timestamp,
    /// Root of the slot's evidence.
    pub evidence_root: [u8; 32],
    /// Rows of this transaction.
    pub rows: &'a [AttestRow],
    /// The message to be signed, as its bytes.
    pub message: &'a [u8],
}

/// Why a witness did not sign. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// It does not answer, or not in time.
    #[error("witness.unreachable: {0}")]
    Unreachable(String),
    /// It looked and said no.
    #[error("witness.refused: the witness does not sign: {0}")]
    Refused(String),
    /// It looked, and only these rows are in its way.
    #[error("witness.refused_rows: the witness does not sign {} of the rows", .0.len())]
    RefusedRows(Vec<RefusedRow>),
}

/// A row that a witness does not sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// Whose.
    pub household: HouseholdId,
    /// A stable code and a sentence, `witness.rating: ...`.
    pub why: String,
}

/// The witness's own key. It never leaves the witness.
#[derive(Clone)]
pub struct WitnessKey(Arc<Keypair>);

impl WitnessKey {
    /// A key read from a file or made from a seed.
    pub fn new(key: Arc<Keypair>) -> Self {
        Self(key)
    }

    /// Its address, a member of Config's oracle set.
    pub fn address(&self) -> Address {
        self.0.pubkey()
    }

    /// Signs a message that is exactly the attestation of `truth`.
    pub fn sign_exactly(
        &self,
        program: &EnergyProgram,
        oracle_version: u32,
        truth: &exact::Truth<'_>,
        message: &[u8],
    ) -> Result<Signature, exact::NotExact> {
        exact::check(program, self.address(), oracle_version, truth, message)?;
        Ok(self.0.sign_message(message))
    }
}

/// Another oracle, wherever it runs.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Its key, a member of Config's oracle set.
    fn key(&self) -> Address;
    /// Asks it to look and to sign.
    async fn cosign(&self, asked: &Asked<'_>) -> Result<Signature, WitnessError>;
}

/// When a witness must sign although Config's threshold does not ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WitnessPolicy {
    /// Export that may be attested per UTC day without a witness, all households
    /// together, Wh; 0 asks for it every time.
    pub alone_wh_per_day: u64,
}

/// A witness and what was attested without it.
pub(crate) struct Watched {
    witness: Arc<dyn Witness>,
    policy: WitnessPolicy,
    /// Day since 1970 and Wh; `None` before the store was asked.
    alone: Mutex<Option<(i64, u64)>>,
}

impl RpcEnergyChain {
    /// Has attestations signed by `witness`, as Config and `policy` demand.
    #[must_use]
    pub fn with_witness(mut self, witness: Arc<dyn Witness>, policy: WitnessPolicy) -> Self {
        self.witness = Some(Watched { witness, policy, alone: Mutex::new(None) });
        self
    }

    /// Who must sign `work` besides us. Energy attested alone is counted, durably, when
    /// this says `None`; if the work then fails it stays counted, which errs to the side
    /// of the witness.
    pub(crate) async fn witness_for(
        &self,
        work: &Work,
        facts: &Facts,
    ) -> Result<Option<&dyn Witness>, ChainError> {
        let Work::Attest { rows, .. } = work else { return Ok(None) };
        let Some(watched) = &self.witness else {
            return if facts.oracle_threshold > 1 {
                Err(ChainError::NotReady(format!(
                    "witness.missing: Config wants the signatures of {} oracles; configure a witness",
                    facts.oracle_threshold
                )))
            } else {
                Ok(None)
            };
        };
        if facts.oracle_threshold > 2 {
            return Err(ChainError::NotReady(format!(
                "witness.too_few: Config wants the signatures of {} oracles, and we are one with one witness",
                facts.oracle_threshold
            )));
        }
        if facts.oracle_threshold == 2 {
            return Ok(Some(&*watched.witness));
        }
        let value_wh = rows.iter().fold(0_u64, |sum, row| {
            let before = facts.households.get(&row.household).map_or(0, |known| known.export_wh);
            sum.saturating_add(row.export_wh.0.saturating_sub(before))
        });
        let today = self.clock.now().0.div_euclid(DAY_US);
        // Held across the commit on purpose: two attestations must not both find room.
        let mut alone = watched.alone.lock().await;
        let known = match *alone {
            Some(known) => known,
            None => {
                self.store.setting(ALONE_SETTING).await?.and_then(|text| parse(&text)).unwrap_or((today, 0))
            }
        };
        let used = if known.0 < today { 0 } else { known.1 };
        let after = used.saturating_add(value_wh);
        if after > watched.policy.alone_wh_per_day {
            *alone = Some((known.0.max(today), used));
            return Ok(Some(&*watched.witness));
        }
        let next = (known.0.max(today), after);
        let setting =
            Change::Setting { key: ALONE_SETTING.to_owned(), value: format!("{} {}", next.0, next.1) };
        self.store.commit(vec![setting]).await?;
        *alone = Some(next);
        Ok(None)
    }

    /// The witness's signature of a message; checked, since a wrong one would only be
    /// found by the chain.
    pub(crate) async fn cosigned(
        &self,
        witness: &dyn Witness,
        work: &Work,
        message: &VersionedMessage,
    ) -> Result<(Address, Signature), ChainError> {
        let Work::Attest { feeder, slot_end, evidence_root, rows } = work else {
            return Err(ChainError::InvalidWork("only attestations are witnessed".to_owned()));
        };
        let message = message.serialize();
        let asked = Asked {
            feeder: *feeder,
            slot_end: *slot_end,
            evidence_root: *evidence_root,
            rows,
            message: &message,
        };
        let signature = match witness.cosign(&asked).await {
            Ok(signature) => signature,
            Err(error) => {
                let why = error.to_string();
                let rows = match error {
                    WitnessError::Unreachable(_) => return Err(ChainError::NotReady(why)),
                    WitnessError::Refused(_) => Vec::new(),
                    WitnessError::RefusedRows(rows) => rows,
                };
                // Oracles or meters may have changed since we read of them, and the message
                // with them: the next attempt is made of what the chain says now.
                self.read_config().await?;
                self.forget_households(asked.rows);
                return Err(ChainError::Unsigned { why, rows });
            }
        };
        if !signature.verify(witness.key().as_ref(), &message) {
            return Err(ChainError::NotReady(format!(
                "witness.wrong_key: the witness's signature is not one of its key {}; correct witness.key",
                witness.key()
            )));
        }
        Ok((witness.key(), signature))
    }
}

/// "day Wh", as kept.
fn parse(text: &str) -> Option<(i64, u64)> {
    let (day, wh) = text.split_once(' ')?;
    Some((day.parse().ok()?, wh.parse().ok()?))
}
