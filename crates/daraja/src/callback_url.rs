//! What M-Pesa demands of an address it is to call back on.

use url::{Host, Url};

/// Words that no callback address may contain (Daraja's portal, C2B register).
const FORBIDDEN: [&str; 6] = ["mpesa", "safaricom", "exe", "cmd", "sql", "query"];
/// Tunnels for tests that production refuses.
const TUNNELS: [&str; 4] = ["ngrok", "requestbin", "mockbin", "webhook.site"];

/// M-Pesa will not call this address back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackUrlError {
    /// Not an address.
    #[error(
        "mpesa.callback_url: `{0}` is no address; set [http] callback_base to https://HOST without a path"
    )]
    NoUrl(String),
    /// Not over TLS.
    #[error("mpesa.callback_not_https: `{0}` must begin with https://; M-Pesa calls back over TLS only")]
    NotHttps(String),
    /// On this machine or in a private network.
    #[error(
        "mpesa.callback_not_public: `{0}` cannot be reached from the internet; use a public host name, or the inbox role on one"
    )]
    NotPublic(String),
    /// A word that M-Pesa refuses.
    #[error(
        "mpesa.callback_word: `{url}` contains `{word}`, which M-Pesa refuses in callback addresses; use another name"
    )]
    Word {
        /// The address.
        url: String,
        /// The word.
        word: &'static str,
    },
    /// Spaces, upper case, a question mark or a password.
    #[error("mpesa.callback_spelling: `{0}` must be lower case, without spaces, user, question mark or #")]
    Spelling(String),
}

/// Checks the base of our callback addresses as production does. The emulator
/// needs no such check.
pub fn check_callback_base(base: &str) -> Result<(), CallbackUrlError> {
    let told = || base.to_owned();
    let url = Url::parse(base).map_err(|_| CallbackUrlError::NoUrl(told()))?;
    let Some(host) = url.host() else { return Err(CallbackUrlError::NoUrl(told())) };
    if url.scheme() != "https" {
        return Err(CallbackUrlError::NotHttps(told()));
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || c.is_uppercase() || !c.is_ascii();
    if base.chars().any(odd) || base.contains(['?', '#', '@']) {
        return Err(CallbackUrlError::Spelling(told()));
    }
    let public = match host {
        Host::Ipv4(address) => {
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified())
        }
        Host::Ipv6(address) => !(address.is_loopback() || address.is_unspecified()),
        Host::Domain(name) => {
            name.rsplit_once('.').is_some_and(|(_, last)| !matches!(last, "local" | "localhost"))
        }
    };
    if !public {
        return Err(CallbackUrlError::NotPublic(told()));
    }
    match FORBIDDEN.into_iter().chain(TUNNELS).find(|word| base.contains(word)) {
        Some(word) => Err(CallbackUrlError::Word { url: told(), word }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_https_host_is_fine() {
        for base in ["https://pay.jirani.co.ke", "https://jirani.co.ke:8443/site1"] {
            assert_eq!(check_callback_base(base), Ok(()), "{base}");
        }
    }

    #[test]
    fn what_m_pesa_refuses_is_named_before_the_first_payment() {
        for (base, code) in [
            ("", "mpesa.callback_url"),
            ("pay.jirani.co.ke", "mpesa.callback_url"),
            ("http://pay.jirani.co.ke", "mpesa.callback_not_https"),
            ("https://127.0.0.1", "mpesa.callback_not_public"),
            ("https://192.168.1.5", "mpesa.callback_not_public"),
            ("https://localhost", "mpesa.callback_not_public"),
            ("https://server", "mpesa.callback_not_public"),
            ("https://mpesa.jirani.co.ke", "mpesa.callback_word"),
            ("https://jirani.co.ke/sqlhooks", "mpesa.callback_word"),
            ("https://abc.ngrok.app", "mpesa.callback_word"),
            ("https://Pay.jirani.co.ke", "mpesa.callback_spelling"),
            ("https://pay.jirani.co.ke/a b", "mpesa.callback_spelling"),
            ("https://user@pay.jirani.co.ke", "mpesa.callback_spelling"),
            ("https://pay.jirani.co.ke?x=1", "mpesa.callback_spelling"),
        ] {
            let error = check_callback_base(base).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{code}:")), "{base}: {error}");
        }
    }
}
