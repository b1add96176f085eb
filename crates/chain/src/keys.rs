//! One key per role, in one file each: JSON arrays of 64 bytes, as Solana's own
//! tools write and read them, for their owner's eyes only (mode 0600).

use sha2::{Digest, Sha256};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The keys of a deployment. What the theft of each can cost is bounded by the
/// program.
#[derive(Clone)]
pub struct ChainKeys {
    /// Pays fees and rent.
    pub payer: Arc<Keypair>,
    /// Initialises, configures and enrols.
    pub admin: Arc<Keypair>,
    /// Attests.
    pub oracle: Arc<Keypair>,
    /// Settles and releases.
    pub attestor: Arc<Keypair>,
    /// Posts, cancels and orders for custodial households.
    pub custodian: Arc<Keypair>,
    /// May upgrade the program; signs its initialisation. Where the operator's tools do
    /// that instead, as on public clusters, the admin's key stands here.
    pub upgrade_authority: Arc<Keypair>,
}

/// A key file that cannot be used. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Reading or writing failed.
    #[error("chain.keys_unreadable: cannot use {path} ({source}); check the folder and its permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no key.
    #[error("chain.keys_damaged: {path} is no key (a JSON array of 64 bytes); restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("chain.keys_exposed: {path} can be read by others; run `chmod 600 {path}`, and replace the key if they did", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

const ROLES: [&str; 6] = ["payer", "admin", "oracle", "attestor", "custodian", "upgrade_authority"];

impl ChainKeys {
    /// All six from one secret seed, the same every time.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let [payer, admin, oracle, attestor, custodian, upgrade_authority] =
            ROLES.map(|role| Arc::new(derive(seed, role)));
        Self { payer, admin, oracle, attestor, custodian, upgrade_authority }
    }

    /// Reads `<role>.json` of every role in `folder`. Those that are missing are
    /// made from `seed`, which should be 32 bytes of fresh randomness, and written
    /// before this returns.
    pub fn load_or_create(folder: &Path, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let mut keys = Vec::with_capacity(ROLES.len());
        for role in ROLES {
            let path = folder.join(format!("{role}.json"));
            let key = match load(&path)? {
                Some(key) => key,
                None => create(&path, derive(seed, role))?,
            };
            keys.push(Arc::new(key));
        }
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        // INVARIANT: one key was pushed per role.
        #[expect(clippy::expect_used, reason = "as many keys as roles")]
        let [payer, admin, oracle, attestor, custodian, upgrade_authority] =
            <[Arc<Keypair>; ROLES.len()]>::try_from(keys).expect("a key per role");
        Ok(Self { payer, admin, oracle, attestor, custodian, upgrade_authority })
    }

    /// Address of the payer, for whoever funds it.
    pub fn payer_address(&self) -> Address {
        self.payer.pubkey()
    }

    /// Address of the key that may upgrade the program.
    pub fn upgrade_authority_address(&self) -> Address {
        self.upgrade_authority.pubkey()
    }
}

impl std::fmt::Debug for ChainKeys {
    /// Addresses only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainKeys").field("payer", &self.payer.pubkey()).finish_non_exhaustive()
    }
}

fn derive(seed: &[u8; 32], role: &str) -> Keypair {
    let mut hasher = Sha256::new_with_prefix(b"jirani chain key");
    hasher.update(seed);
    hasher.update(role);
    Keypair::new_from_array(hasher.finalize().into())
}

pub(crate) fn load(path: &Path) -> Result<Option<Keypair>, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    let damaged = || KeyError::Damaged { path: path.to_owned() };
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(serde_json::from_str(&text).map_err(|_| damaged())?);
    Keypair::try_from(bytes.as_slice()).map(Some).map_err(|_| damaged())
}

fn create(path: &Path, key: Keypair) -> Result<Keypair, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let bytes = Zeroizing::new(key.to_bytes());
    let text = Zeroizing::new(format!("{:?}", bytes.as_slice()));
    // Half a key must never stand under the key's name.
    let staged = path.with_extension("json.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&staged).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    fs::rename(&staged, path).map_err(io)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let made = ChainKeys::load_or_create(folder.path(), &[1; 32]).unwrap();
        let read = ChainKeys::load_or_create(folder.path(), &[2; 32]).unwrap();
        assert_eq!(made.payer.pubkey(), read.payer.pubkey());
        assert_eq!(
            made.upgrade_authority.pubkey(),
            ChainKeys::from_seed(&[1; 32]).upgrade_authority.pubkey()
        );
        let mode = fs::metadata(folder.path().join("oracle.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn every_role_has_its_own_key() {
        let keys = ChainKeys::from_seed(&[1; 32]);
        let mut all = [
            &keys.payer,
            &keys.admin,
            &keys.oracle,
            &keys.attestor,
            &keys.custodian,
            &keys.upgrade_authority,
        ]
        .map(solana_signer::Signer::pubkey);
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_damaged_or_exposed_key_is_named_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        ChainKeys::load_or_create(folder.path(), &[1; 32]).unwrap();
        let path = folder.path().join("payer.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = ChainKeys::load_or_create(folder.path(), &[1; 32]).unwrap_err();
        assert!(error.to_string().starts_with("chain.keys_exposed"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "[1,2,3]").unwrap();
        let error = ChainKeys::load_or_create(folder.path(), &[1; 32]).unwrap_err();
        assert!(error.to_string().starts_with("chain.keys_damaged"), "{error}");
    }
}
