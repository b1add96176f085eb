use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// `[chain]`: Solana.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {
    /// URL of a cluster's JSON-RPC. Empty: the embedded chain.
    pub rpc_url: String,
    /// Where the embedded chain listens.
    pub listen: SocketAddr,
    /// Address of the energy program on that cluster. Empty: the embedded chain's.
    pub program: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            rpc_url: String::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8899)),
            program: String::new(),
        }
    }
}
