use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// `[inbox]`: the public role that keeps M-Pesa's callbacks for a site behind a
/// carrier's NAT (`jirani serve --role inbox`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inbox {
    /// Where it listens; a proxy in front of it speaks TLS.
    pub listen: SocketAddr,
    /// What the site must know, at least 24 characters; from the environment.
    pub token: String,
    /// Most megabytes of callbacks kept at a time; above, new ones are refused.
    pub megabytes_max: u32,
    /// Days after which a callback that was never fetched is deleted.
    pub keep_days: u32,
    /// `/ready` sounds the alarm when nothing was fetched for so many seconds.
    pub alarm_after_s: u32,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8094)),
            token: String::new(),
            megabytes_max: 512,
            keep_days: 30,
            alarm_after_s: 900,
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("listen", &self.listen).finish_non_exhaustive()
    }
}
