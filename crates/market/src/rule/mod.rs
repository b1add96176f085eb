//! A household's rules: what the market does for it without a phone in hand.
//!
//! A *sell rule* asks for what is left above N kWh at no less than a floor. A *standing
//! order* covers the shortfall, or keeps N kWh in hand, at no more than a price and a
//! budget per day. Either may notify instead of act. Rules that contradict each other
//! or the tariff are refused when they are set, with a sentence for the person; a rule
//! that a later tariff overtakes waits and says so ([`decide()`]).
//!
//! A rule acts in slots that begin after it was set: whoever knows what a slot brought
//! cannot set a rule for that slot any more.

mod decide;
mod notice;

pub use decide::{Act, Intent, IntentKey, State, decide};
pub use notice::Notice;

use crate::tariff::Tariff;
use jirani_units::{Cents, Price, Timestamp, Wh};
use serde::{Deserialize, Serialize};

/// Least energy a rule trades: less waits for a later slot.
pub const LOT_MIN: Wh = Wh(10);
/// Most energy a rule may name: 1,000 kWh.
pub const RULE_ENERGY_MAX: Wh = Wh(1_000_000);
/// Most a rule may spend in a day: KSh 500,000, what M-Pesa moves in one.
pub const BUDGET_MAX: Cents = Cents(50_000_000);

/// Whether a rule acts or only tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acting {
    /// Trades.
    Act,
    /// Sends a message that one can act on, once a day.
    Notify,
}

/// Sell what is left above `keep_wh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellRule {
    /// What stays in the vault.
    pub keep_wh: Wh,
    /// Least net price, cents per kWh.
    pub floor_cents_per_kwh: Price,
    /// Act or notify.
    pub acting: Acting,
}

/// What a standing order buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// What the household owes.
    Shortfall,
    /// That, and so much in the vault.
    InHand(Wh),
}

/// Buy by a standing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyRule {
    /// What for.
    pub cover: Cover,
    /// Most per kWh, fee and tax included, in cents.
    pub price_max_cents_per_kwh: Price,
    /// Most per day in Nairobi.
    pub budget_per_day_cents: Cents,
    /// Act or notify.
    pub acting: Acting,
}

/// The rules of one household. With neither, the market does nothing for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Sell rule.
    pub sell: Option<SellRule>,
    /// Standing order.
    pub buy: Option<BuyRule>,
    /// When they were set.
    pub set_at: Timestamp,
}

/// What becomes of one of a household's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is, whatever it is by then.
    Keep,
    /// It is set anew, or ends.
    Set(Option<T>),
}

impl<T> Edit<T> {
    /// The rule that follows `old`.
    pub fn of(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Set(new) => new,
        }
    }
}

/// Why rules are refused. The old ones stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Buying up to more than what is sold above.
    #[error(
        "market.rule_contradiction: you would buy up to {in_hand} and sell above {keep}; keep at least as much as \
         you want in hand"
    )]
    Contradiction {
        /// What the standing order keeps in hand.
        in_hand: Wh,
        /// What the sell rule keeps.
        keep: Wh,
    },
    /// A budget of nothing.
    #[error("market.rule_budget_zero: a budget of nothing buys nothing; set one, or switch the rule off")]
    BudgetZero,
    /// A budget beyond what can be paid.
    #[error("market.rule_budget_too_large: a day's budget is at most {BUDGET_MAX}")]
    BudgetTooLarge,
    /// Keeping nothing in hand.
    #[error("market.rule_in_hand_zero: say how much to keep in hand, or let the rule cover your shortfall")]
    InHandZero,
    /// More energy than a rule may name.
    #[error("market.rule_energy_too_large: a rule names at most {RULE_ENERGY_MAX}")]
    EnergyTooLarge,
    /// A floor at which nobody may sell.
    #[error(
        "market.rule_floor_out_of_bounds: you can sell at {min} to {max}; the operator itself pays {min}"
    )]
    FloorOutOfBounds {
        /// Buy-back.
        min: Price,
        /// Retail less fee and tax.
        max: Price,
    },
    /// A price at which nobody may buy.
    #[error(
        "market.rule_price_out_of_bounds: with fee and tax, neighbours sell at {min} to {max}; nobody pays more than \
         the operator asks"
    )]
    PriceOutOfBounds {
        /// Buy-back with fee and tax.
        min: Price,
        /// Retail.
        max: Price,
    },
}

impl RuleError {
    /// The stable code that the message begins with.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Contradiction { .. } => "market.rule_contradiction",
            Self::BudgetZero => "market.rule_budget_zero",
            Self::BudgetTooLarge => "market.rule_budget_too_large",
            Self::InHandZero => "market.rule_in_hand_zero",
            Self::EnergyTooLarge => "market.rule_energy_too_large",
            Self::FloorOutOfBounds { .. } => "market.rule_floor_out_of_bounds",
            Self::PriceOutOfBounds { .. } => "market.rule_price_out_of_bounds",
        }
    }
}

impl Rules {
    /// Checks rules against themselves and the tariff in force when they are set.
    pub fn check(&self, tariff: &Tariff) -> Result<(), RuleError> {
        if let Some(sell) = &self.sell {
            if sell.keep_wh > RULE_ENERGY_MAX {
                return Err(RuleError::EnergyTooLarge);
            }
            if !tariff.allows(sell.floor_cents_per_kwh) {
                let (min, max) = (tariff.offer_price_min(), tariff.offer_price_max());
                return Err(RuleError::FloorOutOfBounds { min, max });
            }
        }
        let Some(buy) = &self.buy else { return Ok(()) };
        match buy.cover {
            Cover::InHand(Wh(0)) => return Err(RuleError::InHandZero),
            Cover::InHand(energy) if energy > RULE_ENERGY_MAX => return Err(RuleError::EnergyTooLarge),
            Cover::InHand(in_hand) => {
                if let Some(SellRule { keep_wh: keep, .. }) = self.sell.filter(|sell| sell.keep_wh < in_hand)
                {
                    return Err(RuleError::Contradiction { in_hand, keep });
                }
            }
            Cover::Shortfall => {}
        }
        if !buy.budget_per_day_cents.is_positive() {
            return Err(RuleError::BudgetZero);
        }
        if buy.budget_per_day_cents > BUDGET_MAX {
            return Err(RuleError::BudgetTooLarge);
        }
        let (min, max) = (tariff.all_in(tariff.offer_price_min()), tariff.retail);
        if !(min..=max).contains(&buy.price_max_cents_per_kwh) {
            return Err(RuleError::PriceOutOfBounds { min, max });
        }
        Ok(())
    }
}
