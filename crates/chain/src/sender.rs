//! One outcome per key: sign, store, send, watch, resend the same bytes, and sign
//! anew only when the old bytes are provably dead.

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use crate::node::{Accepted, Details};
use crate::plan::{Plan, plan};
use crate::refusal::{Refusal, Verdict, judge};
use crate::transaction::{Signed, sign};
use crate::work::{Outcome, Work};
use jirani_store::{OutboxRecord, OutboxState};
use jirani_units::Timestamp;
use solana_commitment_config::CommitmentConfig;
use solana_signature::Signature;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// How often the same bytes are sent again while nobody knows of them.
const RESEND: Duration = Duration::from_secs(1);
/// How often bytes that a node did not take at all are signed anew.
const ATTEMPTS_MAX: u32 = 4;
/// The pause before the second look at a transaction.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// What became of signed bytes.
pub(crate) enum Fate {
    /// Finalised without error.
    Landed(Details),
    /// The program said no, to these bytes for good.
    Refused(Refusal),
    /// No node ever took these bytes, for want of their blockhash.
    NeverSent,
    /// They can land no more, and did not.
    Dead,
}

/// Lets one caller per key work at a time: two would sign two transactions.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn take(&self, key: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() >= 1_024 {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            turns.entry(key.to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }
}

impl RpcEnergyChain {
    /// [`crate::EnergyChain::submit`].
    pub(crate) async fn submit_once(&self, key: &str, work: &Work) -> Result<Outcome, ChainError> {
        let _turn = self.turns.take(key).await;
        let mut stored = self.store.outbox(key).await?;
        if let Some(record) = &stored {
            match &record.state {
                OutboxState::Landed { .. } => return self.landed_before(record).await,
                OutboxState::Refused { code } => return Ok(Refusal::from_code(code).into()),
                OutboxState::Sent => {}
            }
        }
        let _permit = self
            .in_flight
            .acquire()
            .await
            .map_err(|_| ChainError::Unreachable("the sender is closed".to_owned()))?;
        let mut attempts = 0;
        loop {
            let fresh = stored.is_none();
            let record = match stored.take() {
                Some(record) => record,
                None => self.sign_and_store(key, work).await?,
            };
            attempts += 1;
            match self.deliver(&record, fresh).await? {
                Fate::Landed(details) => return self.finish(record, details).await,
                Fate::Refused(refusal) => {
                    if refusal.code == "energy.oracle_version" && attempts < ATTEMPTS_MAX {
                        // The set changed since it was read; the work is the same.
                        self.read_config().await?;
                    } else {
                        return self.refused(record, work, refusal).await;
                    }
                }
                Fate::NeverSent if attempts >= ATTEMPTS_MAX => {
                    return Err(ChainError::Unreachable(
                        "the node does not know its own blockhashes".to_owned(),
                    ));
                }
                Fate::NeverSent | Fate::Dead => {}
            }
        }
    }

    /// Sends a plan without an outbox: for what is safe to repeat because the
    /// account says whether it is done.
    pub(crate) async fn send_repeatable(
        &self,
        name: &str,
        plan: &Plan,
    ) -> Result<Option<Refusal>, ChainError> {
        for _ in 0..ATTEMPTS_MAX {
            let signed = self.sign(name, plan).await?;
            match self.deliver(&self.record(name, signed), true).await? {
                Fate::Landed(_) => return Ok(None),
                Fate::Refused(refusal) => return Ok(Some(refusal)),
                Fate::NeverSent | Fate::Dead => {}
            }
        }
        Err(ChainError::Unreachable(format!("{name} does not get through")))
    }

    async fn sign_and_store(&self, key: &str, work: &Work) -> Result<OutboxRecord, ChainError> {
        let facts = self.facts(work).await?;
        let plan = plan(&self.program, &self.config.keys, &facts, work)?;
        let record = self.record(key, self.sign(key, &plan).await?);
        // Durable before it is sent: whatever happens next, these bytes are known.
        self.store.put_outbox(record.clone()).await?;
        Ok(record)
    }

