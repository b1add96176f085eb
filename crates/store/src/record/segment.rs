use crate::change::Change;
use crate::error::StoreError;
use crate::verbs::Store;
use serde::{Deserialize, Serialize};

/// What the database knows of a segment of evidence: how far it was durable. Kept among
/// the settings, by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRecord {
    /// 1, 2, 3, ...
    pub number: u64,
    /// Place of its first record in the order of all, from 1.
    pub first: u64,
    /// Records.
    pub records: u64,
    /// Bytes of its file.
    pub bytes: u64,
    /// The chain's hash there, hexadecimal.
    pub hash: String,
    /// When it was sealed, Unix microseconds.
    pub sealed_at_us: Option<i64>,
}

/// Name of the setting that holds the newest segment's number.
const NEWEST: &str = "evidence/newest";

fn name(number: u64) -> String {
    format!("evidence/{number:08}")
}

impl SegmentRecord {
    /// The changes that keep these; the last is the newest of all.
    pub fn changes(segments: &[Self]) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::with_capacity(segments.len() + 1);
        for segment in segments {
            let value = serde_json::to_string(segment);
            let value = value.map_err(|error| StoreError::Damaged { what: error.to_string() })?;
            changes.push(Change::Setting { key: name(segment.number), value });
        }
        if let Some(newest) = segments.last() {
            changes.push(Change::Setting { key: NEWEST.to_owned(), value: newest.number.to_string() });
        }
        Ok(changes)
    }

    /// The newest `limit` segments, in order.
    pub async fn newest(store: &dyn Store, limit: u64) -> Result<Vec<Self>, StoreError> {
        let damaged = |what: String| StoreError::Damaged { what };
        let Some(newest) = store.setting(NEWEST).await? else { return Ok(Vec::new()) };
        let newest: u64 = newest.parse().map_err(|_| damaged(format!("{NEWEST} is {newest}")))?;
        let mut segments = Vec::new();
        for number in newest.saturating_sub(limit).saturating_add(1).max(1)..=newest {
            let kept = store.setting(&name(number)).await?;
            let kept = kept.ok_or_else(|| damaged(format!("{} is not there", name(number))))?;
            let segment = serde_json::from_str(&kept);
            segments.push(segment.map_err(|error| damaged(format!("{}: {error}", name(number))))?);
        }
        Ok(segments)
    }

    /// Place of its last record.
    pub fn last(&self) -> u64 {
        self.first + self.records - 1
    }
}
