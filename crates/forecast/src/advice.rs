//! One sentence and one action, when following it earns something.
//!
//! How much to keep is a newsvendor's question: a Wh kept too few costs
//! `retail - price` in the evening, one kept too many costs `price - buy-back`.

use crate::forecaster::{Forecast, Stage};
use crate::text::{self, Tongue};
use jirani_units::{Cents, Price, Timestamp, Wh};

/// The operator's prices that advice is reckoned with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// What the operator sells at, all in.
    pub retail: Price,
    /// What the operator buys at.
    pub buy_back: Price,
    /// Grid fee and taxes together, per kWh traded.
    pub on_top: Price,
}

/// What advice is made from.
#[derive(Clone, Copy, Debug)]
pub struct AdviceInput<'a> {
    /// What is expected.
    pub forecast: &'a Forecast,
    /// Prices in force.
    pub prices: Prices,
    /// Tokens in the vault.
    pub vault_wh: Wh,
    /// Energy debt.
    pub shortfall_wh: Wh,
    /// Own tokens on sale and not yet held by an order.
    pub offered_wh: Wh,
    /// The seller's net price of the cheapest offer of a neighbour, if any.
    pub cheapest: Option<Price>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Offer this much at this price or more.
    Sell {
        /// Energy to offer, above zero.
        energy_wh: u64,
        /// Floor for the seller's net price.
        price_cents_per_kwh: u32,
    },
    /// Take this much back from sale: the household will need it.
    Keep {
        /// Energy to keep, above zero.
        energy_wh: u64,
    },
    /// Buy this much from neighbours.
    Buy {
        /// Energy to buy, above zero.
        energy_wh: u64,
        /// What it costs now, all in.
        price_cents_per_kwh: u32,
    },
}

/// Why, as a key that screens translate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Not yet much to go by.
    Low,
    /// More likely than not.
    Medium,
    /// Hardly in doubt.
    High,
}

/// One sentence, one action, what it is worth and how sure that is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Advice {
    /// What to do, with its amounts.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Expected gain against doing nothing, in cents; above zero.
    pub gain_cents: i64,
    /// How sure.
    pub confidence: Confidence,
    /// When the reckoning no longer holds.
    pub expires_at: Timestamp,
    /// The sentence in English.
    pub text_en: String,
    /// The sentence in Kiswahili.
    pub text_sw: String,
}

impl Advice {
    /// The gain as money.
    pub const fn gain(&self) -> Cents {
        Cents(self.gain_cents)
    }
}

/// Smaller amounts are not worth anybody's attention, in Wh.
const WORTH_SAYING_WH: u64 = 100;
/// Smaller gains are not worth anybody's attention, in cents.
const WORTH_SAYING_CENTS: i64 = 100;
/// How much of the spread of single slots their sum keeps: between none for
/// independent slots and all of it for slots that err together.
const TOGETHER: f64 = 0.5;
/// How long advice holds, in seconds: the next forecast is out by then.
const HOLDS_S: i64 = 3_600;

