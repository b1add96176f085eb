//! Who owes energy, and what happens before the light goes out.

use super::Time;
use jirani_market::shortfall::{Instalments, Protection, Relay};
use jirani_settlement::{Standing, step_in_words};
use jirani_store::{Language, StepRecord};
use jirani_units::{Price, Wh};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a household is never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionKind {
    /// It may be.
    None,
    /// A protected customer.
    Customer,
    /// A clinic, dispensary or maternity.
    Clinic,
}

/// Where a relay is, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// Power flows.
    Closed,
    /// Commanded to open.
    Opening,
    /// Power is cut.
    Open,
    /// Commanded to close.
    Closing,
}

/// A household's standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StandingView {
    /// Whose.
    pub household_id: u32,
    /// What neighbours call it.
    pub alias: String,
    /// Energy owed.
    pub shortfall_wh: u64,
    /// The same at retail, rounded up.
    pub owed_cents: i64,
    /// Balance that is free.
    pub available_cents: i64,
    /// What counts against the limit: owed less balance; negative for who can pay.
    pub exposure_cents: i64,
    /// At which power is cut; zero for prepaid.
    pub limit_cents: i64,
    /// Emergency credit that is not repaid.
    pub emergency_owed_cents: i64,
    /// Whether it may be cut at all.
    pub protection: ProtectionKind,
    /// Until when it is protected; null for good.
    pub protected_until: Option<Time>,
    /// The relay.
    pub relay: RelayState,
    /// The agreement on old debt; null without.
    pub instalments: Option<InstalmentsView>,
    /// The step that is disputed and not answered; null when none.
    pub disputed: Option<u64>,
    /// End of the last slot that counts; null before the first.
    pub attested_through: Option<Time>,
}

/// An agreement on old debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct InstalmentsView {
    /// Energy that does not count against the limit.
    pub set_aside_wh: u64,
    /// Still to be paid, at the retail of when it was agreed.
    pub owed_cents: i64,
    /// One instalment; the last may be smaller.
    pub each_cents: i64,
    /// Days from one to the next.
    pub every_days: u16,
    /// When the next is due.
    pub next_due: Time,
    /// Missed in a row.
    pub missed: u32,
}

impl InstalmentsView {
    fn of(debt: &Instalments) -> Self {
        Self {
            set_aside_wh: debt.set_aside.0,
            owed_cents: debt.owed.0,
            each_cents: debt.each.0,
            every_days: debt.every_days,
            next_due: debt.next_due.into(),
            missed: debt.missed,
        }
    }
}

impl StandingView {
    /// A standing with its household's alias.
    pub fn of(standing: &Standing, alias: String) -> Self {
        let account = &standing.account;
        let (protection, until) = match account.protection {
            Protection::None => (ProtectionKind::None, None),
            Protection::Customer(until) => (ProtectionKind::Customer, until),
            Protection::Clinic => (ProtectionKind::Clinic, None),
        };
        Self {
            household_id: account.household.0,
            alias,
            shortfall_wh: account.shortfall.0,
            owed_cents: at_retail(account.shortfall, account.retail),
            available_cents: account.available.0 - account.emergency_owed.0,
            exposure_cents: standing.exposure.0,
            limit_cents: account.limit.0,
            emergency_owed_cents: account.emergency_owed.0,
            protection,
            protected_until: until.map(Into::into),
            relay: match account.relay {
                Relay::Closed => RelayState::Closed,
                Relay::Opening { .. } => RelayState::Opening,
                Relay::Open => RelayState::Open,
                Relay::Closing => RelayState::Closing,
            },
            instalments: account.old_debt.as_ref().map(InstalmentsView::of),
            disputed: account.disputed,
            attested_through: account.attested_through.map(Into::into),
        }
    }
}

fn at_retail(energy: Wh, retail: Price) -> i64 {
    let cents = (u128::from(energy.0) * u128::from(retail.0)).div_ceil(1_000);
    i64::try_from(cents).unwrap_or(i64::MAX)
}

/// A step of the walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StepView {
    /// Its number, counted from one.
    pub number: u64,
    /// When.
    pub at: Time,
    /// In the reader's language.
    pub text: String,
    /// In English.
    pub en: String,
    /// In Kiswahili.
    pub sw: String,
    /// What the household or the operator said; empty when nothing.
    pub note: String,
}

impl StepView {
    /// As `language` reads it.
    pub fn of(record: StepRecord, language: Language) -> Self {
        let (en, sw) = step_in_words(&record.step);
        let text = match language {
            Language::En => en.clone(),
            Language::Sw => sw.clone(),
        };
        Self { number: record.step.number, at: record.step.at.into(), text, en, sw, note: record.note }
    }
}

/// A household's standing and its steps, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShortfallView {
    /// Where it stands.
    pub standing: StandingView,
    /// At most 100.
    pub steps: Vec<StepView>,
}

/// A household disputes a step.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeRequest {
    /// Number of the step.
    pub number: u64,
    /// Why, at most 200 characters.
    #[serde(default)]
    pub note: String,
}

/// What the operator changes of a household's terms, or answers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum TermsRequest {
    /// Another limit; zero for prepaid.
    Limit {
        /// The limit, at most KSh 1,000,000.
        limit_cents: i64,
    },
    /// Another protection.
    Protection {
        /// Which.
        protection: ProtectionKind,
        /// Until when, RFC 3339, for customers; for good if not said.
        until: Option<String>,
    },
    /// Old debt is paid by instalments: all that is owed now, out of the balance.
    Instalments {
        /// One instalment; at most 52 in all.
        each_cents: i64,
        /// Days from one to the next, 1 to 31.
        every_days: u16,
    },
    /// The answer to the open dispute.
    Answer {
        /// In words, at most 200 characters.
        note: String,
    },
}
