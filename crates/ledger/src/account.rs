//! The chart of accounts. M2 in `ARCHITECTURE.md` says how they add up.

use jirani_units::HouseholdId;

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