    async fn sign(&self, key: &str, plan: &Plan) -> Result<Signed, ChainError> {
        let recent = self.blockhashes.get(&self.node).await?;
        let fee = self.config.priority_fee_lamports;
        let signed = sign(plan, &self.config.keys, key, fee, recent)?;
        if !self.config.simulate_units {
            return Ok(signed);
        }
        match self.node.simulated_units(&signed.bytes).await? {
            // What fails in simulation is refused by the node, with its reason.
            None => Ok(signed),
            Some(units) => {
                let units = u32::try_from(units.saturating_mul(11) / 10).unwrap_or(u32::MAX);
                let measured =
                    Plan { units, instructions: plan.instructions.clone(), signers: plan.signers.clone() };
                sign(&measured, &self.config.keys, key, fee, recent)
            }
        }
    }

    fn record(&self, key: &str, signed: Signed) -> OutboxRecord {
        OutboxRecord {
            key: key.to_owned(),
            signature: signed.signature.to_string(),
            bytes: signed.bytes,
            last_valid_block_height: signed.last_valid,
            state: OutboxState::Sent,
            compute_units: 0,
            fee_lamports: 0,
            created_at: self.clock.now(),
        }
    }

    /// Sends and watches until the fate of these bytes is certain. `fresh` bytes
    /// have never left this process: what the node then refuses to take is refused
    /// for good, while of others a copy may still be on its way.
    async fn deliver(&self, record: &OutboxRecord, fresh: bool) -> Result<Fate, ChainError> {
        let signature: Signature = record
            .signature
            .parse()
            .map_err(|_| ChainError::Damaged(format!("the stored signature of {} is none", record.key)))?;
        let mut pause = FIRST_PAUSE;
        let mut answered = Instant::now();
        let mut sent: Option<Instant> = None;
        let mut looks = 0_u32;
        let mut look_at_height = Instant::now() + if fresh { RESEND } else { Duration::ZERO };
        loop {
            let untouched = fresh && sent.is_none();
            let silence = if untouched {
                None
            } else {
                match self.watch(&signature, !fresh, looks == 0).await {
                    Ok(Some(fate)) => return Ok(fate),
                    Ok(None) => {
                        looks += 1;
                        None
                    }
                    Err(error) => Some(error),
                }
            };
            let silence = if sent.is_none_or(|at| at.elapsed() >= RESEND) {
                sent = Some(Instant::now());
                match self.node.send(&record.bytes).await {
                    Ok(Accepted::Yes) => None,
                    Ok(Accepted::No(err)) => match judge(&err) {
                        Verdict::Refused(refusal) if untouched => return Ok(Fate::Refused(refusal)),
                        Verdict::UnknownBlockhash if untouched => {
                            self.forget_blockhash(&record.bytes).await;
                            return Ok(Fate::NeverSent);
                        }
                        Verdict::NotReady(why) => return Err(ChainError::NotReady(why)),
                        Verdict::Refused(_) | Verdict::UnknownBlockhash => None,
                    },
                    Err(error) => Some(error),
                }
            } else {
                silence
            };
            let silence = if silence.is_none() && look_at_height <= Instant::now() {
                look_at_height = Instant::now() + RESEND;
                match self.is_dead(&signature, record.last_valid_block_height).await {
                    Ok(true) => return Ok(Fate::Dead),
                    Ok(false) => None,
                    Err(error) => Some(error),
                }
            } else {
                silence
            };
            match silence {
                Some(error) if answered.elapsed() > self.config.patience => return Err(error),
                Some(_) => {}
                None => answered = Instant::now(),
            }
            if !untouched {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(self.config.poll_max);
            }
        }
    }

