//! The menus behind the PIN.

use super::of;
use crate::ussd::facts::{BuyQuote, Energy, Facts, Rules, WithdrawQuote};
use crate::ussd::screen::Screen;
use crate::ussd::walk::Place;
use jirani_market::rule::{Acting, BuyRule, Cover, SellRule};

/// What a screen that names a price was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoted {
    /// The screen names none.
    Nothing,
    /// What an order would cost.
    Buy(BuyQuote),
    /// What a withdrawal would send.
    Withdraw(WithdrawQuote),
}

/// The screen of a place; `misfit` when the last answer did not fit there. `None` where
/// something is to be done, or a price is missing.
pub fn place(place: Place, misfit: bool, facts: &Facts, quoted: &Quoted) -> Option<Screen> {
    let language = facts.language;
    let say = |en: String, sw: String| of(language, en, sw);
    let ask = |en: String, sw: String| {
        let again = say(
            if misfit { "Try again. " } else { "" }.into(),
            if misfit { "Jaribu tena. " } else { "" }.into(),
        );
        Some(Screen::ask(format!("{again}{}", say(en, sw))))
    };
    let ((least, most), (cheapest, dearest)) = (facts.bounds.sell, facts.bounds.buy);
    match (place, quoted) {
        (Place::Menu, _) => ask(
            "Jirani\n1 Balance\n2 Buy\n3 Sell rule\n4 Withdraw\n5 Buy rule\n6 Kiswahili\n7 Help".into(),
            "Jirani\n1 Salio\n2 Nunua\n3 Kanuni ya kuuza\n4 Toa pesa\n5 Kanuni ya kununua\n6 English\n7 Msaada".into(),
        ),
        (Place::Balance, _) => Some(Screen::end(balance(facts))),
        (Place::Buy, _) => {
            ask("Buy\n1 By kWh\n2 By KSh\n0 Back".into(), "Nunua\n1 Kwa kWh\n2 Kwa KSh\n0 Rudi".into())
        }
        (Place::BuyEnergy, _) => ask("How many kWh? For example 1.5\n0 Back".into(), "kWh ngapi? Kwa mfano 1.5\n0 Rudi".into()),
        (Place::BuyMoney, _) => {
            ask("For how many shillings?\n0 Back".into(), "Kwa shilingi ngapi?\n0 Rudi".into())
        }
        (Place::BuyConfirm(_), Quoted::Buy(quote)) => ask(buy_en(quote, facts), buy_sw(quote, facts)),
        (Place::Sell, _) => ask(sell_en(facts.rules.unwrap_or_default()), sell_sw(facts.rules.unwrap_or_default())),
        (Place::SellKeep, _) => ask(
            "How many kWh do you keep? What is above is sold. 00 keeps nothing.\n0 Back".into(),
            "Unabaki na kWh ngapi? Zinazozidi zinauzwa. 00 ni kutobakisha.\n0 Rudi".into(),
        ),
        (Place::SellFloor(_), _) => ask(
            format!("The least you take: {least} to {most}\n0 Back"),
            format!("Bei ya chini kabisa: {least} hadi {most}\n0 Rudi"),
        ),
        (Place::SellConfirm(SellRule { keep_wh: keep, floor_cents_per_kwh: floor, .. }), _) => ask(
            format!("Sell what is above {keep} at {floor} or more.\n1 Yes\n0 Back"),
            format!("Uza zinazozidi {keep} kwa {floor} au zaidi.\n1 Ndiyo\n0 Rudi"),
        ),
        (Place::Auto, _) => ask(auto_en(facts.rules.unwrap_or_default()), auto_sw(facts.rules.unwrap_or_default())),
        (Place::AutoPrice, _) => ask(
            format!("We buy what you used and did not pay. The most you pay: {cheapest} to {dearest}\n0 Back"),
            format!("Tunanunua umeme uliotumia bila kulipia. Bei ya juu: {cheapest} hadi {dearest}\n0 Rudi"),
        ),
        (Place::AutoDaily(_), _) => ask(
            "The most spent from your balance in a day, in shillings?\n0 Back".into(),
            "Shilingi ngapi zaidi kwa siku kutoka kwa salio lako?\n0 Rudi".into(),
        ),
        (Place::AutoConfirm(BuyRule { price_max_cents_per_kwh: up_to, budget_per_day_cents: daily, .. }), _) => ask(
            format!("Buy what I used, up to {up_to} and {daily} a day.\n1 Yes\n0 Back"),
            format!("Nunua umeme niliotumia, hadi {up_to} na {daily} kwa siku.\n1 Ndiyo\n0 Rudi"),
        ),
        (Place::Withdraw, _) => ask(
            format!("You have {}. How many shillings do you withdraw?\n0 Back", facts.available),
            format!("Una {}. Unatoa shilingi ngapi?\n0 Rudi", facts.available),
        ),
        (Place::WithdrawConfirm(_), Quoted::Withdraw(WithdrawQuote { sent, charge })) => ask(
            format!("{sent} to your M-Pesa, charge {charge}.\n1 Yes\n0 Back"),
            format!("{sent} kwenye M-Pesa yako, ada {charge}.\n1 Ndiyo\n0 Rudi"),
        ),
        (Place::Help, _) => Some(Screen::end(say(
            "We never call or text to ask for your PIN. Prices are never above the operator's. Send STOP to get fewer messages. For more, ask your operator.".into(),
            "Hatupigi simu wala kutuma SMS kuomba PIN yako. Bei haizidi ya mwendeshaji. Tuma ACHA upate jumbe chache. Kwa zaidi, muulize mwendeshaji.".into(),
        ))),
        (Place::BuyConfirm(_) | Place::WithdrawConfirm(_) | Place::Do(_), _) => None,
    }
}

