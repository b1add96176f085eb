//! What a failed transaction means: a refusal for good, or a chain that is not
//! ready for us.

use crate::work::Outcome;
use jirani_energy_interface::error::code;
use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;

/// What to make of a failure.
pub enum Verdict {
    /// The program, or one it calls, said no.
    Refused(Refusal),
    /// The blockhash is not known: too old, or the node is behind.
    UnknownBlockhash,
    /// Nobody looked at the work: the payer has no money, the program is missing.
    NotReady(String),
}

/// A no, with its stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `energy.offer_expired`, `chain.refused`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code, message: refusal.message }
    }
}

impl Refusal {
    /// A refusal read back from its code.
    pub fn from_code(code: &str) -> Self {
        let message =
            jirani_energy_interface::EnergyError::ALL.iter().find(|error| error.code() == code).map_or_else(
                || "The chain refused the transaction.".to_owned(),
                |error| error.message().to_owned(),
            );
        Self { code: code.to_owned(), message }
    }
}

/// Judges a failure.
pub fn judge(err: &TransactionError) -> Verdict {
    match err {
        TransactionError::InstructionError(_, InstructionError::Custom(number)) => {
            Verdict::Refused(match code(*number) {
                Some((code, message)) => Refusal { code: code.to_owned(), message: message.to_owned() },
                // A program that ours calls: the token or the system program.
                None => Refusal {
                    code: format!("chain.program_error_{number}"),
                    message: format!("A program on the chain refused with number {number}."),
                },
            })
        }
        TransactionError::InstructionError(_, InstructionError::UnsupportedProgramId)
        | TransactionError::ProgramAccountNotFound
        | TransactionError::InvalidProgramForExecution => {
            Verdict::NotReady("the energy program is not installed on this chain".to_owned())
        }
        TransactionError::InstructionError(_, err) => Verdict::Refused(Refusal {
            code: "chain.refused".to_owned(),
            message: format!("The chain refused the transaction: {err}."),
        }),
        TransactionError::BlockhashNotFound => Verdict::UnknownBlockhash,
        TransactionError::AccountNotFound
        | TransactionError::InsufficientFundsForFee
        | TransactionError::InsufficientFundsForRent { .. } => {
            Verdict::NotReady(format!("the payer needs lamports ({err})"))
        }
        err => Verdict::NotReady(format!("the chain does not take the transaction ({err})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_energy_interface::EnergyError;

    #[test]
    fn a_programs_number_becomes_its_code_and_sentence() {
        for error in EnergyError::ALL {
            let failed = TransactionError::InstructionError(1, InstructionError::Custom(*error as u32));
            let Verdict::Refused(refusal) = judge(&failed) else { panic!("{error} is a refusal") };
            assert_eq!((refusal.code.as_str(), refusal.message.as_str()), (error.code(), error.message()));
            assert_eq!(Refusal::from_code(error.code()), refusal);
        }
    }

    #[test]
    fn an_empty_payer_is_no_refusal() {
        assert!(matches!(judge(&TransactionError::InsufficientFundsForFee), Verdict::NotReady(_)));
        assert!(matches!(judge(&TransactionError::BlockhashNotFound), Verdict::UnknownBlockhash));
    }
}
