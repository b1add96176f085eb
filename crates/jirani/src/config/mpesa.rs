use super::{ConfigError, is_local};
use jirani_daraja::{
    CollectsBy, DarajaOptions, Initiator, Pace, Secret, SecurityCredential, check_callback_base,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

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
    /// API operator of the shortcode that collects, for its status, balance, reversals
    /// and moves of float. Empty: the one that pays out serves both.
    pub collection_initiator_name: String,
    /// Its password; from the environment.
    pub collection_initiator_password: String,
    /// Least time between two requests to M-Pesa, in milliseconds; 0 for none.
    pub request_every_ms: u64,
    /// Requests that may go at once after a quiet time.
    pub request_burst: u32,
    /// The longest a request waits for its turn, in seconds; what would wait longer is not sent.
    pub request_patience_s: u64,
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
    /// `certificate`: M-Pesa's, in PEM, that passwords are encrypted to; the emulator has
    /// none and one initiator only.
    pub fn options(&self, certificate: Option<&str>) -> DarajaOptions {
        let collects_by = if self.till.is_empty() {
            CollectsBy::PayBill
        } else {
            CollectsBy::Till { till: self.till.clone() }
        };
        let named = certificate.filter(|_| !self.collection_initiator_name.is_empty());
        let collection_initiator = named.map(|certificate| Initiator {
            name: self.collection_initiator_name.clone(),
            credential: SecurityCredential::Password {
                password: Secret::from(self.collection_initiator_password.clone()),
                public_key_pem: certificate.to_owned(),
            },
        });
        let pace = Pace {
            every: Duration::from_millis(self.request_every_ms),
            burst: self.request_burst,
            patience: Duration::from_secs(self.request_patience_s),
            ..Pace::default()
        };
        DarajaOptions { collection_initiator, collects_by, pace }
    }

    /// Rules that M-Pesa has for addresses, told before the first payment. A Daraja
    /// on this machine has none.
    pub(super) fn validate(&self, callback_base: &str) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Invalid(what.to_owned()));
        if self.collection_initiator_name.is_empty() != self.collection_initiator_password.is_empty() {
            return wrong(
                "mpesa.collection_initiator_name and mpesa.collection_initiator_password belong together: set both or neither",
            );
        }
        if self.request_burst == 0 || self.request_patience_s == 0 {
            return wrong("mpesa.request_burst and mpesa.request_patience_s must be 1 or more");
        }
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
            collection_initiator_name: String::new(),
            collection_initiator_password: String::new(),
            request_every_ms: 0,
            request_burst: 1,
            request_patience_s: 20,
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
            .field("initiator_name", &self.initiator_name)
            .field("collection_initiator_name", &self.collection_initiator_name)
            .field("request_every_ms", &self.request_every_ms)
            .field("inbox_url", &self.inbox_url)
            .finish_non_exhaustive()
    }
}