fn balance(facts: &Facts) -> String {
    let (language, available) = (facts.language, facts.available);
    match facts.energy {
        Some(Energy { vault, offered, shortfall }) => of(
            language,
            format!("Money: {available}\nEnergy: {vault}\nOn offer: {offered}\nUsed, not paid: {shortfall}"),
            format!(
                "Pesa: {available}\nUmeme: {vault}\nUnauzwa: {offered}\nUmetumia bila kulipia: {shortfall}"
            ),
        ),
        None => of(
            language,
            format!("Money: {available}\nYour energy cannot be read now. Dial again later."),
            format!("Pesa: {available}\nUmeme wako haujulikani sasa. Piga tena baadaye."),
        ),
    }
}

fn buy_en(quote: &BuyQuote, facts: &Facts) -> String {
    let BuyQuote { energy, due, retail, .. } = quote;
    let by_mpesa = by_mpesa(quote);
    format!("{energy} for {due}, operator {retail}\n{by_mpesa}2 Balance ({})\n0 Back", facts.available)
}

fn buy_sw(quote: &BuyQuote, facts: &Facts) -> String {
    let BuyQuote { energy, due, retail, .. } = quote;
    let by_mpesa = by_mpesa(quote);
    format!("{energy} kwa {due}, mwendeshaji {retail}\n{by_mpesa}2 Salio ({})\n0 Rudi", facts.available)
}

fn by_mpesa(quote: &BuyQuote) -> String {
    if quote.mpesa { format!("1 M-Pesa {}\n", quote.collect) } else { String::new() }
}

fn sell_en(rules: Rules) -> String {
    let Some(SellRule { keep_wh: keep, floor_cents_per_kwh: floor, acting }) = rules.sell else {
        return "You have no rule to sell.\n1 Set one\n0 Back".into();
    };
    let does = match acting {
        Acting::Act => "You keep",
        Acting::Notify => "We tell you when you can keep",
    };
    format!("{does} {keep} and sell the rest at {floor} or more.\n1 Change\n2 Stop selling\n0 Back")
}

fn sell_sw(rules: Rules) -> String {
    let Some(SellRule { keep_wh: keep, floor_cents_per_kwh: floor, acting }) = rules.sell else {
        return "Huna kanuni ya kuuza.\n1 Weka\n0 Rudi".into();
    };
    let does = match acting {
        Acting::Act => "Unabaki na",
        Acting::Notify => "Tunakuarifu ukiweza kubaki na",
    };
    format!("{does} {keep} na kuuza zaidi ya hizo kwa {floor} au zaidi.\n1 Badilisha\n2 Acha kuuza\n0 Rudi")
}

fn auto_en(rules: Rules) -> String {
    let Some(BuyRule { cover, price_max_cents_per_kwh: up_to, budget_per_day_cents: daily, acting }) =
        rules.buy
    else {
        return "You have no rule to buy.\n1 Set one\n0 Back".into();
    };
    let does = match acting {
        Acting::Act => "We buy",
        Acting::Notify => "We tell you when you can buy",
    };
    let what = match cover {
        Cover::Shortfall => "what you used".to_owned(),
        Cover::InHand(energy) => format!("to have {energy}"),
    };
    format!("{does} {what}, up to {up_to} and {daily} a day.\n1 Change\n2 Stop buying\n0 Back")
}

