use super::{ConfigError, is_local};
use jirani_daraja::{CollectsBy, DarajaOptions, check_callback_base};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[mpesa]`: Daraja, or its emulator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mpesa {
    /// Daraja's base URL. Empty: the emulator with virtual phones.
    pub base_url: String,
    /// Where the emulator listens; its pages show the phones.
    pub listen: SocketAddr,
    /// Consumer key of the app.
    pub consumer_key: String,
    /// Consumer secret of the app; from the environment.
    pub consumer_secret: String,
    /// Shortcode that collects: the PayBill, or a till's store number.
    pub shortcode: String,
    /// The till that is paid, where the shortcode is a till's store number. Empty: the
    /// shortcode is a PayBill.
    pub till: String,
    /// STK Push passkey; from the environment.
    pub passkey: String,
    /// Shortcode that pays out.
    pub payout_shortcode: String,
    /// API operator that pays out.
    pub initiator_name: String,
    /// Its password; from the environment.
    pub initiator_password: String,
    /// PEM file of M-Pesa's certificate that the password is encrypted to.
    pub certificate_file: PathBuf,
    /// Number that M-Pesa's list of payments is registered with.
    pub nominated_number: String,
    /// The operator's own money on the payout shortcode at the start, in cents.
    pub opening_float_cents: i64,
    /// Address of the inbox role that M-Pesa calls back instead of us. Empty: none.
    pub inbox_url: String,
    /// Its token; from the environment.
    pub inbox_token: String,
}

impl Mpesa {
    /// Whether the emulator answers.
    pub fn is_emulated(&self) -> bool {
        self.base_url.is_empty()
    }

    /// Whether no real money moves as far as we can tell: the emulator, or a Daraja
    /// on this machine.
    pub fn is_trial(&self) -> bool {
        self.is_emulated() || is_local(&self.base_url)
    }

    /// How the shortcode is paid, and how fast M-Pesa is asked.
    pub fn options(&self) -> DarajaOptions {
        let collects_by = if self.till.is_empty() {
            CollectsBy::PayBill
        } else {
            CollectsBy::Till { till: self.till.clone() }
        };
        DarajaOptions { collects_by, ..DarajaOptions::default() }
    }

    /// Rules that M-Pesa has for addresses, told before the first payment. A Daraja
    /// on this machine has none.
    pub(super) fn validate(&self, callback_base: &str) -> Result<(), ConfigError> {
        if self.is_trial() {
            return Ok(());
        }
        check_callback_base(callback_base).map_err(|error| ConfigError::Invalid(error.to_string()))
    }
}

impl Default for Mpesa {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8090)),
            consumer_key: String::new(),
            consumer_secret: String::new(),
            shortcode: "174379".to_owned(),
            till: String::new(),
            passkey: String::new(),
            payout_shortcode: "600992".to_owned(),
            initiator_name: "jirani".to_owned(),
            initiator_password: String::new(),
            certificate_file: PathBuf::new(),
            nominated_number: "254700000001".to_owned(),
            opening_float_cents: 100_000_000,
            inbox_url: String::new(),
            inbox_token: String::new(),
        }
    }
}

impl fmt::Debug for Mpesa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mpesa")
            .field("base_url", &self.base_url)
            .field("listen", &self.listen)
            .field("shortcode", &self.shortcode)
            .field("payout_shortcode", &self.payout_shortcode)
            .field("till", &self.till)
            .field("inbox_url", &self.inbox_url)
            .finish_non_exhaustive()
    }
}
