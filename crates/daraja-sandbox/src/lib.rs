//! An M-Pesa that runs on this machine: Daraja's paths, shapes and callbacks,
//! customers with virtual phones, and a statement of every shilling.
//!
//! Promises: an unchanged Daraja client takes it for the real thing; a request
//! is on disk before it is answered, and money moves in the commit that owes
//! its callbacks, so that no kill loses or doubles a payment; what it does
//! follows from the seed, the requests and the injected clock alone.
//! Stands beside the services and knows none of them: they meet over HTTP. See
//! the crate's README for its doors.

mod action;
mod book;
pub mod config;
mod core;
mod credential;
mod deliver;
mod draw;
mod error;
mod http;
mod nairobi;
mod own_clock;
mod refusal;
pub mod scenario;
mod shape;
mod store;
pub mod tariff;
mod world;

pub use config::{
    Behaviour, Delivery, InFlight, InitiatorCheck, Landing, Limits, PhoneMode, PhoneSetup, Reach,
    Registration, SandboxConfig, SecondPrompt, Shortcode,
};
pub use error::SandboxError;
pub use scenario::{Scenario, ScenarioError};
pub use tariff::{Bouquet, ChargeBand, PayBillBand};

use crate::core::{Core, Keeper};
use crate::credential::CredentialReader;
use crate::deliver::Deliverer;
use crate::http::{App, Tokens};
use crate::own_clock::OwnClock;
use crate::store::Store;
use crate::world::{PhoneChange, World};
use jirani_clock::ServiceClock;
use jirani_units::{Cents, Clock as _, Msisdn, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Starts emulators.
pub struct Sandbox;

/// A running emulator. It ends when stopped, or with its runtime.
pub struct RunningSandbox {
    /// `http://127.0.0.1:PORT`, for clients; the phones are at `/phones`.
    pub base_url: String,
    core: Core,
    clock: ServiceClock,
    deliverer: Deliverer,
    stop_doors: CancellationToken,
    stop_deliveries: CancellationToken,
    stop_core: CancellationToken,
    doors: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

/// What the business's accounts hold at M-Pesa.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The collecting shortcode.
    pub collection: Cents,
    /// The paying shortcode.
    pub payout: Cents,
    /// Charges paid: zero or below.
    pub charges: Cents,
}

impl Totals {
    /// The three together.
    pub fn sum(self) -> Cents {
        [self.collection, self.payout, self.charges].into_iter().sum()
    }
}

impl Sandbox {
    /// Starts an emulator on the clock of the program that runs it: state read,
    /// callbacks left over on their way, doors open on return.
    pub async fn start(config: SandboxConfig, clock: ServiceClock) -> Result<RunningSandbox, SandboxError> {
        let (listener, store) = open(&config).await?;
        start_on(config, listener, store, clock, None).await
    }

    /// Starts an emulator with a clock of its own, which follows `read` (the
    /// system's clock) until it is told otherwise, and goes on where it was left.
    pub async fn start_alone(
        config: SandboxConfig,
        read: fn() -> Timestamp,
    ) -> Result<RunningSandbox, SandboxError> {
        let (listener, mut store) = open(&config).await?;
        let saved_at = match &mut store {
            Some(store) => store.saved_at().await?,
            None => None,
        };
        let scenario = config.scenario.as_ref();
        let start = scenario.and_then(|scenario| scenario.start_at).unwrap_or_else(read);
        let start = saved_at.map_or(start, |saved_at| start.max(saved_at));
        let own = OwnClock::new(start, read, scenario.is_some_and(|scenario| scenario.frozen));
        start_on(config, listener, store, own.clock(), Some(own)).await
    }
}

/// Opens the port and the state.
async fn open(config: &SandboxConfig) -> Result<(TcpListener, Option<Store>), SandboxError> {
    if config.reach == Reach::ThisMachine && !config.listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(config.listen));
    }
    let port = |source| SandboxError::Port { listen: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(port)?;
    let store = match &config.data_dir {
        Some(folder) => Some(Store::open(folder).await?),
        None => None,
    };
    Ok((listener, store))
}

