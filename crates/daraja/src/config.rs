//! What the client must be told.

use crate::charges::PayoutCharges;
use crate::credential::{CredentialError, SecurityCredential};
use crate::secret::Secret;
use url::{Host, Url};

/// Everything the client needs to know of our M-Pesa accounts.
#[derive(Clone, Debug)]
pub struct DarajaConfig {
    /// `https://api.safaricom.co.ke`, `https://sandbox.safaricom.co.ke`, or the
    /// emulator's address. Plain http only to this machine.
    pub base_url: String,
    /// Key of the app on the Daraja portal.
    pub consumer_key: String,
    /// Secret of the app.
    pub consumer_secret: Secret,
    /// PayBill number that collects: 5 to 7 digits.
    pub shortcode: String,
    /// Its passkey for prompts.
    pub passkey: Secret,
    /// Number that pays out: 5 to 7 digits.
    pub b2c_shortcode: String,
    /// API user of the payout shortcode.
    pub initiator_name: String,
    /// How payouts prove that user.
    pub credential: SecurityCredential,
    /// Charges for payouts.
    pub charges: PayoutCharges,
    /// How long to wait for an answer, in seconds of real time.
    pub timeout_s: u64,
}

/// The client cannot work with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum DarajaConfigError {
    /// Not an address we may send secrets to.
    #[error(
        "mpesa.base_url: `{0}` is not an https address; plain http is allowed only to this machine \
         (http://127.0.0.1:PORT)"
    )]
    BaseUrl(String),
    /// Not a shortcode.
    #[error("mpesa.shortcode: `{0}` is not a shortcode; it has 5 to 7 digits")]
    Shortcode(String),
    /// A till that is the store's own number.
    #[error(
        "mpesa.till_or_paybill: the till `{0}` is also given as the shortcode; a till's prompts are asked for \
         with the store or head office number from go-live, and paid to the till number. For a PayBill leave \
         the till out"
    )]
    TillIsShortcode(String),
    /// A needed text is empty.
    #[error("mpesa.missing: {0} is empty; set it from the Daraja portal")]
    Missing(&'static str),
    /// Bands out of order or negative.
    #[error("mpesa.charges: the bands of the payout charges must rise, and no charge may be negative")]
    Charges,
    /// The security credential cannot be made.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// TLS or the HTTP client cannot be set up.
    #[error("mpesa.http_client: cannot set up HTTPS ({0}); are the system's root certificates installed?")]
    HttpClient(String),
}

impl DarajaConfig {
    /// The base address, checked; and whether TLS is used.
    pub(crate) fn checked_base(&self) -> Result<(Url, bool), DarajaConfigError> {
        let refused = || DarajaConfigError::BaseUrl(self.base_url.clone());
        let url = Url::parse(&self.base_url).map_err(|_| refused())?;
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match url.scheme() {
            "https" => Ok((url, true)),
            "http" if loopback => Ok((url, false)),
            _ => Err(refused()),
        }
    }

    pub(crate) fn check(&self) -> Result<(), DarajaConfigError> {
        for shortcode in [&self.shortcode, &self.b2c_shortcode] {
            check_shortcode(shortcode)?;
        }
        for (name, empty) in [
            ("the consumer key", self.consumer_key.is_empty()),
            ("the consumer secret", self.consumer_secret.is_empty()),
            ("the passkey", self.passkey.is_empty()),
            ("the initiator's name", self.initiator_name.is_empty()),
        ] {
            if empty {
                return Err(DarajaConfigError::Missing(name));
            }
        }
        if !self.charges.is_valid() {
            return Err(DarajaConfigError::Charges);
        }
        Ok(())
    }
}

pub(crate) fn check_shortcode(shortcode: &str) -> Result<(), DarajaConfigError> {
    if (5..=7).contains(&shortcode.len()) && shortcode.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(DarajaConfigError::Shortcode(shortcode.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{DarajaConfig, DarajaConfigError};
    use crate::{PayoutCharges, SecurityCredential};

    fn config(base_url: &str) -> DarajaConfig {
        DarajaConfig {
            base_url: base_url.to_owned(),
            consumer_key: "key".to_owned(),
            consumer_secret: "hidden-consumer".into(),
            shortcode: "600966".to_owned(),
            passkey: "hidden-passkey".into(),
            b2c_shortcode: "600992".to_owned(),
            initiator_name: "apiuser".to_owned(),
            credential: SecurityCredential::Ready("hidden-blob".into()),
            charges: PayoutCharges::default(),
            timeout_s: 30,
        }
    }

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for url in
            ["https://api.safaricom.co.ke", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"]
        {
            assert!(config(url).checked_base().is_ok(), "{url}");
        }
        for url in ["http://api.safaricom.co.ke", "ftp://127.0.0.1", "", "api.safaricom.co.ke"] {
            assert!(matches!(config(url).checked_base(), Err(DarajaConfigError::BaseUrl(_))), "{url}");
        }
    }

    #[test]
    fn a_printed_configuration_shows_no_secret() {
        let text = format!("{:?}", config("https://api.safaricom.co.ke"));
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn what_is_missing_or_odd_is_named() {
        let mut odd = config("https://x.test");
        odd.b2c_shortcode = "07".to_owned();
        assert!(odd.check().unwrap_err().to_string().contains("`07`"));
        let mut empty = config("https://x.test");
        empty.passkey = "".into();
        assert!(empty.check().unwrap_err().to_string().contains("the passkey"));
    }
}
