//! The envelope in which M-Pesa posts what came of an API user's request. Every
//! family uses it, each with its own items.

use super::{CallbackError, loose};
use serde_json::Value;

/// The envelope, with its items still unread.
pub(super) struct Envelope {
    result: Value,
    pub(super) code: String,
    pub(super) ids: AnswerIds,
}

/// M-Pesa's ids of the request that is answered, as echoed. A claim: only the
/// secret path ties an answer to what was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerIds {
    /// OriginatorConversationID.
    pub originator_id: Option<String>,
    /// ConversationID.
    pub conversation_id: Option<String>,
}

impl Envelope {
    pub(super) fn read(body: &[u8]) -> Result<Self, CallbackError> {
        let mut json = loose::json(body)?;
        let result = json.get_mut("Result").map(Value::take).ok_or(CallbackError::Incomplete("Result"))?;
        let code = loose::text(result.get("ResultCode")).ok_or(CallbackError::Incomplete("ResultCode"))?;
        let ids = AnswerIds {
            originator_id: loose::text(result.get("OriginatorConversationID")),
            conversation_id: loose::text(result.get("ConversationID")),
        };
        Ok(Self { result, code, ids })
    }

    /// The value of an item of the result; a key may be written with spaces
    /// ("Conversation ID").
    pub(super) fn item(&self, key: &str) -> Option<&Value> {
        let items = self.result.get("ResultParameters").and_then(|all| all.get("ResultParameter"));
        loose::item(items, "Key", key)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        loose::text(self.item(key))
    }

    /// TransactionID beside the items: the receipt of what was asked for, or a
    /// filler of zeros.
    pub(super) fn transaction_id(&self) -> Option<String> {
        loose::text(self.result.get("TransactionID")).filter(|id| !id.ends_with("0000000"))
    }
}