/// The one thing worth saying now, if any.
pub fn advise(input: &AdviceInput<'_>) -> Option<Advice> {
    let Prices { retail, buy_back, on_top } = input.prices;
    let highest = retail.0.checked_sub(on_top.0)?;
    if highest <= buy_back.0 {
        return None;
    }
    // A neighbour's offer is undercut by nothing: older goes first among equals,
    // but orders take several. Nobody on sale: four fifths of the way to the top.
    let alone = buy_back.0 + (highest - buy_back.0) * 4 / 5;
    let floor = input.cheapest.map_or(alone, |price| price.0.min(highest)).max(buy_back.0);
    let all_in = input.cheapest.and_then(|price| price.checked_add(on_top)).filter(|price| *price < retail);
    let too_few = f64::from(retail.0 - floor);
    let too_many = f64::from(floor - buy_back.0);
    let need = Need::of(input.forecast, too_few / (too_few + too_many));
    let have = input.vault_wh.0;
    let (action, reason, per_kwh, amount, doubtful) = if input.shortfall_wh.0 > 0 {
        let amount = input.shortfall_wh.0;
        (buy(amount, all_in?), Reason::OwesEnergy, retail.0 - all_in?.0, amount, false)
    } else if have > need.keep + WORTH_SAYING_WH {
        let amount = have - need.keep;
        let sell = Action::Sell { energy_wh: amount, price_cents_per_kwh: floor };
        (sell, Reason::MoreThanNeeded, floor - buy_back.0, amount, need.high > have)
    } else if need.middle > have && input.offered_wh.0 > 0 {
        let amount = (need.middle - have).min(input.offered_wh.0);
        (Action::Keep { energy_wh: amount }, Reason::NeededTonight, retail.0 - floor, amount, need.low < have)
    } else if need.middle > have {
        let amount = need.middle - have;
        (buy(amount, all_in?), Reason::WillRunShort, retail.0 - all_in?.0, amount, need.low < have)
    } else {
        return None;
    };
    let gain_cents = i64::try_from(u128::from(amount) * u128::from(per_kwh) / 1_000).ok()?;
    if amount < WORTH_SAYING_WH || gain_cents < WORTH_SAYING_CENTS {
        return None;
    }
    let confidence = match (input.forecast.stage, reason) {
        (_, Reason::OwesEnergy) => Confidence::High,
        (Stage::Cold, _) => Confidence::Low,
        (Stage::Young, _) => Confidence::Medium,
        (Stage::Grown, _) if doubtful => Confidence::Medium,
        (Stage::Grown, _) => Confidence::High,
    };
    let sentence = |tongue| text::sentence(tongue, action, reason, gain_cents, confidence);
    Some(Advice {
        action,
        reason,
        gain_cents,
        confidence,
        expires_at: input.forecast.issued_at.plus_seconds(HOLDS_S),
        text_en: sentence(Tongue::English),
        text_sw: sentence(Tongue::Kiswahili),
    })
}

fn buy(energy_wh: u64, all_in: Price) -> Action {
    Action::Buy { energy_wh, price_cents_per_kwh: all_in.0 }
}

/// Tokens that the household will draw on before its own sun has paid them back.
struct Need {
    keep: u64,
    low: u64,
    middle: u64,
    high: u64,
}

impl Need {
    fn of(forecast: &Forecast, level: f64) -> Self {
        let middle = deepest(forecast, 0.5);
        let around =
            |level: f64| crate::number::whole(middle + TOGETHER * (deepest(forecast, level) - middle));
        Self { keep: around(level), low: around(0.1), middle: around(0.5), high: around(0.9) }
    }
}

