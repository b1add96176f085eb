//! Messages to people, and the payouts' queue.

use super::Time;
use jirani_store::{Language, NoticeRecord};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of somebody's money, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeView {
    /// Stable word: `paid_late`, `taken_back`.
    pub code: String,
    /// In the reader's language.
    pub text: String,
    /// In English.
    pub en: String,
    /// In Kiswahili.
    pub sw: String,
    /// When.
    pub at: Time,
}

impl NoticeView {
    /// As `language` reads it.
    pub fn of(notice: NoticeRecord, language: Language) -> Self {
        let text = match language {
            Language::En => notice.en.clone(),
            Language::Sw => notice.sw.clone(),
        };
        Self { code: notice.code, text, en: notice.en, sw: notice.sw, at: notice.at.into() }
    }
}

/// Whether payouts go out now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayoutQueueView {
    /// Where it stands.
    pub state: PayoutQueueState,
    /// M-Pesa's code; null unless stopped.
    pub code: Option<String>,
    /// Since when it waits or is stopped; null while open.
    pub since: Option<Time>,
}

/// Where the payouts' queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoutQueueState {
    /// Payouts go out.
    Open,
    /// They wait for float, or for M-Pesa to answer; they go on by themselves.
    Waiting,
    /// M-Pesa refuses the operator's API user: nothing goes out until it is resumed.
    Stopped,
}
