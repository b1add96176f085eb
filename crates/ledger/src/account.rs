//! The chart of accounts. M2 in `ARCHITECTURE.md` says how they add up.

use jirani_units::HouseholdId;
use std::fmt;

/// One account. M-Pesa accounts and receivables are assets (debits raise them);
/// all others are what we owe or have earned (credits raise them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Asset: money on the collection shortcode.
    MpesaCollection,
    /// Asset: money on the payout shortcode.
    MpesaPayout,
    /// Asset, never positive: charges M-Pesa has taken.
    MpesaCharges,
    /// The operator's own money that makes payouts possible.
    OperatorFloat,
    /// Grid fees earned.
    OperatorFees,
    /// Taxes collected for the state.
    OperatorTaxes,
    /// What the operator earned by selling its own tokens, and paid by buying.
    OperatorSales,
    /// Fractions of a cent left over by an order's one ceiling.
    Rounding,
    /// What the operator has taken from the shortcodes to its bank, less what it
    /// brought back: never positive in the long run.
    OperatorSweeps,
    /// Clearing: money received that may still settle an order.
    CollectionsUnallocated,
    /// Clearing: balances put towards orders that are not settled yet.
    OrdersClearing,
    /// Money that nobody can name.
    Suspense,
    /// Asset: what a payer owes after M-Pesa took a payment back.
    ReversalsReceivable(HouseholdId),
    /// A household's balance: prepayment and earnings. Never overdrawn.
    Household(HouseholdId),
}

impl Account {
    /// Every account that is not a household's, in order of code.
    pub const OPERATORS: [Self; 12] = [
        Self::MpesaCollection,
        Self::MpesaPayout,
        Self::MpesaCharges,
        Self::OperatorFloat,
        Self::OperatorFees,
        Self::OperatorTaxes,
        Self::OperatorSales,
        Self::Rounding,
        Self::OperatorSweeps,
        Self::CollectionsUnallocated,
        Self::OrdersClearing,
        Self::Suspense,
    ];

    /// Stable number for storage and canonical bytes: the kind in the upper 32
    /// bits, the household (or 0) in the lower. Never renumber.
    pub const fn code(self) -> i64 {
        let (kind, household): (i64, u32) = match self {
            Self::MpesaCollection => (1, 0),
            Self::MpesaPayout => (2, 0),
            Self::MpesaCharges => (3, 0),
            Self::OperatorFloat => (10, 0),
            Self::OperatorFees => (11, 0),
            Self::OperatorTaxes => (12, 0),
            Self::OperatorSales => (13, 0),
            Self::Rounding => (14, 0),
            Self::OperatorSweeps => (15, 0),
            Self::CollectionsUnallocated => (20, 0),
            Self::OrdersClearing => (21, 0),
            Self::Suspense => (22, 0),
            Self::ReversalsReceivable(household) => (30, household.0),
            Self::Household(household) => (40, household.0),
        };
        (kind << 32) | household as i64
    }

    /// The account with this code, if there is one.
    pub fn from_code(code: i64) -> Option<Self> {
        let household = HouseholdId(u32::try_from(code & 0xffff_ffff).ok()?);
        match code >> 32 {
            30 => Some(Self::ReversalsReceivable(household)),
            40 => Some(Self::Household(household)),
            _ => Self::OPERATORS.into_iter().find(|account| account.code() == code),
        }
    }

    /// Whether its credits must always cover its debits and held debits. True of
    /// what belongs to others: households' balances (M3), clearing and suspense.
    /// Not of M-Pesa's accounts: they record what M-Pesa did, and M-Pesa itself
    /// refuses a payout that its float cannot pay.
    pub const fn never_overdrawn(self) -> bool {
        matches!(
            self,
            Self::Household(_) | Self::CollectionsUnallocated | Self::OrdersClearing | Self::Suspense
        )
    }

    /// Whether debits raise it: money that M-Pesa keeps, or that is owed to us.
    pub const fn is_asset(self) -> bool {
        matches!(
            self,
            Self::MpesaCollection | Self::MpesaPayout | Self::MpesaCharges | Self::ReversalsReceivable(_)
        )
    }
}

impl fmt::Display for Account {
    /// `mpesa_collection`, `household/12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::MpesaCollection => "mpesa_collection",
            Self::MpesaPayout => "mpesa_payout",
            Self::MpesaCharges => "mpesa_charges",
            Self::OperatorFloat => "operator_float",
            Self::OperatorFees => "operator_fees",
            Self::OperatorTaxes => "operator_taxes",
            Self::OperatorSales => "operator_sales",
            Self::Rounding => "rounding",
            Self::OperatorSweeps => "operator_sweeps",
            Self::CollectionsUnallocated => "collections_unallocated",
            Self::OrdersClearing => "orders_clearing",
            Self::Suspense => "suspense",
            Self::ReversalsReceivable(household) => return write!(f, "reversals_receivable/{household}"),
            Self::Household(household) => return write!(f, "household/{household}"),
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_found_again_by_its_code() {
        let households = [0, 1, 80, u32::MAX].map(HouseholdId);
        let owned =
            households.into_iter().flat_map(|h| [Account::Household(h), Account::ReversalsReceivable(h)]);
        for account in Account::OPERATORS.into_iter().chain(owned) {
            assert_eq!(Account::from_code(account.code()), Some(account));
        }
    }

    #[test]
    fn codes_in_use_never_change() {
        let codes: Vec<i64> = Account::OPERATORS.iter().map(|account| account.code() >> 32).collect();
        assert_eq!(codes, [1, 2, 3, 10, 11, 12, 13, 14, 15, 20, 21, 22]);
        assert_eq!(Account::Household(HouseholdId(7)).code(), (40 << 32) + 7);
        assert_eq!(Account::ReversalsReceivable(HouseholdId(7)).code(), (30 << 32) + 7);
    }

    #[test]
    fn what_is_no_code_names_no_account() {
        for code in [0, 1, -1, (1 << 32) + 5, 99 << 32, i64::MIN, i64::MAX] {
            assert_eq!(Account::from_code(code), None, "{code}");
        }
    }
}
