//! Why gateway or slots end.

use jirani_chain::ChainError;
use jirani_store::StoreError;

/// The gateway cannot work.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The broker's address is not one.
    #[error("gateway.bad_url: {url} is no MQTT address ({reason}); write it like mqtt://127.0.0.1:1883")]
    BadUrl {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate or key is none.
    #[error("gateway.bad_tls: {what}; mqtt.ca_file, client_cert_file and client_key_file must be PEM files")]
    BadTls {
        /// Which, and why.
        what: String,
    },
    /// What is known of meters cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that speaks MQTT ended.
    #[error("gateway.link_ended: the MQTT connection's task ended: {0}")]
    LinkEnded(String),
}

/// Slots cannot be attested.
#[derive(Debug, thiserror::Error)]
pub enum SlotsError {
    /// The length does not divide a day.
    #[error("slots.bad_length: a slot of {0} s does not divide a day; 900 is usual")]
    BadLength(u32),
    /// Store or chain say something that asking again does not mend.
    #[error(transparent)]
    Chain(#[from] ChainError),
}
