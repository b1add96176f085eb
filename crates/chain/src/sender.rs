//! One outcome per key: sign, store, deliver, and sign anew only when the old bytes
//! are provably dead or were refused for a while.

use crate::client::RpcEnergyChain;
use crate::delivery::{Fate, Sends};
use crate::error::ChainError;
use crate::interruption::Moment;
use crate::node::Details;
use crate::plan::{Plan, attested, plan};
use crate::refusal::Refusal;
use crate::retry::{EXPIRED, retry};
use crate::transaction::{Signed, Terms, compile, salt, seal};
use crate::units::Shape;
use crate::witness::Witness;
use crate::work::{Outcome, Retry, Work};
use jirani_store::{OutboxRecord, OutboxState, StoreError};
use jirani_units::Timestamp;
use solana_keypair::Keypair;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// How often one call signs anew what a node did not take at all.
const ATTEMPTS_MAX: u32 = 4;
/// The oracle set changed since it was read: signed for another one, the same work lands.
const ORACLE_VERSION: &str = "energy.oracle_version";
/// How many salts are tried for work that meets the signature of other work.
const SALTS_MAX: u32 = 8;

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

/// What was found unfinished and brought to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Landed, by the stored bytes or by new ones.
    pub landed: usize,
    /// Refused, for good or for a while.
    pub refused: usize,
    /// Still unknown; ask again.
    pub unknown: usize,
}

/// How far a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effort {
    /// It signs and sends whatever it takes.
    SignsAnew,
    /// It signs one transaction, if there are no bytes that may still land.
    SignsOnce,
    /// It sends what is signed, and signs nothing.
    SendsAgain,
    /// It finds out what became of what was sent.
    Looks,
}

impl RpcEnergyChain {
    /// [`crate::EnergyChain::submit`]. Of an attestation that has died nothing is signed anew
    /// unasked: by then somebody may be held.
    pub(crate) async fn submit_once(&self, key: &str, work: &Work) -> Result<Outcome, ChainError> {
        if !matches!(work, Work::Attest { .. }) {
            return self.carry_on(key, work, Effort::SignsAnew).await;
        }
        match self.carry_on(key, work, Effort::SignsOnce).await? {
            Outcome::Refused { code, message, .. } if code == EXPIRED => Err(ChainError::NotReady(message)),
            outcome => Ok(outcome),
        }
    }

    /// [`crate::EnergyChain::ended`].
    pub(crate) async fn ended_once(&self, key: &str, work: &Work) -> Result<Option<Outcome>, ChainError> {
        let Some(record) = self.store.outbox(key).await? else { return Ok(None) };
        if matches!(record.state, OutboxState::Refused { .. }) {
            return Ok(None);
        }
        let outcome = self.carry_on(key, work, Effort::Looks).await?;
        Ok(Some(outcome).filter(|outcome| matches!(outcome, Outcome::Landed { .. })))
    }

    async fn carry_on(&self, key: &str, work: &Work, effort: Effort) -> Result<Outcome, ChainError> {
        let _turn = self.turns.take(key).await;
        let stored = self.store.outbox(key).await?;
        // A key names the work it was first asked for with.
        let kept = stored.as_ref().and_then(|record| Work::from_bytes(&record.work));
        if let Some(kept) = kept.as_ref().filter(|kept| *kept != work) {
            tracing::warn!(key, ?kept, ?work, "a key was asked for with other work; the first counts");
        }
        let work = kept.as_ref().unwrap_or(work);
        if let Some(outcome) = stored.as_ref().and_then(|record| self.told_before(record, work)) {
            return Ok(outcome);
        }
        let may_land = stored.as_ref().is_some_and(|record| record.state == OutboxState::Sent);
        if matches!(effort, Effort::SendsAgain | Effort::Looks) && !may_land {
            let Refusal { code, message } = expired();
            return Ok(Outcome::Refused { code, message, retry: Retry::From(self.clock.now()) });
        }
        let _permit = self
            .in_flight
            .acquire()
            .await
            .map_err(|_| ChainError::Unreachable("the sender is closed".to_owned()))?;
        self.interruption.reached(Moment::Taken);
        let mut signed = stored.as_ref().map_or(0, |record| record.signed);
        // What was refused for a while is signed anew.
        let mut stored = stored.filter(|record| record.state == OutboxState::Sent);
        let mut attempts = 0;
        loop {
            let fresh = stored.is_none();
            let record = match stored.take() {
                Some(record) => {
                    self.fill_purse_for(work).await;
                    record
                }
                None => self.sign_and_store(key, work, signed.saturating_add(1)).await?,
            };
            signed = record.signed;
            attempts += 1;
            let sends = match effort {
                Effort::Looks => Sends::Nothing,
                _ if fresh => Sends::Fresh,
                _ => Sends::Again,
            };
            let fate = self.deliver(&record, sends).await?;
            let has_died = match &fate {
                Fate::Landed(_) => false,
                Fate::Refused(refusal) => refusal.code == ORACLE_VERSION,
                // Of what no node ever took, nothing is under way: that is known at once.
                Fate::NeverSent => attempts >= ATTEMPTS_MAX,
                Fate::OutOfUnits | Fate::Dead => true,
            };
            if matches!(fate, Fate::OutOfUnits) {
                self.units.doubt(Shape::of(work));
            }
            if matches!(fate, Fate::Dead) {
                self.interruption.reached(Moment::Dead);
            }
            if has_died && effort != Effort::SignsAnew {
                if matches!(fate, Fate::Refused(_)) {
                    // The set changed since it was read; the work is the same.
                    self.read_config().await?;
                }
                return self.refused(record, work, expired()).await;
            }
            match fate {
                Fate::Landed(details) => return self.finish(record, work, details).await,
                Fate::Refused(refusal) => return self.refused(record, work, refusal).await,
                Fate::NeverSent | Fate::OutOfUnits if attempts >= ATTEMPTS_MAX => {
                    return Err(ChainError::Unreachable(format!(
                        "the node took none of {ATTEMPTS_MAX} transactions for {key}"
                    )));
                }
                Fate::NeverSent | Fate::OutOfUnits | Fate::Dead => {}
            }
        }
    }

