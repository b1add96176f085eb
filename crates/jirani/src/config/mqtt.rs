use super::ConfigError;
use anyhow::Context as _;
use jirani_broker::GATEWAY;
use jirani_oracle::GatewayTls;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[mqtt]`: the meters' broker.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// URL of an external broker (`mqtt://host:1883`, `mqtts://host:8883`). Empty: the
    /// embedded one.
    pub url: String,
    /// Where the embedded broker listens.
    pub listen: SocketAddr,
    /// The gateway's password at an external broker; from the environment.
    pub password: String,
    /// Certificates, PEM, of the authorities whose broker is believed; the system's without it.
    pub ca_file: Option<PathBuf>,
    /// The gateway's own certificate with its chain, PEM, for brokers that ask for one.
    pub client_cert_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub client_key_file: Option<PathBuf>,
    /// Name of the shared subscription when several gateways split the load; all have the same.
    pub share: String,
    /// This gateway's name among them.
    pub name: String,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: String::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            password: String::new(),
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            share: String::new(),
            name: String::new(),
        }
    }
}

impl Mqtt {
    /// Rules between these settings.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |what: &str| Err(ConfigError::Invalid(what.to_owned()));
        let is_word = |text: &str| {
            text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !is_word(&self.share) || !is_word(&self.name) {
            return invalid("mqtt.share and mqtt.name are words of at most 32 letters, digits and hyphens");
        }
        if !self.share.is_empty() && self.name.is_empty() {
            return invalid(
                "mqtt.share needs mqtt.name: each gateway its own, or they end each other's connection",
            );
        }
        if self.name == "firmware" {
            return invalid("mqtt.name is not firmware: the server of firmware has that name at the broker");
        }
        if self.client_cert_file.is_some() != self.client_key_file.is_some() {
            return invalid("mqtt.client_cert_file and mqtt.client_key_file belong together");
        }
        if self.client_cert_file.is_some() && self.ca_file.is_none() {
            return invalid("mqtt.client_cert_file needs mqtt.ca_file");
        }
        if self.ca_file.is_some() && !self.url.starts_with("mqtts://") {
            return invalid("mqtt.ca_file needs an mqtt.url that begins with mqtts://");
        }
        Ok(())
    }

    /// `gateway`, or `gateway-<name>`.
    pub fn gateway_name(&self) -> String {
        if self.name.is_empty() { GATEWAY.to_owned() } else { format!("{GATEWAY}-{}", self.name) }
    }

    /// The shared subscription, if there is one.
    pub fn shared_group(&self) -> Option<String> {
        Some(self.share.clone()).filter(|share| !share.is_empty())
    }

    /// What the files hold; nothing without `ca_file`.
    pub fn tls(&self) -> anyhow::Result<Option<GatewayTls>> {
        let read = |path: &PathBuf, setting: &str| {
            std::fs::read(path)
                .with_context(|| format!("mqtt.unreadable: cannot read {} (mqtt.{setting})", path.display()))
        };
        let Some(authorities) = &self.ca_file else { return Ok(None) };
        let own = match (&self.client_cert_file, &self.client_key_file) {
            (Some(chain), Some(key)) => {
                Some((read(chain, "client_cert_file")?, read(key, "client_key_file")?))
            }
            _ => None,
        };
        Ok(Some(GatewayTls { authorities: read(authorities, "ca_file")?, own }))
    }
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt").field("url", &self.url).field("listen", &self.listen).finish_non_exhaustive()
    }
}
