//! Shortcodes: their accounts, their settings, their money at the bank.

use super::World;
use super::changes::Kind;
use super::paybill::C2bUrls;
use crate::book::{Account, MovementKind};
use jirani_units::Cents;
use serde::{Deserialize, Serialize};

/// What may be changed of a shortcode.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessChange {
    /// What its working account holds from now on; the difference goes to or
    /// comes from its bank.
    pub working_cents: Option<u32>,
    /// What its utility account holds from now on.
    pub utility_cents: Option<u32>,
    /// Whether M-Pesa asks its validation address before a payment by hand.
    pub validation: Option<bool>,
}

/// A shortcode to look at.
#[derive(Clone, Debug, Serialize)]
pub struct BusinessView {
    /// Its number.
    pub shortcode: String,
    /// Its name.
    pub name: String,
    /// Its till, if it has one.
    pub till: Option<String>,
    /// The working (MMF) account.
    pub working_cents: Cents,
    /// The utility account.
    pub utility_cents: Cents,
    /// Charges paid: zero or below.
    pub charges_cents: Cents,
    /// Whether validation is on.
    pub validation: bool,
    /// Whether it is registered for pulling.
    pub pull: bool,
    /// Its C2B addresses.
    pub urls: Option<C2bUrls>,
}

impl World {
    /// The name of a shortcode, as prompts and messages show it.
    pub(super) fn business_name<'a>(&'a self, shortcode: &'a str) -> &'a str {
        self.config.shortcode(shortcode).map_or(shortcode, |known| &known.name)
    }

    /// Whether M-Pesa asks before a payment by hand.
    pub(super) fn validates(&self, shortcode: &str) -> bool {
        self.validating.get(shortcode).copied().unwrap_or(self.config.c2b_validation)
    }

    /// A shortcode as it is; `None` when there is no such.
    pub fn business(&self, shortcode: &str) -> Option<BusinessView> {
        let known = self.config.shortcode(shortcode)?;
        Some(BusinessView {
            shortcode: known.code.clone(),
            name: known.name.clone(),
            till: self.config.tills.get(&known.code).cloned(),
            working_cents: self.book.balance(&Account::working(shortcode)),
            utility_cents: self.book.balance(&Account::utility(shortcode)),
            charges_cents: self.book.balance(&Account::charges(shortcode)),
            validation: self.validates(shortcode),
            pull: self.pulling.contains(shortcode),
            urls: self.c2b_urls(shortcode).cloned(),
        })
    }

    /// Every shortcode.
    pub fn businesses(&self) -> Vec<BusinessView> {
        let codes = self.config.shortcodes();
        codes.into_iter().filter_map(|known| self.business(&known.code)).collect()
    }

    /// Changes a shortcode; `None` when there is no such.
    pub fn change_business(&mut self, shortcode: &str, change: BusinessChange) -> Option<BusinessView> {
        self.config.shortcode(shortcode)?;
        for (account, cents) in [
            (Account::working(shortcode), change.working_cents),
            (Account::utility(shortcode), change.utility_cents),
        ] {
            let Some(cents) = cents else { continue };
            let missing = i64::from(cents) - self.book.balance(&account).0;
            let ways = if missing > 0 { (Account::Outside, account) } else { (account, Account::Outside) };
            let amount = Cents(missing.abs());
            self.book.move_money(self.now, MovementKind::BusinessCash, ways, amount, (None, None));
        }
        if let Some(validation) = change.validation {
            self.validating.insert(shortcode.to_owned(), validation);
            self.changes.put(Kind::Validating, shortcode, &validation);
        }
        self.business(shortcode)
    }
}
