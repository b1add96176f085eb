//! What became of what was asked for: last screens, and the text messages that follow
//! where a screen could not wait.

use super::of;
use crate::ussd::screen::Screen;
use jirani_store::Language;
use jirani_units::{Cents, Wh};

/// How it ended, as far as a screen can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// M-Pesa asks on this phone for so much.
    Prompt(Cents),
    /// Bought from the balance.
    Bought(Wh, Cents),
    /// Bought from the balance, or about to be.
    Buying(Wh),
    /// On its way to M-Pesa.
    Withdrawing(Cents),
    /// A rule is set.
    RuleSet,
    /// A rule is gone.
    RuleGone,
    /// The language is changed.
    Spoken,
    /// A code is on its way.
    CodeSent,
    /// Too many codes were sent today.
    NoMoreCodes,
    /// The code could not be sent.
    CodeNotSent,
    /// The PIN is set.
    PinSet,
    /// What was agreed to is not known any more.
    Forgotten,
    /// It may have been done.
    Unsure,
    /// Not done.
    Refused(Refusal),
}

/// Why it was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The balance is too small.
    Balance,
    /// Nobody sells now.
    NothingOnOffer,
    /// An unpaid order may hold less than this.
    UnpaidShare,
    /// Too many orders were left unpaid.
    Unpaid,
    /// The price rose.
    PriceMoved,
    /// A prompt is open.
    PromptOpen,
    /// Too little for M-Pesa.
    TooSmall,
    /// Too much at once.
    TooLarge,
    /// Enough for today.
    DailyLimit,
    /// The number is new.
    CoolDown,
    /// The person owes energy.
    Shortfall,
    /// The rule contradicts another or the tariff.
    Rule,
    /// Nobody does this here.
    NotOffered,
    /// Nothing was asked for yet, and nothing can be now.
    Busy,
    /// Later.
    Later,
}

impl Refusal {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 15] = [
        Self::Busy,
        Self::Balance,
        Self::NothingOnOffer,
        Self::UnpaidShare,
        Self::Unpaid,
        Self::PriceMoved,
        Self::PromptOpen,
        Self::TooSmall,
        Self::TooLarge,
        Self::DailyLimit,
        Self::CoolDown,
        Self::Shortfall,
        Self::Rule,
        Self::NotOffered,
        Self::Later,
    ];

    /// The one of an error's code.
    pub fn of_code(code: &str) -> Self {
        match code {
            "settlement.insufficient_balance" => Self::Balance,
            "market.nothing_on_offer" | "market.not_enough" => Self::NothingOnOffer,
            "market.unpaid_share" => Self::UnpaidShare,
            "market.too_many_unpaid" => Self::Unpaid,
            "settlement.price_moved" => Self::PriceMoved,
            "settlement.prompt_open" => Self::PromptOpen,
            "settlement.payout_too_small" | "market.budget_too_small" => Self::TooSmall,
            "settlement.amount_too_large" | "market.too_large" => Self::TooLarge,
            "settlement.daily_limit" | "settlement.operator_daily_limit" => Self::DailyLimit,
            "settlement.cool_down" => Self::CoolDown,
            "settlement.shortfall" => Self::Shortfall,
            "api.not_offered" => Self::NotOffered,
            code if code.starts_with("market.rule_") => Self::Rule,
            _ => Self::Later,
        }
    }

    fn sentence(self, language: Language) -> String {
        let (en, sw) = match self {
            Self::Balance => ("Your balance is too small for this.", "Salio lako halitoshi."),
            Self::NothingOnOffer => (
                "Not enough is on offer for this now. Try less, or later.",
                "Hakuna umeme wa kutosha unaouzwa sasa. Jaribu kiasi kidogo, au baadaye.",
            ),
            Self::UnpaidShare => (
                "By M-Pesa you can buy less at once. Try less, or pay from your balance.",
                "Kwa M-Pesa unaweza kununua kidogo kwa mara moja. Punguza, au lipa kwa salio.",
            ),
            Self::Unpaid => (
                "You left three orders unpaid. Pay from your balance, or try later.",
                "Hukulipia oda tatu. Lipa kwa salio lako, au jaribu baadaye.",
            ),
            Self::PriceMoved => (
                "The price has gone up, so nothing was bought. Dial again.",
                "Bei imepanda, kwa hivyo hakuna kilichonunuliwa. Piga tena.",
            ),
            Self::PromptOpen => (
                "A payment prompt is open on this phone. Answer it first.",
                "Ombi la malipo liko wazi kwenye simu hii. Lijibu kwanza.",
            ),
            Self::TooSmall => ("This is too little.", "Kiasi hiki ni kidogo mno."),
            Self::TooLarge => ("This is too much at once.", "Kiasi hiki ni kikubwa mno kwa mara moja."),
            Self::DailyLimit => (
                "That is more than may go out today. Try less, or tomorrow.",
                "Kiasi hicho kinazidi kikomo cha leo. Jaribu kidogo, au kesho.",
            ),
            Self::CoolDown => (
                "Your number was changed a short while ago. Withdrawals to it begin later.",
                "Namba yako ilibadilishwa hivi karibuni. Kutoa pesa kutaanza baadaye.",
            ),
            Self::Shortfall => (
                "You used energy that is not paid for. Pay it first.",
                "Umetumia umeme ambao haujalipiwa. Ulipie kwanza.",
            ),
            Self::Rule => (
                "This rule cannot be: it contradicts another rule or the tariff.",
                "Kanuni hii haiwezekani: inapingana na kanuni nyingine au bei.",
            ),
            Self::NotOffered => ("This is not offered here.", "Huduma hii haipo hapa."),
            Self::Busy => (
                "Jirani cannot answer now. Dial again later.",
                "Jirani haiwezi kujibu sasa. Piga tena baadaye.",
            ),
            Self::Later => (
                "This could not be done now. Nothing was taken from you. Try again later.",
                "Haikuwezekana sasa. Hakuna kilichokatwa kwako. Jaribu tena baadaye.",
            ),
        };
        of(language, en.to_owned(), sw.to_owned())
    }
}

