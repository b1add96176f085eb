//! What happened: one row per executed transaction, and the statuses of the last
//! minutes.

use crate::tokens;
use litesvm::types::TransactionMetadata;
use solana_address::Address;
use solana_message::inner_instruction::InnerInstructionsList;
use solana_message::v0::LoadedAddresses;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::{InnerInstruction, InnerInstructions};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use wincode::{SchemaRead, SchemaWrite};

/// How many slots a status is kept in memory: twice a blockhash's life, so a
/// repetition is always recognised.
pub const STATUS_SLOTS: u64 = 300;
const _: () = assert!(STATUS_SLOTS > crate::slots::BLOCKHASH_AGE_MAX);

/// An executed transaction, as it is stored.
pub struct Executed {
    /// Position in the chain, from 1.
    pub seq: u64,
    /// First signature.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// The chain's time.
    pub block_time: i64,
    /// Wire bytes.
    pub bytes: Vec<u8>,
    /// What its execution told.
    pub meta: Meta,
}

/// What a transaction's accounts hold at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct Balances {
    /// Lamports, by account index.
    pub lamports: Vec<u64>,
    /// Tokens of the accounts that are token accounts.
    pub tokens: Vec<tokens::Balance>,
}

/// What an execution told, in a form that costs little to write and is made
/// into JSON only when somebody asks.
#[derive(Clone, Default, SchemaRead, SchemaWrite)]
pub struct Meta {
    /// JSON of the error; empty when there was none.
    err: String,
    /// Fee, in lamports.
    pub fee: u64,
    /// Balances before, by account index.
    pub before: Balances,
    /// Balances after, by account index.
    pub after: Balances,
    /// Instructions that programs called.
    pub inner: Vec<InnerInstructions>,
    /// Log lines.
    pub logs: Vec<String>,
    loaded: Vec<Address>,
    /// How many of the loaded addresses are writable.
    pub loaded_writable: u8,
    /// Program and data that were returned last.
    pub returned: Option<(Address, Vec<u8>)>,
    /// Compute units.
    pub units: u64,
}

impl Meta {
    /// From what the runtime tells.
    pub fn new(
        told: TransactionMetadata,
        err: Option<TransactionError>,
        before: Balances,
        after: Balances,
        loaded: LoadedAddresses,
    ) -> Self {
        let loaded_writable = u8::try_from(loaded.writable.len()).unwrap_or(u8::MAX);
        let returned = told.return_data;
        Self {
            err: err.and_then(|err| serde_json::to_string(&err).ok()).unwrap_or_default(),
            fee: told.fee,
            before,
            after,
            inner: inner_instructions(told.inner_instructions),
            logs: told.logs,
            loaded: loaded.writable.into_iter().chain(loaded.readonly).collect(),
            loaded_writable,
            returned: (!returned.data.is_empty()).then_some((returned.program_id, returned.data)),
            units: told.compute_units_consumed,
        }
    }

    /// Why it failed, if it did.
    pub fn err(&self) -> Option<TransactionError> {
        read_err(&self.err)
    }

    /// JSON of the error; empty when there was none.
    pub fn err_json(&self) -> &str {
        &self.err
    }

    /// Addresses from lookup tables, writable ones first.
    pub fn loaded(&self) -> &[Address] {
        &self.loaded
    }
}

/// Inner instructions, by the instruction that called them.
pub fn inner_instructions(list: InnerInstructionsList) -> Vec<InnerInstructions> {
    (0..)
        .zip(list)
        .filter(|(_, called)| !called.is_empty())
        .map(|(index, called)| InnerInstructions {
            index,
            instructions: called
                .into_iter()
                .map(|called| InnerInstruction {
                    instruction: called.instruction,
                    stack_height: Some(u32::from(called.stack_height)),
                })
                .collect(),
        })
        .collect()
}

/// The last transactions, shared by the chain's thread and whoever asks: most
/// questions are about a transaction that has just landed.
#[derive(Clone, Default)]
pub struct Recent(Arc<Mutex<AtHand>>);

#[derive(Default)]
struct AtHand {
    by_signature: HashMap<Signature, Arc<Executed>>,
    in_order: VecDeque<Signature>,
}

/// How many transactions are kept at hand: some 20 kB each.
const RECENT: usize = 256;

impl Recent {
    /// Adds a transaction that is durable.
    pub fn insert(&self, executed: Arc<Executed>) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.in_order.push_back(executed.signature);
        recent.by_signature.insert(executed.signature, executed);
        if recent.in_order.len() > RECENT
            && let Some(old) = recent.in_order.pop_front()
        {
            recent.by_signature.remove(&old);
        }
    }

    /// A transaction, if it is at hand.
    pub fn get(&self, signature: &Signature) -> Option<Arc<Executed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_signature.get(signature).cloned()
    }
}

/// What `getSignatureStatuses` tells.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its slot.
    pub slot: u64,
    /// Why it failed, if it did.
    pub err: Option<TransactionError>,
}

/// Statuses of the last [`STATUS_SLOTS`] slots.
#[derive(Default)]
pub struct Statuses {
    by_signature: HashMap<Signature, Status>,
    in_order: VecDeque<(u64, Signature)>,
}

impl Statuses {
    /// Adds a status; slots never fall.
    pub fn insert(&mut self, signature: Signature, status: Status) {
        self.in_order.push_back((status.slot, signature));
        self.by_signature.insert(signature, status);
    }

    /// Forgets what is too old to be repeated.
    pub fn forget_before(&mut self, slot: u64) {
        while let Some((old, signature)) = self.in_order.front()
            && *old < slot
        {
            self.by_signature.remove(signature);
            self.in_order.pop_front();
        }
    }

    /// The status of a recent transaction.
    pub fn get(&self, signature: &Signature) -> Option<&Status> {
        self.by_signature.get(signature)
    }
}

/// Reads a stored error.
pub fn read_err(json: &str) -> Option<TransactionError> {
    if json.is_empty() { None } else { serde_json::from_str(json).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_outlives_every_blockhash_it_could_be_repeated_under() {
        let mut statuses = Statuses::default();
        for slot in 0..1_000u64 {
            let mut bytes = [0; 64];
            bytes[..8].copy_from_slice(&slot.to_le_bytes());
            statuses.insert(Signature::from(bytes), Status { slot, err: None });
            statuses.forget_before(slot.saturating_sub(STATUS_SLOTS));
        }
        assert_eq!(statuses.by_signature.len(), 301);
    }
}
