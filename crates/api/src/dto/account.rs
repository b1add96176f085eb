//! Signing in by phone, devices, and the PIN.

use super::Time;
use super::household::LanguageView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to send a code to sign in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// Kenyan mobile number: `0712 345 678` or `+254712345678`.
    pub phone: String,
    /// Language of the text message; the household's own without.
    #[serde(default)]
    pub language: Option<LanguageView>,
}

/// What happens next; the same whether the number is known or not.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CodeView {
    /// Seconds until another code may be asked for.
    pub resend_after_s: u32,
    /// Seconds that the code is good.
    pub valid_s: u32,
}

/// Signing in with the code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The number that the code was sent to.
    pub phone: String,
    /// Six digits.
    pub code: String,
    /// Other people use this phone too: the session is short.
    pub shared_phone: bool,
    /// What to call this device, 1 to 60 characters.
    #[serde(default)]
    pub device_name: Option<String>,
}

/// A device that is signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceView {
    /// Names it; says nothing of its token.
    pub id: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// When it signed in.
    pub created_at: Time,
    /// When it is signed out by itself.
    pub expires_at: Time,
    /// The one that asks.
    pub this_one: bool,
}

/// The PIN, before money moves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinRequest {
    /// 4 to 6 digits.
    pub pin: String,
}

/// A new PIN, with either the old one or a fresh code sent to the phone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPinRequest {
    /// The new one: 4 to 6 digits, not in a row and not all the same.
    pub pin: String,
    /// The old one.
    #[serde(default)]
    pub old_pin: Option<String>,
    /// Or a code, asked for as for signing in.
    #[serde(default)]
    pub code: Option<String>,
}
