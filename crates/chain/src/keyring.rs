//! The keys that one machine holds, each with the role it plays.
//!
//! Keys come from files for their owner's eyes only, or as bytes from whoever reads
//! the environment. They are never shown; a new file never takes an old one's place.

use crate::keys::{KeyError, load};
use sha2::{Digest as _, Sha256};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a key may do; the program bounds what its theft can cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Pays fees and rent.
    Payer,
    /// Configures and enrols.
    Admin,
    /// Attests.
    Oracle,
    /// Settles and releases.
    Attestor,
    /// Acts for custodial households.
    Custodian,
    /// May pause.
    PauseKey,
    /// May upgrade the program; signs its initialisation.
    UpgradeAuthority,
    /// Anybody else who signs: a household's authority, the next admin.
    Signer,
}

impl Role {
    /// The roles of a deployment, one key file each.
    pub const ALL: [Self; 7] = [
        Self::Payer,
        Self::Admin,
        Self::Oracle,
        Self::Attestor,
        Self::Custodian,
        Self::PauseKey,
        Self::UpgradeAuthority,
    ];

    /// Its name in settings and file names: `upgrade_authority`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Admin => "admin",
            Self::Oracle => "oracle",
            Self::Attestor => "attestor",
            Self::Custodian => "custodian",
            Self::PauseKey => "pause_key",
            Self::UpgradeAuthority => "upgrade_authority",
            Self::Signer => "signer",
        }
    }

    /// The role of a name; `-` is as good as `_`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().chain([Self::Signer]).find(|role| role.name() == name)
    }
}

/// Keys at hand.
#[derive(Clone, Default)]
pub struct Keyring(Vec<(Role, Arc<Keypair>)>);

impl std::fmt::Debug for Keyring {
    /// Roles and addresses only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(role, key)| (role, key.pubkey()))).finish()
    }
}

impl Keyring {
    /// Adds a key.
    pub fn add(&mut self, role: Role, key: Keypair) {
        self.0.push((role, Arc::new(key)));
    }

    /// Reads a key from its file and adds it.
    pub fn add_file(&mut self, role: Role, path: &Path) -> Result<(), KeyError> {
        let missing = || KeyError::Io {
            path: path.to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file"),
        };
        self.add(role, load(path)?.ok_or_else(missing)?);
        Ok(())
    }

    /// Whether a role has a key.
    pub fn has(&self, role: Role) -> bool {
        self.first(role).is_some()
    }

    /// A role's first key.
    pub fn first(&self, role: Role) -> Option<&Arc<Keypair>> {
        self.0.iter().find(|(known, _)| *known == role).map(|(_, key)| key)
    }

    /// The addresses of a role, in the order they were added.
    pub fn addresses(&self, role: Role) -> Vec<Address> {
        self.0.iter().filter(|(known, _)| *known == role).map(|(_, key)| key.pubkey()).collect()
    }

    /// The key of an address, whatever its role.
    pub fn of(&self, address: &Address) -> Option<&Arc<Keypair>> {
        self.0.iter().map(|(_, key)| key).find(|key| key.pubkey() == *address)
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &Keypair> {
        self.0.iter().map(|(_, key)| key.as_ref())
    }

    /// Two roles that share one key, if there are any: the theft of that key would cost
    /// what the program allows to both.
    pub fn shared(&self) -> Option<(Role, Role)> {
        let mut seen: Vec<(Role, Address)> = Vec::new();
        for (role, key) in self.0.iter().filter(|(role, _)| *role != Role::Signer) {
            let address = key.pubkey();
            if let Some((other, _)) = seen.iter().find(|(other, known)| *known == address && other != role) {
                return Some((*other, *role));
            }
            seen.push((*role, address));
        }
        None
    }
}

/// A key from the text of a key file: a JSON array of 64 bytes. `None` when it is none.
pub fn parse_key(text: &str) -> Option<Keypair> {
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(serde_json::from_str(text).ok()?);
    Keypair::try_from(bytes.as_slice()).ok()
}

/// Makes a key from fresh randomness and writes it to a file that must not exist.
pub fn write_new_key(path: &Path, role: Role, fresh: &[u8; 32]) -> Result<Address, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let mut hasher = Sha256::new_with_prefix(b"jirani generated key");
    hasher.update(fresh);
    hasher.update(role.name());
    let key = Keypair::new_from_array(hasher.finalize().into());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let bytes = Zeroizing::new(key.to_bytes());
    let text = Zeroizing::new(format!("{:?}", bytes.as_slice()));
    // Written whole beside its place, then linked into it: linking refuses an existing file.
    let staged = path.with_extension("json.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&staged).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    let linked = fs::hard_link(&staged, path).map_err(io);
    fs::remove_file(&staged).map_err(io)?;
    linked?;
    Ok(key.pubkey())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_new_key_never_takes_an_old_ones_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/oracle.json");
        let address = write_new_key(&path, Role::Oracle, &[1; 32]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(write_new_key(&path, Role::Oracle, &[2; 32]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(parse_key(&text).unwrap().pubkey(), address);
        let mut keys = Keyring::default();
        keys.add_file(Role::Oracle, &path).unwrap();
        assert_eq!(keys.addresses(Role::Oracle), [address]);
        assert!(keys.of(&address).is_some() && !format!("{keys:?}").contains(&text));
        assert!(keys.add_file(Role::Admin, &folder.path().join("none.json")).is_err());
    }

    #[test]
    fn one_key_in_two_roles_is_found() {
        let key = || Keypair::new_from_array([5; 32]);
        let mut keys = Keyring::default();
        keys.add(Role::Payer, key());
        keys.add(Role::Signer, key());
        assert_eq!(keys.shared(), None, "whoever signs besides may be anybody");
        keys.add(Role::Oracle, Keypair::new_from_array([6; 32]));
        keys.add(Role::Attestor, key());
        assert_eq!(keys.shared(), Some((Role::Payer, Role::Attestor)));
    }

    #[test]
    fn roles_are_named_in_settings_as_in_files() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("upgrade-authority"), Some(Role::UpgradeAuthority));
        assert_eq!(Role::from_name("king"), None);
        assert!(parse_key("[1,2]").is_none());
    }
}
