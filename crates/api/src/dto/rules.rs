//! What a household has the market do for it.

use super::Time;
use jirani_market::rule::{Acting, BuyRule, Cover, Rules, SellRule};
use jirani_units::{Cents, Price, Wh};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules of a household. Null means that the market does nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RulesView {
    /// Sell what is left.
    pub sell: Option<SellRuleDto>,
    /// Buy by a standing order.
    pub buy: Option<BuyRuleDto>,
    /// When they were set; null when they never were. They act in slots that begin after.
    pub set_at: Option<Time>,
}

/// Rules to set in the place of the old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesRequest {
    /// Sell what is left; null or left out to sell nothing by rule.
    pub sell: Option<SellRuleDto>,
    /// Buy by a standing order; null or left out to buy nothing by rule.
    pub buy: Option<BuyRuleDto>,
}

/// Whether a rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActingDto {
    /// It trades.
    Act,
    /// It sends a message that one can act on, once a day.
    Notify,
}

/// Sell what is left above an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SellRuleDto {
    /// What stays with the household.
    #[serde(deserialize_with = "super::exact_required")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub keep_wh: u64,
    /// Least that the household receives, within the tariff's bounds.
    pub floor_cents_per_kwh: u32,
    /// Act or notify.
    pub acting: ActingDto,
}

/// Buy what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyRuleDto {
    /// Keep so much in hand; null to cover only what is owed.
    #[serde(default, deserialize_with = "super::exact")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub in_hand_wh: Option<u64>,
    /// Most that a kWh may cost, fee and tax included, within the tariff's bounds.
    pub price_max_cents_per_kwh: u32,
    /// Most that is spent in a day of Nairobi, from the balance.
    #[serde(deserialize_with = "super::exact_required")]
    #[schema(minimum = 1, maximum = 50_000_000)]
    pub budget_per_day_cents: u64,
    /// Act or notify.
    pub acting: ActingDto,
}

impl From<Acting> for ActingDto {
    fn from(acting: Acting) -> Self {
        match acting {
            Acting::Act => Self::Act,
            Acting::Notify => Self::Notify,
        }
    }
}

impl From<ActingDto> for Acting {
    fn from(acting: ActingDto) -> Self {
        match acting {
            ActingDto::Act => Self::Act,
            ActingDto::Notify => Self::Notify,
        }
    }
}

impl From<Option<Rules>> for RulesView {
    fn from(rules: Option<Rules>) -> Self {
        let sell = rules.and_then(|rules| rules.sell).map(|rule| SellRuleDto {
            keep_wh: rule.keep_wh.0,
            floor_cents_per_kwh: rule.floor_cents_per_kwh.0,
            acting: rule.acting.into(),
        });
        let buy = rules.and_then(|rules| rules.buy).map(|rule| BuyRuleDto {
            in_hand_wh: match rule.cover {
                Cover::Shortfall => None,
                Cover::InHand(energy) => Some(energy.0),
            },
            price_max_cents_per_kwh: rule.price_max_cents_per_kwh.0,
            budget_per_day_cents: u64::try_from(rule.budget_per_day_cents.0).unwrap_or(0),
            acting: rule.acting.into(),
        });
        Self { sell, buy, set_at: rules.map(|rules| rules.set_at.into()) }
    }
}

impl From<SellRuleDto> for SellRule {
    fn from(rule: SellRuleDto) -> Self {
        Self {
            keep_wh: Wh(rule.keep_wh),
            floor_cents_per_kwh: Price(rule.floor_cents_per_kwh),
            acting: rule.acting.into(),
        }
    }
}

impl From<BuyRuleDto> for BuyRule {
    fn from(rule: BuyRuleDto) -> Self {
        Self {
            cover: rule.in_hand_wh.map_or(Cover::Shortfall, |energy| Cover::InHand(Wh(energy))),
            price_max_cents_per_kwh: Price(rule.price_max_cents_per_kwh),
            // What JSON carries fits; what is too much is refused in words.
            budget_per_day_cents: Cents(i64::try_from(rule.budget_per_day_cents).unwrap_or(i64::MAX)),
            acting: rule.acting.into(),
        }
    }
}
