//! The result of an STK Push.

use super::{CallbackError, loose};
use crate::{codes, nairobi};
use jirani_units::{Cents, Receipt, Timestamp};

/// What became of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StkResult {
    /// M-Pesa's id of the prompt.
    pub checkout_request_id: String,
    /// The outcome.
    pub outcome: StkOutcome,
}

/// The outcome of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StkOutcome {
    /// Paid. Details that were missing or unreadable are `None`.
    Paid {
        /// M-Pesa's receipt.
        receipt: Option<Receipt>,
        /// What was paid.
        amount: Option<Cents>,
        /// When.
        paid_at: Option<Timestamp>,
    },
    /// Not paid for good: the code is on the closed list.
    Refused {
        /// M-Pesa's code.
        code: String,
    },
    /// The code says nothing final.
    Pending {
        /// M-Pesa's code.
        code: String,
    },
}

/// Reads an STK result.
pub fn parse_stk(body: &[u8]) -> Result<StkResult, CallbackError> {
    let json = loose::json(body)?;
    let result = json.get("Body").unwrap_or(&json).get("stkCallback");
    let result = result.ok_or(CallbackError::Incomplete("stkCallback"))?;
    let checkout_request_id =
        loose::text(result.get("CheckoutRequestID")).ok_or(CallbackError::Incomplete("CheckoutRequestID"))?;
    let code = loose::text(result.get("ResultCode")).ok_or(CallbackError::Incomplete("ResultCode"))?;
    let outcome = if code == "0" {
        let items = result.get("CallbackMetadata").and_then(|metadata| metadata.get("Item"));
        let item = |name| loose::item(items, "Name", name);
        StkOutcome::Paid {
            receipt: loose::text(item("MpesaReceiptNumber")).and_then(|text| text.parse().ok()),
            amount: loose::amount(item("Amount")),
            paid_at: loose::text(item("TransactionDate")).and_then(|text| nairobi::parse(&text)),
        }
    } else if codes::prompt_refusal(&code).is_some() {
        StkOutcome::Refused { code }
    } else {
        StkOutcome::Pending { code }
    };
    Ok(StkResult { checkout_request_id, outcome })
}
