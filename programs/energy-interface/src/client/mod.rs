//! For everyone off the chain: the program's addresses and its instructions,
//! ready to sign. The order of accounts is the one the program checks.

mod admin;
mod attest;
mod household;
mod trade;

pub use admin::{Enrolment, InitialConfig, Section};
pub use attest::{Attestation, AttestationRow};
pub use household::{Adjustment, Replacement};
pub use trade::{FillAccounts, NewOffer, NewOrder};

use crate::proof::Proof;
use crate::{programs, seeds};
use alloc::vec::Vec;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// A deployment of the energy program and the addresses that follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnergyProgram {
    /// The program.
    pub id: Address,
    /// The Config; authority of the mint and of all its token accounts we hold.
    pub config: Address,
    /// The eKWh mint.
    pub mint: Address,
}

impl EnergyProgram {
    /// The deployment at `id`.
    pub fn new(id: Address) -> Self {
        let config = Address::find_program_address(&[seeds::CONFIG], &id).0;
        let mint = Address::find_program_address(&[seeds::MINT], &id).0;
        Self { id, config, mint }
    }

    /// A household's record.
    pub fn household(&self, household_id: u32) -> Address {
        self.derive(&[seeds::HOUSEHOLD, &household_id.to_le_bytes()])
    }

    /// A household's token account.
    pub fn vault(&self, household: &Address) -> Address {
        self.derive(&[seeds::VAULT, household.as_ref()])
    }

    /// A seller's offer.
    pub fn offer(&self, seller: &Address, offer_id: u64) -> Address {
        self.derive(&[seeds::OFFER, seller.as_ref(), &offer_id.to_le_bytes()])
    }

    /// An offer's token account.
    pub fn escrow(&self, offer: &Address) -> Address {
        self.derive(&[seeds::ESCROW, offer.as_ref()])
    }

    /// A buyer's order.
    pub fn order(&self, buyer: &Address, order_id: u64) -> Address {
        self.derive(&[seeds::ORDER, buyer.as_ref(), &order_id.to_le_bytes()])
    }

    /// A feeder's evidence.
    pub fn evidence(&self, feeder: u16) -> Address {
        self.derive(&[seeds::EVIDENCE, &feeder.to_le_bytes()])
    }

    /// The marker of a used proof.
    pub fn marker(&self, proof: &Proof) -> Address {
        let seed = proof.marker_seed();
        // INVARIANT: the seed is 32 ASCII characters and the program's address does not
        // end in the marker of derived addresses, which no hash or key does by chance.
        #[expect(clippy::expect_used, reason = "see the invariant")]
        Address::create_with_seed(&self.config, core::str::from_utf8(&seed).expect("ASCII"), &self.id)
            .expect("a 32-character seed")
    }

    /// The program's ProgramData account under the upgradeable loader.
    pub fn program_data(&self) -> Address {
        Address::find_program_address(&[self.id.as_ref()], &programs::LOADER).0
    }

    fn derive(&self, seeds: &[&[u8]]) -> Address {
        Address::find_program_address(seeds, &self.id).0
    }

    fn instruction(&self, accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
        Instruction { program_id: self.id, accounts, data }
    }
}

fn readonly(address: Address) -> AccountMeta {
    AccountMeta::new_readonly(address, false)
}

fn writable(address: Address) -> AccountMeta {
    AccountMeta::new(address, false)
}

fn signer(address: Address) -> AccountMeta {
    AccountMeta::new_readonly(address, true)
}

fn writable_signer(address: Address) -> AccountMeta {
    AccountMeta::new(address, true)
}

fn bytes_of<T: bytemuck::Pod>(head: &T) -> Vec<u8> {
    bytemuck::bytes_of(head).to_vec()
}
