//! Where the chain is and which keys are at hand: flags before settings before the key
//! folder.

use crate::cli::chain::Access;
use crate::config::{Commitment, Config, KeySetting, is_local};
use crate::failure::Failure;
use crate::wiring;
use anyhow::{Context as _, bail};
use jirani_chain::admin::{AdminError, Operator};
use jirani_chain::cluster::PublicCluster;
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::readiness::Expectation;
use jirani_chain::{Address, NodeUrl};

/// An operator's desk.
pub struct Desk {
    /// The chain.
    pub operator: Operator,
    /// Keys at hand.
    pub keys: Keyring,
    /// Its node.
    pub url: String,
    /// What we expect of it.
    pub expected: Expectation,
    /// Settings.
    pub config: Config,
    /// Flags.
    pub access: Access,
}

impl Desk {
    /// Opens the desk; asks nothing of the chain yet.
    pub fn open(config: Config, access: Access) -> anyhow::Result<Self> {
        let named = access.url.as_deref().and_then(PublicCluster::by_name);
        let url = match (named, &access.url) {
            (Some(cluster), _) => cluster.rpc_url.to_owned(),
            (None, Some(url)) => url.clone(),
            (None, None) if config.chain.is_embedded() => format!("http://{}", config.chain.listen),
            (None, None) => config.chain.rpc_url.clone(),
        };
        let genesis_hash =
            named.map(|cluster| cluster.genesis_hash.to_owned()).or_else(|| config.chain.expected_genesis());
        if genesis_hash.is_none() && !is_local(&url) {
            bail!(
                "chain.cluster_unknown: {} is on another machine; set chain.cluster or chain.genesis_hash, so that the wrong chain is refused",
                NodeUrl::from(url.as_str())
            );
        }
        let program = match access.program {
            Some(program) => program,
            None if !config.chain.program.is_empty() => {
                config.chain.program.parse().context("chain.program is not an address")?
            }
            None if is_local(&url) => wiring::local_program(),
            None => {
                bail!("chain.program_unset: name the energy program's address by --program or chain.program")
            }
        };
        let keys = keyring(&config, &access)?;
        if !is_local(&url) || genesis_hash.as_deref().and_then(PublicCluster::by_genesis).is_some() {
            wiring::refuse_shared_keys(&keys)?;
        }
        let confirmed = config.chain.commitment == Commitment::Confirmed;
        let operator = Operator::new(&url, program, confirmed)?;
        let payer = access.payer.or_else(|| keys.addresses(Role::Payer).first().copied());
        let expected = Expectation { genesis_hash, program: operator.program, payer };
        Ok(Self { operator, keys, url, expected, config, access })
    }

    /// Refuses to go on at a node of another cluster.
    pub async fn check(&self) -> Result<(), Failure> {
        let found = self.operator.genesis_hash().await.map_err(Failure::start)?;
        match &self.expected.genesis_hash {
            Some(expected) if *expected != found => Err(Failure::Start(anyhow::anyhow!(
                "chain.wrong_cluster: the node at {} belongs to {}, not to {}; nothing was sent",
                NodeUrl::from(self.url.as_str()),
                cluster_name(&found),
                cluster_name(expected)
            ))),
            _ => Ok(()),
        }
    }

    /// Who pays.
    pub fn payer(&self) -> Result<Address, AdminError> {
        self.expected.payer.ok_or_else(|| {
            AdminError::Invalid(
                "nobody pays: name a key by --key payer=FILE or chain.keys.payer, or an address by --payer"
                    .to_owned(),
            )
        })
    }

    /// The first address at hand of a role, or an error that says how to name one.
    pub fn address(&self, role: Role) -> Result<Address, AdminError> {
        self.keys.addresses(role).first().copied().ok_or_else(|| {
            AdminError::Invalid(format!(
                "no key for {0} is at hand; name its file by --key {0}=FILE or chain.keys.{0}",
                role.name()
            ))
        })
    }

    /// The first of `addresses` whose key is at hand, or else the first of them.
    pub fn preferred(&self, addresses: &[Address]) -> Option<Address> {
        addresses.iter().find(|address| self.keys.of(address).is_some()).or(addresses.first()).copied()
    }
}

/// `devnet`, or the hash of an unknown cluster's first block.
pub fn cluster_name(genesis_hash: &str) -> String {
    PublicCluster::by_genesis(genesis_hash)
        .map_or_else(|| genesis_hash.to_owned(), |cluster| cluster.name.to_owned())
}

fn keyring(config: &Config, access: &Access) -> anyhow::Result<Keyring> {
    let mut keys = Keyring::default();
    for file in &access.keys {
        keys.add_file(file.role, &file.path)?;
    }
    for role in Role::ALL {
        if keys.has(role) {
            continue;
        }
        match config.chain.keys.of(role) {
            KeySetting::Key(key) => keys.add(role, key.insecure_clone()),
            KeySetting::File(path) => keys.add_file(role, path)?,
            KeySetting::Unset => {
                let path = config.data_dir.join("keys").join(format!("{}.json", role.name()));
                if path.is_file() {
                    keys.add_file(role, &path)?;
                }
            }
        }
    }
    Ok(keys)
}
