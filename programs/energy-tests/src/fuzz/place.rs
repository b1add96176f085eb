//! Addresses by what they are for, so that nobody but the last door to the chain
//! deals in bytes.

use super::actors::{Actor, Keyring};
use jirani_energy_interface::client::EnergyProgram;
use jirani_energy_interface::{Key, LOCAL_PROGRAM_ID, Proof, ProofKind, programs};
use solana_address::Address;
use std::collections::HashMap;

/// Household and number of an offer or order.
pub type Numbered = (u32, u64);

/// What an address is for. Something may live there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A key that signs.
    Actor(Actor),
    /// The Config.
    Config,
    /// The mint.
    Mint,
    /// A feeder's evidence.
    Evidence(u16),
    /// A household's record.
    Home(u32),
    /// Its tokens.
    Vault(u32),
    /// An offer of a household.
    Offer(u32, u64),
    /// Its tokens.
    Escrow(u32, u64),
    /// An order of a household.
    Order(u32, u64),
    /// The marker of a receipt (`true`) or ledger transfer; only the bits of the hash
    /// that count for its address.
    Marker(bool, Key),
    /// An actor's own token account.
    Wallet(Actor),
    /// A token account of our mint that Config owns and that is no vault.
    StrayVault,
    /// Another mint, made to look like ours.
    FakeMint,
    /// A token account of the other mint that Config owns.
    FakeVault,
    /// A token account of the other mint that an owner owns.
    FakeWallet,
    /// The system program.
    System,
    /// Token-2022.
    Token,
    /// The energy program.
    Energy,
    /// The energy program's ProgramData.
    ProgramData,
    /// Nothing ever lives here.
    Nowhere,
}

impl Place {
    /// The place of a proof's marker.
    pub fn marker(proof: &Proof) -> Self {
        let mut hash = proof.hash;
        hash[23] &= 0b1100_0000;
        hash[24..].fill(0);
        Self::Marker(proof.kind == ProofKind::Receipt, hash)
    }
}

/// Finds the address of a place; program-derived ones are derived once.
#[derive(Clone, Default)]
pub struct Atlas {
    keys: Keyring,
    found: HashMap<Place, Address>,
}

impl Atlas {
    /// The actors' keys.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Where it is.
    pub fn address(&mut self, place: Place) -> Address {
        if let Some(address) = self.found.get(&place) {
            return *address;
        }
        let address = self.derive(place);
        self.found.insert(place, address);
        address
    }

    fn derive(&mut self, place: Place) -> Address {
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let fixed = |byte| Address::new_from_array([byte; 32]);
        match place {
            Place::Actor(actor) => self.keys.address(actor),
            Place::Config => program.config,
            Place::Mint => program.mint,
            Place::Evidence(feeder) => program.evidence(feeder),
            Place::Home(id) => program.household(id),
            Place::Vault(id) => program.vault(&self.address(Place::Home(id))),
            Place::Offer(seller, id) => program.offer(&self.address(Place::Home(seller)), id),
            Place::Escrow(seller, id) => program.escrow(&self.address(Place::Offer(seller, id))),
            Place::Order(buyer, id) => program.order(&self.address(Place::Home(buyer)), id),
            Place::Marker(true, hash) => program.marker(&Proof::receipt(hash)),
            Place::Marker(false, hash) => program.marker(&Proof::transfer(hash)),
            Place::Wallet(actor) => {
                let mut address = self.keys.address(actor).to_bytes();
                address[0] ^= 0x5a;
                Address::new_from_array(address)
            }
            Place::StrayVault => fixed(0xa1),
            Place::FakeMint => fixed(0xa2),
            Place::FakeVault => fixed(0xa3),
            Place::FakeWallet => fixed(0xa4),
            Place::System => programs::SYSTEM,
            Place::Token => programs::TOKEN_2022,
            Place::Energy => LOCAL_PROGRAM_ID,
            Place::ProgramData => program.program_data(),
            Place::Nowhere => fixed(0xa5),
        }
    }
}