    /// Brings everything whose outcome is not known to its end: what a crash left, also
    /// of services that do not ask for it again. Attestations are asked for again, by then
    /// perhaps without somebody who is held: of them nothing is signed anew here.
    pub async fn finish_unfinished(&self) -> Result<Finished, ChainError> {
        let mut finished = Finished::default();
        let mut after = String::new();
        loop {
            let page = self.store.outbox_unfinished(&after, jirani_store::verbs::PAGE_MAX).await?;
            let Some(last) = page.last() else { return Ok(finished) };
            after.clone_from(&last.key);
            let asked = page.iter().filter_map(|record| {
                let work = Work::from_bytes(&record.work)?;
                let attests = matches!(work, Work::Attest { .. });
                let effort = if attests { Effort::SendsAgain } else { Effort::SignsAnew };
                Some(async move { self.carry_on(&record.key, &work, effort).await })
            });
            for outcome in futures::future::join_all(asked).await {
                match outcome {
                    Ok(Outcome::Landed { .. }) => finished.landed += 1,
                    Ok(Outcome::Refused { .. }) => finished.refused += 1,
                    Err(error) => {
                        tracing::warn!(%error, "a transaction's outcome is still unknown");
                        finished.unknown += 1;
                    }
                }
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
        for attempt in 1..=ATTEMPTS_MAX {
            let recent = self.blockhashes.get(&self.node).await?;
            let fee_lamports = self.priority_fee(plan.units, attempt).await;
            let terms = Terms { units: plan.units, fee_lamports, salt: salt(name, 0), recent };
            let message = compile(plan, name, terms)?;
            let signed = seal(message, &signers(plan), &[], name, recent)?;
            match self.deliver(&self.record(name, signed, Vec::new(), attempt), Sends::Fresh).await? {
                Fate::Landed(_) => return Ok(None),
                Fate::Refused(refusal) => return Ok(Some(refusal)),
                Fate::NeverSent | Fate::OutOfUnits | Fate::Dead => {}
            }
        }
        Err(ChainError::Unreachable(format!("{name} does not get through")))
    }

    async fn sign_and_store(&self, key: &str, work: &Work, signed: u32) -> Result<OutboxRecord, ChainError> {
        let mut nonce = 0;
        loop {
            let transaction = self.sign(key, work, signed, nonce).await?;
            self.interruption.reached(Moment::Signed);
            let record = self.record(key, transaction, work.to_bytes(), signed);
            // Durable before it is sent: whatever happens next, work and bytes are known.
            match self.store.put_outbox(record.clone()).await {
                Ok(()) => {
                    self.interruption.reached(Moment::Stored);
                    return Ok(record);
                }
                // Other work has this very transaction: another salt parts them.
                Err(StoreError::Conflict { .. }) if nonce < SALTS_MAX => nonce += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn sign(&self, key: &str, work: &Work, signed: u32, nonce: u32) -> Result<Signed, ChainError> {
        if matches!(work, Work::Attest { .. }) {
            self.purse_ready().await?;
        }
        let facts = self.facts(work).await?;
        if let Work::Attest { rows, .. } = work
            && rows.len() <= Work::ATTEST_ROWS_MAX
        {
            // Before a witness counts them.
            attested(&facts, rows)?;
        }
        let recent = self.blockhashes.get(&self.node).await?;
        let witness = self.witness_for(work, &facts).await?;
        let plan = plan(&self.program, &self.config.keys, &facts, work, witness.map(Witness::key))?;
        let ours = signers(&plan);
        let terms = |units, fee_lamports| Terms { units, fee_lamports, salt: salt(key, nonce), recent };
        let shape = Shape::of(work);
        let units = if let Some(units) = self.units.known(shape) {
            units
        } else {
            let message = compile(&plan, key, terms(plan.units, 0))?;
            match self.node.simulated_units(message).await {
                Ok(Some(used)) => self.units.learn(shape, used),
                // What fails in simulation is refused by the node, with its reason; a
                // node that is silent is met when the bytes are kept.
                Ok(None) | Err(_) => plan.units,
            }
        };
        let fee_lamports = self.priority_fee(units, signed).await;
        let message = compile(&plan, key, terms(units, fee_lamports))?;
        let others = match witness {
            None => Vec::new(),
            Some(witness) => vec![self.cosigned(witness, work, &message).await?],
        };
        seal(message, &ours, &others, key, recent)
    }

    /// Fills the oracle's purse for bytes from before. That it cannot be filled is no
    /// reason not to look at them: they may have landed.
    async fn fill_purse_for(&self, work: &Work) {
        if matches!(work, Work::Attest { .. })
            && let Err(error) = self.purse_ready().await
        {
            tracing::debug!(%error, "the oracle's purse cannot be filled");
        }
    }

    async fn priority_fee(&self, units: u32, signed: u32) -> u64 {
        let bounds = self.config.priority_fee;
        // What everybody's transactions meet at; a household's accounts are its own.
        let price = self.prices.get(&self.node, bounds, &[self.program.mint]).await;
        bounds.fee(price, units, signed)
    }

    fn record(&self, key: &str, signed: Signed, work: Vec<u8>, times: u32) -> OutboxRecord {
        OutboxRecord {
            key: key.to_owned(),
            signature: signed.signature.to_string(),
            bytes: signed.bytes,
            work,
            signed: times,
            last_valid_block_height: signed.last_valid,
            state: OutboxState::Sent,
            compute_units: 0,
            fee_lamports: 0,
            report: Vec::new(),
            landed_at: None,
            retry_at: None,
            created_at: self.clock.now(),
        }
    }

    /// The outcome that the store knows, unless it is time to ask again.
    fn told_before(&self, record: &OutboxRecord, work: &Work) -> Option<Outcome> {
        match &record.state {
            OutboxState::Sent => None,
            OutboxState::Landed { slot } => Some(Outcome::Landed {
                signature: record.signature.clone(),
                slot: *slot,
                at: record.landed_at.unwrap_or(record.created_at),
                rows: work.rows_of(&record.report),
            }),
            // Signed anew at once, whatever the clock has done since.
            OutboxState::Refused { code } if code == EXPIRED => None,
            OutboxState::Refused { code } => {
                let retry = match record.retry_at {
                    Some(at) if at <= self.clock.now() => return None,
                    Some(at) => Retry::From(at),
                    None => Retry::Never,
                };
                // Kept as it was told first; records of older versions have no sentence.
                let Refusal { code, message } = match String::from_utf8(record.report.clone()) {
                    Ok(message) if !message.is_empty() => Refusal { code: code.clone(), message },
                    _ => Refusal::from_code(code),
                };
                Some(Outcome::Refused { code, message, retry })
            }
        }
    }

    async fn finish(
        &self,
        record: OutboxRecord,
        work: &Work,
        details: Details,
    ) -> Result<Outcome, ChainError> {
        self.interruption.reached(Moment::Ended);
        let rows = work.rows_of(&details.report);
        self.learn_from(work, &rows);
        if matches!(work, Work::Attest { .. }) {
            self.purse.paid(details.fee, self.config.priority_fee.cap_lamports);
        } else {
            self.payer.paid(details.fee);
        }
        let at = details.block_time.map_or(record.created_at, Timestamp::from_seconds);
        let record = OutboxRecord {
            state: OutboxState::Landed { slot: details.slot },
            compute_units: details.units,
            fee_lamports: details.fee,
            report: if rows.is_empty() { Vec::new() } else { details.report },
            landed_at: Some(at),
            ..record
        };
        let signature = record.signature.clone();
        self.store.put_outcome(record).await?;
        self.interruption.reached(Moment::Recorded);
        Ok(Outcome::Landed { signature, slot: details.slot, at, rows })
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
                return self.finish(record, work, Details::default()).await;
            };
            let details = self.node.reported(&signature, Some(&self.program.id)).await?.unwrap_or_default();
            let record = OutboxRecord { signature: signature.to_string(), ..record };
            return self.finish(record, work, details).await;
        }
        self.interruption.reached(Moment::Ended);
        let retry = retry(&refusal.code, self.clock.now());
        let retry_at = match retry {
            Retry::Never => None,
            Retry::From(at) => Some(at),
        };
        let state = OutboxState::Refused { code: refusal.code.clone() };
        let report = refusal.message.clone().into_bytes();
        self.store.put_outcome(OutboxRecord { state, retry_at, report, ..record }).await?;
        self.interruption.reached(Moment::Recorded);
        Ok(Outcome::Refused { code: refusal.code, message: refusal.message, retry })
    }
}

/// Of bytes that can land no more; the same work may be signed anew at once.
fn expired() -> Refusal {
    let message = "The transaction expired before the chain took it.".to_owned();
    Refusal { code: EXPIRED.to_owned(), message }
}

/// Everybody whose signature is ours to give, the payer first.
fn signers(plan: &Plan) -> Vec<&Keypair> {
    std::iter::once(&plan.payer).chain(&plan.signers).map(|key| &**key).collect()
}
