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
