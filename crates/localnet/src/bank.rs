//! The chain's state and its one way forward: executing a transaction.

use crate::disk::Change;
use crate::finality::{Finality, Levels};
use crate::history::{Balances, Executed, Meta, STATUS_SLOTS, Status, Statuses};
use crate::slots::Slots;
use crate::tokens;
use crate::versions::{Then, Versions};
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
use solana_slot_hashes::SlotHashes;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::collections::VecDeque;
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
    /// When a transaction is final.
    pub finality: Finality,
    /// The injected clock.
    pub clock: Arc<dyn jirani_units::Clock>,
    /// The last transaction's position; 0 before the first.
    pub last_seq: u64,
    versions: Versions,
    /// Slots and positions of transactions that are not final.
    open: VecDeque<(u64, u64)>,
    pending: Change,
}

/// A transaction that changed nothing.
pub struct Refused {
    /// Why.
    pub err: TransactionError,
    /// What its execution told before it ended.
    pub meta: TransactionMetadata,
    /// Bytes of accounts it would have loaded.
    pub loaded_bytes: u32,
}

/// How a transaction is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preflight {
    /// Executed first; one that fails leaves no trace. Its blockhash must be known
    /// at or before this slot.
    At(u64),
    /// One that fails pays its fee and becomes history, unless it could not be
    /// charged at all.
    Skip,
}

impl Bank {
    /// A chain without recent history; see [`Bank::remember`].
    pub fn new(
        svm: LiteSVM,
        genesis: Hash,
        slots: Slots,
        finality: Finality,
        clock: Arc<dyn jirani_units::Clock>,
    ) -> Self {
        Self {
            svm,
            genesis,
            slots,
            statuses: Statuses::default(),
            finality,
            clock,
            last_seq: 0,
            versions: Versions::default(),
            open: VecDeque::new(),
            pending: Change::default(),
        }
    }

    /// Takes up the status of a stored transaction, whose accounts are loaded already.
    pub fn remember(&mut self, executed: &Executed) {
        if executed.slot + STATUS_SLOTS >= self.slots.now() {
            self.statuses
                .insert(executed.signature, Status { slot: executed.slot, err: executed.meta.err() });
        }
    }

    /// Moves slots and the chain's time to the present, `skip` slots more than time
    /// has brought.
    pub fn tick(&mut self, skip: u64) {
        let ceiling = self.slots.tick();
        let ceiling = if skip > 0 { self.slots.skip(skip).or(ceiling) } else { ceiling };
        self.pending.slot_ceiling = ceiling.or(self.pending.slot_ceiling);
        let slot = self.slots.now();
        self.statuses.forget_before(slot.saturating_sub(STATUS_SLOTS));
        let finalized = self.levels().finalized;
        self.versions.forget_through(finalized);
        while self.open.front().is_some_and(|(slot, _)| *slot <= finalized) {
            self.open.pop_front();
        }
        self.set_time(self.clock.now().seconds());
    }

