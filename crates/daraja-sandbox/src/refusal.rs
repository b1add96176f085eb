//! Daraja's synchronous refusals.

/// A refusal: HTTP status, error code and message of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A field is missing or wrong.
    pub fn field(name: &str) -> Self {
        Self::new(400, "400.002.02", format!("Bad Request - Invalid {name}"))
    }

    /// The state could not be saved: nothing happened.
    pub fn busy() -> Self {
        Self::new(500, "500.003.02", "System is busy. Please try again in few minutes.")
    }

    pub fn no_such_merchant() -> Self {
        Self::new(500, "500.001.1001", "Merchant does not exist")
    }

    pub fn wrong_credentials() -> Self {
        Self::new(500, "500.001.1001", "[MerchantValidate] - Wrong credentials")
    }

    pub fn subscriber_locked() -> Self {
        let text =
            "Unable to lock subscriber, a transaction is already in process for the current subscriber";
        Self::new(500, "500.001.1001", text)
    }

    pub fn being_processed() -> Self {
        Self::new(500, "500.001.1001", "The transaction is being processed")
    }

    /// Seen for an open prompt: HTTP 200, and an error without words.
    pub fn empty() -> Self {
        Self::new(200, "500.001.1001", "")
    }

    /// The body is no JSON object.
    pub fn payload() -> Self {
        Self::new(400, "400.002.05", "Invalid Request Payload")
    }

    pub fn urls_registered() -> Self {
        Self::new(500, "500.003.1001", "Urls are already registered")
    }

    pub fn unknown_transaction() -> Self {
        Self::new(500, "500.001.1001", "The transaction does not Exist")
    }

    pub fn duplicate_originator() -> Self {
        Self::new(500, "500.002.1001", "Duplicate OriginatorConversationID.")
    }

    pub fn spike_arrest() -> Self {
        Self::new(429, "500.003.02", "Error Occurred: Spike Arrest Violation")
    }
}
