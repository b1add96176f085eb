//! The ledger's invariants, checked on balances. The audit says what differs; these
//! find it.

use crate::account::Account;
use crate::balance::AccountBalance;
use crate::rules::is_sound;
use jirani_units::Cents;

/// The sum over all accounts is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("M1: debits and credits differ: posted by {posted_cents} cents, held by {held_cents} cents")]
pub struct Imbalance {
    /// Posted credits less posted debits, in cents.
    pub posted_cents: i128,
    /// Held credits less held debits, in cents.
    pub held_cents: i128,
}

/// **M1**: over all accounts, debits and credits are the same, posted and held.
pub fn m1(balances: &[(Account, AccountBalance)]) -> Result<(), Imbalance> {
    let (mut posted_cents, mut held_cents) = (0, 0);
    for (_, balance) in balances {
        posted_cents += i128::from(balance.credits.0) - i128::from(balance.debits.0);
        held_cents += i128::from(balance.credits_held.0) - i128::from(balance.debits_held.0);
    }
    if (posted_cents, held_cents) == (0, 0) { Ok(()) } else { Err(Imbalance { posted_cents, held_cents }) }
}

/// The terms of M2, in cents, each counted so that more is more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Money on M-Pesa's shortcodes: collection + payout + charges.
    pub mpesa: i128,
    /// What payers owe after M-Pesa took payments back.
    pub receivable: i128,
    /// Households' balances, held parts included.
    pub households: i128,
    /// The operator's: float, fees, taxes, sales, rounding, less what it swept away.
    pub operator: i128,
    /// Money on its way to a seller or back to a buyer.
    pub clearing: i128,
    /// Money that nobody can name.
    pub suspense: i128,
}

impl Totals {
    /// Adds up the accounts.
    pub fn of(balances: &[(Account, AccountBalance)]) -> Self {
        let mut totals = Self::default();
        for (account, balance) in balances {
            let net = i128::from(balance.credits.0) - i128::from(balance.debits.0);
            match account {
                Account::MpesaCollection | Account::MpesaPayout | Account::MpesaCharges => {
                    totals.mpesa -= net;
                }
                Account::ReversalsReceivable(_) => totals.receivable -= net,
                Account::Household(_) => totals.households += net,
                Account::OperatorFloat
                | Account::OperatorFees
                | Account::OperatorTaxes
                | Account::OperatorSales
                | Account::Rounding
                | Account::OperatorSweeps => totals.operator += net,
                Account::CollectionsUnallocated | Account::OrdersClearing => totals.clearing += net,
                Account::Suspense => totals.suspense += net,
            }
        }
        totals
    }

    /// What M-Pesa's accounts must hold if everything else is right.
    pub fn owed(&self) -> i128 {
        self.households + self.operator + self.clearing + self.suspense - self.receivable
    }

    /// The most the operator may take out to its bank, in cents: what is its own, less
    /// what it vouches for until payers have paid back. Above that it would take
    /// money that belongs to households.
    pub fn sweepable(&self) -> Cents {
        let own = (self.operator - self.receivable).clamp(0, i128::from(i64::MAX));
        // The clamp keeps it within 64 bits.
        Cents(i64::try_from(own).unwrap_or(i64::MAX))
    }
}

/// What may still be on its way, by the intents that are not final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Receipts that wait for an order's end, in cents.
    pub unallocated: Cents,
    /// Dues of orders from balance that are not final, in cents.
    pub orders: Cents,
    /// What M-Pesa says its accounts hold, in cents; None when it was not asked, or
    /// payments are under way that only one side knows of.
    pub mpesa: Option<Cents>,
}

/// The first of M2's parts that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// M-Pesa's accounts and what we owe differ.
    #[error("M2: the M-Pesa accounts hold {mpesa} cents, but {owed} cents are owed")]
    Owed {
        /// What the ledger says M-Pesa holds.
        mpesa: i128,
        /// What it should.
        owed: i128,
    },
    /// A clearing account holds more or less than its open intents.
    #[error("M2: {account} holds {held} cents, but its open intents need {expected}")]
    Clearing {
        /// The account.
        account: Account,
        /// What it holds.
        held: i64,
        /// What its open intents account for.
        expected: i64,
    },
    /// Our books and M-Pesa's differ.
    #[error("M2: M-Pesa holds {theirs} cents, our books say {ours}")]
    Statement {
        /// By our books.
        ours: i128,
        /// By M-Pesa.
        theirs: i64,
    },
}

/// **M2**: M-Pesa's accounts are what is owed; clearing is what open intents
/// account for (nothing, once all are final); our books are M-Pesa's.
pub fn m2(balances: &[(Account, AccountBalance)], expected: &Expected) -> Result<Totals, Difference> {
    let totals = Totals::of(balances);
    if totals.mpesa != totals.owed() {
        return Err(Difference::Owed { mpesa: totals.mpesa, owed: totals.owed() });
    }
    let net = |account| balances.iter().find(|(known, _)| *known == account).map_or(0, |(_, b)| b.net().0);
    for (account, expected) in [
        (Account::CollectionsUnallocated, expected.unallocated.0),
        (Account::OrdersClearing, expected.orders.0),
    ] {
        let held = net(account);
        if held != expected {
            return Err(Difference::Clearing { account, held, expected });
        }
    }
    match expected.mpesa {
        Some(theirs) if i128::from(theirs.0) != totals.mpesa => {
            Err(Difference::Statement { ours: totals.mpesa, theirs: theirs.0 })
        }
        _ => Ok(totals),
    }
}

/// An account holds less than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("M3: {account} is overdrawn: {balance:?}")]
pub struct Overdrawn {
    /// The account.
    pub account: Account,
    /// Its counters.
    pub balance: AccountBalance,
}

/// **M3**: no account that may not be overdrawn is, held parts included; no counter
/// is negative.
pub fn m3(balances: &[(Account, AccountBalance)]) -> Result<(), Overdrawn> {
    match balances.iter().find(|(account, balance)| !is_sound(*account, balance)) {
        Some((account, balance)) => Err(Overdrawn { account: *account, balance: *balance }),
        None => Ok(()),
    }
}
