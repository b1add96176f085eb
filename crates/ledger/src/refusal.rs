//! What became of a transfer: the whole list of answers, refusals in their order
//! of precedence. `docs/ledger.md` has the same table for people.

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posting {
    /// Applied now.
    Applied,
    /// The same transfer had been applied before; nothing changed.
    AlreadyApplied,
}

/// Why a transfer was refused. Nothing changed. When several reasons hold, the one
/// that stands first here is told; the order never changes, so that a caller who
/// acts on a refusal is never told another one for the same facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Zero or negative.
    #[error("ledger.amount_not_positive: an amount must be above zero")]
    AmountNotPositive,
    /// Debit and credit are the same account.
    #[error("ledger.same_account: debit and credit are the same account")]
    SameAccount,
    /// The memo is longer than [`crate::transfer::MEMO_MAX_BYTES`].
    #[error("ledger.memo_too_long: a memo has at most 256 bytes")]
    MemoTooLong,
    /// The id was used for a transfer of another kind.
    #[error("ledger.id_reused_kind: this transfer id was used for a transfer of another kind")]
    IdReusedKind,
    /// The id was used for the end of another hold.
    #[error("ledger.id_reused_hold: this transfer id was used for the end of another hold")]
    IdReusedHold,
    /// The id was used for a transfer that debits another account.
    #[error("ledger.id_reused_debit: this transfer id was used to debit another account")]
    IdReusedDebit,
    /// The id was used for a transfer that credits another account.
    #[error("ledger.id_reused_credit: this transfer id was used to credit another account")]
    IdReusedCredit,
    /// The id was used for another amount.
    #[error("ledger.id_reused_amount: this transfer id was used for another amount")]
    IdReusedAmount,
    /// The id was used for another business event.
    #[error("ledger.id_reused_reason: this transfer id was used for another reason")]
    IdReusedReason,
    /// No such hold.
    #[error("ledger.unknown_hold: there is no such hold")]
    UnknownHold,
    /// The transfer under the hold's id is no hold.
    #[error("ledger.not_a_hold: the transfer that would be ended is no hold")]
    NotAHold,
    /// The hold debits another account.
    #[error("ledger.hold_debit_differs: the hold debits another account")]
    HoldDebitDiffers,
    /// The hold credits another account.
    #[error("ledger.hold_credit_differs: the hold credits another account")]
    HoldCreditDiffers,
    /// A post of more than was held, or a void of another amount than was held.
    #[error("ledger.hold_amount_differs: a hold is posted up to its amount, or let go of whole")]
    HoldAmountDiffers,
    /// The hold was made for another reason.
    #[error("ledger.hold_reason_differs: the hold was made for another reason")]
    HoldReasonDiffers,
    /// The hold was posted or voided before.
    #[error("ledger.hold_ended: the hold was posted or voided before")]
    HoldEnded,
    /// The debit account would be overdrawn.
    #[error("ledger.insufficient_balance: the available balance is too small")]
    InsufficientBalance,
    /// A sum leaves the range of 64 bits.
    #[error("ledger.overflow: the balance would leave the range of 64 bits")]
    Overflow,
}

impl Refusal {
    /// Every refusal, in order of precedence.
    pub const ALL: [Self; 18] = [
        Self::AmountNotPositive,
        Self::SameAccount,
        Self::MemoTooLong,
        Self::IdReusedKind,
        Self::IdReusedHold,
        Self::IdReusedDebit,
        Self::IdReusedCredit,
        Self::IdReusedAmount,
        Self::IdReusedReason,
        Self::UnknownHold,
        Self::NotAHold,
        Self::HoldDebitDiffers,
        Self::HoldCreditDiffers,
        Self::HoldAmountDiffers,
        Self::HoldReasonDiffers,
        Self::HoldEnded,
        Self::InsufficientBalance,
        Self::Overflow,
    ];

    /// The stable code that the message begins with.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AmountNotPositive => "ledger.amount_not_positive",
            Self::SameAccount => "ledger.same_account",
            Self::MemoTooLong => "ledger.memo_too_long",
            Self::IdReusedKind => "ledger.id_reused_kind",
            Self::IdReusedHold => "ledger.id_reused_hold",
            Self::IdReusedDebit => "ledger.id_reused_debit",
            Self::IdReusedCredit => "ledger.id_reused_credit",
            Self::IdReusedAmount => "ledger.id_reused_amount",
            Self::IdReusedReason => "ledger.id_reused_reason",
            Self::UnknownHold => "ledger.unknown_hold",
            Self::NotAHold => "ledger.not_a_hold",
            Self::HoldDebitDiffers => "ledger.hold_debit_differs",
            Self::HoldCreditDiffers => "ledger.hold_credit_differs",
            Self::HoldAmountDiffers => "ledger.hold_amount_differs",
            Self::HoldReasonDiffers => "ledger.hold_reason_differs",
            Self::HoldEnded => "ledger.hold_ended",
            Self::InsufficientBalance => "ledger.insufficient_balance",
            Self::Overflow => "ledger.overflow",
        }
    }

    /// Whether the id stands for another event: a fault of the caller's, never of
    /// the moment, so that trying again is in vain.
    pub const fn is_id_reused(self) -> bool {
        matches!(
            self,
            Self::IdReusedKind
                | Self::IdReusedHold
                | Self::IdReusedDebit
                | Self::IdReusedCredit
                | Self::IdReusedAmount
                | Self::IdReusedReason
        )
    }
}

/// A group of transfers that was refused as a whole: none of them was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{refusal} (transfer {index} of its group)")]
pub struct GroupRefusal {
    /// The first transfer of the group that was refused, from 0.
    pub index: usize,
    /// Why.
    pub refusal: Refusal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_begins_with_its_code_and_no_code_comes_twice() {
        let mut codes = std::collections::BTreeSet::new();
        for refusal in Refusal::ALL {
            assert!(refusal.to_string().starts_with(&format!("{}: ", refusal.code())));
            assert!(codes.insert(refusal.code()));
        }
    }

    #[test]
    fn the_list_is_in_order_of_precedence_and_whole() {
        assert!(Refusal::ALL.is_sorted());
        // The last variant closes the list: a new one must be listed to stand before it.
        assert_eq!(Refusal::ALL.len(), Refusal::Overflow as usize + 1);
    }

    #[test]
    fn the_manual_lists_every_refusal_in_this_order() {
        let manual = include_str!("../../../docs/ledger.md");
        let listed: Vec<&str> = manual
            .lines()
            .filter_map(|line| line.strip_prefix("| `ledger."))
            .filter_map(|line| line.split('`').next())
            .collect();
        let known: Vec<&str> =
            Refusal::ALL.iter().map(|refusal| refusal.code().trim_start_matches("ledger.")).collect();
        assert_eq!(listed, known);
    }
}
