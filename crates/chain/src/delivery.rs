//! Signed bytes on their way, until their fate is certain: send, watch, send the same
//! bytes again, and give up only when they are provably dead.

use crate::client::RpcEnergyChain;
use crate::error::ChainError;
use crate::interruption::Moment;
use crate::node::{Accepted, Details};
use crate::refusal::{Refusal, Verdict, judge_bytes};
use crate::transaction::fee_payer;
use crate::units::ran_out;
use jirani_store::OutboxRecord;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The pause before the second look at a transaction.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// How much rarer looks are while the node tells us when something is final.
const HEARD_RARER: u32 = 4;

/// What became of signed bytes.
pub(crate) enum Fate {
    /// Finalised without error.
    Landed(Details),
    /// The program said no, to these bytes for good.
    Refused(Refusal),
    /// They failed, or would have, for want of compute units.
    OutOfUnits,
    /// No node ever took these bytes, for want of their blockhash.
    NeverSent,
    /// They can land no more, and did not.
    Dead,
}

/// What is sent while the fate of bytes is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sends {
    /// Bytes that have never left this process: what the node then refuses to take is
    /// refused for good.
    Fresh,
    /// Bytes of which a copy may still be on its way.
    Again,
    /// Nothing: who asks wants no more of them to land.
    Nothing,
}

/// What a look at a transaction showed.
enum Look {
    /// Its fate.
    Certain(Fate),
    /// It is in a block that is not final yet.
    Known,
    /// Nobody knows it.
    Unknown,
}

impl RpcEnergyChain {
    /// Sends and watches until the fate of these bytes is certain.
    pub(crate) async fn deliver(&self, record: &OutboxRecord, sends: Sends) -> Result<Fate, ChainError> {
        let fresh = sends == Sends::Fresh;
        let signature: Signature = record
            .signature
            .parse()
            .map_err(|_| ChainError::Damaged(format!("the stored signature of {} is none", record.key)))?;
        let word = self.word.expect(signature);
        let mut pause = FIRST_PAUSE;
        let mut answered = Instant::now();
        let mut sent: Option<Instant> = None;
        let mut known = false;
        let mut looks = 0_u32;
        let mut look_at_height = Instant::now() + if fresh { self.config.resend } else { Duration::ZERO };
        loop {
            let untouched = fresh && sent.is_none();
            let mut silence = None;
            if !untouched {
                match self.look(&signature, record, !fresh, looks == 0).await {
                    Ok(Look::Certain(fate)) => {
                        if let Fate::Landed(details) = &fate {
                            self.seen_slot.fetch_max(details.slot, Ordering::Relaxed);
                        }
                        return Ok(fate);
                    }
                    Ok(look) => {
                        known = matches!(look, Look::Known);
                        looks = looks.saturating_add(1);
                    }
                    Err(error) => silence = Some(error),
                }
            }
            // While the node is silent it may still hear us.
            if sends != Sends::Nothing && !known && sent.is_none_or(|at| at.elapsed() >= self.config.resend) {
                sent = Some(Instant::now());
                match self.send(record, untouched).await {
                    Ok(Some(fate)) => return Ok(fate),
                    Ok(None) => {}
                    Err(error @ ChainError::NotReady(_)) => return Err(error),
                    Err(error) => silence = Some(error),
                }
            }
            if silence.is_none() && look_at_height <= Instant::now() {
                look_at_height = Instant::now() + self.config.resend;
                match self.is_dead(&signature, record.last_valid_block_height).await {
                    Ok(true) => return Ok(Fate::Dead),
                    Ok(false) => {}
                    Err(error) => silence = Some(error),
                }
            }
            match silence {
                Some(error) if answered.elapsed() > self.config.patience => return Err(error),
                Some(_) => {}
                None => answered = Instant::now(),
            }
            if !untouched {
                // Word that it is final begins the looks anew: they alone count.
                tokio::select! {
                    () = word.told() => pause = FIRST_PAUSE,
                    () = tokio::time::sleep(pause) => {
                        pause = (pause * 2).min(self.pause_max(known));
                    }
                }
            }
        }
    }

    /// The longest pause between two looks: longer at what is in a block while we listen
    /// for its end.
    fn pause_max(&self, known: bool) -> Duration {
        let poll_max = self.config.poll_max;
        if known && self.word.is_heard() { poll_max * HEARD_RARER } else { poll_max }
    }

