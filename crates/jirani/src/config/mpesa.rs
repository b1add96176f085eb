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
    /// Shortcode that collects.
    pub shortcode: String,
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
    /// The operator's own money on the payout shortcode at the start, in cents.
    pub opening_float_cents: i64,
}

impl Mpesa {
    /// Whether the emulator answers.
    pub fn is_emulated(&self) -> bool {
        self.base_url.is_empty()
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
            passkey: String::new(),
            payout_shortcode: "600992".to_owned(),
            initiator_name: "jirani".to_owned(),
            initiator_password: String::new(),
            certificate_file: PathBuf::new(),
            opening_float_cents: 100_000_000,
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
            .finish_non_exhaustive()
    }
}
