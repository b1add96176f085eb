//! Advice as a sentence, in English and in Kiswahili.

use crate::advice::{Action, Confidence, Reason};

/// A language advice is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    English,
    /// Kiswahili.
    Kiswahili,
}

pub(crate) fn sentence(
    tongue: Tongue,
    action: Action,
    reason: Reason,
    gain_cents: i64,
    confidence: Confidence,
) -> String {
    let what = what(tongue, action);
    let why = why(tongue, reason);
    let sure = sure(tongue, confidence);
    let shillings = gain_cents / 100;
    match tongue {
        Tongue::English => format!("{what}: {why}. Gain: about KSh {shillings}, {sure}."),
        Tongue::Kiswahili => format!("{what}: {why}. Faida: takriban KSh {shillings}, {sure}."),
    }
}

fn what(tongue: Tongue, action: Action) -> String {
    match (tongue, action) {
        (Tongue::English, Action::Sell { energy_wh, price_cents_per_kwh }) => {
            format!("Sell {} kWh at {} per kWh or more", kwh(energy_wh), ksh(price_cents_per_kwh))
        }
        (Tongue::Kiswahili, Action::Sell { energy_wh, price_cents_per_kwh }) => {
            format!("Uza kWh {} kwa angalau {} kwa kila kWh", kwh(energy_wh), ksh(price_cents_per_kwh))
        }
        (Tongue::English, Action::Keep { energy_wh }) => {
            format!("Take {} kWh back from sale", kwh(energy_wh))
        }
        (Tongue::Kiswahili, Action::Keep { energy_wh }) => format!("Rudisha kWh {} usiziuze", kwh(energy_wh)),
        (Tongue::English, Action::Buy { energy_wh, price_cents_per_kwh }) => {
            format!("Buy {} kWh now at {} per kWh", kwh(energy_wh), ksh(price_cents_per_kwh))
        }
        (Tongue::Kiswahili, Action::Buy { energy_wh, price_cents_per_kwh }) => {
            format!("Nunua kWh {} sasa kwa {} kwa kila kWh", kwh(energy_wh), ksh(price_cents_per_kwh))
        }
    }
}

fn why(tongue: Tongue, reason: Reason) -> &'static str {
    match (tongue, reason) {
        (Tongue::English, Reason::MoreThanNeeded) => "you will not need it",
        (Tongue::Kiswahili, Reason::MoreThanNeeded) => "hutaihitaji",
        (Tongue::English, Reason::NeededTonight) => "you will need it yourself before the sun is back",
        (Tongue::Kiswahili, Reason::NeededTonight) => "utaihitaji mwenyewe kabla jua kurudi",
        (Tongue::English, Reason::OwesEnergy) => {
            "you owe energy, and neighbours sell for less than the operator"
        }
        (Tongue::Kiswahili, Reason::OwesEnergy) => "una deni la umeme, na majirani wanauza kwa bei nafuu",
        (Tongue::English, Reason::WillRunShort) => {
            "you will run short, and neighbours sell for less than the operator"
        }
        (Tongue::Kiswahili, Reason::WillRunShort) => {
            "umeme wako hautatosha, na majirani wanauza kwa bei nafuu"
        }
    }
}

fn sure(tongue: Tongue, confidence: Confidence) -> &'static str {
    match (tongue, confidence) {
        (Tongue::English, Confidence::High) => "sure",
        (Tongue::English, Confidence::Medium) => "likely",
        (Tongue::English, Confidence::Low) => "a first guess",
        (Tongue::Kiswahili, Confidence::High) => "hakika",
        (Tongue::Kiswahili, Confidence::Medium) => "huenda",
        (Tongue::Kiswahili, Confidence::Low) => "makadirio ya kwanza",
    }
}

/// Two decimals, rounded down: nobody is promised a watt-hour that is not there.
fn kwh(wh: u64) -> String {
    format!("{}.{:02}", wh / 1_000, wh % 1_000 / 10)
}

fn ksh(cents: u32) -> String {
    format!("KSh {}.{:02}", cents / 100, cents % 100)
}
