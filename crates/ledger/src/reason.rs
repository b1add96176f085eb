//! Why money moved: one code per business event. `docs/ledger.md` says which
//! accounts each moves between; [`crate::templates`] makes the rows.

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// M-Pesa money came in.
    Collection,
    /// The operator put its own money on a shortcode.
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
    /// Money moved from one of our shortcodes to another.
    FloatMove,
    /// Money moved from a shortcode to the operator's bank account.
    BankSweep,
    /// M-Pesa took a charge that the operator bears.
    MpesaCharge,
    /// Money that nobody could name got its owner.
    Attach,
    /// A payment was sent back to whom it came from.
    Refund,
    /// A balance paid what its household owed after a reversal.
    Recovery,
    /// The operator gave up what a household owed after a reversal.
    WriteOff,
    /// Taxes went to the state.
    TaxPayment,
    /// An earlier transfer, undone.
    Correction,
}

impl Reason {
    /// Every reason, in order of code.
    pub const ALL: [Self; 22] = [
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
        Self::FloatMove,
        Self::BankSweep,
        Self::MpesaCharge,
        Self::Attach,
        Self::Refund,
        Self::Recovery,
        Self::WriteOff,
        Self::TaxPayment,
        Self::Correction,
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
            Self::FloatMove => 14,
            Self::BankSweep => 15,
            Self::MpesaCharge => 16,
            Self::Attach => 17,
            Self::Refund => 18,
            Self::Recovery => 19,
            Self::WriteOff => 20,
            Self::TaxPayment => 21,
            Self::Correction => 22,
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
            Self::FloatMove => "float_move",
            Self::BankSweep => "bank_sweep",
            Self::MpesaCharge => "mpesa_charge",
            Self::Attach => "attach",
            Self::Refund => "refund",
            Self::Recovery => "recovery",
            Self::WriteOff => "write_off",
            Self::TaxPayment => "tax_payment",
            Self::Correction => "correction",
        }
    }

    /// Whether the ids of its transfers may be made from nothing but an M-Pesa
    /// receipt. Receipts are few enough to be guessed, so that such an id never
    /// leaves the house as it is (P1).
    pub const fn id_may_tell_a_receipt(self) -> bool {
        !matches!(
            self,
            Self::OrderFromBalance
                | Self::OrderReturned
                | Self::Sale
                | Self::GridFee
                | Self::Tax
                | Self::Rounding
                | Self::Payout
                | Self::PayoutCharge
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_use_never_change() {
        let codes: Vec<u16> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes, (1..=22).collect::<Vec<u16>>());
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
        assert_eq!((Reason::from_code(0), Reason::from_code(23)), (None, None));
    }

    #[test]
    fn the_manual_names_every_reason() {
        let manual = include_str!("../../../docs/ledger.md");
        for reason in Reason::ALL {
            assert!(manual.contains(&format!("`{}`", reason.name())), "{}", reason.name());
        }
    }
}
