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
    // After the fixed accounts come the oracles, who sign, then the rows, who do not. One
    // of the oracles may be the payer.
    let signers = message.header.num_required_signatures;
    let oracles: Vec<Address> = instruction
        .accounts
        .iter()
        .skip(jirani_energy_interface::ATTEST_FIXED_ACCOUNTS)
        .take_while(|index| **index < signers)
        .map(|index| key(*index))
        .collect::<Result<_, _>>()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_energy_interface::LOCAL_PROGRAM_ID;
    use solana_hash::Hash;
    use solana_instruction::{AccountMeta, Instruction};
    use solana_message::v1::TransactionConfig;

    const ORACLE: Address = Address::new_from_array([1; 32]);
    const WITNESS: Address = Address::new_from_array([2; 32]);
    const PAYER: Address = Address::new_from_array([3; 32]);
    const VERSION: u32 = 4;

    fn rows() -> [AttestationRow; 2] {
        [1, 2].map(|household_id| AttestationRow {
            household_id,
            meter_epoch: 1,
            export_wh: 100 * u64::from(household_id),
            import_wh: 7,
        })
    }

    fn attest(oracles: &[Address], version: u32, truth: &Truth<'_>) -> Instruction {
        EnergyProgram::new(LOCAL_PROGRAM_ID).attest(&Attestation {
            feeder: truth.feeder,
            slot_end: truth.slot_end,
            evidence_root: truth.evidence_root,
            oracle_version: version,
            oracles,
            rows: truth.rows,
        })
    }

    fn message(payer: Address, instructions: &[Instruction]) -> Vec<u8> {
        let config = TransactionConfig::empty().with_compute_unit_limit(90_000);
        let hash = Hash::new_from_array([9; 32]);
        let message = Message::try_compile_with_config(&payer, instructions, hash, config).unwrap();
        VersionedMessage::V1(message).serialize()
    }

    fn looked(bytes: &[u8], truth: &Truth<'_>) -> Result<(), NotExact> {
        check(&EnergyProgram::new(LOCAL_PROGRAM_ID), WITNESS, VERSION, truth, bytes)
    }

    #[test]
    fn the_attestation_it_would_make_itself_is_signed_whoever_else_pays() {
        let rows = rows();
        let truth = Truth { feeder: 1, slot_end: 900, evidence_root: [5; 32], rows: &rows };
        for oracles in [&[ORACLE, WITNESS][..], &[WITNESS, ORACLE], &[WITNESS]] {
            for payer in [ORACLE, PAYER] {
                let bytes = message(payer, &[attest(oracles, VERSION, &truth)]);
                assert_eq!(looked(&bytes, &truth), Ok(()), "{oracles:?} paid by {payer}");
            }
            let bytes = message(WITNESS, &[attest(oracles, VERSION, &truth)]);
            assert_eq!(looked(&bytes, &truth), Err(NotExact::WrongSigners), "it never pays");
        }
        let without = message(PAYER, &[attest(&[ORACLE], VERSION, &truth)]);
        assert_eq!(looked(&without, &truth), Err(NotExact::WrongSigners));
    }

    #[test]
    fn nothing_else_is_signed() {
        let rows = rows();
        let truth = Truth { feeder: 1, slot_end: 900, evidence_root: [5; 32], rows: &rows };
        let oracles = [ORACLE, WITNESS];
        let honest = attest(&oracles, VERSION, &truth);
        let mut more = rows;
        more[1].export_wh += 1;
        let mut swapped = rows;
        swapped.reverse();
        for other in [
            Truth { feeder: 2, ..truth },
            Truth { slot_end: 1_800, ..truth },
            Truth { evidence_root: [6; 32], ..truth },
            Truth { rows: &more, ..truth },
            Truth { rows: &swapped, ..truth },
            Truth { rows: &rows[..1], ..truth },
        ] {
            let bytes = message(ORACLE, &[attest(&oracles, VERSION, &other)]);
            assert_eq!(looked(&bytes, &truth), Err(NotExact::Differs), "{other:?}");
        }
        let old = message(ORACLE, &[attest(&oracles, VERSION - 1, &truth)]);
        assert_eq!(looked(&old, &truth), Err(NotExact::Differs));
        // A row's account that must sign, and an account or a byte too many.
        let mut signing = honest.clone();
        let last = signing.accounts.len() - 1;
        signing.accounts[last].is_signer = true;
        let mut longer = honest.clone();
        longer.accounts.push(AccountMeta::new(PAYER, false));
        let mut padded = honest.clone();
        padded.data.push(0);
        for forged in [signing, longer, padded] {
            assert_eq!(looked(&message(ORACLE, &[forged]), &truth), Err(NotExact::Differs));
        }
        let transfer = solana_system_interface::instruction::transfer(&WITNESS, &ORACLE, 1);
        for extra in [&[honest.clone(), transfer.clone()][..], &[transfer], &[]] {
            assert_eq!(looked(&message(ORACLE, extra), &truth), Err(NotExact::NotAnAttestation));
        }
        let mut elsewhere = honest;
        elsewhere.program_id = PAYER;
        assert_eq!(looked(&message(ORACLE, &[elsewhere]), &truth), Err(NotExact::NotAnAttestation));
        assert_eq!(looked(b"nonsense", &truth), Err(NotExact::NotAMessage));
    }
}
