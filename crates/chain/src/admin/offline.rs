//! A transaction that waits for signatures from other machines, as a file.
//!
//! It lives as long as its blockhash: about half a minute on mainnet, a minute on an
//! embedded chain. Whoever signs sees what the message itself says, not only the words
//! beside it, and signs nothing but instructions of the energy program.

use super::operator::Prepared;
use super::plan::{AdminError, AdminPlan};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jirani_energy_interface::accounts;
use jirani_energy_interface::instruction::Tag;
use serde::{Deserialize, Serialize};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use std::fmt::Write as _;

/// The version of the file that we write and read.
const VERSION: u32 = 1;

/// A transaction and the signatures it has so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsigned {
    /// Version of this file.
    version: u32,
    /// The command that made it.
    pub command: String,
    /// What that command said it would change.
    pub changes: Vec<String>,
    /// Hash of the first block of the cluster it is for.
    pub genesis_hash: String,
    /// Last block height at which it may land.
    pub last_valid_block_height: u64,
    /// The message, base64.
    message: String,
    /// Who signs, in the message's order.
    signers: Vec<Place>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    role: String,
    address: String,
    /// Base58; null until signed.
    signature: Option<String>,
}

impl Unsigned {
    /// A prepared transaction that nobody has signed.
    pub fn new(plan: &AdminPlan, prepared: &Prepared, genesis_hash: String) -> Self {
        let message = &prepared.message;
        let needed = usize::from(message.header().num_required_signatures);
        let signers = message.static_account_keys().iter().take(needed).map(|key| {
            let role = prepared.signers.iter().find(|(_, address)| address == key);
            let role = role.map_or("signer", |(role, _)| role.as_str()).to_owned();
            Place { role, address: key.to_string(), signature: None }
        });
        Self {
            version: VERSION,
            command: plan.name.to_owned(),
            changes: plan.changes.clone(),
            genesis_hash,
            last_valid_block_height: prepared.last_valid,
            message: BASE64_STANDARD.encode(message.serialize()),
            signers: signers.collect(),
        }
    }

    /// Reads a file.
    pub fn from_json(text: &str) -> Result<Self, AdminError> {
        let file: Self = serde_json::from_str(text).map_err(|error| {
            AdminError::Offline(format!("this is no unsigned transaction of ours ({error})"))
        })?;
        if file.version != VERSION {
            return Err(AdminError::Offline(format!(
                "the file has version {}, this tool knows {VERSION}",
                file.version
            )));
        }
        let message = file.decoded()?;
        let keys = message.static_account_keys();
        let needed = usize::from(message.header().num_required_signatures);
        let same = file.signers.len() == needed
            && file.signers.iter().zip(keys).all(|(place, key)| place.address == key.to_string());
        if same {
            Ok(file)
        } else {
            Err(AdminError::Offline("its signers are not those of its message".to_owned()))
        }
    }

    /// As it is written.
    pub fn to_json(&self) -> Result<String, AdminError> {
        serde_json::to_string_pretty(self).map_err(|error| AdminError::Offline(error.to_string()))
    }

    fn decoded(&self) -> Result<VersionedMessage, AdminError> {
        let bytes = BASE64_STANDARD
            .decode(&self.message)
            .map_err(|error| AdminError::Offline(format!("its message is no base64 ({error})")))?;
        wincode::deserialize(&bytes)
            .map_err(|error| AdminError::Offline(format!("its message cannot be read ({error})")))
    }

    /// What the message itself does, a line each. Refused when it calls anything but
    /// the energy program at `program`.
    pub fn contents(&self, program: &Address) -> Result<Vec<String>, AdminError> {
        let message = self.decoded()?;
        let keys = message.static_account_keys();
        let mut lines = Vec::new();
        for instruction in message.instructions() {
            let called = keys.get(usize::from(instruction.program_id_index));
            let tag = instruction.data.first().and_then(|byte| Tag::from_byte(*byte));
            let (true, Some(tag)) = (called == Some(program), tag) else {
                return Err(AdminError::Offline(format!(
                    "it calls {}, not the energy program at {program}; do not sign it",
                    called.map_or_else(|| "an unknown program".to_owned(), ToString::to_string)
                )));
            };
            lines.push(format!("{tag:?}, data {}", shown(&instruction.data)));
            for (index, key) in
                instruction.accounts.iter().filter_map(|at| keys.get(usize::from(*at))).enumerate()
            {
                let name = accounts::of(tag).get(index).map_or("further", |spec| spec.name);
                lines.push(format!("  {name} {key}"));
            }
        }
        Ok(lines)
    }

