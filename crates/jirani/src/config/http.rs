use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[http]`: the dashboard and its API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port.
    pub listen: SocketAddr,
    /// Folder of the built dashboard. Without it the API runs alone.
    pub web_dir: PathBuf,
    /// Base of the URLs that M-Pesa calls back, without a slash at the end. Empty:
    /// our own address, which only the emulator can reach.
    pub callback_base: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            web_dir: PathBuf::from("web/dist"),
            callback_base: String::new(),
        }
    }
}
