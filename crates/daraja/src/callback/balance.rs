//! What a shortcode's accounts hold.

use super::answer::{AnswerIds, Envelope};
use super::{CallbackError, loose};
use crate::{codes, nairobi};
use jirani_units::{Cents, Timestamp};

/// Accounts of one answer that are read at most; real ones have about six.
const ACCOUNTS_MAX: usize = 32;

/// The answer to a balance request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceAnswer {
    /// M-Pesa's ids of the question.
    pub ids: AnswerIds,
    /// The answer.
    pub outcome: BalanceOutcome,
}

/// What M-Pesa told of the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BalanceOutcome {
    /// The accounts.
    Told {
        /// Every one, in M-Pesa's order.
        accounts: Vec<AccountBalance>,
        /// As of when.
        at: Option<Timestamp>,
    },
    /// Refused for good.
    Refused {
        /// M-Pesa's code.
        code: String,
    },
    /// The code says nothing final, or the answer cannot be read: ask again.
    Unknown {
        /// M-Pesa's code.
        code: String,
    },
}

/// One account of a shortcode. Amounts are cents and may be negative: the
/// charges account always is. M-Pesa's page leaves the meaning of the last
/// four fields open; these are the names clients use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountBalance {
    /// Which.
    pub account: Account,
    /// Currency; `KES`.
    pub currency: String,
    /// What it holds.
    pub current: Cents,
    /// What may be spent.
    pub available: Cents,
    /// What is reserved for transactions under way.
    pub reserved: Cents,
    /// What has not cleared.
    pub uncleared: Cents,
}

/// Accounts by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// Working Account (MMF).
    Working,
    /// Utility Account: where payouts are paid from.
    Utility,
    /// Charges Paid Account: negative.
    ChargesPaid,
    /// Float Account.
    Float,
    /// Organization Settlement Account.
    Settlement,
    /// Any other, by M-Pesa's name.
    Other(String),
}

/// Reads the answer to a balance request.
pub fn parse_balance(body: &[u8]) -> Result<BalanceAnswer, CallbackError> {
    let envelope = Envelope::read(body)?;
    let code = envelope.code.clone();
    let outcome = if code == "0" {
        let list = envelope.item("AccountBalance").and_then(|value| value.as_str());
        match list.and_then(accounts) {
            Some(accounts) => {
                let at = envelope.text("BOCompletedTime").and_then(|text| nairobi::parse(&text));
                BalanceOutcome::Told { accounts, at }
            }
            None => BalanceOutcome::Unknown { code },
        }
    } else if codes::ask_refusal(&code).is_some() {
        BalanceOutcome::Refused { code }
    } else {
        BalanceOutcome::Unknown { code }
    };
    Ok(BalanceAnswer { ids: envelope.ids, outcome })
}

/// The list, or nothing: half a list would look like missing money.
fn accounts(list: &str) -> Option<Vec<AccountBalance>> {
    let parts: Vec<&str> = list.split('&').filter(|part| !part.trim().is_empty()).collect();
    if parts.is_empty() || parts.len() > ACCOUNTS_MAX {
        return None;
    }
    parts.into_iter().map(account).collect()
}

fn account(part: &str) -> Option<AccountBalance> {
    let fields: Vec<&str> = part.split('|').map(str::trim).collect();
    let [name, currency, current, available, reserved, uncleared] = fields[..] else { return None };
    if name.is_empty() {
        return None;
    }
    let cents = |text: &str| loose::signed_cents(text).map(Cents);
    Some(AccountBalance {
        account: named(name),
        currency: currency.to_owned(),
        current: cents(current)?,
        available: cents(available)?,
        reserved: cents(reserved)?,
        uncleared: cents(uncleared)?,
    })
}

fn named(name: &str) -> Account {
    let short = name.strip_suffix("Account").unwrap_or(name).trim();
    match short.to_ascii_lowercase().as_str() {
        "working" => Account::Working,
        "utility" => Account::Utility,
        "charges paid" => Account::ChargesPaid,
        "float" => Account::Float,
        "organization settlement" | "organisation settlement" => Account::Settlement,
        _ => Account::Other(name.to_owned()),
    }
}
