//! A chain elsewhere: its keys, its first block, and waiting until it can be used.

use crate::config::{Config, KeySetting, is_local};
use crate::wiring::embedded::program;
use anyhow::bail;
use jirani_chain::admin::Operator;
use jirani_chain::cluster::PublicCluster;
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::readiness::Expectation;
use jirani_chain::{ChainConfig, ChainKeys, ChainState, FeeBounds, RpcEnergyChain};
use jirani_clock::ServiceClock;
use jirani_store::Store;
use jirani_units::Clock as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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

/// Connects to the configured cluster. Waits until it can be used, and says what is in
/// the way; only the wrong cluster is refused at once.
pub async fn start(
    config: &Config,
    folder: &Path,
    store: Arc<dyn Store>,
    clock: &ServiceClock,
) -> anyhow::Result<Arc<RpcEnergyChain>> {
    let keys = keys(config, folder)?;
    let program = program(config)?;
    let operator = Operator::new(&config.chain.rpc_url, program, false)?;
    let expected = Expectation {
        genesis_hash: config.chain.expected_genesis(),
        program: operator.program,
        payer: Some(keys.payer_address()),
    };
    wait(&operator, &expected, clock).await?;
    let chain = ChainConfig {
        genesis_hash: expected.genesis_hash,
        priority_fee: FeeBounds {
            floor_lamports: config.chain.priority_fee_floor_lamports,
            cap_lamports: config.chain.priority_fee_cap_lamports,
        },
        ..ChainConfig::new(config.chain.rpc_url.clone(), program, keys)
    };
    let chain = RpcEnergyChain::connect(chain, store, Arc::new(clock.clone())).await?;
    chain.adopt(&config.tariff.tariff()).await?;
    Ok(Arc::new(chain))
}

async fn wait(operator: &Operator, expected: &Expectation, clock: &ServiceClock) -> anyhow::Result<()> {
    let mut told = None;
    loop {
        let readiness = operator.readiness(expected, Some(clock.now().seconds())).await;
        if readiness.state.serves() {
            return Ok(());
        }
        if readiness.state == ChainState::WrongCluster {
            bail!("chain.wrong_cluster: {}", readiness.sentence);
        }
        if told != Some(readiness.state) {
            tracing::warn!(
                state = readiness.state.word(),
                cause = readiness.cause,
                "waiting for the chain: {}",
                readiness.sentence
            );
            told = Some(readiness.state);
        }
        tokio::time::sleep(LOOK).await;
    }
}
