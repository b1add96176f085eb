//! The two threads of the chain, and how to reach them.
//!
//! One executes, the other makes durable what was executed meanwhile, all of it with
//! one `fsync`, while the first goes on. What a transaction did is shown to nobody
//! before it is on disk: an answer that could tell of it waits behind it.

use crate::bank::{Bank, Preflight, Refused};
use crate::disk::{self, Change, Disk, Stored, Writer};
use crate::events::{Events, Herald};
use crate::faults::Faults;
use crate::finality::{Finality, Levels, SLOTS_TO_FINAL};
use crate::slots::Slots;
use crate::{LocalnetConfig, LocalnetError, genesis};
use jirani_units::Clock;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer as _;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc as channel;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Most commands that wait; more make their senders wait.
const QUEUE: usize = 1_024;
/// Most commands that are taken up together.
const TOGETHER: usize = 64;
/// Most groups that wait to be stored; then execution waits for the disk.
const GROUPS: usize = 16;
/// How long a disk that takes nothing is left alone.
const DISK_PAUSE: Duration = Duration::from_millis(500);
/// Most transactions of one commit.
const COMMIT: usize = 512;

type Executed = Result<Signature, Box<Refused>>;
/// Hands an answer over.
type Release = Box<dyn FnOnce() + Send>;
/// Looks at the chain and gives back how to tell the answer.
type Question = Box<dyn FnOnce(&Bank) -> Release + Send>;

enum Command {
    Execute {
        transaction: VersionedTransaction,
        bytes: Vec<u8>,
        preflight: Preflight,
        reply: oneshot::Sender<Executed>,
    },
    /// Its answer may tell what a transaction did.
    Ask(Question),
    /// Its answer tells only what needs no storing, such as blockhashes.
    Glance(Question),
    /// Looks at the time; skips some slots.
    Tick { skip: u64 },
}

/// The chain has stopped; whoever asked learns nothing.
#[derive(Debug)]
pub struct Stopped;

/// A way to the chain.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    /// History, which is read beside the chain's threads.
    pub disk: Disk,
    /// When a transaction is final.
    pub finality: Finality,
    /// Signs airdrops.
    pub faucet: Arc<Keypair>,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// What subscribers are told.
    pub events: Events,
    /// Ends what waits on purpose.
    pub cancel: CancellationToken,
    /// Makes airdrops of one amount under one blockhash different transactions.
    pub airdrops: Arc<AtomicU64>,
}

/// The threads.
pub struct Actor {
    handle: Handle,
    ended: oneshot::Receiver<()>,
}

