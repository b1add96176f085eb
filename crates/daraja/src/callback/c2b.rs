//! A C2B confirmation: a customer paid our shortcode. It follows a payment
//! made by hand as well as one made by a prompt; the receipt tells them apart.

use super::{CallbackError, loose};
use crate::nairobi;
use jirani_units::{Cents, Msisdn, Receipt, Timestamp};

/// A payment to our shortcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct C2bPayment {
    /// M-Pesa's receipt.
    pub receipt: Receipt,
    /// What was paid.
    pub amount: Cents,
    /// When, if readable.
    pub paid_at: Option<Timestamp>,
    /// The shortcode that was paid; empty when not given.
    pub shortcode: String,
    /// The account reference as the payer typed it, trimmed; empty when none.
    pub bill_reference: String,
    /// Who paid; `None` when masked or hashed, which is the rule today.
    pub msisdn: Option<Msisdn>,
}

/// Reads a C2B confirmation (or validation request; the shape is the same).
pub fn parse_c2b(body: &[u8]) -> Result<C2bPayment, CallbackError> {
    let json = loose::json(body)?;
    let receipt = loose::text(json.get("TransID"))
        .and_then(|text| text.parse().ok())
        .ok_or(CallbackError::Incomplete("TransID"))?;
    let amount = loose::amount(json.get("TransAmount")).ok_or(CallbackError::Incomplete("TransAmount"))?;
    Ok(C2bPayment {
        receipt,
        amount,
        paid_at: loose::text(json.get("TransTime")).and_then(|text| nairobi::parse(&text)),
        shortcode: loose::text(json.get("BusinessShortCode")).unwrap_or_default(),
        bill_reference: loose::text(json.get("BillRefNumber")).unwrap_or_default(),
        msisdn: loose::text(json.get("MSISDN")).and_then(|text| text.parse().ok()),
    })
}
