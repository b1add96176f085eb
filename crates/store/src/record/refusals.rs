use crate::change::Change;
use crate::error::StoreError;
use crate::verbs::Store;
use serde::{Deserialize, Serialize};

/// How often a meter's messages were refused for one reason. Kept among the settings by the
/// gateway that counts, which goes on counting after a restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefusalCount {
    /// The meter that was named, 32 hexadecimal digits; none for what named no meter, or
    /// one too many.
    pub meter: Option<String>,
    /// Stable reason code: `reading.bad_signature`, `gateway.flood`, `broker.foreign_topic`.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// Name of the setting.
const COUNTS: &str = "gateway/refusals";

impl RefusalCount {
    /// The change that keeps these, and no others.
    pub fn change(counts: &[Self]) -> Result<Change, StoreError> {
        let value = serde_json::to_string(counts);
        let value = value.map_err(|error| StoreError::Damaged { what: error.to_string() })?;
        Ok(Change::Setting { key: COUNTS.to_owned(), value })
    }

    /// What was kept, by meter and code.
    pub async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let Some(kept) = store.setting(COUNTS).await? else { return Ok(Vec::new()) };
        serde_json::from_str(&kept)
            .map_err(|error| StoreError::Damaged { what: format!("{COUNTS}: {error}") })
    }
}