    /// Moves the chain's time; it never goes back, whatever clock a restart brings.
    pub fn set_time(&mut self, unix_timestamp: i64) {
        let chain: Clock = self.svm.get_sysvar();
        let (slot, unix_timestamp) = (self.slots.now(), unix_timestamp.max(chain.unix_timestamp));
        if chain.slot != slot {
            // Lookup tables are made for a recent slot. A cluster knows 512 of them.
            self.svm.set_sysvar(&self.slots.past().collect::<SlotHashes>());
        }
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

    /// The newest slot of each commitment.
    pub fn levels(&self) -> Levels {
        self.finality.levels(self.slots.now())
    }

    /// How many transactions there were at the end of a slot that is not behind the
    /// final one.
    pub fn transactions_through(&self, slot: u64) -> u64 {
        self.open.iter().find(|(later, _)| *later > slot).map_or(self.last_seq, |(_, seq)| seq - 1)
    }

    /// An account at the end of a slot that is not behind the final one.
    pub fn account(&self, address: &Address, slot: u64) -> Option<&AccountSharedData> {
        match self.versions.at(slot, address) {
            Then::AsNow => self.svm.accounts_db().get_account_ref(address),
            Then::Was(account) => account,
        }
    }

    /// Every account of a program at the end of a slot, in no order.
    pub fn accounts_of(&self, program: &Address, slot: u64) -> Vec<(Address, &AccountSharedData)> {
        let now = self
            .svm
            .accounts_db()
            .inner
            .iter()
            .filter(|(address, _)| self.versions.at(slot, address) == Then::AsNow)
            .map(|(address, account)| (*address, account));
        let then = self.versions.since(slot).filter_map(|(address, account)| Some((*address, account?)));
        now.chain(then).filter(|(_, account)| account.owner() == program).collect()
    }

    /// What must be stored before anything of it is shown.
    pub fn take_pending(&mut self) -> Change {
        std::mem::take(&mut self.pending)
    }

    /// Executes a transaction whose signatures are known to be good.
    pub fn execute(
        &mut self,
        transaction: VersionedTransaction,
        bytes: Vec<u8>,
        preflight: Preflight,
    ) -> Result<Signature, Box<Refused>> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let known_by = match preflight {
            Preflight::At(slot) => slot,
            Preflight::Skip => u64::MAX,
        };
        self.admit(&signature, transaction.message.recent_blockhash(), known_by)?;
        let loaded = self.lookup(&transaction)?;
        let keys = keys(&transaction, &loaded);
        let before = self.balances(&keys);
        let (meta, err) = match self.svm.simulate_transaction(transaction.clone()) {
            Ok(done) => {
                self.apply(done.post_accounts);
                (done.meta, None)
            }
            // One that was not even loaded has no signature in its metadata.
            Err(failed) if preflight != Preflight::Skip || failed.meta.signature == Signature::default() => {
                let loaded_bytes = self.loaded_bytes(&transaction, &keys);
                return Err(Box::new(Refused { err: failed.err, meta: failed.meta, loaded_bytes }));
            }
            Err(failed) => {
                self.charge(&keys, failed.meta.fee);
                (failed.meta, Some(failed.err))
            }
        };
        let meta = Meta::new(meta, err, before, self.balances(&keys), loaded);
        self.record(transaction, bytes, meta);
        Ok(signature)
    }

    /// Whether a transaction may run at all: not twice, not too late, and with a
    /// blockhash of a slot up to `known_by`.
    fn admit(&self, signature: &Signature, blockhash: &Hash, known_by: u64) -> Result<(), Box<Refused>> {
        let err = if self.statuses.get(signature).is_some() {
            TransactionError::AlreadyProcessed
        } else if self.slots.slot_of(blockhash).is_some_and(|slot| slot <= known_by) {
            return Ok(());
        } else {
            TransactionError::BlockhashNotFound
        };
        Err(Box::new(Refused { err, meta: TransactionMetadata::default(), loaded_bytes: 0 }))
    }

    /// Runs a transaction without changing anything. With `known_by`, its blockhash
    /// must be of a slot up to that and it must not have run before.
    pub fn simulate(&self, transaction: VersionedTransaction, known_by: Option<u64>) -> Simulated {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let checked = match known_by {
            Some(slot) => self.admit(&signature, transaction.message.recent_blockhash(), slot),
            None => Ok(()),
        };
        let loaded = match checked.and_then(|()| self.lookup(&transaction)) {
            Ok(loaded) => loaded,
            Err(refused) => return Simulated { err: Some(refused.err), ..Simulated::default() },
        };
        let keys = keys(&transaction, &loaded);
        let before = self.balances(&keys);
        let loaded_bytes = self.loaded_bytes(&transaction, &keys);
        let (err, meta, accounts) = match self.svm.simulate_transaction(transaction) {
            Ok(done) => (None, done.meta, done.post_accounts),
            Err(failed) => (Some(failed.err), failed.meta, Vec::new()),
        };
        let after = self.balances_with(&keys, |key| {
            let changed = accounts.iter().find(|(changed, _)| changed == key).map(|(_, account)| account);
            changed.or_else(|| self.svm.accounts_db().get_account_ref(key))
        });
        Simulated { err, meta, accounts, before, after, loaded, loaded_bytes }
    }

    fn lookup(&self, transaction: &VersionedTransaction) -> Result<LoadedAddresses, Box<Refused>> {
        let lookups = transaction.message.address_table_lookups().unwrap_or_default();
        if lookups.is_empty() {
            return Ok(LoadedAddresses::default());
        }
        self.svm.accounts_db().load_addresses(lookups).map_err(|error| {
            let meta = TransactionMetadata::default();
            Box::new(Refused { err: error.into(), meta, loaded_bytes: 0 })
        })
    }

    /// Lamports and tokens of accounts as they are now.
    fn balances(&self, keys: &[Address]) -> Balances {
        self.balances_with(keys, |key| self.svm.accounts_db().get_account_ref(key))
    }

