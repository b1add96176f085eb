//! The menus behind the PIN: where the answers so far have led. Pure.
//!
//! `0` leads back to the first menu from everywhere; an answer that does not fit asks the
//! same again.

use super::facts::Bounds;
use super::inputs::{energy, energy_or_none, price, shillings};
use jirani_market::Want;
use jirani_market::rule::{Acting, BuyRule, Cover, SellRule};
use jirani_store::{Language, PayWith};
use jirani_units::{Cents, Price, Wh};

/// Where a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first menu.
    Menu,
    /// Money and energy.
    Balance,
    /// By kWh or by shillings?
    Buy,
    /// How many kWh?
    BuyEnergy,
    /// For how many shillings?
    BuyMoney,
    /// The quote: pay by what?
    BuyConfirm(Want),
    /// The rule to sell as it stands.
    Sell,
    /// How much stays?
    SellKeep,
    /// At what price at least?
    SellFloor(Wh),
    /// Is it so?
    SellConfirm(SellRule),
    /// The rule to buy as it stands.
    Auto,
    /// At what price at most?
    AutoPrice,
    /// For how many shillings a day?
    AutoDaily(Price),
    /// Is it so?
    AutoConfirm(BuyRule),
    /// How many shillings?
    Withdraw,
    /// The quote: is it so?
    WithdrawConfirm(Cents),
    /// How to.
    Help,
    /// To be done, once.
    Do(Command),
}

/// What a person has agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Buy.
    Buy(Want, PayWith),
    /// Pay out to the own number; charges included.
    Withdraw(Cents),
    /// Sell what is left over by this rule, or by none.
    Sell(Option<SellRule>),
    /// Buy what was used by this rule, or by none.
    Auto(Option<BuyRule>),
    /// Speak the other language.
    Speak(Language),
}

/// Where the answers have led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Where.
    pub place: Place,
    /// Whether the last answer did not fit there.
    pub misfit: bool,
    /// How many answers led there.
    pub steps: usize,
}

/// Follows the answers, from the first menu on. What comes after a last screen changes
/// nothing.
pub fn walk(inputs: &[&str], language: Language, bounds: &Bounds) -> Walk {
    let mut walk = Walk { place: Place::Menu, misfit: false, steps: 0 };
    for input in inputs {
        if matches!(walk.place, Place::Balance | Place::Help | Place::Do(_)) {
            break;
        }
        let to = if *input == "0" { Some(Place::Menu) } else { next(walk.place, input, language, bounds) };
        walk.misfit = to.is_none();
        walk.place = to.unwrap_or(walk.place);
        walk.steps += 1;
    }
    walk
}

