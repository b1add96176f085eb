use super::ConfigError;
use jirani_chain::Address;
use jirani_chain::witness::http::{TOKEN_MIN, Token};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// `[witness]`: a second oracle that signs attestations too.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WitnessSettings {
    /// Where it answers (`https://witness.example:8443`). Empty: there is none.
    pub url: String,
    /// Address of its oracle key, a member of Config's oracle set.
    pub key: String,
    /// What both sides know, at least [`TOKEN_MIN`] characters; from the environment.
    pub token: String,
    /// Export that may be attested per UTC day without it, all households together, Wh;
    /// 0 asks for its signature every time.
    pub alone_wh_per_day: u64,
    /// Where `jirani witness` listens.
    pub listen: SocketAddr,
}

impl Default for WitnessSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            key: String::new(),
            token: String::new(),
            alone_wh_per_day: 0,
            listen: SocketAddr::from(([127, 0, 0, 1], 8093)),
        }
    }
}

impl WitnessSettings {
    /// Whether a server has one.
    pub fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// The token, once it was found long enough.
    pub fn token(&self) -> Result<Token, ConfigError> {
        Token::new(&self.token).ok_or_else(|| {
            ConfigError::Invalid(format!(
                "witness.token must have at least {TOKEN_MIN} characters; set JIRANI__WITNESS__TOKEN to the same secret on both sides"
            ))
        })
    }

    /// Its key, once it was found to be an address.
    pub fn key(&self) -> Result<Address, ConfigError> {
        self.key.parse().map_err(|_| {
            ConfigError::Invalid(
                "witness.key is not an address; `jirani witness` prints its own at the start".to_owned(),
            )
        })
    }

    /// Rules between these settings.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !self.is_set() {
            return Ok(());
        }
        self.key()?;
        self.token().map(|_| ())
    }
}

impl fmt::Debug for WitnessSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessSettings")
            .field("url", &self.url)
            .field("key", &self.key)
            .field("alone_wh_per_day", &self.alone_wh_per_day)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}
