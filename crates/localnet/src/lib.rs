//! A Solana chain in this process, behind Solana's own JSON-RPC over HTTP and
//! subscriptions over WebSocket, so that `jirani up` needs nothing installed and
//! its clients cannot tell.
//!
//! Promises: a transaction is on disk before anybody can see its status, and
//! survives `kill -9`; blockhashes live for 150 slots of 400 ms, also over a
//! restart; the chain's `unix_timestamp` is the injected clock's; the same
//! transactions at the same times give the same state; what history keeps on disk
//! is bounded, and what it needs in memory does not grow with it. Documented
//! differences from a cluster (docs/localnet.md): a transaction is final when it is
//! executed unless [`Finality::Realistic`] is asked for, every slot has a block,
//! there is one node and nobody votes, and durable nonces are not honoured.
//! Stands beside `crates/chain`, which knows it only as a URL.

mod actor;
mod bank;
pub mod bench;
mod disk;
mod events;
mod faults;
mod finality;
mod genesis;
mod history;
mod listeners;
mod memo;
mod postings;
mod rpc;
mod slots;
mod tokens;
mod versions;
mod websocket;

pub use faults::{Fault, FaultPlan, Faults};
pub use finality::Finality;
pub use slots::SlotPace;
pub use solana_address::Address;

use actor::{Actor, Handle};
use jirani_units::Clock;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a local chain is made of.
#[derive(Clone, Debug)]
pub struct LocalnetConfig {
    /// Where to answer HTTP; WebSocket is one port above. Port 0 takes any two free
    /// ones that are neighbours.
    pub listen: SocketAddr,
    /// Folder of `localnet.db`; without one the chain lives in memory only.
    pub data_dir: Option<PathBuf>,
    /// Programs of the first block.
    pub programs: Vec<GenesisProgram>,
    /// Seed of the faucet's Ed25519 key, which `requestAirdrop` draws from.
    pub faucet_seed: [u8; 32],
    /// Time per slot.
    pub slot_time: Duration,
    /// What makes slots pass.
    pub pace: SlotPace,
    /// When a transaction is final.
    pub finality: Finality,
    /// How many transactions history keeps, the newest ones; up to 511 more until
    /// the oldest are deleted.
    pub history_limit: u32,
    /// How long history keeps a transaction, in the chain's time; for ever without.
    pub history_age: Option<Duration>,
    /// What goes wrong on purpose from the start; see [`RunningLocalnet::faults`].
    pub faults: FaultPlan,
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
    /// `ws://127.0.0.1:8900`.
    pub ws_url: String,
    /// Bound address of HTTP.
    pub addr: SocketAddr,
    running: DropGuard,
    servers: Vec<tokio::task::JoinHandle<()>>,
    handle: Handle,
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
    /// The database is of another version of this program.
    #[error(
        "localnet.layout: {path} has layout {found}, this program knows {known}; run the version that made it or start with a new folder"
    )]
    Layout {
        /// The file.
        path: String,
        /// Its layout.
        found: i64,
        /// Ours.
        known: i64,
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
    /// 400 ms slots of real time, final at once, a million transactions of history of
    /// any age, no programs, in memory, nothing going wrong.
    pub fn new(listen: SocketAddr, faucet_seed: [u8; 32]) -> Self {
        Self {
            listen,
            data_dir: None,
            programs: Vec::new(),
            faucet_seed,
            slot_time: Duration::from_millis(400),
            pace: SlotPace::RealTime,
            finality: Finality::Instant,
            history_limit: 1_000_000,
            history_age: None,
            faults: FaultPlan::default(),
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
        let (http, websocket) = listeners::bind(config.listen).await?;
        let addr = http.local_addr().map_err(|source| LocalnetError::Bind { addr: config.listen, source })?;
        let ws_addr =
            websocket.local_addr().map_err(|source| LocalnetError::Bind { addr: config.listen, source })?;
        let cancel = CancellationToken::new();
        let actor = Actor::start(&config, clock, cancel.clone()).await?;
        let handle = actor.handle();
        let servers = vec![
            tokio::spawn(rpc::serve(http, handle.clone(), cancel.clone())),
            tokio::spawn(websocket::serve(websocket, handle.clone(), cancel.clone())),
            tokio::spawn(websocket::keep_time(config.slot_time, handle.clone(), cancel.clone())),
        ];
        Ok(RunningLocalnet {
            rpc_url: format!("http://{addr}"),
            ws_url: format!("ws://{ws_addr}"),
            addr,
            running: cancel.drop_guard(),
            servers,
            handle,
            actor,
        })
    }
}

impl RunningLocalnet {
    /// What goes wrong on purpose.
    pub fn faults(&self) -> Faults {
        self.handle.faults.clone()
    }

    /// Moves the chain ahead by `slots` at once; 151 of them end the life of every
    /// blockhash that was handed out.
    pub async fn skip_slots(&self, slots: u64) {
        // A chain that has stopped stays where it is.
        let _ = self.handle.tick(slots).await;
    }

    /// Answers what is under way, takes no more, and closes the database.
    pub async fn stop(self) {
        drop(self.running);
        for server in self.servers {
            // A server that panicked has nothing left to stop.
            let _ = server.await;
        }
        drop(self.handle);
        self.actor.stop().await;
    }
}
