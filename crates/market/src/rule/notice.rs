//! What a rule has to say to its household.

use jirani_units::{Cents, Price, Timestamp, Wh};

/// A message instead of a trade, or why a rule waits. Sent at most once a day for each
/// household, rule and kind. The text is the English one; other languages are made of
/// the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// A sell rule that only tells.
    #[error("You have {energy} to spare. Sell it? You get at least {floor}.")]
    CouldSell {
        /// What is left above what is kept.
        energy: Wh,
        /// Least net price.
        floor: Price,
    },
    /// A standing order that only tells, and a neighbour sells.
    #[error("You need {energy}. A neighbour sells now at {best}, fee and tax included. Buy?")]
    CouldBuy {
        /// What is needed and can be paid.
        energy: Wh,
        /// Cheapest offer, all in.
        best: Price,
    },
    /// A standing order that only tells, and no neighbour sells within its price.
    #[error("You need {energy}. No neighbour sells within your price now; the operator sells at {retail}.")]
    NobodySells {
        /// What is needed.
        energy: Wh,
        /// The operator's price.
        retail: Price,
    },
    /// The day's budget is used up.
    #[error("Your budget of {budget} for today is used up. Your standing order goes on tomorrow.")]
    BudgetSpent {
        /// Of a day.
        budget: Cents,
    },
    /// The balance does not pay for the least lot.
    #[error("Your standing order needs balance: {available} is left. Pay in to keep buying.")]
    NoBalance {
        /// What is left.
        available: Cents,
    },
    /// The tariff rose above what the standing order pays.
    #[error(
        "Your standing order pays up to {price}, but nobody may sell below {min} any more. Set a new price."
    )]
    PriceOvertaken {
        /// What the rule pays at most, all in.
        price: Price,
        /// Least price, all in.
        min: Price,
    },
    /// The tariff fell below the floor of the sell rule.
    #[error("You sell from {floor}, but nobody may sell above {max} any more. Set a new price.")]
    FloorOvertaken {
        /// Floor of the rule.
        floor: Price,
        /// Highest price allowed.
        max: Price,
    },
    /// Nothing was heard of the meter.
    #[error("Nothing was heard from your meter since {since}. Your rules wait for it.")]
    MeterSilent {
        /// End of the last slot that was attested.
        since: Timestamp,
    },
}

impl Notice {
    /// Its kind, for keys and settings.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CouldSell { .. } => "could_sell",
            Self::CouldBuy { .. } => "could_buy",
            Self::NobodySells { .. } => "nobody_sells",
            Self::BudgetSpent { .. } => "budget_spent",
            Self::NoBalance { .. } => "no_balance",
            Self::PriceOvertaken { .. } => "price_overtaken",
            Self::FloorOvertaken { .. } => "floor_overtaken",
            Self::MeterSilent { .. } => "meter_silent",
        }
    }
}
