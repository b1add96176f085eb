//! Dated prices.

use super::Time;
use super::config::TariffView;
use jirani_market::Tariff;
use jirani_settlement::{Listed, TariffState};
use jirani_units::Price;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Prices to be announced, in cents per kWh.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TariffRequest {
    /// First moment in force: a quarter of an hour that has not begun.
    pub from: Time,
    /// What the operator sells at, all in.
    #[schema(maximum = 1_000_000)]
    pub retail_cents_per_kwh: u32,
    /// What the operator buys at.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub buy_back_cents_per_kwh: u32,
    /// Grid fee on energy traded.
    #[schema(maximum = 1_000_000)]
    pub grid_fee_cents_per_kwh: u32,
    /// Taxes on energy traded.
    #[schema(maximum = 1_000_000)]
    pub tax_cents_per_kwh: u32,
}

impl TariffRequest {
    /// As the market's rules take it.
    pub const fn tariff(&self) -> Tariff {
        Tariff {
            retail: Price(self.retail_cents_per_kwh),
            buy_back: Price(self.buy_back_cents_per_kwh),
            grid_fee: Price(self.grid_fee_cents_per_kwh),
            tax: Price(self.tax_cents_per_kwh),
        }
    }
}

/// Prices as they were announced, and their time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffVersionView {
    /// Its number, in the order of announcements.
    pub number: u64,
    /// First moment in force.
    pub from: Time,
    /// First moment no longer in force; null for the last, and for one that never was.
    pub until: Option<Time>,
    /// How it stands.
    pub state: TariffVersionState,
    /// The prices.
    pub tariff: TariffView,
    /// The operator who announced it; null for the settings.
    pub announced_by: Option<String>,
    /// When.
    pub announced_at: Time,
}

/// How announced prices stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TariffVersionState {
    /// They were in force.
    Past,
    /// They are.
    InForce,
    /// They will be.
    Announced,
    /// They never were: later ones took their place before they began.
    Replaced,
}

impl From<Listed> for TariffVersionView {
    fn from(listed: Listed) -> Self {
        let Listed { record, until, state } = listed;
        Self {
            number: record.number,
            from: record.from.into(),
            until: until.map(Into::into),
            state: match state {
                TariffState::Past => TariffVersionState::Past,
                TariffState::InForce => TariffVersionState::InForce,
                TariffState::Announced => TariffVersionState::Announced,
                TariffState::Replaced => TariffVersionState::Replaced,
            },
            tariff: (&record.tariff).into(),
            announced_by: record.by,
            announced_at: record.announced_at.into(),
        }
    }
}