fn auto_sw(rules: Rules) -> String {
    let Some(BuyRule { cover, price_max_cents_per_kwh: up_to, budget_per_day_cents: daily, acting }) =
        rules.buy
    else {
        return "Huna kanuni ya kununua.\n1 Weka\n0 Rudi".into();
    };
    let does = match acting {
        Acting::Act => "Tunanunua",
        Acting::Notify => "Tunakuarifu ukiweza kununua",
    };
    let what = match cover {
        Cover::Shortfall => "umeme uliotumia".to_owned(),
        Cover::InHand(energy) => format!("uwe na {energy}"),
    };
    format!("{does} {what}, hadi {up_to} na {daily} kwa siku.\n1 Badilisha\n2 Acha kununua\n0 Rudi")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ussd::facts::Bounds;
    use jirani_market::Want;
    use jirani_notify::gsm;
    use jirani_store::Language;
    use jirani_units::{Cents, Price, Wh};

    /// The longest values that can be.
    fn most(language: Language, rules: Option<Rules>) -> Facts {
        let price = (Price(1_000_000), Price(1_000_000));
        let energy = Wh(99_999_999);
        Facts {
            language,
            available: Cents(999_999_999),
            energy: Some(Energy { vault: energy, offered: energy, shortfall: energy }),
            bounds: Bounds { sell: price, buy: price },
            rules,
        }
    }

    #[test]
    fn every_screen_fits_in_both_languages_with_the_longest_values() {
        let money = Cents(25_000_000);
        let sell = |acting| SellRule { keep_wh: Wh(1_000_000), floor_cents_per_kwh: Price(999_999), acting };
        let buy = |cover, acting| BuyRule {
            cover,
            price_max_cents_per_kwh: Price(1_000_000),
            budget_per_day_cents: Cents(50_000_000),
            acting,
        };
        let covers = [Cover::Shortfall, Cover::InHand(Wh(1_000_000))];
        let mut all = vec![None];
        for acting in [Acting::Act, Acting::Notify] {
            let set =
                covers.map(|cover| Some(Rules { sell: Some(sell(acting)), buy: Some(buy(cover, acting)) }));
            all.extend(set);
        }
        let quote =
            BuyQuote { energy: Wh(99_999_999), due: money, collect: money, retail: money, mpesa: true };
        let places = [
            Place::Menu,
            Place::Balance,
            Place::Buy,
            Place::BuyEnergy,
            Place::BuyMoney,
            Place::BuyConfirm(Want::Budget(money)),
            Place::Sell,
            Place::SellKeep,
            Place::SellFloor(Wh(1)),
            Place::SellConfirm(sell(Acting::Act)),
            Place::Auto,
            Place::AutoPrice,
            Place::AutoDaily(Price(1)),
            Place::AutoConfirm(buy(Cover::Shortfall, Acting::Act)),
            Place::Withdraw,
            Place::WithdrawConfirm(money),
            Place::Help,
        ];
        for one in places {
            let quoted = match one {
                Place::WithdrawConfirm(_) => {
                    Quoted::Withdraw(WithdrawQuote { sent: money, charge: Cents(99_900) })
                }
                _ => Quoted::Buy(quote),
            };
            for rules in all.iter().copied() {
                for misfit in [false, true] {
                    let [en, sw] = [Language::En, Language::Sw]
                        .map(|language| place(one, misfit, &most(language, rules), &quoted).unwrap());
                    for screen in [&en, &sw] {
                        let text = screen.to_string();
                        assert!(gsm::is_one_screen(&text), "{:?} {text}", gsm::places(&text));
                    }
                    assert_ne!(en, sw);
                }
            }
        }
        for language in [Language::En, Language::Sw] {
            let dark = Facts { energy: None, ..most(language, None) };
            let screen = place(Place::Balance, false, &dark, &Quoted::Nothing).unwrap();
            assert!(gsm::is_one_screen(&screen.to_string()));
        }
        assert_eq!(
            place(Place::BuyConfirm(Want::Energy(Wh(1))), false, &most(Language::En, None), &Quoted::Nothing),
            None
        );
    }
}
