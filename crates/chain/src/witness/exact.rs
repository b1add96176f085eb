//! Whether a message is one attestation, to the byte, and nothing else. Pure.

use jirani_energy_interface::client::{Attestation, AttestationRow};
use jirani_energy_interface::instruction::{AttestData, Tag};
use jirani_energy_interface::{EnergyProgram, attest_rows_that_fit};
use solana_address::Address;
use solana_message::VersionedMessage;
use solana_message::v1::Message;

/// What the witness found to be true: the attestation it would make itself.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// Feeder.
    pub feeder: u16,
    /// End of the slot, Unix seconds.
    pub slot_end: i64,
    /// Root of the slot's evidence.
    pub evidence_root: [u8; 32],
    /// Rows of the transaction.
    pub rows: &'a [AttestationRow],
}

/// Why a message is not that attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotExact {
    /// Bytes that are no message, or none of transaction format v1.
    #[error("witness.not_a_message: the bytes are no message of transaction format v1")]
    NotAMessage,
    /// Not one instruction of the energy program that attests.
    #[error("witness.not_an_attestation: the message is not exactly one attestation")]
    NotAnAttestation,
    /// The witness would pay, or does not sign.
    #[error("witness.wrong_signers: the witness must sign, and only sign")]
    WrongSigners,
    /// Another oracle set than the chain's, rows, accounts or order than the truth.
    #[error("witness.differs: the message is not the attestation of these rows")]
    Differs,
}

/// Builds the message of `truth` anew, with the payer, oracles, limits and blockhash
/// that `bytes` name, and compares all of it.
pub fn check(
    program: &EnergyProgram,
    witness: Address,
    oracle_version: u32,
    truth: &Truth<'_>,
    bytes: &[u8],
) -> Result<(), NotExact> {
    let message: VersionedMessage = wincode::deserialize(bytes).map_err(|_| NotExact::NotAMessage)?;
    let VersionedMessage::V1(message) = message else { return Err(NotExact::NotAMessage) };
    let [instruction] = message.instructions.as_slice() else { return Err(NotExact::NotAnAttestation) };
    let keys = &message.account_keys;
    let key = |index: u8| keys.get(usize::from(index)).copied().ok_or(NotExact::NotAnAttestation);
    if key(instruction.program_id_index)? != program.id
        || instruction.data.first() != Some(&(Tag::Attest as u8))
        || instruction.data.len() < size_of::<AttestData>()
    {
        return Err(NotExact::NotAnAttestation);
    }
    let signers = usize::from(message.header.num_required_signatures);
    let oracles: Vec<Address> = instruction
        .accounts
        .iter()
        .map(|index| key(*index))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .skip(jirani_energy_interface::ATTEST_FIXED_ACCOUNTS)
        .take(signers.saturating_sub(1))
        .collect();
    let payer = *keys.first().ok_or(NotExact::NotAnAttestation)?;
    if payer == witness || !oracles.contains(&witness) {
        return Err(NotExact::WrongSigners);
    }
    if truth.rows.len() > attest_rows_that_fit(oracles.len().clamp(1, 12)) {
        return Err(NotExact::Differs);
    }
    let attestation = Attestation {
        feeder: truth.feeder,
        slot_end: truth.slot_end,
        evidence_root: truth.evidence_root,
        oracle_version,
        oracles: &oracles,
        rows: truth.rows,
    };
    let instruction = program.attest(&attestation);
    let ours =
        Message::try_compile_with_config(&payer, &[instruction], message.lifetime_specifier, message.config)
            .map_err(|_| NotExact::Differs)?;
    if VersionedMessage::V1(ours).serialize() == bytes { Ok(()) } else { Err(NotExact::Differs) }
}
