//! One immutable row of the ledger.

use crate::account::Account;
use crate::reason::Reason;
use crate::refusal::Refusal;
use jirani_units::{Cents, Timestamp};

/// The longest memo, in bytes of UTF-8.
pub const MEMO_MAX_BYTES: usize = 256;

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

/// Posted at once, or in two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Moves money now.
    Posted,
    /// Sets money aside on the debit account; later posted or voided, once.
    Hold,
    /// Moves the money of a hold, up to all of it, and lets go of the rest.
    Post(TransferId),
    /// Lets go of a hold, whole.
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
/// and reason, `Void` its amount too.
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
    /// What it is about, for people: `order 17`, `payout 3`; at most
    /// [`MEMO_MAX_BYTES`]. No names, no phone numbers, no receipts: a journal outlives
    /// the wish to be forgotten.
    pub memo: String,
    /// When.
    pub at: Timestamp,
}

impl Transfer {
    /// What tells this from `earlier`, a transfer under the same id, in the order of
    /// [`Refusal`]; `None` when both tell of the same event. Time and memo do not
    /// count: a repeat after a restart may word them anew.
    pub fn differs_from(&self, earlier: &Self) -> Option<Refusal> {
        if self.kind.code() != earlier.kind.code() {
            Some(Refusal::IdReusedKind)
        } else if self.kind != earlier.kind {
            Some(Refusal::IdReusedHold)
        } else if self.debit != earlier.debit {
            Some(Refusal::IdReusedDebit)
        } else if self.credit != earlier.credit {
            Some(Refusal::IdReusedCredit)
        } else if self.amount != earlier.amount {
            Some(Refusal::IdReusedAmount)
        } else if self.reason != earlier.reason {
            Some(Refusal::IdReusedReason)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_use_never_change() {
        let hold = TransferId([7; 16]);
        for (kind, code) in [(Kind::Posted, 0), (Kind::Hold, 1), (Kind::Post(hold), 2), (Kind::Void(hold), 3)]
        {
            assert_eq!(kind.code(), code);
            assert_eq!(Kind::from_code(code, kind.hold()), Some(kind));
        }
        assert_eq!(Kind::from_code(2, None), None);
        assert_eq!(Kind::from_code(0, Some(hold)), None);
    }
}
