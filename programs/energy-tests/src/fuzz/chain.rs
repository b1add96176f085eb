//! The embedded chain at its fastest: signatures and block hashes are not checked, for
//! they are the runtime's business; who signs is said by the instruction.

use super::actors::Actor;
use super::deed::Deed;
use super::model::Why;
use super::place::{Atlas, Place};
use crate::world::World;
use jirani_energy_interface::EnergyError;
use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_address::Address;
use solana_clock::Clock;
use solana_instruction_error::InstructionError;
use solana_keypair::Signature;
use solana_message::VersionedMessage;
use solana_message::v1::{Message, TransactionConfig};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

/// What the chain says to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of it happened.
    Landed,
    /// Nothing did: the instruction and our own error, or the chain's.
    Refused(usize, Result<EnergyError, String>),
}

impl Answer {
    /// Whether it is what was foreseen.
    pub fn fits(&self, foreseen: &Result<(), (usize, Why)>) -> bool {
        match (self, foreseen) {
            (Self::Landed, Ok(())) => true,
            (Self::Refused(at, Ok(error)), Err((foreseen, Why::Ours(why)))) => at == foreseen && error == why,
            (Self::Refused(at, Err(_) | Ok(_)), Err((foreseen, Why::Elsewhere))) => at == foreseen,
            _ => false,
        }
    }
}

/// The chain.
#[derive(Clone)]
pub struct Chain {
    svm: LiteSVM,
}

impl Chain {
    /// A world's chain, without its ceremonies.
    pub fn new(world: World) -> Self {
        let svm = world.svm.with_sigverify(false).with_blockhash_check(false).with_log_bytes_limit(Some(0));
        Self { svm }
    }

    /// The chain's time.
    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets it.
    pub fn set_time(&mut self, now: i64) {
        let mut clock: Clock = self.svm.get_sysvar();
        clock.unix_timestamp = now;
        self.svm.set_sysvar(&clock);
    }

    /// An account, if it lives: its lamports are counted even if it has no data.
    pub fn account(&self, address: &Address) -> Option<&AccountSharedData> {
        self.svm.accounts_db().get_account_ref(address)
    }

    /// Lamports at an address.
    pub fn lamports(&self, address: &Address) -> u64 {
        self.account(address).map_or(0, ReadableAccount::lamports)
    }

    /// Lamports that an account of so many bytes must hold.
    pub fn rent(&self, bytes: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(bytes)
    }

    /// Every account of a program.
    pub fn owned(&self, program: &Address) -> impl Iterator<Item = (&Address, &AccountSharedData)> {
        let accounts = &self.svm.accounts_db().inner;
        accounts.iter().filter(move |(_, account)| account.owner() == program)
    }

    /// Puts an account somewhere.
    pub fn put(&mut self, address: Address, account: solana_account::Account) {
        self.svm.set_account(address, account).expect("an account can be put there");
    }

    /// Sends instructions in one transaction.
    pub fn send(&mut self, atlas: &mut Atlas, deeds: &[Deed]) -> Answer {
        let instructions: Vec<_> = deeds.iter().map(|deed| deed.instruction(atlas)).collect();
        let fees = atlas.address(Place::Actor(Actor::Fees));
        let config = TransactionConfig::empty()
            .with_compute_unit_limit(1_400_000)
            .with_loaded_accounts_data_size_limit(64 * 1024 * 1024);
        let hash = self.svm.latest_blockhash();
        let Ok(message) = Message::try_compile_with_config(&fees, &instructions, hash, config) else {
            return Answer::Refused(deeds.len(), Err("does not fit a transaction".to_owned()));
        };
        let signatures = vec![Signature::default(); usize::from(message.header.num_required_signatures)];
        let transaction = VersionedTransaction { signatures, message: VersionedMessage::V1(message) };
        match self.svm.send_transaction(transaction) {
            Ok(_) => Answer::Landed,
            Err(failed) => refused(deeds.len(), &failed.err),
        }
    }
}

fn refused(all: usize, error: &TransactionError) -> Answer {
    match error {
        TransactionError::InstructionError(at, why) => {
            let ours = match why {
                InstructionError::Custom(number) => EnergyError::from_number(*number),
                _ => None,
            };
            Answer::Refused(usize::from(*at), ours.ok_or_else(|| format!("{why:?}")))
        }
        other => Answer::Refused(all, Err(format!("{other:?}"))),
    }
}