    /// Sends bytes once; says their fate if the node's answer makes it certain.
    async fn send(&self, record: &OutboxRecord, untouched: bool) -> Result<Option<Fate>, ChainError> {
        let accepted = self.node.send_after(&record.bytes, self.seen_slot.load(Ordering::Relaxed)).await;
        self.interruption.reached(Moment::Sent);
        let err = match accepted? {
            Accepted::Yes => {
                self.interruption.reached(Moment::Accepted);
                return Ok(None);
            }
            Accepted::No(err) => err,
        };
        if untouched && ran_out(&err) {
            return Ok(Some(Fate::OutOfUnits));
        }
        match judge_bytes(&err, &self.program.id, &record.bytes) {
            Verdict::Refused(refusal) if untouched => Ok(Some(Fate::Refused(refusal))),
            Verdict::UnknownBlockhash if untouched => {
                self.forget_blockhash(&record.bytes).await;
                Ok(Some(Fate::NeverSent))
            }
            // Of bytes that were sent before a copy may still be on its way.
            Verdict::Refused(_) | Verdict::UnknownBlockhash => Ok(None),
            Verdict::NotReady(why) => {
                if matches!(
                    err,
                    solana_transaction_error::TransactionError::InsufficientFundsForFee
                        | solana_transaction_error::TransactionError::AccountNotFound
                ) {
                    if fee_payer(&record.bytes) == Some(self.config.keys.payer_address()) {
                        self.payer.refused();
                    } else {
                        self.purse.refused();
                    }
                }
                Err(ChainError::NotReady(why))
            }
        }
    }

    /// Looks at a transaction. The first look asks for all of it: a chain that is final
    /// at once answers everything with it. Later ones ask for the status, which costs a
    /// public node less.
    async fn look(
        &self,
        signature: &Signature,
        record: &OutboxRecord,
        history: bool,
        first: bool,
    ) -> Result<Look, ChainError> {
        let fate = |details| fate(details, &self.program.id, &record.bytes);
        if first {
            let details = self.node.reported(signature, Some(&self.program.id)).await?;
            return Ok(details.map_or(Look::Unknown, |details| Look::Certain(fate(details))));
        }
        let Some(status) = self.node.status(signature, history).await? else {
            return Ok(Look::Unknown);
        };
        if !status.satisfies_commitment(CommitmentConfig::finalized()) {
            return Ok(Look::Known);
        }
        let (slot, err) = (status.slot, status.err);
        let details = self.node.reported(signature, Some(&self.program.id)).await?;
        Ok(Look::Certain(fate(details.unwrap_or(Details { err, slot, ..Details::default() }))))
    }

    /// Whether bytes can land no more and did not: the finalised chain has passed
    /// their last block, and history, asked after that of a node that has come at
    /// least as far, has no trace of them. A node that lags behind the one that told
    /// the height proves nothing.
    async fn is_dead(&self, signature: &Signature, last_valid: u64) -> Result<bool, ChainError> {
        let (slot, height) = self.node.finalised().await?;
        if height <= last_valid {
            return Ok(false);
        }
        let seen = self.node.seen(signature, true).await?;
        if seen.status.is_some() {
            return Ok(false);
        }
        if seen.as_of < slot {
            let behind = format!("it has come to slot {} of {slot}", seen.as_of);
            return Err(ChainError::Unreachable(format!("the node lags behind ({behind})")));
        }
        Ok(self.node.reported(signature, Some(&self.program.id)).await?.is_none())
    }

    async fn forget_blockhash(&self, bytes: &[u8]) {
        if let Ok(transaction) = wincode::deserialize::<VersionedTransaction>(bytes) {
            self.blockhashes.forget(transaction.message.recent_blockhash()).await;
        }
    }
}

/// What a finalised transaction with these bytes means.
fn fate(details: Details, program: &Address, bytes: &[u8]) -> Fate {
    let Some(err) = &details.err else { return Fate::Landed(details) };
    if ran_out(err) {
        return Fate::OutOfUnits;
    }
    match judge_bytes(err, program, bytes) {
        Verdict::Refused(refusal) => Fate::Refused(refusal),
        // It ran and was charged, so the chain was ready; its failure is final.
        Verdict::UnknownBlockhash | Verdict::NotReady(_) => Fate::Refused(Refusal {
            code: "chain.refused".to_owned(),
            message: format!("The chain refused the transaction: {err}."),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_energy_interface::instruction::Tag;
    use jirani_energy_interface::{EnergyError, LOCAL_PROGRAM_ID, error};
    use solana_instruction::{AccountMeta, Instruction};
    use solana_instruction_error::InstructionError;
    use solana_message::{Message, VersionedMessage};
    use solana_transaction_error::TransactionError;

    #[test]
    fn what_failed_in_a_block_names_the_account_too() {
        let payer = Address::new_from_array([1; 32]);
        let accounts = (2..13).map(|n| AccountMeta::new(Address::new_from_array([n; 32]), false)).collect();
        let data = vec![Tag::PostOffer as u8];
        let post = Instruction { program_id: LOCAL_PROGRAM_ID, accounts, data };
        let message = VersionedMessage::Legacy(Message::new(&[post], Some(&payer)));
        let transaction = VersionedTransaction { signatures: vec![Signature::default()], message };
        let bytes = wincode::serialize(&transaction).unwrap();
        let number = error::at_account(EnergyError::WrongOwner, 4);
        let err = TransactionError::InstructionError(0, InstructionError::Custom(number));
        let details = Details { err: Some(err), ..Details::default() };
        let Fate::Refused(refusal) = fate(details, &LOCAL_PROGRAM_ID, &bytes) else { panic!("refused") };
        assert_eq!(refusal.code, "energy.wrong_owner");
        assert!(refusal.message.ends_with("(account `vault`)."), "{}", refusal.message);
    }
}
