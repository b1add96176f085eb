//! Clusters by name. A cluster is what its first block says it is, whatever its URL
//! is called.

/// A cluster that everybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicCluster {
    /// `mainnet-beta`, `devnet`, `testnet`.
    pub name: &'static str,
    /// Hash of its first block, base58.
    pub genesis_hash: &'static str,
    /// Solana's own public node; its rates are limited.
    pub rpc_url: &'static str,
}

/// The public clusters, as `solana genesis-hash` names them.
pub const PUBLIC_CLUSTERS: [PublicCluster; 3] = [
    PublicCluster {
        name: "mainnet-beta",
        genesis_hash: "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
        rpc_url: "https://api.mainnet-beta.solana.com",
    },
    PublicCluster {
        name: "devnet",
        genesis_hash: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG",
        rpc_url: "https://api.devnet.solana.com",
    },
    PublicCluster {
        name: "testnet",
        genesis_hash: "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY",
        rpc_url: "https://api.testnet.solana.com",
    },
];

impl PublicCluster {
    /// By its name; `mainnet` is short for `mainnet-beta`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let name = if name == "mainnet" { "mainnet-beta" } else { name };
        PUBLIC_CLUSTERS.iter().find(|cluster| cluster.name == name)
    }

    /// By the hash of its first block.
    pub fn by_genesis(hash: &str) -> Option<&'static Self> {
        PUBLIC_CLUSTERS.iter().find(|cluster| cluster.genesis_hash == hash)
    }

    /// Where to look at a transaction, with `{signature}` where its name goes.
    pub fn explorer_url(&self) -> String {
        let suffix =
            if self.name == "mainnet-beta" { String::new() } else { format!("?cluster={}", self.name) };
        format!("https://explorer.solana.com/tx/{{signature}}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_known_by_name_and_by_its_first_block() {
        for cluster in &PUBLIC_CLUSTERS {
            assert_eq!(PublicCluster::by_name(cluster.name), Some(cluster));
            assert_eq!(PublicCluster::by_genesis(cluster.genesis_hash), Some(cluster));
            assert_eq!(
                cluster.genesis_hash.parse::<solana_hash::Hash>().unwrap().to_string(),
                cluster.genesis_hash
            );
        }
        assert_eq!(PublicCluster::by_name("mainnet").map(|cluster| cluster.name), Some("mainnet-beta"));
        assert_eq!(PublicCluster::by_name("devnat"), None);
        assert!(PUBLIC_CLUSTERS[1].explorer_url().ends_with("{signature}?cluster=devnet"));
    }
}
