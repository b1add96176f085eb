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
    /// Whose weather it stands on; null where nobody is asked for weather.
    pub weather: Option<ForecastWeather>,
    /// Name and version of the method that made it.
    pub method: String,
    /// How good such forecasts were; null before the first was scored.
    pub record: Option<ForecastRecord>,
    /// What changed at the household and forecasts have not learned yet.
    pub changes: Vec<ForecastChange>,
    /// What the household's last advice was worth; null before the first was scored.
    pub advice_record: Option<AdviceRecord>,
}

/// A household's last pieces of advice, 28 at most, scored when the truth came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdviceRecord {
    /// Pieces scored.
    pub pieces: u64,
    /// What following them would have brought over not following them, below zero if it lost.
    pub gain_cents: i64,
    /// Whether no advice is told for now, as these lost.
    pub silent: bool,
}

/// A household that is not what it was: its forecasts may be off for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForecastChange {
    /// What changed.
    pub what: ForecastChanged,
    /// Which way.
    pub way: ForecastWay,
    /// The day on which it began.
    pub since: Time,
    /// One sentence in English.
    pub sentence_en: String,
    /// The same in Kiswahili.
    pub sentence_sw: String,
}

/// What changed at a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastChanged {
    /// What its panels make.
    Production,
    /// What it uses.
    Consumption,
}

/// Which way it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastWay {
    /// More than in the weeks before.
    More,
    /// Less.
    Less,
}

/// A household's day-ahead forecasts of the last month, scored when the truth came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForecastRecord {
    /// Days scored.
    pub days: u64,
    /// What the panels made: mean pinball loss at 10, 50 and 90 % over the mean of what came,
    /// in thousandths; null where nothing came.
    pub production_loss_permille: Option<u64>,
    /// The same for what was used.
    pub consumption_loss_permille: Option<u64>,
    /// How much of what the panels made lay between 10 and 90 %, in thousandths; 800 is right.
    pub production_inside_permille: Option<u64>,
    /// The same for what was used.
    pub consumption_inside_permille: Option<u64>,
}

/// The weather behind a forecast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ForecastWeather {
    /// Who said it, to be shown as it stands; null where none could be had.
    pub source: Option<String>,
    /// When it was said; null where none could be had.
    pub issued_at: Option<Time>,
    /// Why there is none, as a code (`weather.stale`); null when there is.
    pub missing: Option<String>,
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
    /// What to do.
    pub action: AdviceAction,
    /// Why.
    pub reason: AdviceReason,
    /// One sentence in English.
    pub sentence_en: String,
    /// The same in Kiswahili.
    pub sentence_sw: String,
    /// How much to sell, keep or buy.
    pub energy_wh: u64,
    /// Floor to sell at, or what buying costs now, all in; null when keeping.
    pub price_cents_per_kwh: Option<u32>,
    /// Expected gain against doing nothing.
    pub gain_cents: i64,
    /// How sure it is.
    pub confidence: Confidence,
    /// When it is void.
    pub until: Time,
}

/// What advice says to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdviceAction {
    /// Offer energy.
    Sell,
    /// Take energy back from sale.
    Keep,
    /// Buy energy from neighbours.
    Buy,
}

/// Why advice says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdviceReason {
    /// More than the household will need before the sun is back.
    MoreThanNeeded,
    /// What is on sale will be needed by itself.
    NeededTonight,
    /// It owes energy that neighbours sell for less than the operator.
    OwesEnergy,
    /// It will run short, and neighbours sell for less than the operator.
    WillRunShort,
}

/// How sure advice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Not yet much to go by.
    Low,
    /// More likely than not.
    Medium,
    /// Hardly in doubt.
    High,
}
