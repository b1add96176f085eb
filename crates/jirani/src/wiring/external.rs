//! A chain elsewhere: its keys, its first block, and waiting until it can be used.

use crate::config::{Config, KeySetting, is_local};
use crate::wiring::embedded::program;
use crate::wiring::enrolment::{self, Enrols};
use crate::wiring::site_chain::SiteChain;
use crate::wiring::witness::with_witness;
use anyhow::bail;
use jirani_chain::admin::Operator;
use jirani_chain::cluster::PublicCluster;
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::readiness::Expectation;
use jirani_chain::{ChainConfig, ChainError, ChainKeys, EnergyChain as _, FeeBounds, RpcEnergyChain};
use jirani_clock::ServiceClock;
use jirani_store::Store;
use jirani_units::Clock as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause between two looks at a chain that cannot be used yet.
const LOOK: Duration = Duration::from_secs(2);

/// Refuses keys that play two roles: the theft of one would cost what the program
/// allows to both.
pub fn refuse_shared_keys(keys: &Keyring) -> anyhow::Result<()> {
    if let Some((one, other)) = keys.shared() {
        bail!(
            "chain.keys_shared: {} and {} have the same key; give each role its own by `jirani chain keys generate`",
            one.name(),
            other.name()
        );
    }
    Ok(())
}

/// The keys that a server needs: each from its setting, else from the key folder.
pub fn keys(config: &Config, folder: &Path) -> anyhow::Result<ChainKeys> {
    let mut ring = Keyring::default();
    let needed = [Role::Payer, Role::Admin, Role::Oracle, Role::Attestor, Role::Custodian];
    for role in needed {
        match config.chain.keys.of(role) {
            KeySetting::Key(key) => ring.add(role, key.insecure_clone()),
            KeySetting::File(path) => ring.add_file(role, path)?,
            KeySetting::Unset => {
                let path = folder.join(format!("{}.json", role.name()));
                if !path.is_file() {
                    bail!(
                        "chain.key_missing: there is no key for {0}; set chain.keys.{0}, or make {1} by `jirani chain keys generate {0}`",
                        role.name(),
                        path.display()
                    );
                }
                ring.add_file(role, &path)?;
            }
        }
    }
    let public = config.chain.expected_genesis().as_deref().and_then(PublicCluster::by_genesis).is_some();
    if public || !is_local(&config.chain.rpc_url) {
        refuse_shared_keys(&ring)?;
    }
    let of = |role| {
        ring.first(role)
            .cloned()
            .ok_or_else(|| anyhow::anyhow!("chain.key_missing: {} has no key", role.name()))
    };
    let admin = of(Role::Admin)?;
    Ok(ChainKeys {
        payer: of(Role::Payer)?,
        oracle: of(Role::Oracle)?,
        attestor: of(Role::Attestor)?,
        custodian: of(Role::Custodian)?,
        upgrade_authority: admin.clone(),
        admin,
    })
}

/// Opens a chain elsewhere, as soon as it can be used.
pub struct Opener {
    site: Arc<SiteChain>,
    operator: Operator,
    expected: Expectation,
    chain: ChainConfig,
    keys: ChainKeys,
    config: Config,
    store: Arc<dyn Store>,
    clock: ServiceClock,
    enrols: Enrols,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is open.
    Opened,
    /// Something is in the way, as the chain's readiness says.
    Waits,
}

impl Opener {
    /// Reads the keys; asks nothing of the chain yet.
    pub fn new(
        config: &Config,
        folder: &Path,
        site: Arc<SiteChain>,
        store: Arc<dyn Store>,
        clock: &ServiceClock,
        enrols: Enrols,
    ) -> anyhow::Result<Self> {
        let keys = keys(config, folder)?;
        let program = program(config)?;
        let operator = Operator::new(&config.chain.rpc_url, program, false)?;
        let expected = Expectation {
            genesis_hash: config.chain.expected_genesis(),
            program: operator.program,
            payer: Some(keys.payer_address()),
        };
        let chain = ChainConfig {
            ws_url: Some(config.chain.ws_url(&config.chain.rpc_url).into()),
            genesis_hash: expected.genesis_hash.clone(),
            priority_fee: FeeBounds {
                floor_lamports: config.chain.priority_fee_floor_lamports,
                cap_lamports: config.chain.priority_fee_cap_lamports,
            },
            ..ChainConfig::new(config.chain.rpc_url.clone(), program, keys.clone())
        };
        let clock = clock.clone();
        Ok(Self { site, operator, expected, chain, keys, config: config.clone(), store, clock, enrols })
    }

    /// Opens the chain if nothing is in the way. Fails for what no waiting mends: keys that
    /// the chain's Config does not have.
    pub async fn attempt(&self) -> anyhow::Result<Attempt> {
        let readiness = self.operator.readiness(&self.expected, Some(self.clock.now().seconds())).await;
        if !readiness.state.serves() {
            self.site.obstacle(readiness);
            return Ok(Attempt::Waits);
        }
        match self.open().await {
            Ok(chain) => {
                self.site.open(chain);
                Ok(Attempt::Opened)
            }
            Err(error) if is_silence(&error) => {
                // It answered a moment ago; the next look says what is wrong.
                tracing::debug!("the chain is not open yet: {error:#}");
                Ok(Attempt::Waits)
            }
            Err(error) => Err(error),
        }
    }

    async fn open(&self) -> anyhow::Result<Arc<RpcEnergyChain>> {
        let store = self.store.clone();
        let clock = Arc::new(self.clock.clone());
        let chain = RpcEnergyChain::connect(self.chain.clone(), store.clone(), clock).await?;
        let chain = with_witness(chain, &self.config, &self.keys, store)?;
        chain.adopt().await?;
        if self.enrols == Enrols::Missing {
            enrolment::enrol(self.store.as_ref(), &chain).await?;
        }
        Ok(Arc::new(chain))
    }

    /// Waits until the chain is open, and says in the log what is in the way; `None` when
    /// cancelled before.
    pub async fn until_open(
        &self,
        cancel: &CancellationToken,
    ) -> anyhow::Result<Option<Arc<RpcEnergyChain>>> {
        let mut told = None;
        while self.attempt().await? == Attempt::Waits {
            let readiness = self.site.readiness().await;
            if told != Some(readiness.state) {
                tracing::warn!(
                    state = readiness.state.word(),
                    cause = readiness.cause,
                    "waiting for the chain: {}",
                    readiness.sentence
                );
                told = Some(readiness.state);
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(None),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(self.site.opened(cancel).await)
    }
}

/// Whether it is only that the node does not answer now.
fn is_silence(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ChainError::Unreachable(_) | ChainError::Damaged(_)))
}
