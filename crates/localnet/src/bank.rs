//! The chain's state and its one way forward: executing a transaction.

use crate::disk::Change;
use crate::history::{AddressIndex, Executed, Meta, STATUS_SLOTS, Status, Statuses};
use crate::slots::Slots;
use litesvm::LiteSVM;
use litesvm::types::TransactionMetadata;
use solana_account::{Account, AccountSharedData, ReadableAccount};
use solana_address::Address;
use solana_clock::Clock;
use solana_hash::Hash;
use solana_loader_v3_interface::state::UpgradeableLoaderState;
use solana_message::AddressLoader;
use solana_message::v0::LoadedAddresses;
use solana_sdk_ids::bpf_loader_upgradeable;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::sync::Arc;

/// Slots of an epoch; nothing else happens at its end.
pub const SLOTS_PER_EPOCH: u64 = 432_000;

/// The chain. Lives on the actor's thread.
pub struct Bank {
    /// The runtime and every account.
    pub svm: LiteSVM,
    /// Names the chain.
    pub genesis: Hash,
    /// Slots and blockhashes.
    pub slots: Slots,
    /// Statuses of the last minutes.
    pub statuses: Statuses,
    /// Who was touched by what.
    pub index: AddressIndex,
    /// The injected clock.
    pub clock: Arc<dyn jirani_units::Clock>,
    /// The last transaction's position; 0 before the first.
    pub last_seq: u64,
    pending: Change,
}

/// A transaction that changed nothing.
pub struct Refused {
    /// Why.
    pub err: TransactionError,
    /// What its execution told before it ended.
    pub meta: TransactionMetadata,
}

impl Bank {
    /// A chain without history; see [`Bank::remember`].
    pub fn new(svm: LiteSVM, genesis: Hash, slots: Slots, clock: Arc<dyn jirani_units::Clock>) -> Self {
        Self {
            svm,
            genesis,
            slots,
            statuses: Statuses::default(),
            index: AddressIndex::default(),
            clock,
            last_seq: 0,
            pending: Change::default(),
        }
    }

    /// Takes up a stored transaction, whose accounts are loaded already.
    pub fn remember(&mut self, executed: &Executed) -> wincode::ReadResult<()> {
        let transaction: VersionedTransaction = wincode::deserialize(&executed.bytes)?;
        self.last_seq = executed.seq;
        self.index.insert(executed.seq, &transaction, executed.meta.loaded());
        if executed.slot + STATUS_SLOTS >= self.slots.now() {
            self.statuses
                .insert(executed.signature, Status { slot: executed.slot, err: executed.meta.err() });
        }
        let mut chain: Clock = self.svm.get_sysvar();
        chain.unix_timestamp = chain.unix_timestamp.max(executed.block_time);
        self.svm.set_sysvar(&chain);
        Ok(())
    }

    /// Moves slots and the chain's time to the present.
    pub fn tick(&mut self) {
        if let Some(ceiling) = self.slots.tick() {
            self.pending.slot_ceiling = Some(ceiling);
        }
        self.statuses.forget_before(self.slots.now().saturating_sub(STATUS_SLOTS));
        let (slot, unix_timestamp) = (self.slots.now(), self.clock.now().seconds());
        let chain: Clock = self.svm.get_sysvar();
        // Time on chain never goes back, whatever clock a restart brings.
        let unix_timestamp = unix_timestamp.max(chain.unix_timestamp);
        if (chain.slot, chain.unix_timestamp) != (slot, unix_timestamp) {
            let epoch = slot / SLOTS_PER_EPOCH;
            self.svm.set_sysvar(&Clock {
                slot,
                unix_timestamp,
                epoch,
                leader_schedule_epoch: epoch + 1,
                epoch_start_timestamp: 0,
            });
        }
    }

    /// The chain's time.
    pub fn unix_timestamp(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// What must be stored before anything of it is shown.
    pub fn take_pending(&mut self) -> Change {
        std::mem::take(&mut self.pending)
    }

    /// Executes a transaction whose signatures are known to be good. With
    /// `preflight`, one that fails leaves no trace; without, it pays its fee and
    /// becomes history, unless it could not be charged at all.
    pub fn execute(
        &mut self,
        transaction: &VersionedTransaction,
        bytes: Vec<u8>,
        preflight: bool,
    ) -> Result<Signature, Box<Refused>> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        self.admit(&signature, transaction.message.recent_blockhash())?;
        self.tick();
        let loaded = self.lookup(transaction)?;
        let keys: Vec<Address> = transaction
            .message
            .static_account_keys()
            .iter()
            .chain(&loaded.writable)
            .chain(&loaded.readonly)
            .copied()
            .collect();
        let before = self.balances(&keys);
        let (meta, err) = match self.svm.simulate_transaction(transaction.clone()) {
            Ok(done) => {
                self.apply(done.post_accounts);
                (done.meta, None)
            }
            // One that was not even loaded has no signature in its metadata.
            Err(failed) if preflight || failed.meta.signature == Signature::default() => {
                return Err(Box::new(Refused { err: failed.err, meta: failed.meta }));
            }
            Err(failed) => {
                self.charge(&keys, failed.meta.fee);
                (failed.meta, Some(failed.err))
            }
        };
        self.record(transaction, bytes, Meta::new(meta, err, before, self.balances(&keys), loaded));
        Ok(signature)
    }

