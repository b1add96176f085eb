//! What offers and orders of a call are known by.
//!
//! All begin with `@`, which no request from outside may have in its key, so nobody can
//! take a call's key beforehand.

use jirani_units::{HouseholdId, OfferId, Timestamp};

/// What is put up for sale after a call.
const PUT: &str = "@put/";
/// What the operator buys back.
const BACK: &str = "@back/";

/// What an ask sold; of an open offer with its number, since a household may have several.
pub(super) fn sell(slot: Timestamp, seller: HouseholdId, of: Option<OfferId>) -> String {
    of.map_or_else(|| format!("@sell/{slot}/{seller}"), |of| format!("@sell/{slot}/{seller}/{of}"))
}

/// The `n`th order of a bid.
pub(super) fn buy(slot: Timestamp, buyer: HouseholdId, n: usize) -> String {
    format!("@buy/{slot}/{buyer}/{n}")
}

/// What a sell rule has left after a call.
pub(super) fn put(slot: Timestamp, seller: HouseholdId) -> String {
    format!("{PUT}{slot}/{seller}")
}

/// What is left of an open offer that sold a part in a call; a rule's stays a rule's.
pub(super) fn rest(slot: Timestamp, of: OfferId, key: &str) -> String {
    let prefix = if is_rules(key) { PUT } else { "@rest/" };
    format!("{prefix}{slot}/of/{of}")
}

/// Whether an offer with this key was put up by a sell rule.
pub(crate) fn is_rules(key: &str) -> bool {
    key.starts_with(PUT)
}

/// Whether an offer with this key is what an ask sold in a call.
pub(super) fn is_sold(key: &str) -> bool {
    key.starts_with("@sell/")
}

/// Whether an order with this key was stored together with the offers that it holds, and
/// waits for them.
pub(crate) fn posts_its_offers(key: &str) -> bool {
    is_calls(key) || is_bought_back(key)
}

/// What the operator buys back: the key of the offer, and of the order that holds it.
pub(crate) fn back(seller: HouseholdId, what: &str) -> String {
    format!("{BACK}{seller}/{what}")
}

/// Whether this is a key of what the operator buys back.
pub(crate) fn is_bought_back(key: &str) -> bool {
    key.starts_with(BACK)
}

/// Whether an offer with this key was made by hand, or is what a call left of such a one.
pub(crate) fn is_by_hand(key: &str) -> bool {
    !is_rules(key) && !is_sold(key) && !is_bought_back(key)
}

/// The order in the place of one that could not be placed whole.
pub(crate) fn again(key: &str) -> String {
    format!("{key}/again")
}

/// Whether an order with this key was made by a call.
pub(crate) fn is_calls(key: &str) -> bool {
    key.starts_with("@buy/")
}