async fn start_on(
    config: SandboxConfig,
    listener: TcpListener,
    mut store: Option<Store>,
    clock: ServiceClock,
    own_clock: Option<OwnClock>,
) -> Result<RunningSandbox, SandboxError> {
    let busy = clock.busy();
    let config = Arc::new(config);
    let credential = config.initiator_check.as_ref().map(CredentialReader::new).transpose()?;
    let steps = config.scenario.as_ref().map(|scenario| scenario.steps(&config)).transpose()?;
    let port = |source| SandboxError::Port { listen: config.listen, source };
    let address = listener.local_addr().map_err(port)?;
    let mut world = match &mut store {
        Some(store) => core::read(store, &config, clock.now(), BTreeSet::new()).await?,
        None => World::new(Arc::clone(&config), clock.now()),
    };
    let start = world.count_start();
    if let Some(steps) = steps {
        world.play(steps);
    }
    if let Some(store) = &mut store {
        let (batch, path) = (world.take_batch(), store.path().to_owned());
        store.write(&batch).await.map_err(|source| SandboxError::Database { path, source })?;
    }

    let [stop_doors, stop_deliveries, stop_core] = std::array::from_fn(|_| CancellationToken::new());
    let (core, calls) = Core::channel();
    let deliverer = Deliverer::new(core.clone(), config.delivery, stop_deliveries.clone())?;
    let keeper = Keeper {
        world,
        store,
        calls,
        deliverer: deliverer.clone(),
        clock: clock.clone(),
        config: Arc::clone(&config),
        cancel: stop_core.clone(),
    };
    let app = Arc::new(App {
        config,
        core: core.clone(),
        clock: clock.clone(),
        tokens: Tokens::default(),
        credential,
        deliverer: deliverer.clone(),
        own_clock: own_clock.clone(),
        start,
        requests: AtomicU64::new(0),
    });
    let keeper = tokio::spawn(keeper.run(busy));
    if let Some(own) = own_clock {
        tokio::spawn(own.follow(stop_core.clone()));
    }
    let doors = tokio::spawn(http::serve(listener, http::router(app), stop_doors.clone()));
    let base_url = format!("http://{address}");
    Ok(RunningSandbox {
        base_url,
        core,
        clock,
        deliverer,
        stop_doors,
        stop_deliveries,
        stop_core,
        doors,
        keeper,
    })
}

impl RunningSandbox {
    /// What the business's accounts hold; `None` while the state cannot be
    /// saved, or after it ended.
    pub async fn totals(&self) -> Option<Totals> {
        let totals = self.core.ask(None, |world| world.totals()).await.ok()?;
        Some(Totals {
            collection: totals.collection_cents,
            payout: totals.payout_cents,
            charges: totals.charges_cents,
        })
    }

    /// Says how a phone answers from now on, and whose it is. Whether it is saved.
    pub async fn set_phone(&self, msisdn: Msisdn, name: &str, mode: PhoneMode) -> bool {
        let change = PhoneChange { name: Some(name.to_owned()), mode: Some(mode), balance: None };
        let busy = self.clock.busy();
        let changed = self.core.ask(Some(busy), move |world| world.change_phone(msisdn, change)).await;
        changed.is_ok_and(|changed| changed.is_ok())
    }

    /// Tells the emulator where the server it calls back listens now: for one
    /// that has another port after each start. Callbacks to this machine go
    /// there from now on, and those that found nobody are tried again. Call it
    /// once the server listens. An address that is none changes nothing.
    pub async fn callbacks_to(&self, server: &str) {
        let Ok(server) = reqwest::Url::parse(server) else {
            tracing::warn!(server, "the address for callbacks is no URL");
            return;
        };
        self.deliverer.moved_to(server);
        if self.core.ask(Some(self.clock.busy()), World::redeliver).await.is_err() {
            tracing::warn!("callbacks that found nobody are tried at the next start");
        }
    }

    /// Stops in order: doors, deliveries, state. What is still owed is saved
    /// and goes out at the next start.
    pub async fn stop(self) {
        self.stop_doors.cancel();
        let _ = self.doors.await;
        let last = tokio::time::timeout(Duration::from_secs(2), self.deliverer.stop());
        if last.await.is_err() {
            self.stop_deliveries.cancel();
            self.deliverer.stop().await;
        }
        self.stop_core.cancel();
        let _ = self.keeper.await;
    }
}