impl Handle {
    /// Executes a transaction; durable on return.
    pub async fn execute(
        &self,
        transaction: VersionedTransaction,
        bytes: Vec<u8>,
        preflight: Preflight,
    ) -> Result<Executed, Stopped> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Execute { transaction, bytes, preflight, reply };
        self.commands.send(command).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Asks the chain; everything seen is durable.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Bank) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.put(question, Command::Ask).await
    }

    /// Asks the chain for what transactions do not change: slots, blockhashes, fees.
    pub async fn glance<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Bank) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.put(question, Command::Glance).await
    }

    /// The newest slot of each commitment; where all is final at once, nobody needs to
    /// be asked for the bound that bounds nothing.
    pub async fn levels(&self) -> Result<Levels, Stopped> {
        match self.finality {
            Finality::Instant => Ok(Levels { processed: u64::MAX, confirmed: u64::MAX, finalized: u64::MAX }),
            Finality::Realistic => self.glance(Bank::levels).await,
        }
    }

    /// Has the chain look at the time, and skip some slots.
    pub async fn tick(&self, skip: u64) -> Result<(), Stopped> {
        self.commands.send(Command::Tick { skip }).await.map_err(|_| Stopped)
    }

    /// Waits on purpose, but not longer than the chain lives.
    pub async fn idle(&self, by: Duration) {
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = tokio::time::sleep(by) => {}
        }
    }

    async fn put<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Bank) -> T + Send + 'static,
        command: impl FnOnce(Question) -> Command,
    ) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |bank| {
            let answer = question(bank);
            Box::new(move || {
                // Whoever asked may have gone.
                let _ = reply.send(answer);
            })
        });
        self.commands.send(command(question)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

impl Actor {
    /// Loads the chain and starts its threads.
    pub async fn start(
        config: &LocalnetConfig,
        clock: Arc<dyn Clock>,
        cancel: CancellationToken,
    ) -> Result<Self, LocalnetError> {
        let faucet = Arc::new(Keypair::new_from_array(config.faucet_seed));
        let named = genesis::hash(config, faucet.pubkey());
        let opening = config.clone();
        let opened = tokio::task::spawn_blocking(move || disk::open(&opening, named)).await;
        let (writer, disk, stored) = opened.map_err(|_| ended_early())??;
        let past = Past::read(&disk, &stored).await?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let (loaded, ready) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let told = cancel.clone();
        let events = Events::new();
        let handle = Handle {
            commands,
            disk: disk.clone(),
            finality: config.finality,
            faucet: faucet.clone(),
            faults: Faults::new(config.faults),
            events: events.clone(),
            cancel,
            airdrops: Arc::new(AtomicU64::new(stored.last_seq)),
        };
        let config = config.clone();
        std::thread::Builder::new()
            .name("localnet".to_owned())
            .spawn(move || {
                match bank(&config, &faucet, stored, &past, clock) {
                    Ok(bank) => run(bank, queue, Storing { writer, cancel: told }, &events, loaded),
                    Err(error) => {
                        let _ = loaded.send(Err(error));
                    }
                }
                drop(disk);
                let _ = end.send(());
            })
            .map_err(LocalnetError::Thread)?;
        ready.await.map_err(|_| ended_early())??;
        Ok(Self { handle, ended })
    }

    /// A way to the chain.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends the threads once nobody can reach them; the database is closed then.
    pub async fn stop(self) {
        drop(self.handle);
        // However the threads ended, they use the database no more.
        let _ = self.ended.await;
    }
}

fn ended_early() -> LocalnetError {
    LocalnetError::Damaged { what: "the chain's thread ended at once".to_owned() }
}

/// What memory needs of history.
struct Past {
    recent: Vec<crate::history::Executed>,
}

impl Past {
    /// Reads the transactions of the unfinished segment of the address index, and
    /// those whose signatures might come again.
    async fn read(disk: &Disk, stored: &Stored) -> Result<Self, LocalnetError> {
        let recent_slot = stored.slot_ceiling.saturating_sub(crate::history::STATUS_SLOTS);
        let unfinished = crate::postings::segment(stored.last_seq + 1) * crate::postings::SEGMENT;
        let first = disk.first_from_slot(recent_slot).await?.unwrap_or(u64::MAX).min(unfinished);
        let mut from = first;
        let mut recent = Vec::new();
        loop {
            let page = disk.from(from).await?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            let mut plan = disk.tail.plan();
            for executed in page {
                if executed.seq >= unfinished {
                    let transaction: VersionedTransaction =
                        wincode::deserialize(&executed.bytes).map_err(|error| LocalnetError::Damaged {
                            what: format!("transaction {}: {error}", executed.signature),
                        })?;
                    let touched = crate::postings::touched(&transaction, executed.meta.loaded());
                    plan.insert(&disk.tail, executed.seq, touched);
                }
                if executed.slot >= recent_slot {
                    recent.push(executed);
                }
            }
            disk.tail.add(plan);
        }
        Ok(Self { recent })
    }
}

/// Puts the chain together from the first block and what was stored since.
fn bank(
    config: &LocalnetConfig,
    faucet: &Keypair,
    stored: Stored,
    past: &Past,
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
    // Slots begin at 1: nothing is as old as the first block. What was stored before
    // a restart is final after it, since no older versions of accounts are stored.
    let passed = match config.finality {
        Finality::Instant => 0,
        Finality::Realistic if stored.slot_ceiling == 0 => 0,
        Finality::Realistic => SLOTS_TO_FINAL,
    };
    let first = stored.slot_ceiling.max(1) + passed;
    let slots = Slots::continue_at(first, stored.genesis, config.slot_time, config.pace, &clock);
    let mut bank = Bank::new(svm, stored.genesis, slots, config.finality, clock);
    bank.last_seq = stored.last_seq;
    bank.set_time(stored.time);
    for executed in &past.recent {
        bank.remember(executed);
    }
    Ok(bank)
}

/// What was executed together, on its way to the disk.
#[derive(Default)]
struct Group {
    change: Change,
    releases: Vec<Release>,
    told: Vec<crate::events::Event>,
}

/// The way to the disk.
struct Storing {
    writer: Writer,
    cancel: CancellationToken,
}

impl Storing {
    /// Commits, as often as it takes while the disk has no room; false when it never will.
    fn commit(&self, change: &Change) -> bool {
        let mut is_told = false;
        loop {
            match self.writer.commit(change) {
                Ok(()) => break,
                Err(error) if is_passing(&error) && !self.cancel.is_cancelled() => {
                    if !is_told {
                        tracing::error!(%error, "localnet.database: the chain waits until it can store its blocks");
                        is_told = true;
                    }
                    std::thread::sleep(DISK_PAUSE);
                }
                Err(error) => {
                    tracing::error!(%error, "localnet.database: the chain cannot store its blocks and stops");
                    return false;
                }
            }
        }
        if is_told {
            tracing::info!("the chain stores its blocks again");
        }
        true
    }
}

/// Whether the same commit may succeed later: the disk is full, or answers nothing now.
fn is_passing(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as E;
    matches!(
        error.sqlite_error_code(),
        Some(
            E::DiskFull
                | E::SystemIoFailure
                | E::ReadOnly
                | E::DatabaseBusy
                | E::DatabaseLocked
                | E::CannotOpen
        )
    )
}

/// What both threads know of each other.
struct Between {
    /// Groups that are executed and not yet durable.
    waiting: AtomicUsize,
    /// A slot below which all may be shown.
    shown_below: AtomicU64,
}

fn run(
    mut bank: Bank,
    mut queue: mpsc::Receiver<Command>,
    storing: Storing,
    events: &Events,
    loaded: oneshot::Sender<Result<(), LocalnetError>>,
) {
    let between = Arc::new(Between { waiting: AtomicUsize::new(0), shown_below: AtomicU64::new(0) });
    let (groups, to_store) = channel::sync_channel(GROUPS);
    let (theirs, told) = (between.clone(), events.clone());
    let storing = std::thread::Builder::new()
        .name("localnet-disk".to_owned())
        .spawn(move || store(&storing, &to_store, &theirs, &told));
    let storing = match storing {
        Ok(storing) => storing,
        Err(error) => {
            let _ = loaded.send(Err(LocalnetError::Thread(error)));
            return;
        }
    };
    let _ = loaded.send(Ok(()));
    let mut herald = Herald::new(bank.finality, bank.slots.now());
    let mut commands = Vec::with_capacity(TOGETHER);
    while queue.blocking_recv_many(&mut commands, TOGETHER) > 0 {
        let group = together(&mut bank, &mut commands, &between, events, &mut herald);
        if group.change.is_empty() && group.releases.is_empty() && group.told.is_empty() {
            continue;
        }
        between.waiting.fetch_add(1, Ordering::SeqCst);
        if groups.send(group).is_err() {
            break;
        }
    }
    drop(groups);
    if storing.join().is_err() {
        tracing::error!("the thread that stores the chain panicked");
    }
}

/// Carries commands out, and answers at once what needs no storing.
fn together(
    bank: &mut Bank,
    commands: &mut Vec<Command>,
    between: &Between,
    events: &Events,
    herald: &mut Herald,
) -> Group {
    let (mut group, mut asked) = (Group::default(), Vec::new());
    bank.tick(0);
    for command in commands.drain(..) {
        match command {
            Command::Execute { transaction, bytes, preflight, reply } => {
                let executed = bank.execute(transaction, bytes, preflight);
                group.releases.push(Box::new(move || {
                    let _ = reply.send(executed);
                }));
            }
            Command::Ask(question) => asked.push(question(bank)),
            Command::Glance(question) => {
                let release = question(bank);
                if bank.slots.now() < between.shown_below.load(Ordering::SeqCst) {
                    release();
                } else {
                    asked.push(release);
                }
            }
            Command::Tick { skip } => bank.tick(skip),
        }
    }
    group.change = bank.take_pending();
    group.told = herald.told(bank.slots.now(), &group.change, events);
    let is_durable = group.change.is_empty() && between.waiting.load(Ordering::SeqCst) == 0;
    if is_durable && group.told.is_empty() {
        // Refusals and answers about what is durable.
        for release in group.releases.drain(..).chain(asked) {
            release();
        }
    } else {
        group.releases.append(&mut asked);
    }
    group
}

/// Makes groups durable, all that wait at once, and then shows them.
fn store(storing: &Storing, groups: &channel::Receiver<Group>, between: &Between, events: &Events) {
    while let Ok(mut group) = groups.recv() {
        let mut count = 1;
        while group.change.executed.len() < COMMIT
            && let Ok(later) = groups.try_recv()
        {
            group.change.append(later.change);
            group.releases.extend(later.releases);
            group.told.extend(later.told);
            count += 1;
        }
        // What is in memory is ahead of the disk: nobody may see it.
        if !group.change.is_empty() && !storing.commit(&group.change) {
            return;
        }
        if let Some(ceiling) = group.change.slot_ceiling {
            between.shown_below.store(ceiling, Ordering::SeqCst);
        }
        for event in group.told {
            events.tell(event);
        }
        for release in group.releases {
            release();
        }
        between.waiting.fetch_sub(count, Ordering::SeqCst);
    }
}
