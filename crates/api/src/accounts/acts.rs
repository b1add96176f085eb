//! The log of what people with special rights did: each entry hashed with all before it.
//!
//! Written before an act is answered, and before it is begun: what cannot be written down is not
//! done. The hashes take a key that is not in the database, and the number and hash of the last
//! entry stand apart from the rows, so that who can change the database alone can neither change
//! nor remove a row unseen. Never holds a secret: method, route and the ids in the path only.

use hmac::{Hmac, Mac as _};
use jirani_store::verbs::PAGE_MAX;
use jirani_store::{ActRecord, Change, Store, StoreError};
use jirani_units::Timestamp;
use sha2::Sha256;

/// Name of the value that holds number and hash of the last entry.
const HEAD: &str = "acts_head";
/// Times a writer begins again because another one was faster.
const AGAIN_MAX: u32 = 64;
/// The longest text of an act, in characters.
const ACT_MAX: usize = 300;

/// A log that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActsVerified {
    /// Entries.
    pub acts: u64,
    /// Hash of the last one; zeroes when there is none.
    pub head: [u8; 32],
}

/// The first thing in the log that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ActsError {
    /// An entry was changed, dropped, moved or made by somebody without the key.
    #[error("acts.broken: act {0} is not as it was written, or one before it is gone")]
    Broken(u64),
    /// Entries at the end are gone, or there are some that were not written here.
    #[error("acts.end_broken: the log ends at act {found}, but act {written} was written last")]
    End {
        /// The last one found.
        found: u64,
        /// The last one written.
        written: u64,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The log.
pub struct Acts {
    key: [u8; 32],
    turn: tokio::sync::Mutex<()>,
}

impl Acts {
    /// With this key, which is not in the database.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, turn: tokio::sync::Mutex::default() }
    }

    /// Writes one entry; durable on return.
    pub async fn write(
        &self,
        store: &dyn Store,
        at: Timestamp,
        who: &str,
        role: &str,
        act: &str,
    ) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let act: String = act.chars().take(ACT_MAX).collect();
        let mut last = Ok(());
        // Another process may write as well, where the database allows it.
        for _ in 0..AGAIN_MAX {
            let before = store.acts(None, 1).await?.pop();
            let (number, previous) = before.map_or((1, [0; 32]), |before| (before.number + 1, before.hash));
            let (who, role, act) = (who.to_owned(), role.to_owned(), act.clone());
            let mut record = ActRecord { number, at, who, role, act, previous, hash: [0; 32] };
            record.hash = self.hash(&record);
            let head = Change::Setting { key: HEAD.to_owned(), value: head_of(&record) };
            match store.commit(vec![Change::Act(record), head]).await {
                Ok(_) => return Ok(()),
                Err(conflict @ StoreError::Conflict { .. }) => last = Err(conflict),
                Err(error) => return Err(error),
            }
        }
        last
    }

    /// Reads the whole log and recounts it.
    pub async fn verify(&self, store: &dyn Store) -> Result<ActsVerified, ActsError> {
        // The end first: entries that come meanwhile are after it.
        let head = store.setting(HEAD).await?;
        let written = head.as_deref().and_then(|head| head.split(':').next()?.parse().ok()).unwrap_or(0);
        let mut found = ActsVerified { acts: 0, head: [0; 32] };
        let mut head_found = head.is_none();
        loop {
            let page = store.acts_after(found.acts, PAGE_MAX).await?;
            if page.is_empty() {
                break;
            }
            for record in page {
                let follows = record.number == found.acts + 1 && record.previous == found.head;
                if !follows || record.hash != self.hash(&record) {
                    return Err(ActsError::Broken(found.acts + 1));
                }
                if record.number == written {
                    head_found = head.as_deref() == Some(head_of(&record).as_str());
                }
                found = ActsVerified { acts: record.number, head: record.hash };
            }
        }
        if !head_found || found.acts < written || (head.is_none() && found.acts > 0) {
            return Err(ActsError::End { found: found.acts, written });
        }
        Ok(found)
    }

    fn hash(&self, record: &ActRecord) -> [u8; 32] {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        mac.update(b"jirani act 1");
        mac.update(&record.number.to_le_bytes());
        mac.update(&record.at.0.to_le_bytes());
        for text in [&record.who, &record.role, &record.act] {
            mac.update(&(text.len() as u64).to_le_bytes());
            mac.update(text.as_bytes());
        }
        mac.update(&record.previous);
        mac.finalize().into_bytes().into()
    }
}

fn head_of(record: &ActRecord) -> String {
    format!("{}:{}", record.number, hex::encode(record.hash))
}
