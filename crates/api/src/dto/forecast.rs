//! Forecasts and advice.

use super::Time;
use serde::Serialize;
use utoipa::ToSchema;

/// The next two days of a household.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastView {
    /// When it was made.
    pub issued_at: Time,
    /// Length of a step, in seconds.
    pub step_s: u32,
    /// Steps, in order of time.
    pub points: Vec<ForecastPoint>,
    /// What follows from it; null when there is nothing to say.
    pub advice: Option<AdviceView>,
}

/// One step of a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForecastPoint {
    /// First moment of the step.
    pub start: Time,
    /// What the panels will make, in Wh.
    pub production_wh: Quantiles,
    /// What the household will use, in Wh.
    pub consumption_wh: Quantiles,
}

/// A range and how likely it is: `p10` is exceeded nine times out of ten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Quantiles {
    /// 5 %.
    pub p05: u64,
    /// 10 %.
    pub p10: u64,
    /// 25 %.
    pub p25: u64,
    /// As likely above as below.
    pub p50: u64,
    /// 75 %.
    pub p75: u64,
    /// 90 %.
    pub p90: u64,
    /// 95 %.
    pub p95: u64,
}

/// A forecast turned into one sentence and one action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdviceView {
    /// When it was made.
    pub issued_at: Time,
    /// What to do.
    pub action: AdviceAction,
    /// One sentence in the household's language.
    pub sentence: String,
    /// How much to sell or buy; null when the action has no amount.
    pub energy_wh: Option<u64>,
    /// Floor to sell at, or most to pay; null when the action has no price.
    pub price_cents_per_kwh: Option<u32>,
    /// When the action is best begun; null for now.
    pub from: Option<Time>,
    /// When the advice is void.
    pub until: Option<Time>,
    /// Expected gain against doing nothing.
    pub gain_cents: i64,
}

/// What advice says to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdviceAction {
    /// Offer energy.
    Sell,
    /// Buy energy before a shortfall.
    Buy,
    /// Keep the energy for oneself.
    Keep,
    /// Nothing to do.
    Wait,
}
