//! PINs and one-time codes: kept as slow salted hashes, counted before they are looked at.
//!
//! A PIN has so few values that a stolen database would tell them all: besides salt and
//! cost, the hash takes a key that is not in the database. The library (`argon2`, of the
//! RustCrypto project) is the one its field recommends: Argon2id, RFC 9106, with the costs
//! that OWASP names (19 MiB, two passes).

use super::sign_in::{Key, LOCK_MINUTES, TRIES, Verdict, is_pin};
use crate::app::App;
use crate::error::ApiError;
use argon2::{Algorithm, Argon2, Params, Version};
use jirani_store::{Change, HandsetRecord, StoreError};
use jirani_units::{HouseholdId, Timestamp};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
/// Hashes made at the same time: each takes its memory.
const AT_ONCE: usize = 2;
/// Times a record is read again because another request changed it.
const AGAIN_MAX: u32 = 16;

/// Makes and compares hashes.
pub struct Hasher {
    pepper: [u8; 32],
    turns: Arc<Semaphore>,
}

impl Hasher {
    /// With this key, which is not in the database.
    pub fn new(pepper: [u8; 32]) -> Self {
        Self { pepper, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// What is kept of a PIN: `argon2id$memory$passes$salt$hash`.
    pub async fn hash(&self, secret: &str, salt: [u8; 16]) -> Result<String, ApiError> {
        let hash = self.digest(secret, salt, MEMORY_KIB, PASSES).await?;
        Ok(format!("argon2id${MEMORY_KIB}${PASSES}${}${}", hex::encode(salt), hex::encode(hash)))
    }

    /// Whether it is the one that `kept` was made from.
    pub async fn matches(&self, secret: &str, kept: &str) -> Result<bool, ApiError> {
        let damaged = || ApiError::internal("a kept hash cannot be read");
        let parts: Vec<&str> = kept.split('$').collect();
        let ["argon2id", memory, passes, salt, hash] = parts.as_slice() else { return Err(damaged()) };
        let (mut salt_bytes, mut hash_bytes) = ([0; 16], [0; 32]);
        hex::decode_to_slice(salt, &mut salt_bytes).map_err(|_| damaged())?;
        hex::decode_to_slice(hash, &mut hash_bytes).map_err(|_| damaged())?;
        let (memory, passes) =
            (memory.parse().map_err(|_| damaged())?, passes.parse().map_err(|_| damaged())?);
        let made = self.digest(secret, salt_bytes, memory, passes).await?;
        Ok(made.ct_eq(&hash_bytes).into())
    }

    async fn digest(
        &self,
        secret: &str,
        salt: [u8; 16],
        memory: u32,
        passes: u32,
    ) -> Result<[u8; 32], ApiError> {
        let failed = |error: &dyn std::fmt::Display| ApiError::internal(format!("no hash: {error}"));
        let turn = self.turns.clone().acquire_owned().await.map_err(|error| failed(&error))?;
        let (pepper, secret) = (self.pepper, secret.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            let mut hash = [0; 32];
            let params = Params::new(memory, passes, 1, Some(hash.len()))?;
            Argon2::new_with_secret(&pepper, Algorithm::Argon2id, Version::V0x13, params)?
                .hash_password_into(secret.as_bytes(), &salt, &mut hash)?;
            drop(turn);
            Ok::<_, argon2::Error>(hash)
        });
        work.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}

/// What a number has to show first.
pub fn key_of(handset: &HandsetRecord, now: Timestamp) -> Key {
    match handset.locked_until.filter(|until| *until > now) {
        Some(until) => Key::Locked(minutes(until, now)),
        None if handset.pin.is_some() => Key::Pin,
        None if handset.code.is_some() && handset.code_until > Some(now) => Key::CodeSent,
        None => Key::None,
    }
}

fn minutes(until: Timestamp, now: Timestamp) -> u32 {
    u32::try_from((until.since(now) + 59_999_999) / 60_000_000).unwrap_or(LOCK_MINUTES).max(1)
}

/// Whether an answer is the PIN, or the code where there is no PIN. A try is counted before
/// it is looked at, so that many at once have no more tries than one after another.
pub async fn judge(
    app: &App,
    hasher: &Hasher,
    household: HouseholdId,
    answer: &str,
) -> Result<Verdict, ApiError> {
    if !is_pin(answer) {
        return Ok(Verdict::Malformed);
    }
    let now = app.now();
    for _ in 0..AGAIN_MAX {
        let Some(handset) = app.deps.store.handset(household).await? else { return Ok(Verdict::Malformed) };
        if let Some(until) = handset.locked_until.filter(|until| *until > now) {
            return Ok(Verdict::Locked(minutes(until, now)));
        }
        let Some(kept) = handset.pin.clone().or_else(|| handset.code.clone()) else {
            return Ok(Verdict::Malformed);
        };
        let wrong = handset.wrong.saturating_add(1);
        let locks = wrong >= TRIES;
        let counted = HandsetRecord {
            wrong: if locks { 0 } else { wrong },
            locked_until: locks.then(|| now.plus_seconds(i64::from(LOCK_MINUTES) * 60)),
            ..handset
        };
        if !kept_record(app, counted, Vec::new()).await? {
            continue;
        }
        if hasher.matches(answer, &kept).await? {
            change(app, household, |handset| (handset.wrong, handset.locked_until) = (0, None)).await?;
            return Ok(Verdict::Right);
        }
        return Ok(if locks { Verdict::Locked(LOCK_MINUTES) } else { Verdict::Wrong(TRIES - wrong) });
    }
    Err(ApiError::internal("a phone's record never came to rest"))
}

/// Changes a household's phone, whoever else changes it; makes it if there is none.
pub async fn change(
    app: &App,
    household: HouseholdId,
    edit: impl Fn(&mut HandsetRecord),
) -> Result<(), ApiError> {
    let always = |handset: &mut HandsetRecord| {
        edit(handset);
        Some(Vec::new())
    };
    change_if(app, household, always).await.map(drop)
}

/// What became of a change that may not be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was made.
    Done,
    /// The record, as it is now, does not let it.
    NotDue,
}

/// The same, with what else belongs into the commit; where `edit` says None nothing is
/// changed. It is asked again when somebody was faster.
pub async fn change_if(
    app: &App,
    household: HouseholdId,
    edit: impl Fn(&mut HandsetRecord) -> Option<Vec<Change>>,
) -> Result<Changed, ApiError> {
    for _ in 0..AGAIN_MAX {
        let stored = app.deps.store.handset(household).await?;
        let mut handset = stored.unwrap_or_else(|| HandsetRecord::new(household));
        let Some(with_it) = edit(&mut handset) else { return Ok(Changed::NotDue) };
        if kept_record(app, handset, with_it).await? {
            return Ok(Changed::Done);
        }
    }
    Err(ApiError::internal("a phone's record never came to rest"))
}

/// Whether it was kept; not if another request was faster.
async fn kept_record(app: &App, handset: HandsetRecord, with_it: Vec<Change>) -> Result<bool, ApiError> {
    let mut changes = vec![Change::Handset(handset)];
    changes.extend(with_it);
    match app.deps.store.commit(changes).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_pin_and_needs_its_key() {
        let hasher = Hasher::new([1; 32]);
        let kept = hasher.hash("2580", [2; 16]).await.unwrap();
        assert!(!kept.contains("2580"));
        assert!(hasher.matches("2580", &kept).await.unwrap());
        assert!(!hasher.matches("2581", &kept).await.unwrap());
        assert_ne!(kept, hasher.hash("2580", [3; 16]).await.unwrap(), "the salt makes them differ");
        assert!(!Hasher::new([2; 32]).matches("2580", &kept).await.unwrap());
        assert!(hasher.matches("2580", "argon2id$1").await.is_err());
    }

    #[test]
    fn what_is_asked_first_follows_from_the_record() {
        let now = Timestamp::from_seconds(1_000);
        let new = HandsetRecord::new(HouseholdId(1));
        let code =
            HandsetRecord { code: Some("c".into()), code_until: Some(now.plus_seconds(1)), ..new.clone() };
        let pin = HandsetRecord { pin: Some("p".into()), ..code.clone() };
        let locked = |seconds| HandsetRecord { locked_until: Some(now.plus_seconds(seconds)), ..pin.clone() };
        for (handset, key) in [
            (new.clone(), Key::None),
            (code.clone(), Key::CodeSent),
            (HandsetRecord { code_until: Some(now), ..code }, Key::None),
            (pin.clone(), Key::Pin),
            (locked(61), Key::Locked(2)),
            (locked(3_600), Key::Locked(60)),
            (locked(0), Key::Pin),
        ] {
            assert_eq!(key_of(&handset, now), key);
        }
    }
}
