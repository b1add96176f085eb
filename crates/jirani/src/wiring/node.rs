//! A node to read from: another's, that of a system that runs now, or the data
//! folder's own chain, opened on a free port.

use super::embedded::{program, start_localnet};
use super::{DataFolder, Secrets};
use crate::config::Config;
use jirani_chain::Address;
use jirani_chain::index::RpcHistory;
use jirani_clock::ServiceClock;
use jirani_localnet::RunningLocalnet;
use jirani_units::Clock;
use std::net::SocketAddr;
use std::sync::Arc;

/// A node, open for reading.
pub struct OpenNode {
    /// Its memory of the past, and its accounts.
    pub history: RpcHistory,
    /// The energy program there.
    pub program: Address,
    localnet: Option<RunningLocalnet>,
}

/// Opens the node of `config`; `folder` is ours when nobody runs on it.
pub async fn open_node(
    config: &Config,
    folder: Option<&DataFolder>,
    secrets: &Secrets,
    clock: &ServiceClock,
) -> anyhow::Result<OpenNode> {
    let (localnet, rpc_url) = if !config.chain.rpc_url.is_empty() {
        (None, config.chain.rpc_url.clone())
    } else if let Some(folder) = folder {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let localnet = start_localnet(listen, folder.chain(), secrets, None, clock).await?;
        let rpc_url = localnet.rpc_url.clone();
        (Some(localnet), rpc_url)
    } else {
        (None, format!("http://{}", config.chain.listen))
    };
    Ok(OpenNode { history: RpcHistory::new(&rpc_url)?, program: program(config)?, localnet })
}

impl OpenNode {
    /// Closes what was opened.
    pub async fn stop(self) {
        if let Some(localnet) = self.localnet {
            localnet.stop().await;
        }
    }
}
