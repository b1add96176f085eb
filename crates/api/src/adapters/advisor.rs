//! The advisor as [`Advice`].

use crate::dto::forecast::{
    AdviceAction, AdviceReason, AdviceRecord, AdviceView, Confidence, ForecastChange, ForecastChanged,
    ForecastPoint, ForecastRecord, ForecastView, ForecastWay, ForecastWeather, Quantiles,
};
use crate::ports::Advice;
use async_trait::async_trait;
use jirani_advisor::advised::Voice;
use jirani_advisor::drift::{Kind, Way};
use jirani_advisor::{Advisor, Drift, Holding, Record, WeatherNote};
use jirani_chain::EnergyChain;
use jirani_forecast::{Action, Reason, Tongue};
use jirani_store::Store;
use jirani_units::HouseholdId;
use std::sync::Arc;

/// The advisor, with what it must be told: what a household holds on chain, and
/// the language it reads. Advice is a help, not a promise: where it cannot be
/// had, there is none, and the rest of the page stands.
pub struct FromAdvisor {
    advisor: Arc<Advisor>,
    store: Arc<dyn Store>,
    chain: Arc<dyn EnergyChain>,
}

impl FromAdvisor {
    /// Puts the three together.
    pub fn new(advisor: Arc<Advisor>, store: Arc<dyn Store>, chain: Arc<dyn EnergyChain>) -> Self {
        Self { advisor, store, chain }
    }
}

#[async_trait]
impl Advice for FromAdvisor {
    async fn forecast(&self, household: HouseholdId) -> Option<ForecastView> {
        let issued = match self.advisor.forecast(household).await {
            Ok(issued) => issued?,
            Err(error) => {
                tracing::warn!(%household, %error, "no forecast");
                return None;
            }
        };
        let forecast = &issued.forecast;
        let points = forecast.points.iter().map(|point| ForecastPoint {
            start: point.start.into(),
            production_wh: quantiles(point.production),
            consumption_wh: quantiles(point.consumption),
        });
        Some(ForecastView {
            issued_at: forecast.issued_at.into(),
            step_s: forecast.step_s,
            points: points.collect(),
            advice: self.advice(household).await,
            weather: weather(issued.weather),
            method: issued.method.clone(),
            record: self.advisor.record(household).as_ref().map(record),
            changes: self.advisor.drifts(household).into_iter().map(change).collect(),
            advice_record: self.advisor.advice_record(household).map(|record| AdviceRecord {
                pieces: record.pieces,
                gain_cents: record.gain_cents,
                silent: record.voice == Voice::Silent,
            }),
        })
    }

    fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.advisor.figures()
    }

    async fn advice(&self, household: HouseholdId) -> Option<AdviceView> {
        self.store.household(household).await.ok()??;
        let holding = match self.chain.household(household).await {
            Ok(chain) => {
                let chain = chain.unwrap_or_default();
                Holding { vault_wh: chain.vault_wh, shortfall_wh: chain.shortfall_wh }
            }
            Err(error) => {
                tracing::warn!(%household, %error, "no advice without knowing what the household holds");
                return None;
            }
        };
        match self.advisor.advice(household, holding).await {
            Ok(advice) => advice.as_ref().map(view),
            Err(error) => {
                tracing::warn!(%household, %error, "no advice");
                None
            }
        }
    }
}

fn record(record: &Record) -> ForecastRecord {
    ForecastRecord {
        days: record.days,
        production_loss_permille: record.production.loss_permille(),
        consumption_loss_permille: record.consumption.loss_permille(),
        production_inside_permille: record.production.inside_permille(),
        consumption_inside_permille: record.consumption.inside_permille(),
    }
}

fn change(drift: Drift) -> ForecastChange {
    ForecastChange {
        what: match drift.kind {
            Kind::Production => ForecastChanged::Production,
            Kind::Consumption => ForecastChanged::Consumption,
        },
        way: match drift.way {
            Way::More => ForecastWay::More,
            Way::Less => ForecastWay::Less,
        },
        since: drift.since.into(),
        sentence_en: drift.sentence(Tongue::English).to_owned(),
        sentence_sw: drift.sentence(Tongue::Kiswahili).to_owned(),
    }
}

fn weather(note: WeatherNote) -> Option<ForecastWeather> {
    match note {
        WeatherNote::SunOnly => None,
        WeatherNote::Known { source, issued_at } => Some(ForecastWeather {
            source: Some(source.to_owned()),
            issued_at: Some(issued_at.into()),
            missing: None,
        }),
        WeatherNote::Missing { code } => {
            Some(ForecastWeather { source: None, issued_at: None, missing: Some(code.to_owned()) })
        }
    }
}

fn quantiles(quantiles: jirani_forecast::Quantiles) -> Quantiles {
    let [p05, p10, p25, p50, p75, p90, p95] = quantiles.values();
    Quantiles { p05, p10, p25, p50, p75, p90, p95 }
}

fn view(advice: &jirani_forecast::Advice) -> AdviceView {
    let (action, energy_wh, price_cents_per_kwh) = match advice.action {
        Action::Sell { energy_wh, price_cents_per_kwh } => {
            (AdviceAction::Sell, energy_wh, Some(price_cents_per_kwh))
        }
        Action::Keep { energy_wh } => (AdviceAction::Keep, energy_wh, None),
        Action::Buy { energy_wh, price_cents_per_kwh } => {
            (AdviceAction::Buy, energy_wh, Some(price_cents_per_kwh))
        }
    };
    AdviceView {
        action,
        reason: match advice.reason {
            Reason::MoreThanNeeded => AdviceReason::MoreThanNeeded,
            Reason::NeededTonight => AdviceReason::NeededTonight,
            Reason::OwesEnergy => AdviceReason::OwesEnergy,
            Reason::WillRunShort => AdviceReason::WillRunShort,
        },
        sentence_en: advice.text_en.clone(),
        sentence_sw: advice.text_sw.clone(),
        energy_wh,
        price_cents_per_kwh,
        gain_cents: advice.gain_cents,
        confidence: match advice.confidence {
            jirani_forecast::Confidence::Low => Confidence::Low,
            jirani_forecast::Confidence::Medium => Confidence::Medium,
            jirani_forecast::Confidence::High => Confidence::High,
        },
        until: advice.expires_at.into(),
    }
}