    /// Whether a transaction may run at all: not twice, not too late.
    fn admit(&self, signature: &Signature, blockhash: &Hash) -> Result<(), Box<Refused>> {
        let err = if self.statuses.get(signature).is_some() {
            TransactionError::AlreadyProcessed
        } else if self.slots.is_valid(blockhash) {
            return Ok(());
        } else {
            TransactionError::BlockhashNotFound
        };
        Err(Box::new(Refused { err, meta: TransactionMetadata::default() }))
    }

    /// Runs a transaction without changing anything.
    pub fn simulate(&self, transaction: VersionedTransaction, check: bool) -> Simulated {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        if check && let Err(refused) = self.admit(&signature, transaction.message.recent_blockhash()) {
            return Simulated { err: Some(refused.err), meta: refused.meta, accounts: Vec::new() };
        }
        match self.svm.simulate_transaction(transaction) {
            Ok(done) => Simulated { err: None, meta: done.meta, accounts: done.post_accounts },
            Err(failed) => Simulated { err: Some(failed.err), meta: failed.meta, accounts: Vec::new() },
        }
    }

    fn lookup(&self, transaction: &VersionedTransaction) -> Result<LoadedAddresses, Box<Refused>> {
        let lookups = transaction.message.address_table_lookups().unwrap_or_default();
        if lookups.is_empty() {
            return Ok(LoadedAddresses::default());
        }
        self.svm
            .accounts_db()
            .load_addresses(lookups)
            .map_err(|error| Box::new(Refused { err: error.into(), meta: TransactionMetadata::default() }))
    }

    fn balances(&self, keys: &[Address]) -> Vec<u64> {
        keys.iter().map(|key| self.svm.get_balance(key).unwrap_or(0)).collect()
    }

    fn apply(&mut self, mut accounts: Vec<(Address, AccountSharedData)>) {
        // A program is loaded from its ProgramData, which must be there first.
        accounts.sort_by_key(|(_, account)| !is_program_data(account));
        for (address, account) in accounts {
            if self.svm.accounts_db().get_account_ref(&address) == Some(&account) {
                continue;
            }
            self.put(address, account.into());
        }
    }

    /// Takes the fee of a transaction that failed.
    fn charge(&mut self, keys: &[Address], fee: u64) {
        let Some(payer) = keys.first() else { return };
        if let Some(mut account) = self.svm.get_account(payer) {
            account.lamports = account.lamports.saturating_sub(fee);
            self.put(*payer, account);
        }
    }

    fn put(&mut self, address: Address, account: Account) {
        self.pending.accounts.insert(address, account.clone());
        if let Err(error) = self.svm.set_account(address, account) {
            // A program that does not load any more stays as it is on a cluster,
            // too: its account changes, calls of it fail.
            tracing::warn!(%address, %error, "an account could not be loaded");
        }
    }

    fn record(&mut self, transaction: &VersionedTransaction, bytes: Vec<u8>, meta: Meta) {
        self.last_seq += 1;
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let (slot, block_time) = (self.slots.now(), self.unix_timestamp());
        self.index.insert(self.last_seq, transaction, meta.loaded());
        self.statuses.insert(signature, Status { slot, err: meta.err() });
        self.pending.executed.push(Arc::new(Executed {
            seq: self.last_seq,
            signature,
            slot,
            block_time,
            bytes,
            meta,
        }));
    }
}

/// What a simulation tells.
pub struct Simulated {
    /// Why it failed, if it did.
    pub err: Option<TransactionError>,
    /// Logs, units, fee.
    pub meta: TransactionMetadata,
    /// Writable accounts as they would be.
    pub accounts: Vec<(Address, AccountSharedData)>,
}

fn is_program_data(account: &AccountSharedData) -> bool {
    account.owner() == &bpf_loader_upgradeable::ID
        && matches!(wincode::deserialize(account.data()), Ok(UpgradeableLoaderState::ProgramData { .. }))
}
