//! Phones of a demonstration.

use super::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A household's phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandsetView {
    /// What it dials.
    pub service_code: String,
    /// Its number, with the middle hidden.
    pub number_masked: String,
    /// Text messages, newest first.
    pub messages: Vec<HandsetMessage>,
}

/// A text message on a phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandsetMessage {
    /// Its number among all messages.
    pub number: u64,
    /// What it says.
    pub text: String,
    /// When it came.
    pub at: Time,
}

/// What was dialled and typed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DialRequest {
    /// The session's name, new for every call.
    pub session_id: String,
    /// Everything typed so far, joined by `*`; empty at first.
    pub text: String,
}

/// A screen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScreenView {
    /// What it says.
    pub text: String,
    /// Whether it waits for an answer.
    pub asks: bool,
}

/// A text message to us.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextRequest {
    /// What it says: `STOP` or `START`.
    pub text: String,
}
