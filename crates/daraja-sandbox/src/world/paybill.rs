//! Customers paying a shortcode: the money, its message, its confirmation.

use super::changes::Kind;
use super::{CallbackKind, World, bodies};
use crate::book::{Account, MovementKind};
use crate::refusal::Refusal;
use jirani_units::{Cents, Msisdn};
use serde::{Deserialize, Serialize};

/// Where C2B notices of a shortcode go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct C2bUrls {
    /// Confirmations.
    pub confirmation: String,
    /// Validation requests; kept, not asked (validation is off by default at
    /// M-Pesa too).
    pub validation: String,
}

/// A payment to a shortcode.
pub struct Payment<'a> {
    /// Who pays.
    pub msisdn: Msisdn,
    /// The shortcode.
    pub shortcode: &'a str,
    /// How much.
    pub shillings: i64,
    /// The account reference, as shown and typed.
    pub reference: &'a str,
}

impl World {
    /// Registers C2B addresses; later ones replace earlier ones, as in
    /// Daraja's own sandbox.
    pub fn register_c2b(&mut self, shortcode: &str, urls: C2bUrls) -> Result<(), Refusal> {
        self.known_collection(shortcode)?;
        self.changes.put(Kind::C2bUrls, shortcode, &urls);
        self.c2b_urls.insert(shortcode.to_owned(), urls);
        Ok(())
    }

    /// A payment made without a prompt: by hand, or by Daraja's simulator.
    /// The receipt, or `None` for lack of money.
    pub fn pay_by_hand(&mut self, payment: &Payment<'_>) -> Result<Option<String>, Refusal> {
        self.known_collection(payment.shortcode)?;
        self.phone_mut(payment.msisdn);
        let about = self.next_seq();
        let Some(receipt) = self.pay(payment) else { return Ok(None) };
        let mut lane = Vec::new();
        self.owe_confirmation(&mut lane, about, payment, &receipt);
        self.send(lane);
        Ok(Some(receipt))
    }

    /// Moves the money and writes the message; `None` for lack of money.
    pub(super) fn pay(&mut self, payment: &Payment<'_>) -> Option<String> {
        let amount = Cents::from_shillings(payment.shillings)?;
        if !self.has_money(payment.msisdn, amount) {
            return None;
        }
        let receipt = self.next_receipt();
        let accounts = (Account::Customer(payment.msisdn), Account::utility(payment.shortcode));
        let proof = (Some(receipt.as_str()), Some(payment.reference));
        self.book.move_money(self.now, MovementKind::PayBill, accounts, amount, proof);
        let balance = self.balance(payment.msisdn);
        let name = &self.config.collection.name;
        let text = bodies::paid_message(&receipt, amount, name, payment.reference, self.now, balance);
        self.message(payment.msisdn, text);
        Some(receipt)
    }

    pub(super) fn owe_confirmation(
        &mut self,
        lane: &mut Vec<u64>,
        about: u64,
        payment: &Payment<'_>,
        receipt: &str,
    ) {
        let Some(urls) = self.c2b_urls.get(payment.shortcode).cloned() else { return };
        let body = bodies::confirmation(&bodies::Confirmation {
            receipt,
            at: self.now,
            amount: Cents(payment.shillings.saturating_mul(100)),
            shortcode: payment.shortcode,
            reference: payment.reference,
            funds: self.book.balance(&Account::utility(payment.shortcode)),
            msisdn: payment.msisdn,
            name: self.phones.get(&payment.msisdn).map_or("", |phone| &phone.name),
        });
        let about = (CallbackKind::C2b, about, payment.msisdn);
        self.owe(lane, about, (&urls.confirmation, payment.shortcode), &body);
    }
}
