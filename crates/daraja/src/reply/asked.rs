//! The first answer to what an API user asks: taken on, or not.

use super::Reply;
use crate::ask::AskAccepted;
use crate::mpesa::{C2bRegistration, SendError};
use crate::pull::PullRegistration;

impl Reply {
    /// The answer to a status, balance, reversal or float request.
    pub fn ask(&self) -> Result<AskAccepted, SendError> {
        match self.text("ConversationID") {
            Some(conversation_id) if self.accepted() => {
                Ok(AskAccepted { conversation_id, originator_id: self.text("OriginatorConversationID") })
            }
            _ => Err(self.send_error()),
        }
    }

    /// The answer to our C2B addresses.
    pub fn c2b_registration(&self) -> Result<C2bRegistration, SendError> {
        if self.status() == 200 && self.text("ResponseCode").is_some_and(|code| is_zero(&code)) {
            return Ok(C2bRegistration::Registered);
        }
        if self.error_message().contains("already registered") {
            return Ok(C2bRegistration::RegisteredBefore);
        }
        Err(self.send_error())
    }

    /// The answer to the wish to have the list of payments switched on. 1001 is
    /// what a shortcode hears whose list is on, and also a refused number: the
    /// text decides.
    pub fn pull_registration(&self) -> Result<PullRegistration, SendError> {
        let told = self.text("ResponseStatus").or_else(|| self.text("ResponseCode")).unwrap_or_default();
        let text = self.text("ResponseDescription").or_else(|| self.text("ResponseMessage"));
        let text = text.unwrap_or_default().to_ascii_lowercase();
        match told.as_str() {
            "1000" if self.status() == 200 => Ok(PullRegistration::Registered),
            "1001" if text.contains("already registered") => Ok(PullRegistration::RegisteredBefore),
            _ if self.error_message().to_ascii_lowercase().contains("already registered") => {
                Ok(PullRegistration::RegisteredBefore)
            }
            _ => Err(self.send_error()),
        }
    }
}

fn is_zero(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|b| b == b'0')
}
