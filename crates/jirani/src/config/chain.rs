use super::ConfigError;
use jirani_chain::NodeUrl;
use jirani_chain::cluster::PublicCluster;
use jirani_chain::keyring::{Role, parse_key};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use solana_keypair::Keypair;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// `[chain]`: Solana.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {
    /// URL of a cluster's JSON-RPC. Empty: the embedded chain.
    pub rpc_url: String,
    /// URL of its WebSocket. Empty: as Solana's tools derive it from `rpc_url`.
    pub ws_url: String,
    /// `mainnet-beta`, `devnet`, `testnet`, or a name of your own with its `genesis_hash`.
    pub cluster: String,
    /// Hash of the cluster's first block. Empty: the known one of `cluster`.
    pub genesis_hash: String,
    /// Where the embedded chain listens.
    pub listen: SocketAddr,
    /// Address of the energy program on that cluster. Empty: the embedded chain's.
    pub program: String,
    /// What the operator's tools wait for. Money always waits for `finalized`.
    pub commitment: Commitment,
    /// The least paid for priority, lamports per transaction.
    pub priority_fee_floor_lamports: u64,
    /// The most paid for priority, lamports per transaction.
    pub priority_fee_cap_lamports: u64,
    /// A key per role.
    pub keys: ChainKeySettings,
}

impl std::fmt::Debug for Chain {
    /// A node's URL may carry a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("rpc_url", &NodeUrl::from(self.rpc_url.as_str()))
            .field("cluster", &self.cluster)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            rpc_url: String::new(),
            ws_url: String::new(),
            cluster: String::new(),
            genesis_hash: String::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8899)),
            program: String::new(),
            commitment: Commitment::Finalized,
            priority_fee_floor_lamports: 0,
            priority_fee_cap_lamports: 100_000,
            keys: ChainKeySettings::default(),
        }
    }
}

/// When a transaction counts as landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Commitment {
    /// Voted for by two thirds of the stake; undone only if the cluster fails.
    Confirmed,
    /// Never undone.
    Finalized,
}

impl Chain {
    /// Whether the chain is ours.
    pub fn is_embedded(&self) -> bool {
        self.rpc_url.is_empty()
    }

    /// The first block that the cluster must have; `None` accepts any, which only a node
    /// on this machine may be.
    pub fn expected_genesis(&self) -> Option<String> {
        if !self.genesis_hash.is_empty() {
            return Some(self.genesis_hash.clone());
        }
        PublicCluster::by_name(&self.cluster).map(|cluster| cluster.genesis_hash.to_owned())
    }

    /// The WebSocket of a node: one port above its JSON-RPC, or the same address where
    /// the URL names no port.
    pub fn ws_url(&self, rpc_url: &str) -> String {
        if !self.ws_url.is_empty() && rpc_url == self.rpc_url {
            return self.ws_url.clone();
        }
        let address = rpc_url.replacen("http", "ws", 1);
        let address = address.trim_end_matches('/');
        match address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?))) {
            Some((host, port)) => format!("{host}:{}", port.saturating_add(1)),
            None => address.to_owned(),
        }
    }

    /// Rules between these settings.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
        if !self.cluster.is_empty() && self.expected_genesis().is_none() {
            return invalid(
                "chain.cluster is mainnet-beta, devnet or testnet; for another set chain.genesis_hash too",
            );
        }
        if !self.is_embedded() && !is_local(&self.rpc_url) && self.expected_genesis().is_none() {
            return invalid(
                "chain.rpc_url is on another machine: set chain.cluster or chain.genesis_hash, so that the wrong chain is refused",
            );
        }
        if !self.program.is_empty() && self.program.parse::<jirani_chain::Address>().is_err() {
            return invalid("chain.program is not an address");
        }
        if self.priority_fee_floor_lamports > self.priority_fee_cap_lamports {
            return invalid(
                "chain.priority_fee_floor_lamports must not be above chain.priority_fee_cap_lamports",
            );
        }
        Ok(())
    }
}

/// Whether a URL leads to this machine.
pub fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// `[chain.keys]`: a file per role, or in the environment the file's content.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainKeySettings {
    /// Pays fees and rent.
    pub payer: KeySetting,
    /// Configures and enrols.
    pub admin: KeySetting,
    /// Attests.
    pub oracle: KeySetting,
    /// Settles and releases.
    pub attestor: KeySetting,
    /// Acts for custodial households.
    pub custodian: KeySetting,
    /// May pause.
    pub pause_key: KeySetting,
    /// May upgrade the program; only `jirani chain init` needs it.
    pub upgrade_authority: KeySetting,
}

impl ChainKeySettings {
    /// What is set for a role.
    pub fn of(&self, role: Role) -> &KeySetting {
        match role {
            Role::Payer => &self.payer,
            Role::Admin => &self.admin,
            Role::Oracle => &self.oracle,
            Role::Attestor => &self.attestor,
            Role::Custodian => &self.custodian,
            Role::PauseKey => &self.pause_key,
            Role::UpgradeAuthority => &self.upgrade_authority,
            Role::Signer => &KeySetting::Unset,
        }
    }
}

/// Where a key is.
#[derive(Clone, Default)]
pub enum KeySetting {
    /// In the key folder, if anywhere.
    #[default]
    Unset,
    /// In a file of its own.
    File(PathBuf),
    /// Here: it came from the environment.
    Key(Arc<Keypair>),
}

impl std::fmt::Debug for KeySetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unset => "Unset",
            Self::File(_) => "File",
            Self::Key(_) => "Key",
        })
    }
}

impl Serialize for KeySetting {
    /// A file's name; a key itself is never written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unset => serializer.serialize_str(""),
            Self::File(path) => serializer.serialize_str(&path.to_string_lossy()),
            Self::Key(_) => serializer.serialize_str("***"),
        }
    }
}

impl<'de> Deserialize<'de> for KeySetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Bytes(Vec<u8>),
        }
        // The text of an error must not repeat what was read.
        let wrong = || serde::de::Error::custom("a key is a file's name, or a JSON array of 64 bytes");
        match Raw::deserialize(deserializer).map_err(|_| wrong())? {
            Raw::Text(text) if text.is_empty() => Ok(Self::Unset),
            Raw::Text(text) if text.trim_start().starts_with('[') => {
                parse_key(&text).map(|key| Self::Key(Arc::new(key))).ok_or_else(wrong)
            }
            Raw::Text(text) => Ok(Self::File(PathBuf::from(text))),
            Raw::Bytes(bytes) => {
                Keypair::try_from(bytes.as_slice()).map(|key| Self::Key(Arc::new(key))).map_err(|_| wrong())
            }
        }
    }
}
