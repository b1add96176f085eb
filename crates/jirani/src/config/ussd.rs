use super::{ConfigError, is_local};
use jirani_notify::{AfricasTalkingConfig, Policy};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The least characters of a secret path.
const SECRET_MIN: usize = 24;

/// `[ussd]`: the menus of feature phones, over Africa's Talking.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UssdSettings {
    /// Whether the doors are open. In a demonstration they are, with a secret of their own.
    pub on: bool,
    /// Segment of the paths of the gateway's doors, which only it knows, also of those by which
    /// text messages and reports on them come; from the environment.
    pub secret: String,
    /// What people dial, as registered with the gateway.
    pub service_code: String,
    /// Requests of one number a minute; 0 for no limit.
    pub per_minute: u32,
}

impl Default for UssdSettings {
    fn default() -> Self {
        Self { on: false, secret: String::new(), service_code: "*384*1234#".to_owned(), per_minute: 30 }
    }
}

impl fmt::Debug for UssdSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UssdSettings")
            .field("on", &self.on)
            .field("service_code", &self.service_code)
            .finish_non_exhaustive()
    }
}

/// `[sms]`: text messages, over Africa's Talking.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsSettings {
    /// The gateway. Empty: none is sent, but to the phones of a demonstration.
    pub base_url: String,
    /// The account.
    pub username: String,
    /// Its key; from the environment.
    pub api_key: String,
    /// The sender's name or short code; empty for the gateway's own.
    pub sender: String,
    /// Most messages to one household in a day of Nairobi.
    pub daily_max: u32,
    /// Hour in Nairobi from which only what cannot wait is sent.
    pub quiet_from_hour: u8,
    /// Hour in Nairobi from which everything is sent again.
    pub quiet_until_hour: u8,
}

impl Default for SmsSettings {
    fn default() -> Self {
        let Policy { daily_max, quiet_from, quiet_until, .. } = Policy::default();
        Self {
            base_url: String::new(),
            username: String::new(),
            api_key: String::new(),
            sender: String::new(),
            daily_max,
            quiet_from_hour: quiet_from,
            quiet_until_hour: quiet_until,
        }
    }
}

impl fmt::Debug for SmsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsSettings")
            .field("base_url", &self.base_url)
            .field("username", &self.username)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

impl SmsSettings {
    /// The gateway, where there is one.
    pub fn gateway(&self) -> Option<AfricasTalkingConfig> {
        (!self.base_url.is_empty()).then(|| AfricasTalkingConfig {
            base_url: self.base_url.clone(),
            username: self.username.clone(),
            api_key: self.api_key.clone(),
            sender: self.sender.clone(),
        })
    }

    /// How much goes out, and when.
    pub fn policy(&self) -> Policy {
        Policy {
            daily_max: self.daily_max,
            quiet_from: self.quiet_from_hour,
            quiet_until: self.quiet_until_hour,
            ..Policy::default()
        }
    }

    /// Rules between these settings.
    pub(super) fn validate(&self, demo: bool) -> Result<(), ConfigError> {
        let invalid = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
        if self.quiet_from_hour > 23 || self.quiet_until_hour > 23 {
            return invalid("sms.quiet_from_hour and sms.quiet_until_hour are hours, 0 to 23");
        }
        if self.base_url.is_empty() {
            return Ok(());
        }
        if demo {
            return invalid(
                "sms.base_url must be empty while demo.on is: the village's numbers may belong to strangers",
            );
        }
        if self.username.is_empty() || self.api_key.is_empty() {
            return invalid("sms.base_url needs sms.username and JIRANI__SMS__API_KEY");
        }
        if !self.base_url.starts_with("https://") && !is_local(&self.base_url) {
            return invalid("sms.base_url must be https: messages hold one-time codes");
        }
        Ok(())
    }
}

impl UssdSettings {
    /// Rules between these settings and those of text messages.
    pub(super) fn validate(&self, demo: bool, sms: &SmsSettings) -> Result<(), ConfigError> {
        let invalid = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !self.secret.is_empty() && (self.secret.len() < SECRET_MIN || !self.secret.bytes().all(is_plain)) {
            return invalid("ussd.secret has at least 24 letters, digits, - or _");
        }
        if self.on && !demo && self.secret.is_empty() {
            return invalid("ussd.on needs JIRANI__USSD__SECRET, at least 24 letters, digits, - or _");
        }
        if !sms.base_url.is_empty() && self.secret.is_empty() {
            return invalid(
                "sms.base_url needs JIRANI__USSD__SECRET, at least 24 letters, digits, - or _: STOP and delivery reports come by paths with it",
            );
        }
        if self.on && !demo && sms.base_url.is_empty() {
            return invalid(
                "ussd.on needs sms.base_url: the first call is answered by a code in a text message",
            );
        }
        Ok(())
    }
}
