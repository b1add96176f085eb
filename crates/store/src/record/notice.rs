use jirani_units::{HouseholdId, Timestamp};

/// A message to a person, kept for good: what became of their money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRecord {
    /// What it is about, as text; unique. Kept again, it changes nothing.
    pub key: String,
    /// Whom it is for; `None` is the operator.
    pub household: Option<HouseholdId>,
    /// Stable word for what happened: `paid_late`, `reversed`.
    pub code: String,
    /// One message in English, at most 160 characters of GSM 03.38.
    pub en: String,
    /// The same in Kiswahili.
    pub sw: String,
    /// When.
    pub at: Timestamp,
}
