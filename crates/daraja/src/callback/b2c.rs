//! The result of a B2C payment.

use super::{CallbackError, loose};
use crate::{codes, nairobi};
use jirani_units::{Cents, Receipt, Timestamp};

/// What became of a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct B2cResult {
    /// Our id of the payout, as echoed.
    pub originator_id: String,
    /// M-Pesa's id, if given.
    pub conversation_id: Option<String>,
    /// The outcome.
    pub outcome: B2cOutcome,
}

/// The outcome of a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum B2cOutcome {
    /// Paid out. Details that were missing or unreadable are `None`.
    Paid {
        /// M-Pesa's receipt.
        receipt: Option<Receipt>,
        /// What the receiver got.
        amount: Option<Cents>,
        /// When.
        paid_at: Option<Timestamp>,
        /// What is left to pay out from.
        utility_funds: Option<Cents>,
    },
    /// Not paid out for good: the code is on the closed list.
    Refused {
        /// M-Pesa's code.
        code: String,
    },
    /// The code says nothing final (also every queue timeout).
    Unknown {
        /// M-Pesa's code.
        code: String,
    },
}

/// Reads a B2C result. A queue timeout of the same shape reads as unknown or
/// refused by its code; callers must not take a timeout for a failure.
pub fn parse_b2c(body: &[u8]) -> Result<B2cResult, CallbackError> {
    let json = loose::json(body)?;
    let result = json.get("Result").ok_or(CallbackError::Incomplete("Result"))?;
    let originator_id = loose::text(result.get("OriginatorConversationID"))
        .ok_or(CallbackError::Incomplete("OriginatorConversationID"))?;
    let code = loose::text(result.get("ResultCode")).ok_or(CallbackError::Incomplete("ResultCode"))?;
    let outcome = if code == "0" {
        let items = result.get("ResultParameters").and_then(|parameters| parameters.get("ResultParameter"));
        let item = |key| loose::item(items, "Key", key);
        let receipt = loose::text(item("TransactionReceipt")).and_then(|text| text.parse().ok());
        B2cOutcome::Paid {
            receipt: receipt
                .or_else(|| loose::text(result.get("TransactionID")).and_then(|text| text.parse().ok())),
            amount: loose::amount(item("TransactionAmount")),
            paid_at: loose::text(item("TransactionCompletedDateTime")).and_then(|text| nairobi::parse(&text)),
            utility_funds: loose::amount(item("B2CUtilityAccountAvailableFunds")),
        }
    } else if codes::payout_refusal(&code).is_some() {
        B2cOutcome::Refused { code }
    } else {
        B2cOutcome::Unknown { code }
    };
    Ok(B2cResult { originator_id, conversation_id: loose::text(result.get("ConversationID")), outcome })
}