    /// Signs with each key that has a place; how many had.
    pub fn sign<'a>(
        &mut self,
        program: &Address,
        keys: impl IntoIterator<Item = &'a Keypair>,
    ) -> Result<usize, AdminError> {
        self.contents(program)?;
        let bytes = self.decoded()?.serialize();
        let mut signed = 0;
        for key in keys {
            let address = key.pubkey().to_string();
            if let Some(place) = self.signers.iter_mut().find(|place| place.address == address) {
                place.signature = Some(key.sign_message(&bytes).to_string());
                signed += 1;
            }
        }
        Ok(signed)
    }

    /// Takes over the signatures of another copy of the same transaction.
    pub fn merge(&mut self, other: &Self) -> Result<(), AdminError> {
        if self.message != other.message {
            return Err(AdminError::Offline("the files hold different transactions".to_owned()));
        }
        for (place, theirs) in self.signers.iter_mut().zip(&other.signers) {
            if place.signature.is_none() {
                place.signature.clone_from(&theirs.signature);
            }
        }
        Ok(())
    }

    /// Who has not signed yet, role and address.
    pub fn missing(&self) -> Vec<(String, String)> {
        let missing = self.signers.iter().filter(|place| place.signature.is_none());
        missing.map(|place| (place.role.clone(), place.address.clone())).collect()
    }

    /// The transaction, once everybody has signed.
    pub fn signed(&self) -> Result<VersionedTransaction, AdminError> {
        if let Some((role, address)) = self.missing().first() {
            return Err(AdminError::Offline(format!("the {role} {address} has not signed yet")));
        }
        let mut signatures = Vec::with_capacity(self.signers.len());
        for place in &self.signers {
            let text = place.signature.as_deref().unwrap_or_default();
            let signature: Signature = text
                .parse()
                .map_err(|_| AdminError::Offline(format!("the signature of {} is none", place.address)))?;
            signatures.push(signature);
        }
        let transaction = VersionedTransaction { signatures, message: self.decoded()? };
        match transaction.verify_with_results().iter().position(|good| !good) {
            None => Ok(transaction),
            Some(at) => Err(AdminError::Offline(format!(
                "the signature of {} is not of this transaction",
                self.signers.get(at).map_or("a signer", |place| place.address.as_str())
            ))),
        }
    }
}

fn shown(data: &[u8]) -> String {
    data.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::plan::signers;
    use jirani_energy_interface::{EnergyProgram, LOCAL_PROGRAM_ID};
    use solana_instruction::Instruction;
    use solana_message::v1::{Message, TransactionConfig};

    fn made(payer: &Keypair, instruction: Instruction) -> Unsigned {
        let plan =
            AdminPlan { name: "pause", changes: vec!["stops".to_owned()], instructions: vec![instruction] };
        let message = Message::try_compile_with_config(
            &payer.pubkey(),
            &plan.instructions,
            solana_hash::Hash::new_from_array([1; 32]),
            TransactionConfig::empty().with_compute_unit_limit(1),
        )
        .unwrap();
        let mut who = vec![("payer".to_owned(), payer.pubkey())];
        who.extend(signers(&plan.instructions));
        let prepared = Prepared {
            message: VersionedMessage::V1(message),
            signers: who,
            units: 1,
            fee_lamports: 1,
            last_valid: 9,
        };
        Unsigned::new(&plan, &prepared, "genesis".to_owned())
    }

    #[test]
    fn two_machines_sign_copies_and_a_third_sends_them() {
        let (payer, admin, stranger) = (
            Keypair::new_from_array([1; 32]),
            Keypair::new_from_array([2; 32]),
            Keypair::new_from_array([3; 32]),
        );
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let file = made(&payer, program.pause(admin.pubkey(), true));
        assert_eq!(
            file.missing().iter().map(|(role, _)| role.as_str()).collect::<Vec<_>>(),
            ["payer", "key"]
        );
        let contents = file.contents(&program.id).unwrap().join("\n");
        assert!(
            contents.contains("Pause") && contents.contains(&format!("config {}", program.config)),
            "{contents}"
        );

        let mut here = Unsigned::from_json(&file.to_json().unwrap()).unwrap();
        let mut there = here.clone();
        assert_eq!(here.sign(&program.id, [&payer, &stranger]).unwrap(), 1);
        assert!(here.signed().is_err(), "the admin is missing");
        assert_eq!(there.sign(&program.id, [&admin]).unwrap(), 1);
        here.merge(&there).unwrap();
        assert!(here.signed().is_ok());
    }

    #[test]
    fn what_is_not_ours_is_neither_signed_nor_merged() {
        let payer = Keypair::new_from_array([1; 32]);
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let foreign = Instruction { program_id: Address::default(), accounts: Vec::new(), data: vec![2] };
        let mut foreign = made(&payer, foreign);
        assert!(foreign.sign(&program.id, [&payer]).unwrap_err().to_string().contains("do not sign"));
        let mut ours = made(&payer, program.pause(payer.pubkey(), true));
        assert!(ours.merge(&foreign).is_err());
        assert!(Unsigned::from_json("{}").is_err());
        ours.sign(&program.id, [&payer]).unwrap();
        let tampered = ours.to_json().unwrap().replace("\"version\": 1", "\"version\": 2");
        assert!(Unsigned::from_json(&tampered).is_err());
        ours.signers[0].signature = Some(Signature::default().to_string());
        assert!(ours.signed().is_err(), "a wrong signature");
    }
}
