//! What a failed transaction means: a refusal for good, or a chain that is not
//! ready for us.

use jirani_energy_interface::accounts;
use jirani_energy_interface::error::{account_index, code};
use jirani_energy_interface::instruction::Tag;
use solana_address::Address;
use solana_instruction_error::InstructionError;
use solana_transaction::versioned::VersionedTransaction;
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

/// Judges a failure of a transaction with these instructions, each as its program,
/// its data and how many accounts it was given: a refusal of ours names the account
/// that broke the rule.
pub fn judge_with(err: &TransactionError, program: &Address, instructions: &[Sent<'_>]) -> Verdict {
    let verdict = judge(err);
    let TransactionError::InstructionError(at, InstructionError::Custom(number)) = err else {
        return verdict;
    };
    match (verdict, instructions.get(usize::from(*at)), account_index(*number)) {
        (Verdict::Refused(mut refusal), Some(sent), Some(index))
            if sent.program == *program && code(*number).is_some() =>
        {
            if let Some(name) = account_name(sent, index) {
                refusal.message = named(&refusal.message, &name);
            }
            Verdict::Refused(refusal)
        }
        (verdict, _, _) => verdict,
    }
}

/// [`judge_with`] the instructions of a transaction's wire bytes.
pub fn judge_bytes(err: &TransactionError, program: &Address, bytes: &[u8]) -> Verdict {
    let Ok(transaction) = wincode::deserialize::<VersionedTransaction>(bytes) else { return judge(err) };
    let keys = transaction.message.static_account_keys();
    let sent: Vec<Sent<'_>> = transaction
        .message
        .instructions()
        .iter()
        .map(|instruction| Sent {
            program: keys.get(usize::from(instruction.program_id_index)).copied().unwrap_or_default(),
            data: &instruction.data,
            accounts: instruction.accounts.len(),
        })
        .collect();
    judge_with(err, program, &sent)
}

/// An instruction as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Whose.
    pub program: Address,
    /// Its data.
    pub data: &'a [u8],
    /// How many accounts it was given.
    pub accounts: usize,
}

/// The sentence with the account in front of its full stop.
fn named(sentence: &str, account: &str) -> String {
    let stem = sentence.strip_suffix('.').unwrap_or(sentence);
    format!("{stem} (account `{account}`).")
}

/// The name of an instruction's account; those that repeat carry their number, from 1.
fn account_name(sent: &Sent<'_>, index: usize) -> Option<String> {
    let tag = Tag::from_byte(*sent.data.first()?)?;
    let fixed = accounts::of(tag);
    if let Some(spec) = fixed.get(index) {
        return Some(spec.name.to_owned());
    }
    let at = index - fixed.len();
    let groups = accounts::repeated(tag);
    let (last, before) = groups.split_last()?;
    // Of two groups the first takes what the counted rows of the second leave: the
    // second byte of an attestation is its number of rows.
    let first = if before.is_empty() {
        0
    } else {
        let rows = usize::from(*sent.data.get(1)?);
        sent.accounts.checked_sub(fixed.len() + rows * last.len())?
    };
    let (group, at) = match before.first() {
        Some(group) if at < first => (*group, at),
        _ => (*last, at - first),
    };
    let spec = group.get(at % group.len())?;
    Some(format!("{} {}", spec.name, at / group.len() + 1))
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
    fn a_refusal_names_the_account_that_broke_the_rule() {
        let program = Address::new_from_array([5; 32]);
        // An attestation with two oracles and one row.
        let data = [Tag::Attest as u8, 1];
        let table = [
            (&[Tag::PostOffer as u8][..], 11, 4, "(account `vault`)."),
            (&[Tag::CloseMarkers as u8][..], 6, 5, "(account `rent_payer 2`)."),
            (&data[..], 9, 6, "(account `oracle 2`)."),
            (&data[..], 9, 8, "(account `vault 1`)."),
        ];
        for (data, accounts, index, words) in table {
            let number = jirani_energy_interface::error::at_account(EnergyError::WrongOwner, index);
            let failed = TransactionError::InstructionError(0, InstructionError::Custom(number));
            let sent = [Sent { program, data, accounts }];
            let Verdict::Refused(refusal) = judge_with(&failed, &program, &sent) else { panic!("refused") };
            assert_eq!(refusal.code, "energy.wrong_owner");
            assert!(refusal.message.ends_with(words), "{}", refusal.message);
            let other = Address::new_from_array([6; 32]);
            let Verdict::Refused(refusal) = judge_with(&failed, &other, &sent) else { panic!("refused") };
            assert!(!refusal.message.contains("(account"), "{}", refusal.message);
        }
        let failed =
            TransactionError::InstructionError(3, InstructionError::Custom(EnergyError::Paused as u32));
        assert!(matches!(judge_with(&failed, &program, &[]), Verdict::Refused(_)));
    }

    #[test]
    fn an_empty_payer_is_no_refusal() {
        assert!(matches!(judge(&TransactionError::InsufficientFundsForFee), Verdict::NotReady(_)));
        assert!(matches!(judge(&TransactionError::BlockhashNotFound), Verdict::UnknownBlockhash));
    }
}