/// How deep the sum of `production - consumption` falls within a day when each
/// slot uses its `level` and yields what is left at `1 - level`.
fn deepest(forecast: &Forecast, level: f64) -> f64 {
    let slots = (86_400 / forecast.step_s.max(1)) as usize;
    let mut sum: f64 = 0.0;
    let mut lowest: f64 = 0.0;
    for point in forecast.points.iter().take(slots) {
        sum += point.production.at(1.0 - level) - point.consumption.at(level);
        lowest = lowest.min(sum);
    }
    -lowest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecaster::Point;
    use crate::quantiles::Quantiles;
    use proptest::prelude::*;

    const PRICES: Prices = Prices { retail: Price(6_000), buy_back: Price(2_000), on_top: Price(800) };

    /// A day whose first half uses `night` Wh a slot and whose second half yields `day`.
    fn forecast(night: u64, day: u64) -> Forecast {
        let sure = |wh: u64| Quantiles::from_values([crate::number::fraction(wh); 7]);
        let points = (0..192)
            .map(|i| Point {
                start: Timestamp::from_seconds(i * 900),
                production: sure(if i % 96 < 48 { 0 } else { day }),
                consumption: sure(if i % 96 < 48 { night } else { 0 }),
            })
            .collect();
        Forecast { issued_at: Timestamp(0), step_s: 900, stage: Stage::Grown, points }
    }

    fn input(forecast: &Forecast) -> AdviceInput<'_> {
        AdviceInput {
            forecast,
            prices: PRICES,
            vault_wh: Wh::ZERO,
            shortfall_wh: Wh::ZERO,
            offered_wh: Wh::ZERO,
            cheapest: None,
        }
    }

    #[test]
    fn what_the_night_will_not_use_is_worth_selling() {
        let forecast = forecast(20, 100);
        let advice = advise(&AdviceInput { vault_wh: Wh(3_000), ..input(&forecast) }).unwrap();
        assert_eq!(advice.action, Action::Sell { energy_wh: 2_040, price_cents_per_kwh: 4_560 });
        assert_eq!((advice.gain_cents, advice.confidence), (2_040 * 2_560 / 1_000, Confidence::High));
        assert_eq!(
            advice.text_en,
            "Sell 2.04 kWh at KSh 45.60 per kWh or more: you will not need it. Gain: about KSh 52, sure."
        );
        assert_eq!(
            advice.text_sw,
            "Uza kWh 2.04 kwa angalau KSh 45.60 kwa kila kWh: hutaihitaji. Faida: takriban KSh 52, hakika."
        );
    }

    #[test]
    fn what_the_night_will_use_is_worth_taking_back_from_sale() {
        let forecast = forecast(50, 100);
        let advice =
            advise(&AdviceInput { vault_wh: Wh(1_000), offered_wh: Wh(900), ..input(&forecast) }).unwrap();
        assert_eq!((advice.action, advice.reason), (Action::Keep { energy_wh: 900 }, Reason::NeededTonight));
    }

    #[test]
    fn a_shortfall_is_bought_when_a_neighbour_is_cheaper_than_the_operator() {
        let forecast = forecast(50, 100);
        let short = AdviceInput { shortfall_wh: Wh(1_500), cheapest: Some(Price(3_000)), ..input(&forecast) };
        let advice = advise(&short).unwrap();
        assert_eq!(advice.action, Action::Buy { energy_wh: 1_500, price_cents_per_kwh: 3_800 });
        assert_eq!(advice.gain_cents, 1_500 * 2_200 / 1_000);
        assert_eq!(
            advise(&AdviceInput { cheapest: Some(Price(5_200)), ..short }),
            None,
            "no cheaper than retail"
        );
    }

    #[test]
    fn nothing_is_said_where_nothing_can_be_gained() {
        let balanced = forecast(0, 0);
        assert_eq!(advise(&input(&balanced)), None);
        let plenty = AdviceInput { vault_wh: Wh(5_000), ..input(&balanced) };
        let closed = Prices { retail: Price(2_000), buy_back: Price(2_000), on_top: Price(0) };
        assert_eq!(advise(&AdviceInput { prices: closed, ..plenty }), None);
        assert_eq!(advise(&AdviceInput { cheapest: Some(Price(2_000)), ..plenty }), None);
    }

    proptest! {
        #[test]
        fn advice_always_earns_and_never_moves_more_than_there_is(
            night in 0u64..500, day in 0u64..500, vault in 0u64..50_000, short in 0u64..3_000, offered in 0u64..9_000,
            cheapest in proptest::option::of(0u32..9_000), retail in 0u32..9_000, buy_back in 0u32..9_000, on_top in 0u32..2_000,
        ) {
            let forecast = forecast(night, day);
            let prices = Prices { retail: Price(retail), buy_back: Price(buy_back), on_top: Price(on_top) };
            let cheapest = cheapest.map(Price);
            let all = AdviceInput { prices, vault_wh: Wh(vault), shortfall_wh: Wh(short), offered_wh: Wh(offered), cheapest, ..input(&forecast) };
            if let Some(advice) = advise(&all) {
                prop_assert!(advice.gain_cents > 0);
                match advice.action {
                    Action::Sell { energy_wh, price_cents_per_kwh } => {
                        prop_assert!(energy_wh <= vault && short == 0);
                        prop_assert!(price_cents_per_kwh > buy_back && price_cents_per_kwh + on_top <= retail);
                    }
                    Action::Keep { energy_wh } => prop_assert!(energy_wh <= offered),
                    Action::Buy { price_cents_per_kwh, .. } => prop_assert!(price_cents_per_kwh < retail),
                }
            }
        }
    }
}
