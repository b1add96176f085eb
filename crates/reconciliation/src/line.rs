//! Lines of either side.

use jirani_units::{Cents, Receipt, Timestamp};
use serde::{Deserialize, Serialize};

/// An account of ours at M-Pesa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purse {
    /// What payments come to.
    Collection,
    /// What payouts are paid from.
    Payout,
    /// What M-Pesa takes its charges from.
    Charges,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A customer paid us.
    Payment,
    /// We paid a household.
    Payout,
    /// M-Pesa took a charge.
    Charge,
    /// M-Pesa took a payment back, or gave a payout back.
    Reversal,
    /// Our money moved between our accounts.
    FloatMove,
    /// The operator brought money from its bank.
    Deposit,
    /// The operator took money to its bank, or to the state.
    Withdrawal,
    /// Anything else.
    Other,
}

impl Kind {
    /// Whether our side can stand without M-Pesa's number: every payment and every
    /// reversal is booked under one.
    pub const fn may_be_nameless(self) -> bool {
        !matches!(self, Self::Payment | Self::Reversal)
    }

    /// Kinds that may share a number: a charge has that of what was charged for, a
    /// reversal may be told under that of what it takes back.
    pub(crate) const fn class(self) -> u8 {
        match self {
            Self::Charge => 1,
            Self::Reversal => 2,
            _ => 0,
        }
    }
}

/// A line of M-Pesa's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    /// Whose statement it is on.
    pub purse: Purse,
    /// What for.
    pub kind: Kind,
    /// M-Pesa's number; a charge repeats that of what was charged for.
    pub receipt: Option<Receipt>,
    /// The number of what this one reverses.
    pub linked: Option<Receipt>,
    /// What came; below zero: what went.
    pub amount_cents: Cents,
    /// When.
    pub at: Timestamp,
    /// The account reference a payer typed, or our id of a payout.
    #[serde(default)]
    pub reference: String,
}

/// A line of our ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ours {
    /// Which account.
    pub purse: Purse,
    /// What for.
    pub kind: Kind,
    /// The numbers that M-Pesa may give it.
    pub names: Vec<Receipt>,
    /// What came; below zero: what went.
    pub amount_cents: Cents,
    /// M-Pesa did it not before this moment,
    pub earliest: Timestamp,
    /// and not after this one.
    pub latest: Timestamp,
    /// The row's number in the journal.
    pub sequence: u64,
    /// What it is about, in our words: `payout 7`.
    pub about: String,
}

/// How much of M-Pesa's books is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Balances only.
    Balances,
    /// All payments that came in (the list of payments), nothing else.
    Payments,
    /// Everything (a statement).
    Everything,
}

impl Scope {
    /// Whether a line of this kind would be known to us.
    pub const fn covers(self, kind: Kind) -> bool {
        match self {
            Self::Balances => false,
            Self::Payments => matches!(kind, Kind::Payment),
            Self::Everything => true,
        }
    }
}

/// M-Pesa's side of some accounts, and our balance of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The accounts. No account is in two sides of one comparison.
    pub purses: Vec<Purse>,
    /// How much of it is known.
    pub scope: Scope,
    /// M-Pesa's balance before the first line, where known.
    pub opening: Option<Cents>,
    /// M-Pesa's balance after the last line, where known.
    pub closing: Option<Cents>,
    /// M-Pesa's lines.
    pub lines: Vec<Theirs>,
    /// Our balance over all rows of the ledger.
    pub ours_total: Cents,
}
