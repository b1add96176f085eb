//! A Solana chain in this process, behind Solana's own JSON-RPC over HTTP, so
//! that `jirani up` needs nothing installed and its clients cannot tell.
//!
//! Promises: a transaction is on disk before anybody can see its status, and
//! survives `kill -9`; blockhashes live for 150 slots of 400 ms of real time,
//! also over a restart; the chain's `unix_timestamp` is the injected clock's;
//! the same transactions at the same times give the same state. Documented
//! differences from a cluster: a transaction is final when it is executed,
//! every slot has a block, there is one node and nobody votes, durable nonces
//! are not honoured, and history keeps the newest
//! [`LocalnetConfig::history_limit`] transactions.
//! Stands beside `crates/chain`, which knows it only as a URL.

mod actor;
mod bank;
mod disk;
mod genesis;
mod history;
mod rpc;
mod slots;

pub use solana_address::Address;

use actor::Actor;
use jirani_units::Clock;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a local chain is made of.
#[derive(Clone, Debug)]
pub struct LocalnetConfig {
    /// Where to answer; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Folder of `localnet.db`; without one the chain lives in memory only.
    pub data_dir: Option<PathBuf>,
    /// Programs of the first block.
    pub programs: Vec<GenesisProgram>,
    /// Seed of the faucet's Ed25519 key, which `requestAirdrop` draws from.
    pub faucet_seed: [u8; 32],
    /// Real time per slot.
    pub slot_time: Duration,
    /// How many transactions history keeps, the newest ones.
    pub history_limit: u32,
}

/// A program that is there from the start, under the upgradeable loader. A restart
/// with another ELF runs that one, unless an upgrade on the chain replaced it.
#[derive(Clone, Debug)]
pub struct GenesisProgram {
    /// Its address.
    pub address: Address,
    /// Its ELF file.
    pub elf: Vec<u8>,
    /// Who may upgrade it; the program itself may ask.
    pub upgrade_authority: Address,
}

/// A local chain that is answering. Dropping it stops it less gracefully than
/// [`RunningLocalnet::stop`], but loses nothing.
pub struct RunningLocalnet {
    /// `http://127.0.0.1:8899`.
    pub rpc_url: String,
    /// Bound address.
    pub addr: SocketAddr,
    running: DropGuard,
    server: tokio::task::JoinHandle<()>,
    actor: Actor,
}

/// Why a local chain does not start.
#[derive(Debug, thiserror::Error)]
pub enum LocalnetError {
    /// The port is taken, or not ours to take.
    #[error("localnet.port: cannot listen on {addr} ({source}); free port {} or configure another", addr.port())]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error("localnet.database: cannot use {path} ({reason}); check the folder's permissions and free space")]
    Database {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The database holds what it never should.
    #[error("localnet.damaged: {what}; restore the data folder from a backup or start with a new one")]
    Damaged {
        /// What and where.
        what: String,
    },
    /// A genesis program is not one.
    #[error("localnet.program: {address} cannot be loaded ({reason}); build it again")]
    Program {
        /// Its address.
        address: Address,
        /// Why.
        reason: String,
    },
    /// The operating system gave no thread.
    #[error("localnet.thread: {0}")]
    Thread(std::io::Error),
}

impl LocalnetConfig {
    /// 400 ms slots, 100,000 transactions of history, no programs, in memory.
    pub fn new(listen: SocketAddr, faucet_seed: [u8; 32]) -> Self {
        Self {
            listen,
            data_dir: None,
            programs: Vec::new(),
            faucet_seed,
            slot_time: Duration::from_millis(400),
            history_limit: 100_000,
        }
    }
}

/// Starts local chains.
pub struct Localnet;

impl Localnet {
    /// Loads or creates the chain and answers on the configured address.
    pub async fn start(
        config: LocalnetConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<RunningLocalnet, LocalnetError> {
        let bind = |source| LocalnetError::Bind { addr: config.listen, source };
        let listener = tokio::net::TcpListener::bind(config.listen).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let actor = Actor::start(&config, clock).await?;
        let cancel = CancellationToken::new();
        let server = tokio::spawn(rpc::serve(listener, actor.handle(), cancel.clone()));
        Ok(RunningLocalnet {
            rpc_url: format!("http://{addr}"),
            addr,
            running: cancel.drop_guard(),
            server,
            actor,
        })
    }
}

impl RunningLocalnet {
    /// Answers what is under way, takes no more, and closes the database.
    pub async fn stop(self) {
        drop(self.running);
        // A server that panicked has nothing left to stop.
        let _ = self.server.await;
        self.actor.stop().await;
    }
}