    /// The fate of a transaction, if it is certain by now. The first look asks for
    /// the whole transaction: a chain that is final at once answers everything with
    /// it. Later ones ask for the status, which costs a public node less.
    async fn watch(
        &self,
        signature: &Signature,
        history: bool,
        first: bool,
    ) -> Result<Option<Fate>, ChainError> {
        if first {
            return Ok(self.node.details(signature).await?.map(fate));
        }
        let Some(status) = self.node.status(signature, history).await? else { return Ok(None) };
        if !status.satisfies_commitment(CommitmentConfig::finalized()) {
            return Ok(None);
        }
        let (slot, err) = (status.slot, status.err);
        let details = self.node.details(signature).await?;
        Ok(Some(fate(details.unwrap_or(Details { err, slot, ..Details::default() }))))
    }

    /// Whether bytes can land no more and did not: the finalised chain has passed
    /// their last block, and its whole history, asked after that, has no trace.
    async fn is_dead(&self, signature: &Signature, last_valid: u64) -> Result<bool, ChainError> {
        if self.node.finalised_height().await? <= last_valid {
            return Ok(false);
        }
        Ok(self.node.status(signature, true).await?.is_none())
    }

    async fn forget_blockhash(&self, bytes: &[u8]) {
        if let Ok(transaction) =
            wincode::deserialize::<solana_transaction::versioned::VersionedTransaction>(bytes)
        {
            self.blockhashes.forget(transaction.message.recent_blockhash()).await;
        }
    }

    async fn finish(&self, record: OutboxRecord, details: Details) -> Result<Outcome, ChainError> {
        let outcome = Outcome::Landed {
            signature: record.signature.clone(),
            slot: details.slot,
            at: details.block_time.map_or(record.created_at, Timestamp::from_seconds),
        };
        let state = OutboxState::Landed { slot: details.slot };
        let record =
            OutboxRecord { state, compute_units: details.units, fee_lamports: details.fee, ..record };
        self.store.put_outbox(record).await?;
        Ok(outcome)
    }

    /// A refusal is an outcome only if the work was not done before: by bytes that
    /// landed after all, or by a life of this store that a backup has forgotten.
    async fn refused(
        &self,
        record: OutboxRecord,
        work: &Work,
        refusal: Refusal,
    ) -> Result<Outcome, ChainError> {
        if let Some(done) = self.done_before(work).await? {
            let Some(signature) = done.signature else {
                return self.finish(record, Details::default()).await;
            };
            let details = self.node.details(&signature).await?.unwrap_or_default();
            return self.finish(OutboxRecord { signature: signature.to_string(), ..record }, details).await;
        }
        let state = OutboxState::Refused { code: refusal.code.clone() };
        self.store.put_outbox(OutboxRecord { state, ..record }).await?;
        Ok(refusal.into())
    }

    async fn landed_before(&self, record: &OutboxRecord) -> Result<Outcome, ChainError> {
        let slot = if let OutboxState::Landed { slot } = record.state { slot } else { 0 };
        let signature = record.signature.parse().ok();
        let details = match signature {
            Some(signature) => self.node.details(&signature).await?,
            None => None,
        };
        // History may have forgotten it; our own date is at most a second off.
        let at =
            details.and_then(|details| details.block_time).map_or(record.created_at, Timestamp::from_seconds);
        Ok(Outcome::Landed { signature: record.signature.clone(), slot, at })
    }
}

/// What a finalised transaction means.
fn fate(details: Details) -> Fate {
    let Some(err) = &details.err else { return Fate::Landed(details) };
    match judge(err) {
        Verdict::Refused(refusal) => Fate::Refused(refusal),
        // It ran and was charged, so the chain was ready; its failure is final.
        Verdict::UnknownBlockhash | Verdict::NotReady(_) => Fate::Refused(Refusal {
            code: "chain.refused".to_owned(),
            message: format!("The chain refused the transaction: {err}."),
        }),
    }
}
