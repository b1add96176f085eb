//! The one task that owns the state.
//!
//! It takes calls and timers in order, applies them, commits them together
//! (so a hundred requests cost one sync of the disk), and only then lets
//! answers and callbacks out. It stays busy until it sleeps for its next
//! timer, so a driven clock never jumps over one.

use crate::deliver::Deliverer;
use crate::error::SandboxError;
use crate::store::Store;
use crate::world::World;
use futures::FutureExt as _;
use jirani_clock::{Busy, PersonPresent, ServiceClock};
use jirani_units::{Clock as _, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// The most calls in one commit.
const BATCH: usize = 512;

type Release = Box<dyn FnOnce(bool) + Send>;
type Call = Box<dyn FnOnce(&mut World) -> Release + Send>;

/// A call on its way.
pub struct Message {
    call: Call,
    busy: Option<Busy>,
}

/// The state could not be saved; what was asked for has not happened.
#[derive(Clone, Copy, Debug)]
pub struct NotSaved;

/// The way to the state.
#[derive(Clone)]
pub struct Core(mpsc::Sender<Message>);

impl Core {
    /// A way, and its other end.
    pub fn channel() -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(1_024);
        (Self(sender), receiver)
    }

    /// Applies `call` and returns its result once it is saved. `busy` is kept
    /// until everything that follows from the call is under way.
    pub async fn ask<R: Send + 'static>(
        &self,
        busy: Option<Busy>,
        call: impl FnOnce(&mut World) -> R + Send + 'static,
    ) -> Result<R, NotSaved> {
        let (sender, receiver) = oneshot::channel();
        let call: Call = Box::new(move |world| {
            let result = call(world);
            Box::new(move |saved| {
                if saved {
                    // Who no longer waits needs no answer.
                    let _ = sender.send(result);
                }
            })
        });
        self.0.send(Message { call, busy }).await.map_err(|_| NotSaved)?;
        receiver.await.map_err(|_| NotSaved)
    }
}

/// The task's parts.
pub struct Keeper {
    pub world: World,
    pub store: Option<Store>,
    pub calls: mpsc::Receiver<Message>,
    pub deliverer: Deliverer,
    pub clock: ServiceClock,
    pub config: Arc<crate::SandboxConfig>,
    pub cancel: CancellationToken,
}

impl Keeper {
    /// Runs until cancelled. `busy` covers what was left over from before.
    pub async fn run(mut self, busy: Busy) {
        let mut held = vec![busy];
        let mut person: Option<PersonPresent> = None;
        self.let_out(&mut person);
        loop {
            let mut calls = Vec::new();
            {
                let due = self.world.next_due();
                let clock = self.clock.clone();
                let sleep = async move {
                    match due {
                        Some(at) => clock.sleep_until(at).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::pin!(sleep);
                // The first poll registers the sleeper; only then may we look idle.
                if let Some(woken) = sleep.as_mut().now_or_never() {
                    held.push(woken);
                    while calls.len() < BATCH
                        && let Ok(message) = self.calls.try_recv()
                    {
                        calls.push(message);
                    }
                } else {
                    held.clear();
                    tokio::select! {
                        biased;
                        () = self.cancel.cancelled() => break,
                        woken = &mut sleep => held.push(woken),
                        count = self.calls.recv_many(&mut calls, BATCH) => {
                            if count == 0 {
                                break;
                            }
                            // Before the sleeper goes, whoever called.
                            held.push(self.clock.busy());
                        }
                    }
                }
            }
            self.world.set_now(self.clock.now());
            self.world.fire_due();
            let mut releases = Vec::with_capacity(calls.len());
            for message in calls {
                held.extend(message.busy);
                releases.push((message.call)(&mut self.world));
            }
            let saved = self.save().await;
            self.let_out(&mut person);
            for release in releases {
                release(saved);
            }
        }
        if let Some(store) = self.store {
            store.close().await;
        }
    }

    /// Hands due callbacks over, and says whether a person looks at a prompt.
    fn let_out(&mut self, person: &mut Option<PersonPresent>) {
        for lane in self.world.take_lanes() {
            self.deliverer.deliver(lane, self.clock.busy());
        }
        *person = (self.world.prompts_by_hand() > 0)
            .then(|| person.take().unwrap_or_else(|| self.clock.person_present()));
    }

    /// Commits. When that fails, the state goes back to what is on disk.
    async fn save(&mut self) -> bool {
        let Some(store) = &mut self.store else {
            self.world.take_batch();
            return true;
        };
        let batch = self.world.take_batch();
        let Err(error) = store.write(&batch).await else { return true };
        tracing::error!(%error, path = %store.path().display(), "the emulator cannot save; nothing is answered");
        while !self.cancel.is_cancelled() {
            // A failing disk is real time's business.
            tokio::time::sleep(Duration::from_millis(500)).await;
            match read(store, &self.config, self.clock.now(), self.world.out()).await {
                Ok(world) => {
                    self.world = world;
                    break;
                }
                Err(error) => tracing::error!(%error, "the emulator cannot read its state"),
            }
        }
        false
    }
}

/// The state as it was saved.
pub async fn read(
    store: &mut Store,
    config: &Arc<crate::SandboxConfig>,
    now: Timestamp,
    out: std::collections::BTreeSet<u64>,
) -> Result<World, SandboxError> {
    let stored = store.read(config.history).await?;
    World::restore(Arc::clone(config), now, stored, out)
        .map_err(|what| SandboxError::Damaged { path: store.path().to_owned(), what })
}
