//! Bills as people take them away: a table for a spreadsheet, a sentence for a phone.

use super::slot::{Line, SlotBill};
use super::total::Total;
use jirani_units::HouseholdId;
use std::fmt::Write as _;

/// The words of a table in one language.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The columns. Energy in Wh, money in cents, prices in cents per kWh.
    header: &'static str,
    bought: &'static str,
    sold: &'static str,
    own_use: &'static str,
    shortfall: &'static str,
    paid_off: &'static str,
}

impl Words {
    /// English.
    pub const EN: Self = Self {
        header: "slot_start,what,with,energy_wh,price_cents_per_kwh,amount_cents,fee_cents,tax_cents,gain_cents",
        bought: "bought",
        sold: "sold",
        own_use: "own_use",
        shortfall: "shortfall",
        paid_off: "paid_off",
    };
    /// Kiswahili.
    pub const SW: Self = Self {
        header: "mwanzo,nini,na,nishati_wh,bei_senti_kwa_kwh,kiasi_senti,ada_senti,kodi_senti,faida_senti",
        bought: "ulinunua",
        sold: "uliuza",
        own_use: "ulitumia_yako",
        shortfall: "deni",
        paid_off: "deni_lililolipwa",
    };
}

/// A row per line of each bill, in order; a purchase has a row per seller whose amount
/// stands with the first. `alias` names neighbours: never a person's name or number.
pub fn csv(bills: &[SlotBill], words: &Words, alias: impl Fn(HouseholdId) -> String) -> String {
    let mut table = format!("{}\n", words.header);
    let mut row = |bill: &SlotBill, what: &str, with: &str, energy: u64, price: &str, money: [i64; 4]| {
        let [amount, fee, tax, gain] = money;
        let start = bill.slot.start;
        // Writing to a String never fails.
        let _ = writeln!(table, "{start},{what},{},{energy},{price},{amount},{fee},{tax},{gain}", cell(with));
    };
    for bill in bills {
        for line in &bill.lines {
            match line {
                Line::Bought { from, due, fee, tax, gain, .. } => {
                    let mut money = [-due.0, fee.0, tax.0, gain.0];
                    for (seller, energy, price) in from {
                        row(bill, words.bought, &alias(*seller), energy.0, &price.0.to_string(), money);
                        money = [0; 4];
                    }
                }
                Line::Sold { to, energy, price, received, gain } => {
                    let money = [received.0, 0, 0, gain.0];
                    row(bill, words.sold, &alias(*to), energy.0, &price.0.to_string(), money);
                }
                Line::OwnUse { energy, gain } => {
                    row(bill, words.own_use, "", energy.0, "", [0, 0, 0, gain.0]);
                }
                Line::Shortfall { energy, at_retail } => {
                    row(bill, words.shortfall, "", energy.0, "", [-at_retail.0, 0, 0, 0]);
                }
                Line::PaidOff { energy, at_retail } => {
                    row(bill, words.paid_off, "", energy.0, "", [at_retail.0, 0, 0, 0]);
                }
            }
        }
    }
    table
}

/// A cell that no spreadsheet takes for a formula (OWASP, CSV injection) or for two.
fn cell(text: &str) -> String {
    let guarded = text.trim_start_matches(['=', '+', '-', '@', '\t', '\r']);
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded.to_owned()
    }
}

/// A month in one SMS of at most 160 characters of the GSM alphabet.
pub fn sentence(month: &str, total: &Total) -> String {
    format!(
        "{month}: bought {} for {}, sold {} for {}. You gained {} against the tariff.",
        total.bought, total.paid, total.sold, total.received, total.gain
    )
}
