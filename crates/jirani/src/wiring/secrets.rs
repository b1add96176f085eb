//! The deployment's secrets: one root in the data folder, everything else derived.
//!
//! Each use has a name of its own in the derivation, so that no key says anything
//! about another. Losing the file loses the deployment; it belongs in the backup.

use anyhow::{Context as _, bail};
use jirani_broker::own_client_id;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The root secret.
pub struct Secrets([u8; 32]);

impl Secrets {
    /// Reads the root from `folder/root.key`, or creates it from `fresh`.
    pub fn open(folder: &Path, fresh: [u8; 32]) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join("root.key");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let mut root = [0; 32];
                if hex::decode_to_slice(text.trim(), &mut root).is_err() {
                    bail!(
                        "secrets.damaged: {} does not hold 64 hexadecimal digits; restore it from a backup",
                        path.display()
                    );
                }
                Ok(Self(root))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let staged = folder.join("root.key.new");
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&staged)?;
                writeln!(file, "{}", hex::encode(fresh))?;
                file.sync_all()?;
                fs::rename(&staged, &path)?;
                fs::File::open(folder)?.sync_all()?;
                Ok(Self(fresh))
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Secrets that are kept nowhere.
    pub fn fresh(root: [u8; 32]) -> Self {
        Self(root)
    }

    /// The 32 bytes for one use.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"jirani secret")
            .chain_update(self.0)
            .chain_update(purpose)
            .finalize()
            .into()
    }

    /// The same as text, for passwords.
    pub fn derive_text(&self, purpose: &str) -> String {
        hex::encode(self.derive(purpose))
    }

    /// The client id at a broker of one of the site's own clients, the same on every machine
    /// that has these secrets and known to nobody else.
    pub fn client_id(&self, name: &str) -> String {
        own_client_id(&self.derive("broker client ids"), name)
    }

    /// The group of a shared subscription. Nobody else knows it: at some brokers whoever joins
    /// a group takes its share of the messages, whatever it may read.
    pub fn shared_group(&self, share: &str) -> String {
        own_client_id(&self.derive("broker shared groups"), share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn secrets_survive_a_restart_and_differ_by_use() {
        let folder = tempfile::tempdir().unwrap();
        let first = Secrets::open(folder.path(), [7; 32]).unwrap();
        let again = Secrets::open(folder.path(), [8; 32]).unwrap();
        assert_eq!(first.derive("a"), again.derive("a"));
        assert_ne!(first.derive("a"), first.derive("b"));
        let mode = fs::metadata(folder.path().join("root.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