    fn balances_with<'a>(
        &self,
        keys: &[Address],
        account: impl Fn(&Address) -> Option<&'a AccountSharedData>,
    ) -> Balances {
        Balances {
            lamports: keys.iter().map(|key| account(key).map_or(0, ReadableAccount::lamports)).collect(),
            tokens: tokens::balances(&self.svm, keys, account),
        }
    }

    /// Bytes that loading a transaction's accounts counts (SIMD-0186): 64 for each
    /// and its data, a program's code, 8,248 for each lookup table.
    fn loaded_bytes(&self, transaction: &VersionedTransaction, keys: &[Address]) -> u32 {
        const ACCOUNT: usize = 64;
        const TABLE: usize = 8_248;
        let accounts = self.svm.accounts_db();
        let of =
            |key: &Address| accounts.get_account_ref(key).map_or(0, |found| ACCOUNT + found.data().len());
        let code = |key: &Address| {
            let program = accounts.get_account_ref(key)?;
            if program.owner() != &bpf_loader_upgradeable::ID {
                return None;
            }
            match wincode::deserialize(program.data()) {
                Ok(UpgradeableLoaderState::Program { programdata_address }) => Some(of(&programdata_address)),
                _ => None,
            }
        };
        let tables = transaction.message.address_table_lookups().map_or(0, <[_]>::len);
        let sum = keys.iter().map(|key| of(key) + code(key).unwrap_or(0)).sum::<usize>() + tables * TABLE;
        u32::try_from(sum).unwrap_or(u32::MAX)
    }

    fn apply(&mut self, mut accounts: Vec<(Address, AccountSharedData)>) {
        // A program is loaded from its ProgramData, which must be there first.
        accounts.sort_by_key(|(_, account)| !is_program_data(account));
        for (address, account) in accounts {
            if self.svm.accounts_db().get_account_ref(&address) != Some(&account) {
                self.put(address, account);
            }
        }
    }

    /// Takes the fee of a transaction that failed.
    fn charge(&mut self, keys: &[Address], fee: u64) {
        let Some(payer) = keys.first() else { return };
        if let Some(mut account) = self.svm.get_account(payer) {
            account.lamports = account.lamports.saturating_sub(fee);
            self.put(*payer, account.into());
        }
    }

    fn put(&mut self, address: Address, account: AccountSharedData) {
        if self.finality == Finality::Realistic {
            let before = self.svm.accounts_db().get_account(&address);
            self.versions.remember(self.slots.now(), address, before);
        }
        let kept = (account.lamports() > 0).then(|| account.clone());
        self.pending.accounts.insert(address, kept);
        if let Err(error) = self.svm.set_account(address, Account::from(account)) {
            // A program that does not load any more stays as it is on a cluster,
            // too: its account changes, calls of it fail.
            tracing::warn!(%address, %error, "an account could not be loaded");
        }
    }

    fn record(&mut self, transaction: VersionedTransaction, bytes: Vec<u8>, meta: Meta) {
        self.last_seq += 1;
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let (slot, block_time) = (self.slots.now(), self.unix_timestamp());
        self.statuses.insert(signature, Status { slot, err: meta.err() });
        if self.finality == Finality::Realistic {
            self.open.push_back((slot, self.last_seq));
        }
        let executed = Executed { seq: self.last_seq, signature, slot, block_time, bytes, meta };
        self.pending.executed.push((Arc::new(executed), transaction));
    }
}

/// What a simulation tells.
#[derive(Default)]
pub struct Simulated {
    /// Why it failed, if it did.
    pub err: Option<TransactionError>,
    /// Logs, units, fee.
    pub meta: TransactionMetadata,
    /// Writable accounts as they would be.
    pub accounts: Vec<(Address, AccountSharedData)>,
    /// What its accounts hold now.
    pub before: Balances,
    /// What they would hold.
    pub after: Balances,
    /// Addresses from lookup tables.
    pub loaded: LoadedAddresses,
    /// Bytes of accounts it loads.
    pub loaded_bytes: u32,
}

fn keys(transaction: &VersionedTransaction, loaded: &LoadedAddresses) -> Vec<Address> {
    let fixed = transaction.message.static_account_keys();
    fixed.iter().chain(&loaded.writable).chain(&loaded.readonly).copied().collect()
}

fn is_program_data(account: &AccountSharedData) -> bool {
    account.owner() == &bpf_loader_upgradeable::ID
        && matches!(wincode::deserialize(account.data()), Ok(UpgradeableLoaderState::ProgramData { .. }))
}
