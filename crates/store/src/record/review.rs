use jirani_units::Timestamp;

/// Something that only a person may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRecord {
    /// What it is about, as text; unique: `collection/17/unknown`.
    pub key: String,
    /// Stable word for what is wrong: `unknown_outcome`, `contradiction`.
    pub code: String,
    /// What was seen, in words for the operator. No phone numbers.
    pub detail: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed; `None` while it waits.
    pub closed_at: Option<Timestamp>,
    /// What was decided, by whom; `None` while it waits.
    pub outcome: Option<String>,
    /// Version read; 0 = new.
    pub version: u64,
}
