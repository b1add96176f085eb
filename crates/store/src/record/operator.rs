use super::DeskRole;
use jirani_units::Timestamp;

/// Where an operator's account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperatorState {
    /// Invited: password and code are not chosen yet.
    Invited,
    /// Signs in.
    Active,
    /// Gone for good. The name is never given to anybody else: it stands in what was decided.
    Retired,
}

/// The account of somebody at the desk.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorRecord {
    /// The name; identity.
    pub name: String,
    /// What for.
    pub role: DeskRole,
    /// Where it stands.
    pub state: OperatorState,
    /// Slow salted hash of the password.
    pub password: Option<String>,
    /// From which, with a key that is not in the database, the secret of its codes is made.
    pub totp_salt: Option<[u8; 16]>,
    /// The last step of time whose code was taken: none is taken twice.
    pub totp_step: Option<u64>,
    /// SHA-256 of the secret that lets choose a password, and until when.
    pub invitation: Option<([u8; 32], Timestamp)>,
    /// Sessions made before are worth nothing.
    pub since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Version read; 0 = new.
    pub version: u64,
}

impl std::fmt::Debug for OperatorRecord {
    /// No hash is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorRecord")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("state", &self.state)
            .field("since", &self.since)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Something that somebody with special rights did: a link of a chain, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRecord {
    /// 1, 2, 3, ...; identity.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who, by name.
    pub who: String,
    /// What for they were there.
    pub role: String,
    /// What they did; holds no secret.
    pub act: String,
    /// Hash of the act before; zeroes before the first.
    pub previous: [u8; 32],
    /// Hash of this one with all before.
    pub hash: [u8; 32],
}
