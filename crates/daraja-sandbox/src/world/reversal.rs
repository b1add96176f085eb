//! Reversals: asked for by the business over the API, or made by M-Pesa when a
//! customer complains.

use super::command::Outcome;
use super::{World, bodies, results};
use crate::book::{Account, MovementKind};
use jirani_units::Cents;

/// Why a transaction is not reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReversalProblem {
    /// There is no such transaction, or none that can be.
    Unknown,
    /// It was before.
    Reversed,
    /// Whoever would give the money back no longer has it.
    Spent,
}

impl World {
    /// Reverses a payment to this shortcode, as the API does.
    pub(super) fn reverse(&mut self, shortcode: &str, receipt: &str, shillings: i64) -> Outcome {
        let receipt = receipt.trim().to_uppercase();
        let Some(original) = self.book.transaction(&receipt).cloned() else {
            return Outcome::refused("R000002");
        };
        let ours = matches!(&original.to, Account::Shortcode(code, _) if code == shortcode);
        if original.kind != MovementKind::PayBill || !ours {
            // Payouts cannot be reversed by API.
            return Outcome::refused("R000002");
        }
        if Cents::from_shillings(shillings) != Some(original.amount) {
            return Outcome::refused("25");
        }
        match self.reverse_by_hand(&receipt) {
            Ok(reversal) => {
                let left = self.book.balance(&original.to);
                let account = results::account_name(&original.to);
                let debit = format!("{account}|KES|{0}|{0}|0.00|0.00", bodies::decimal(left));
                let parameters = vec![
                    ("DebitAccountBalance", Some(bodies::quote(&debit))),
                    ("Amount", Some(bodies::decimal(original.amount))),
                    ("TransCompletedTime", Some(results::stamp(self.now))),
                    ("OriginalTransactionID", Some(bodies::quote(&receipt))),
                    ("Charge", Some("0".to_owned())),
                    ("CreditPartyPublicName", Some(bodies::quote(&self.party(&original.from)))),
                    ("DebitPartyPublicName", Some(bodies::quote(&self.party(&original.to)))),
                ];
                Outcome::done(Some(reversal), parameters)
            }
            Err(ReversalProblem::Reversed) => Outcome::refused("R000001"),
            Err(ReversalProblem::Unknown) => Outcome::refused("R000002"),
            Err(ReversalProblem::Spent) => {
                // Only words say so; there is no code of its own.
                let words = "The balance is insufficient: the other party has spent the money.".to_owned();
                Outcome { words: Some(words), ..Outcome::refused("1") }
            }
        }
    }

    /// Reverses a payment or a payout, as M-Pesa does by itself. The receipt of
    /// the reversal. No callback tells of it; charges are not given back.
    pub fn reverse_by_hand(&mut self, receipt: &str) -> Result<String, ReversalProblem> {
        let receipt = receipt.trim().to_uppercase();
        let original = self.book.transaction(&receipt).cloned().ok_or(ReversalProblem::Unknown)?;
        if !matches!(original.kind, MovementKind::PayBill | MovementKind::Payout) {
            return Err(ReversalProblem::Unknown);
        }
        if self.book.reversal_of(&receipt).is_some() {
            return Err(ReversalProblem::Reversed);
        }
        if self.book.balance(&original.to) < original.amount {
            return Err(ReversalProblem::Spent);
        }
        let reversal = self.next_receipt();
        let proof = (Some(reversal.as_str()), Some(receipt.as_str()));
        let ways = (original.to.clone(), original.from.clone());
        self.book.move_money(self.now, MovementKind::Reversal, ways, original.amount, proof);
        for account in [&original.from, &original.to] {
            if let Account::Customer(msisdn) = account {
                let balance = self.balance(*msisdn);
                let text = bodies::reversed_message(&reversal, &receipt, original.amount, self.now, balance);
                self.message(*msisdn, text);
            }
        }
        Ok(reversal)
    }
}
