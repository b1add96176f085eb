//! Operators: invited, let in with a password and an authenticator, retired for good.
//!
//! An invitation is a secret shown once, of which only the hash is kept. Whoever has it chooses
//! the password and is shown the authenticator's secret, once as well.

use crate::auth::token::Token;
use jirani_store::{Change, DeskRole, OperatorRecord, OperatorState, Store, StoreError};
use jirani_units::Timestamp;

/// How long an invitation is good, in seconds: three days.
pub const INVITED_S: i64 = 3 * 24 * 60 * 60;
/// The longest name, in characters.
const NAME_MAX: usize = 40;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The name cannot stand in records.
    #[error(
        "operators.name_invalid: a name has 1 to 40 letters, digits, spaces, . - or ', and begins with a letter"
    )]
    Name,
    /// Somebody has, or had, this name.
    #[error("operators.name_taken: somebody has or had the name {0}; names are never given twice")]
    Taken(String),
    /// Nobody has this name.
    #[error("operators.unknown: nobody has the name {0}")]
    Unknown(String),
    /// Gone for good.
    #[error("operators.retired: {0} is retired; invite them under another name")]
    Retired(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a name can stand in records.
fn check(name: &str) -> Result<(), PeopleError> {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'');
    let fits = name.chars().count() <= NAME_MAX && name.trim_end() == name && name.chars().all(is_fine);
    if fits && name.chars().next().is_some_and(char::is_alphabetic) { Ok(()) } else { Err(PeopleError::Name) }
}

/// Invites somebody new; `secret` is to be shown to them once.
pub async fn invite(
    store: &dyn Store,
    name: &str,
    role: DeskRole,
    secret: &Token,
    now: Timestamp,
) -> Result<OperatorRecord, PeopleError> {
    check(name)?;
    if store.operator(name).await?.is_some() {
        return Err(PeopleError::Taken(name.to_owned()));
    }
    let record = OperatorRecord {
        name: name.to_owned(),
        role,
        state: OperatorState::Invited,
        password: None,
        totp_salt: None,
        totp_step: None,
        invitation: Some((secret.hash(), now.plus_seconds(INVITED_S))),
        since: now,
        created_at: now,
        version: 0,
    };
    keep(store, record).await
}

/// Takes password, authenticator and sessions away and invites anew: what was lost or seen by
/// others is worth nothing.
pub async fn reset(
    store: &dyn Store,
    name: &str,
    secret: &Token,
    now: Timestamp,
) -> Result<OperatorRecord, PeopleError> {
    let record = known(store, name).await?;
    let invited = OperatorRecord {
        state: OperatorState::Invited,
        password: None,
        totp_salt: None,
        totp_step: None,
        invitation: Some((secret.hash(), now.plus_seconds(INVITED_S))),
        since: now,
        ..record
    };
    keep(store, invited).await
}

/// Lets somebody in no more, and ends their sessions.
pub async fn retire(store: &dyn Store, name: &str, now: Timestamp) -> Result<OperatorRecord, PeopleError> {
    let record = known(store, name).await?;
    let retired = OperatorRecord {
        state: OperatorState::Retired,
        password: None,
        totp_salt: None,
        totp_step: None,
        invitation: None,
        since: now,
        ..record
    };
    keep(store, retired).await
}

async fn known(store: &dyn Store, name: &str) -> Result<OperatorRecord, PeopleError> {
    let record = store.operator(name).await?.ok_or_else(|| PeopleError::Unknown(name.to_owned()))?;
    if record.state == OperatorState::Retired {
        return Err(PeopleError::Retired(name.to_owned()));
    }
    Ok(record)
}

async fn keep(store: &dyn Store, record: OperatorRecord) -> Result<OperatorRecord, PeopleError> {
    store.commit(vec![Change::Operator(Box::new(record.clone()))]).await?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_records() {
        for name in ["Amina", "Wanjirũ K.", "O'Brien-2", "A"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", " Amina", "Amina ", "-Amina", "=1+1", "Amina\n", "a,b", &"x".repeat(41)] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
