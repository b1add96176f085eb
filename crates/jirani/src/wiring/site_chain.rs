//! The chain as services have it from the first moment, also while it cannot be used.
//!
//! Promises: until it is open every piece of work is told to wait, and why, and nothing
//! is sent; afterwards it is the real client. On a chain that is not ours nothing is
//! sent either while its node belongs to another cluster or has no deployment of ours:
//! a refusal there would say nothing about the work. Which attestations wait for a
//! witness shows in [`EnergyChain::readiness`].

use async_trait::async_trait;
use jirani_chain::witness::WAITS_PREFIX;
use jirani_chain::{
    Address, ChainError, ChainSnapshot, ChainState, EnergyChain, HouseholdOnChain, Outcome, Readiness,
    RpcEnergyChain, TariffOutcome, Work,
};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::state::Limits;
use jirani_market::Tariff;
use jirani_units::HouseholdId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whose chain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// Embedded: it cannot turn into another.
    ToUs,
    /// A node somewhere, which may.
    Elsewhere,
}

/// A chain that opens once.
pub struct SiteChain {
    program: EnergyProgram,
    belongs: Belongs,
    open: watch::Sender<Option<Arc<RpcEnergyChain>>>,
    /// What is in the way while it is not open.
    obstacle: Mutex<Readiness>,
    /// Attestations that wait for a witness, and why; no more than are under way.
    unwitnessed: Mutex<BTreeMap<String, String>>,
}

impl SiteChain {
    /// Not open yet.
    pub fn closed(program: Address, belongs: Belongs) -> Self {
        let obstacle = Readiness {
            state: ChainState::RpcDown,
            sentence: "The chain has not been looked at yet; wait a moment.".to_owned(),
            cause: None,
        };
        Self {
            program: EnergyProgram::new(program),
            belongs,
            open: watch::Sender::new(None),
            obstacle: Mutex::new(obstacle),
            unwitnessed: Mutex::default(),
        }
    }

    /// Opens it, for good.
    pub fn open(&self, chain: Arc<RpcEnergyChain>) {
        self.open.send_replace(Some(chain));
    }

    /// Remembers what is in the way.
    pub fn obstacle(&self, readiness: Readiness) {
        *self.obstacle.lock().unwrap_or_else(PoisonError::into_inner) = readiness;
    }

    /// Waits until it is open; `None` when cancelled before.
    pub async fn opened(&self, cancel: &CancellationToken) -> Option<Arc<RpcEnergyChain>> {
        let mut open = self.open.subscribe();
        tokio::select! {
            biased;
            found = open.wait_for(Option::is_some) => found.ok().and_then(|found| found.clone()),
            () = cancel.cancelled() => None,
        }
    }

    fn chain(&self) -> Result<Arc<RpcEnergyChain>, ChainError> {
        self.open.borrow().clone().ok_or_else(|| ChainError::NotReady(self.told().sentence))
    }

    fn told(&self) -> Readiness {
        self.obstacle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses to send to a node that is not of our chain.
    async fn check(&self, chain: &RpcEnergyChain) -> Result<(), ChainError> {
        if self.belongs == Belongs::ToUs {
            return Ok(());
        }
        let readiness = chain.readiness().await;
        match readiness.state {
            ChainState::WrongCluster | ChainState::ProgramMissing | ChainState::NotInitialised => {
                Err(ChainError::NotReady(readiness.sentence))
            }
            _ => Ok(()),
        }
    }

    fn remember(&self, key: &str, outcome: &Result<Outcome, ChainError>) {
        let mut unwitnessed = self.unwitnessed.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Err(ChainError::NotReady(why)) if why.starts_with(WAITS_PREFIX) => {
                unwitnessed.insert(key.to_owned(), why.clone());
            }
            // With rows, the others go on without them.
            Err(ChainError::Unsigned { why, rows }) if rows.is_empty() => {
                unwitnessed.insert(key.to_owned(), why.clone());
            }
            // It may go on under a name of its own, without some of its rows.
            _ => {
                let is_over = |waiting: &str| key == waiting || key.starts_with(&format!("{waiting}-"));
                unwitnessed.retain(|waiting, _| !is_over(waiting));
            }
        }
    }
}

#[async_trait]
impl EnergyChain for SiteChain {
    async fn submit(&self, key: &str, work: Work) -> Result<Outcome, ChainError> {
        let chain = self.chain()?;
        self.check(&chain).await?;
        let witnessed = matches!(work, Work::Attest { .. });
        let outcome = chain.submit(key, work).await;
        if witnessed {
            self.remember(key, &outcome);
        }
        outcome
    }

    async fn ended(&self, key: &str, work: &Work) -> Result<Option<Outcome>, ChainError> {
        let chain = self.chain()?;
        self.check(&chain).await?;
        // Somebody is held: what waited under this key is not asked for as it is.
        self.unwitnessed.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        chain.ended(key, work).await
    }

    async fn household(&self, id: HouseholdId) -> Result<Option<HouseholdOnChain>, ChainError> {
        self.chain()?.household(id).await
    }

    async fn households(&self, ids: &[HouseholdId]) -> Result<Vec<Option<HouseholdOnChain>>, ChainError> {
        self.chain()?.households(ids).await
    }

    async fn snapshot(&self) -> Result<ChainSnapshot, ChainError> {
        self.chain()?.snapshot().await
    }

    fn household_address(&self, id: HouseholdId) -> String {
        self.program.household(id.0).to_string()
    }

    fn order_window_s(&self) -> (u32, u32) {
        if let Some(chain) = &*self.open.borrow() {
            return chain.order_window_s();
        }
        let limits = Limits::default();
        (limits.order_window_s, limits.order_grace_s)
    }

    async fn set_tariff(&self, tariff: &Tariff) -> Result<TariffOutcome, ChainError> {
        let chain = self.chain()?;
        self.check(&chain).await?;
        chain.set_tariff(tariff).await
    }

    async fn readiness(&self) -> Readiness {
        let Ok(chain) = self.chain() else { return self.told() };
        let readiness = chain.readiness().await;
        if !matches!(readiness.state, ChainState::Ready | ChainState::Slow) {
            return readiness;
        }
        let unwitnessed = self.unwitnessed.lock().unwrap_or_else(PoisonError::into_inner);
        unwitnessed.values().next().map_or(readiness, |why| Readiness::unwitnessed(why))
    }
}
