//! One instruction, its accounts named by what they are for.

use super::place::{Atlas, Place};
use jirani_energy_interface::Key;
use solana_instruction::{AccountMeta, Instruction};

/// One account of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// What it is for.
    pub place: Place,
    /// Its address.
    pub key: Key,
    /// Whether it signs.
    pub signs: bool,
    /// Whether it may change.
    pub writable: bool,
}

/// One instruction to the energy program, to Token-2022 or to the system program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The program.
    pub program: Place,
    /// Accounts, in order.
    pub parties: Vec<Party>,
    /// Data.
    pub data: Vec<u8>,
}

impl Deed {
    /// An instruction to the energy program. `rights` says of each account whether it
    /// signs (`s`), changes (`w`), both (`b`) or neither (`-`).
    pub fn energy(atlas: &mut Atlas, rights: &str, places: &[Place], data: Vec<u8>) -> Self {
        Self::new(atlas, Place::Energy, rights, places, data)
    }

    /// An instruction to any program.
    pub fn new(atlas: &mut Atlas, program: Place, rights: &str, places: &[Place], data: Vec<u8>) -> Self {
        assert_eq!(rights.len(), places.len(), "rights of every account");
        let parties = rights
            .bytes()
            .zip(places)
            .map(|(right, place)| Party {
                place: *place,
                key: atlas.address(*place).to_bytes(),
                signs: matches!(right, b's' | b'b'),
                writable: matches!(right, b'w' | b'b'),
            })
            .collect();
        Self { program, parties, data }
    }

    /// As the chain wants it.
    pub fn instruction(&self, atlas: &mut Atlas) -> Instruction {
        Instruction {
            program_id: atlas.address(self.program),
            accounts: self
                .parties
                .iter()
                .map(|party| AccountMeta {
                    pubkey: party.key.into(),
                    is_signer: party.signs,
                    is_writable: party.writable,
                })
                .collect(),
            data: self.data.clone(),
        }
    }
}

/// Gives every account the rights it has in its transaction: an account that signs or
/// changes anywhere in it does so everywhere, and a program that is called never changes.
pub fn merge_rights(deeds: &mut [Deed]) {
    let given: Vec<Party> = deeds.iter().flat_map(|deed| deed.parties.iter().copied()).collect();
    let called: Vec<Place> = deeds.iter().map(|deed| deed.program).collect();
    for party in deeds.iter_mut().flat_map(|deed| &mut deed.parties) {
        let same = given.iter().filter(|other| other.key == party.key);
        let (mut signs, mut writable) = (false, false);
        for other in same {
            signs |= other.signs;
            writable |= other.writable;
        }
        party.signs = signs;
        party.writable = writable && party.place != Place::System && !called.contains(&party.place);
    }
}
