use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// `[mqtt]`: the meters' broker.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// URL of an external broker (`mqtt://host:1883`). Empty: the embedded one.
    pub url: String,
    /// Where the embedded broker listens.
    pub listen: SocketAddr,
    /// The gateway's password at an external broker; from the environment.
    pub password: String,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self { url: String::new(), listen: SocketAddr::from(([127, 0, 0, 1], 1883)), password: String::new() }
    }
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt").field("url", &self.url).field("listen", &self.listen).finish_non_exhaustive()
    }
}
