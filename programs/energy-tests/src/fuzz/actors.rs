//! Who acts: every key of the operator twice over, three owners of households, and
//! two who hold no right at all. All of them may sign anything.

use crate::world::key;
use jirani_energy_interface::Key;
use solana_address::Address;
use solana_signer::Signer as _;

/// A key that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Actor {
    /// Pays the transactions' fees and does nothing else.
    Fees = 1,
    /// Pays rent.
    Payer = 2,
    /// May upgrade the program.
    Upgrader = 3,
    /// The first admin.
    Admin = 4,
    /// The first pause key.
    Pauser = 5,
    /// An oracle.
    Oracle = 6,
    /// An attestor without a daily cap.
    Attestor = 7,
    /// The first custodian.
    Custodian = 8,
    /// Nobody.
    Stranger = 9,
    /// Becomes admin when proposed.
    NextAdmin = 30,
    /// A second oracle.
    Oracle2 = 31,
    /// A third oracle.
    Oracle3 = 32,
    /// An attestor with a small daily cap.
    Attestor2 = 33,
    /// Becomes custodian when configured.
    Custodian2 = 34,
    /// Signs for two households.
    Owner1 = 35,
    /// Signs for one household.
    Owner2 = 36,
    /// Signs for one household of another feeder.
    Owner3 = 37,
    /// Pays rent too.
    Payer2 = 38,
    /// Has no lamports to pay with.
    Pauper = 39,
}

impl Actor {
    /// Everybody who may appear in an instruction.
    pub const ALL: [Self; 18] = [
        Self::Payer,
        Self::Upgrader,
        Self::Admin,
        Self::Pauser,
        Self::Oracle,
        Self::Attestor,
        Self::Custodian,
        Self::Stranger,
        Self::NextAdmin,
        Self::Oracle2,
        Self::Oracle3,
        Self::Attestor2,
        Self::Custodian2,
        Self::Owner1,
        Self::Owner2,
        Self::Owner3,
        Self::Payer2,
        Self::Pauper,
    ];

    /// One of [`Actor::ALL`].
    pub fn pick(which: usize) -> Self {
        Self::ALL[which % Self::ALL.len()]
    }

    /// Its public key.
    pub fn address(self) -> Address {
        key(self as u8).pubkey()
    }
}

/// Every actor's key, worked out once.
#[derive(Clone)]
pub struct Keyring(Vec<(Actor, Address)>);

impl Default for Keyring {
    fn default() -> Self {
        Self(Actor::ALL.iter().chain(&[Actor::Fees]).map(|actor| (*actor, actor.address())).collect())
    }
}

impl Keyring {
    /// An actor's address.
    pub fn address(&self, actor: Actor) -> Address {
        self.0.iter().find(|(known, _)| *known == actor).expect("everybody is there").1
    }

    /// An actor's key.
    pub fn key(&self, actor: Actor) -> Key {
        self.address(actor).to_bytes()
    }

    /// Whose key it is.
    pub fn whose(&self, key: &Key) -> Option<Actor> {
        self.0.iter().find(|(_, address)| address.as_array() == key).map(|(actor, _)| *actor)
    }
}
