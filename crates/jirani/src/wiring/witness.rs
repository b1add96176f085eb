//! The witness's two ends: what a server asks, and what `jirani witness` answers with.

use crate::config::{Config, KeySetting};
use anyhow::{Context as _, bail};
use async_trait::async_trait;
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::witness::http::{EvidenceSource, HouseholdEvidence, HttpWitness};
use jirani_chain::witness::registry::Registry;
use jirani_chain::witness::{WitnessError, WitnessKey, WitnessPolicy};
use jirani_chain::{ChainKeys, RpcEnergyChain};
use jirani_oracle::witness::{Examination, StoredEvidence};
use jirani_store::Store;
use jirani_units::Timestamp;
use std::sync::Arc;

/// The configured witness at its address; `None` where there is none.
fn configured(config: &Config, evidence: Arc<dyn EvidenceSource>) -> anyhow::Result<Option<HttpWitness>> {
    let settings = &config.witness;
    if !settings.is_set() {
        return Ok(None);
    }
    let witness = HttpWitness::new(&settings.url, settings.token()?, settings.key()?, evidence)
        .context("witness.url cannot be used")?;
    Ok(Some(witness))
}

/// For who only looks whether the witness is there.
struct NoEvidence;

#[async_trait]
impl EvidenceSource for NoEvidence {
    async fn evidence(&self, _: u16, _: Timestamp) -> Result<Vec<HouseholdEvidence>, WitnessError> {
        Err(WitnessError::Unreachable("there is no evidence here".to_owned()))
    }
}

/// Looks whether the configured witness answers, takes our token and has its key;
/// `None` where there is none.
pub async fn look_at_witness(config: &Config) -> anyhow::Result<Option<Result<(), WitnessError>>> {
    Ok(match configured(config, Arc::new(NoEvidence))? {
        Some(witness) => Some(witness.look().await),
        None => None,
    })
}

/// Has a server's attestations signed by the configured witness.
pub fn with_witness(
    chain: RpcEnergyChain,
    config: &Config,
    keys: &ChainKeys,
    store: Arc<dyn Store>,
) -> anyhow::Result<RpcEnergyChain> {
    let Some(witness) = configured(config, Arc::new(StoredEvidence::new(store)))? else { return Ok(chain) };
    if config.witness.key()? == WitnessKey::new(keys.oracle.clone()).address() {
        bail!(
            "witness.same_key: witness.key is this server's own oracle; a witness has a key of its own, on a machine of its own"
        );
    }
    let policy = WitnessPolicy { alone_wh_per_day: config.witness.alone_wh_per_day };
    Ok(chain.with_witness(Arc::new(witness), policy))
}

/// What `jirani witness` looks with: the oracle's key of this machine, a node of its own.
pub fn examination(config: &Config) -> anyhow::Result<Examination> {
    let mut ring = Keyring::default();
    match &config.chain.keys.oracle {
        KeySetting::Key(key) => ring.add(Role::Oracle, key.insecure_clone()),
        KeySetting::File(path) => ring.add_file(Role::Oracle, path)?,
        KeySetting::Unset => {
            let path = config.data_dir.join("keys").join("oracle.json");
            if !path.is_file() {
                bail!(
                    "chain.key_missing: there is no key for the witness; set chain.keys.oracle, or make {} by `jirani chain keys generate oracle`",
                    path.display()
                );
            }
            ring.add_file(Role::Oracle, &path)?;
        }
    }
    let key = ring.first(Role::Oracle).cloned().context("chain.key_missing: the witness has no key")?;
    let rpc_url = if config.chain.is_embedded() {
        format!("http://{}", config.chain.listen)
    } else {
        config.chain.rpc_url.clone()
    };
    let registry = Registry::new(&rpc_url, super::embedded::program(config)?)?
        .of_cluster(config.chain.expected_genesis());
    Ok(Examination::new(WitnessKey::new(key), registry, config.site.slot_length_s))
}
