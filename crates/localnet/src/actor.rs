//! The one thread that owns the chain, and how to reach it.
//!
//! Transactions that wait together run one after the other and share one
//! `fsync`; what they did is shown to nobody before it.

use crate::bank::{Bank, Refused};
use crate::disk::{Disk, Stored};
use crate::slots::Slots;
use crate::{LocalnetConfig, LocalnetError, genesis};
use jirani_units::Clock;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Most commands that wait; more make their senders wait.
const QUEUE: usize = 1_024;
/// Most commands that share one commit.
const GROUP: usize = 64;

type Read = Box<dyn FnOnce(&Bank) + Send>;
type Executed = Result<Signature, Box<Refused>>;

enum Command {
    Execute {
        transaction: VersionedTransaction,
        bytes: Vec<u8>,
        preflight: bool,
        reply: oneshot::Sender<Executed>,
    },
    Read(Read),
}

/// The chain has stopped; whoever asked learns nothing.
#[derive(Debug)]
pub struct Stopped;

/// A way to the chain.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    /// History, which is read beside the chain's thread.
    pub disk: Disk,
    /// Signs airdrops.
    pub faucet: Arc<Keypair>,
}

/// The thread.
pub struct Actor {
    handle: Handle,
    disk: Disk,
    ended: oneshot::Receiver<()>,
}

impl Handle {
    /// Executes a transaction; durable on return.
    pub async fn execute(
        &self,
        transaction: VersionedTransaction,
        bytes: Vec<u8>,
        preflight: bool,
    ) -> Result<Executed, Stopped> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Execute { transaction, bytes, preflight, reply };
        self.commands.send(command).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Asks the chain; everything seen is durable.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Bank) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |bank| {
            // Whoever asked may have gone.
            let _ = reply.send(question(bank));
        });
        self.commands.send(Command::Read(read)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

impl Actor {
    /// Loads the chain and starts its thread.
    pub async fn start(config: &LocalnetConfig, clock: Arc<dyn Clock>) -> Result<Self, LocalnetError> {
        let faucet = Arc::new(Keypair::new_from_array(config.faucet_seed));
        let disk = Disk::open(config).await?;
        let stored = disk.load(genesis::hash(config, faucet.pubkey())).await?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let (loaded, ready) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let handle = Handle { commands, disk: disk.clone(), faucet: faucet.clone() };
        let (config, runtime, thread_disk) =
            (config.clone(), tokio::runtime::Handle::current(), disk.clone());
        std::thread::Builder::new()
            .name("localnet".to_owned())
            .spawn(move || {
                match bank(&config, &faucet, stored, &thread_disk, &runtime, clock) {
                    Ok(bank) => {
                        let _ = loaded.send(Ok(()));
                        run(bank, queue, &thread_disk, &runtime);
                    }
                    Err(error) => {
                        let _ = loaded.send(Err(error));
                    }
                }
                let _ = end.send(());
            })
            .map_err(LocalnetError::Thread)?;
        ready
            .await
            .map_err(|_| LocalnetError::Damaged { what: "the chain's thread ended at once".to_owned() })??;
        Ok(Self { handle, disk, ended })
    }

    /// A way to the chain.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends the thread once nobody can reach it, and closes the database.
    pub async fn stop(self) {
        let Self { handle, disk, ended } = self;
        drop(handle);
        // However the thread ended, it uses the database no more.
        let _ = ended.await;
        disk.close().await;
    }
}

/// Puts the chain together from the first block and what was stored since.
fn bank(
    config: &LocalnetConfig,
    faucet: &Keypair,
    stored: Stored,
    disk: &Disk,
    runtime: &tokio::runtime::Handle,
    clock: Arc<dyn Clock>,
) -> Result<Bank, LocalnetError> {
    let mut svm = genesis::runtime(config, faucet.pubkey())?;
    let mut accounts = stored.accounts;
    // Programs are loaded from their ProgramData, which must be there first.
    accounts.sort_by_key(|(_, account)| account.executable);
    for (address, account) in accounts {
        svm.set_account(address, account)
            .map_err(|error| LocalnetError::Damaged { what: format!("account {address}: {error}") })?;
    }
    let slots = Slots::continue_at(stored.slot_ceiling, stored.genesis, config.slot_time);
    let mut bank = Bank::new(svm, stored.genesis, slots, clock);
    loop {
        let page = runtime.block_on(disk.after(bank.last_seq))?;
        if page.is_empty() {
            break;
        }
        for executed in page {
            bank.remember(&executed).map_err(|error| LocalnetError::Damaged {
                what: format!("transaction {}: {error}", executed.signature),
            })?;
        }
    }
    Ok(bank)
}

fn run(mut bank: Bank, mut queue: mpsc::Receiver<Command>, disk: &Disk, runtime: &tokio::runtime::Handle) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.blocking_recv_many(&mut group, GROUP) > 0 {
        let (mut replies, mut reads) = (Vec::new(), Vec::new());
        bank.tick();
        for command in group.drain(..) {
            match command {
                Command::Execute { transaction, bytes, preflight, reply } => {
                    replies.push((reply, bank.execute(&transaction, bytes, preflight)));
                }
                Command::Read(read) => reads.push(read),
            }
        }
        let change = bank.take_pending();
        if !change.is_empty() {
            match runtime.block_on(disk.commit(change)) {
                Ok(None) => {}
                Ok(Some(first_kept)) => bank.index.forget_before(first_kept),
                Err(error) => {
                    // What is in memory is ahead of the disk: nobody may see it.
                    tracing::error!(%error, "localnet.database: the chain cannot store its blocks and stops");
                    return;
                }
            }
        }
        for read in reads {
            read(&bank);
        }
        for (reply, executed) in replies {
            let _ = reply.send(executed);
        }
    }
}
