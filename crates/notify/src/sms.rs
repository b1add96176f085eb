//! Sending one text message, as this system sees it.

use async_trait::async_trait;
use jirani_units::Msisdn;

/// What became of a message that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsOutcome {
    /// The gateway took it, under its own id.
    Sent {
        /// The gateway's id, by which it reports the delivery.
        id: String,
    },
    /// It was refused for good: it is never sent again.
    Refused {
        /// The gateway's word for why.
        reason: String,
    },
    /// Certainly not taken, and it may be handed over again later.
    NotTaken {
        /// Why, for the log.
        reason: String,
    },
    /// Nobody can say; it is never handed over again.
    Unknown {
        /// Why, for the log.
        reason: String,
    },
}

/// A way to send text messages.
#[async_trait]
pub trait Sms: Send + Sync {
    /// Hands over one message; `id` is ours, for the gateway's own records. The text
    /// may hold a one-time code: it is never logged.
    async fn send(&self, to: Msisdn, text: &str, id: &str) -> SmsOutcome;
}