fn next(place: Place, input: &str, language: Language, bounds: &Bounds) -> Option<Place> {
    let number = input.parse::<u32>().ok();
    let done = |command| Some(Place::Do(command));
    match (place, number) {
        (Place::Menu, Some(1)) => Some(Place::Balance),
        (Place::Menu, Some(2)) => Some(Place::Buy),
        (Place::Menu, Some(3)) => Some(Place::Sell),
        (Place::Menu, Some(4)) => Some(Place::Withdraw),
        (Place::Menu, Some(5)) => Some(Place::Auto),
        (Place::Menu, Some(6)) => done(Command::Speak(match language {
            Language::En => Language::Sw,
            Language::Sw => Language::En,
        })),
        (Place::Menu, Some(7)) => Some(Place::Help),
        (Place::Buy, Some(1)) => Some(Place::BuyEnergy),
        (Place::Buy, Some(2)) => Some(Place::BuyMoney),
        (Place::BuyEnergy, _) => energy(input).map(|wanted| Place::BuyConfirm(Want::Energy(wanted))),
        (Place::BuyMoney, _) => shillings(input).map(|spent| Place::BuyConfirm(Want::Budget(spent))),
        (Place::BuyConfirm(want), Some(1)) => done(Command::Buy(want, PayWith::Mpesa)),
        (Place::BuyConfirm(want), Some(2)) => done(Command::Buy(want, PayWith::Balance)),
        (Place::Sell, Some(1)) => Some(Place::SellKeep),
        (Place::Sell, Some(2)) => done(Command::Sell(None)),
        // Keeping nothing is said with `00`: a single zero leads back.
        (Place::SellKeep, _) => energy_or_none(input).map(Place::SellFloor),
        (Place::SellFloor(keep), _) => {
            let floor = price(input, bounds.sell.0, bounds.sell.1)?;
            Some(Place::SellConfirm(SellRule {
                keep_wh: keep,
                floor_cents_per_kwh: floor,
                acting: Acting::Act,
            }))
        }
        (Place::SellConfirm(rule), Some(1)) => done(Command::Sell(Some(rule))),
        (Place::Auto, Some(1)) => Some(Place::AutoPrice),
        (Place::Auto, Some(2)) => done(Command::Auto(None)),
        (Place::AutoPrice, _) => price(input, bounds.buy.0, bounds.buy.1).map(Place::AutoDaily),
        (Place::AutoDaily(up_to), _) => shillings(input).map(|daily| {
            Place::AutoConfirm(BuyRule {
                cover: Cover::Shortfall,
                price_max_cents_per_kwh: up_to,
                budget_per_day_cents: daily,
                acting: Acting::Act,
            })
        }),
        (Place::AutoConfirm(rule), Some(1)) => done(Command::Auto(Some(rule))),
        (Place::Withdraw, _) => shillings(input).map(Place::WithdrawConfirm),
        (Place::WithdrawConfirm(amount), Some(1)) => done(Command::Withdraw(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { sell: (Price(1_000), Price(3_000)), buy: (Price(1_500), Price(3_500)) };

    fn led(text: &str) -> (Place, bool) {
        let inputs = super::super::inputs::split(text).unwrap();
        let walk = walk(&inputs, Language::En, &BOUNDS);
        (walk.place, walk.misfit)
    }

    #[test]
    fn every_path_leads_where_the_menu_says() {
        let rule = SellRule { keep_wh: Wh(2_000), floor_cents_per_kwh: Price(1_500), acting: Acting::Act };
        let daily = BuyRule {
            cover: Cover::Shortfall,
            price_max_cents_per_kwh: Price(3_000),
            budget_per_day_cents: Cents(20_000),
            acting: Acting::Act,
        };
        for (text, place) in [
            ("", Place::Menu),
            ("1", Place::Balance),
            ("2", Place::Buy),
            ("2*1", Place::BuyEnergy),
            ("2*1*1.5", Place::BuyConfirm(Want::Energy(Wh(1_500)))),
            ("2*1*1.5*1", Place::Do(Command::Buy(Want::Energy(Wh(1_500)), PayWith::Mpesa))),
            ("2*2", Place::BuyMoney),
            ("2*2*100*2", Place::Do(Command::Buy(Want::Budget(Cents(10_000)), PayWith::Balance))),
            ("3", Place::Sell),
            ("3*1", Place::SellKeep),
            ("3*1*2", Place::SellFloor(Wh(2_000))),
            ("3*1*00*15", Place::SellConfirm(SellRule { keep_wh: Wh(0), ..rule })),
            ("3*1*2*15", Place::SellConfirm(rule)),
            ("3*1*2*15*1", Place::Do(Command::Sell(Some(rule)))),
            ("3*2", Place::Do(Command::Sell(None))),
            ("4", Place::Withdraw),
            ("4*500", Place::WithdrawConfirm(Cents(50_000))),
            ("4*500*1", Place::Do(Command::Withdraw(Cents(50_000)))),
            ("5", Place::Auto),
            ("5*1", Place::AutoPrice),
            ("5*1*30", Place::AutoDaily(Price(3_000))),
            ("5*1*30*200", Place::AutoConfirm(daily)),
            ("5*1*30*200*1", Place::Do(Command::Auto(Some(daily)))),
            ("5*2", Place::Do(Command::Auto(None))),
            ("6", Place::Do(Command::Speak(Language::Sw))),
            ("7", Place::Help),
        ] {
            assert_eq!(led(text), (place, false), "{text}");
        }
    }

    #[test]
    fn zero_leads_back_from_everywhere_and_what_does_not_fit_is_asked_again() {
        for text in ["0", "2*0", "2*1*0", "2*1*1.5*0", "3*1*2*15*0", "4*500*0", "5*1*30*0"] {
            assert_eq!(led(text), (Place::Menu, false), "{text}");
        }
        for (text, place) in [
            ("9", Place::Menu),
            ("", Place::Menu),
            ("2*3", Place::Buy),
            ("2*1*much", Place::BuyEnergy),
            ("2*1*1.5*3", Place::BuyConfirm(Want::Energy(Wh(1_500)))),
            ("3*1*2*5", Place::SellFloor(Wh(2_000))),
            ("5*1*36", Place::AutoPrice),
            ("4*0.5", Place::Withdraw),
            ("4*500*7", Place::WithdrawConfirm(Cents(50_000))),
        ] {
            assert_eq!(led(text), (place, !text.is_empty()), "{text}");
        }
        assert_eq!(led("2*1*much*1.5").0, Place::BuyConfirm(Want::Energy(Wh(1_500))));
    }

    #[test]
    fn nothing_is_done_twice_by_typing_on() {
        let inputs = ["4", "500", "1", "1", "0", "4", "500", "1"];
        let walk = walk(&inputs, Language::En, &BOUNDS);
        assert_eq!((walk.place, walk.steps), (Place::Do(Command::Withdraw(Cents(50_000))), 3));
    }
}