/// The last screen.
pub fn outcome(outcome: Outcome, language: Language) -> Screen {
    let say = |en: &str, sw: &str| of(language, en.to_owned(), sw.to_owned());
    Screen::end(match outcome {
        Outcome::Prompt(collect) => of(
            language,
            format!("M-Pesa will ask on this phone for {collect}. Enter your M-Pesa PIN there."),
            format!("M-Pesa itaomba {collect} kwenye simu hii. Weka PIN ya M-Pesa hapo."),
        ),
        Outcome::Bought(energy, due) => of(
            language,
            format!("You bought {energy} for {due} from your balance."),
            format!("Umenunua {energy} kwa {due} kutoka kwa salio lako."),
        ),
        Outcome::Buying(energy) => of(
            language,
            format!("We are buying {energy} for you. You will get an SMS."),
            format!("Tunakununulia {energy}. Utapata SMS."),
        ),
        Outcome::Withdrawing(sent) => of(
            language,
            format!("{sent} is on its way to your M-Pesa. You will get an SMS from M-Pesa."),
            format!("{sent} inakuja kwenye M-Pesa yako. Utapata SMS ya M-Pesa."),
        ),
        Outcome::RuleSet => say("Your rule is set.", "Kanuni yako imewekwa."),
        Outcome::RuleGone => say("Your rule is off.", "Kanuni yako imeondolewa."),
        Outcome::Spoken => {
            say("From now on in English. Dial again.", "Kuanzia sasa kwa Kiswahili. Piga tena.")
        }
        Outcome::CodeSent => say(
            "We send you a code by SMS. Then dial again and enter it.",
            "Tunakutumia nambari kwa SMS. Kisha piga tena uiandike.",
        ),
        Outcome::NoMoreCodes => {
            say("No more codes today. Dial again tomorrow.", "Hakuna nambari zaidi leo. Piga tena kesho.")
        }
        Outcome::CodeNotSent => say(
            "We could not send your code. Dial again in a while.",
            "Hatukuweza kutuma nambari. Piga tena baadaye kidogo.",
        ),
        Outcome::PinSet => say("Your PIN is set. Dial again.", "PIN yako imewekwa. Piga tena."),
        Outcome::Forgotten => say(
            "This took too long, so nothing was done. Dial again.",
            "Imechukua muda mrefu, kwa hivyo hakuna kilichofanyika. Piga tena.",
        ),
        Outcome::Unsure => say(
            "We cannot say yet whether this was done. Look at your balance before you try again.",
            "Bado hatujui kama imefanyika. Angalia salio lako kabla ya kujaribu tena.",
        ),
        Outcome::Refused(refusal) => refusal.sentence(language),
    })
}

/// The text message of an outcome that came after its screen.
pub fn follow_up(outcome: Outcome, language: Language) -> String {
    let text = self::outcome(outcome, language).text;
    match outcome {
        Outcome::Refused(_) | Outcome::Unsure => {
            of(language, format!("You asked by phone: {text}"), format!("Uliomba kwa simu: {text}"))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm;

    #[test]
    fn every_outcome_fits_a_screen_and_a_message_in_both_languages() {
        let (most, energy) = (Cents(999_999_999), Wh(99_999_999));
        let mut all = vec![
            Outcome::Prompt(most),
            Outcome::Bought(energy, most),
            Outcome::Buying(energy),
            Outcome::Withdrawing(most),
            Outcome::RuleSet,
            Outcome::RuleGone,
            Outcome::Spoken,
            Outcome::CodeSent,
            Outcome::NoMoreCodes,
            Outcome::CodeNotSent,
            Outcome::PinSet,
            Outcome::Forgotten,
            Outcome::Unsure,
        ];
        all.extend(Refusal::ALL.map(Outcome::Refused));
        for one in all {
            let [en, sw] = [Language::En, Language::Sw].map(|language| outcome(one, language).to_string());
            assert!(gsm::is_one_screen(&en) && gsm::is_one_screen(&sw), "{en} / {sw}");
            assert_ne!(en, sw);
            for language in [Language::En, Language::Sw] {
                let text = follow_up(one, language);
                assert!(gsm::is_one_message(&text), "{text}");
            }
        }
    }

    #[test]
    fn a_refusal_says_what_can_be_done() {
        assert_eq!(Refusal::of_code("settlement.insufficient_balance"), Refusal::Balance);
        assert_eq!(Refusal::of_code("market.nothing_on_offer"), Refusal::NothingOnOffer);
        assert_eq!(Refusal::of_code("store.unavailable"), Refusal::Later);
    }
}
