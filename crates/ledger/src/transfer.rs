//! One immutable row of the ledger.

use crate::account::Account;
use jirani_units::{Cents, Timestamp};

/// Identity of a transfer, made by the caller from what the transfer is about,
/// so that the same event can never be posted twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TransferId(pub [u8; 16]);

impl TransferId {
    /// First 16 bytes of SHA-256 over `domain`, a zero byte and `key`.
    pub fn derive(domain: &str, key: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::new().chain_update(domain).chain_update([0]).chain_update(key).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

/// Why money moved; one code per business event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// M-Pesa money came in.
    Collection,
    /// The operator put its own money on the payout shortcode.
    FloatDeposit,
    /// A buyer's balance was put towards an order.
    OrderFromBalance,
    /// An order was released: its balance goes back.
    OrderReturned,
    /// A seller's share of a settled order.
    Sale,
    /// The operator's grid fee of a settled order.
    GridFee,
    /// Tax of a settled order.
    Tax,
    /// Remainder of an order's ceiling.
    Rounding,
    /// Received money that no order can use becomes the payer's balance.
    Credit,
    /// A payout to the household's own number.
    Payout,
    /// M-Pesa's charge for a payout.
    PayoutCharge,
    /// Money that nobody can name.
    Suspense,
    /// M-Pesa took a payment back.
    Reversal,
}

impl Reason {
    /// Every reason, in order of code.
    pub const ALL: [Self; 13] = [
        Self::Collection,
        Self::FloatDeposit,
        Self::OrderFromBalance,
        Self::OrderReturned,
        Self::Sale,
        Self::GridFee,
        Self::Tax,
        Self::Rounding,
        Self::Credit,
        Self::Payout,
        Self::PayoutCharge,
        Self::Suspense,
        Self::Reversal,
    ];

    /// Stable number for storage and canonical bytes. Never renumber.
    pub const fn code(self) -> u16 {
        match self {
            Self::Collection => 1,
            Self::FloatDeposit => 2,
            Self::OrderFromBalance => 3,
            Self::OrderReturned => 4,
            Self::Sale => 5,
            Self::GridFee => 6,
            Self::Tax => 7,
            Self::Rounding => 8,
            Self::Credit => 9,
            Self::Payout => 10,
            Self::PayoutCharge => 11,
            Self::Suspense => 12,
            Self::Reversal => 13,
        }
    }

    /// The reason with this code, if there is one.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The code as a word: `collection`, `grid_fee`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::FloatDeposit => "float_deposit",
            Self::OrderFromBalance => "order_from_balance",
            Self::OrderReturned => "order_returned",
            Self::Sale => "sale",
            Self::GridFee => "grid_fee",
            Self::Tax => "tax",
            Self::Rounding => "rounding",
            Self::Credit => "credit",
            Self::Payout => "payout",
            Self::PayoutCharge => "payout_charge",
            Self::Suspense => "suspense",
            Self::Reversal => "reversal",
        }
    }
}

/// Posted at once, or in two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Moves money now.
    Posted,
    /// Sets money aside on the debit account; later posted or voided, once.
    Hold,
    /// Moves the money of a hold, all of it.
    Post(TransferId),
    /// Lets go of a hold.
    Void(TransferId),
}

impl Kind {
    /// Stable number for storage and canonical bytes. Never renumber.
    pub const fn code(self) -> u8 {
        match self {
            Self::Posted => 0,
            Self::Hold => 1,
            Self::Post(_) => 2,
            Self::Void(_) => 3,
        }
    }

    /// The kind with this code; `hold` goes with the two that end a hold, and only
    /// with them.
    pub const fn from_code(code: u8, hold: Option<TransferId>) -> Option<Self> {
        match (code, hold) {
            (0, None) => Some(Self::Posted),
            (1, None) => Some(Self::Hold),
            (2, Some(hold)) => Some(Self::Post(hold)),
            (3, Some(hold)) => Some(Self::Void(hold)),
            _ => None,
        }
    }

    /// The hold that this ends, if it ends one.
    pub const fn hold(self) -> Option<TransferId> {
        match self {
            Self::Post(hold) | Self::Void(hold) => Some(hold),
            Self::Posted | Self::Hold => None,
        }
    }
}

/// One row. `amount` is above zero; `Post` and `Void` repeat the hold's accounts
/// and amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Caller-made identity.
    pub id: TransferId,
    /// Account debited.
    pub debit: Account,
    /// Account credited.
    pub credit: Account,
    /// Amount, above zero.
    pub amount: Cents,
    /// Business event.
    pub reason: Reason,
    /// Posted, held, or the end of a hold.
    pub kind: Kind,
    /// What it is about, for people: `order 17`, `payout 3`.
    pub memo: String,
    /// When.
    pub at: Timestamp,
}

impl Transfer {
    /// Whether both tell of the same event: equal but for the time and the memo,
    /// which a repeat after a restart may word anew.
    pub fn same_event(&self, other: &Self) -> bool {
        self.id == other.id
            && self.debit == other.debit
            && self.credit == other.credit
            && self.amount == other.amount
            && self.reason == other.reason
            && self.kind == other.kind
    }
}

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posting {
    /// Applied now.
    Applied,
    /// The same transfer had been applied before; nothing changed.
    AlreadyApplied,
}

/// Why a transfer was refused, in order of precedence. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Zero or negative.
    #[error("ledger.amount_not_positive: an amount must be above zero")]
    AmountNotPositive,
    /// Debit and credit are the same account.
    #[error("ledger.same_account: debit and credit are the same account")]
    SameAccount,
    /// The id was used for a different transfer.
    #[error("ledger.id_reused: this transfer id was used for something else")]
    IdReused,
    /// No such hold.
    #[error("ledger.unknown_hold: there is no such hold")]
    UnknownHold,
    /// The hold's accounts or amount differ.
    #[error("ledger.hold_differs: the hold has other accounts or another amount")]
    HoldDiffers,
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
    /// The stable code that the message begins with.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AmountNotPositive => "ledger.amount_not_positive",
            Self::SameAccount => "ledger.same_account",
            Self::IdReused => "ledger.id_reused",
            Self::UnknownHold => "ledger.unknown_hold",
            Self::HoldDiffers => "ledger.hold_differs",
            Self::HoldEnded => "ledger.hold_ended",
            Self::InsufficientBalance => "ledger.insufficient_balance",
            Self::Overflow => "ledger.overflow",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_use_never_change() {
        let codes: Vec<u16> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes, (1..=13).collect::<Vec<u16>>());
        let hold = TransferId([7; 16]);
        for (kind, code) in [(Kind::Posted, 0), (Kind::Hold, 1), (Kind::Post(hold), 2), (Kind::Void(hold), 3)]
        {
            assert_eq!(kind.code(), code);
            assert_eq!(Kind::from_code(code, kind.hold()), Some(kind));
        }
        assert_eq!(Kind::from_code(2, None), None);
        assert_eq!(Kind::from_code(0, Some(hold)), None);
    }

    #[test]
    fn a_refusal_begins_with_its_code() {
        for refusal in [
            Refusal::AmountNotPositive,
            Refusal::SameAccount,
            Refusal::IdReused,
            Refusal::UnknownHold,
            Refusal::HoldDiffers,
            Refusal::HoldEnded,
            Refusal::InsufficientBalance,
            Refusal::Overflow,
        ] {
            assert!(refusal.to_string().starts_with(refusal.code()));
        }
    }
}
