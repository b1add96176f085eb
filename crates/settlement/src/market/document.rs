//! What is kept of a call: all that anybody needs to clear it again, and the numbers of
//! what it became.

use crate::step::Broken;
use jirani_ledger::templates::orders;
use jirani_market::Tariff;
use jirani_market::call::{Book, CallOrder, Lot, Outcome, Party, Side, Source};
use jirani_units::{Cents, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use serde::{Deserialize, Serialize};

/// One order of a book: household (the operator's own have a `true` after it), Wh, limit
/// in cents per kWh, since when in microseconds, open offer or 0, money in cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLine(pub HouseholdId, pub bool, pub u32, pub Price, pub Timestamp, pub u64, pub Cents);

/// A call as it was cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBook {
    /// Prices of the call.
    pub tariff: Tariff,
    /// What the seed was bound by: the seed of the slot before.
    #[serde(with = "bytes")]
    pub commitment: [u8; 32],
    /// The slot's seed.
    #[serde(with = "bytes")]
    pub seed: [u8; 32],
    /// Evidence root of the slot before; zeroes before the first.
    #[serde(with = "bytes")]
    pub beacon: [u8; 32],
    /// Bids in the order of entry.
    pub bids: Vec<CallLine>,
    /// Asks in the order of entry.
    pub asks: Vec<CallLine>,
    /// The one price, the seller's net.
    pub price: Option<Price>,
    /// Energy traded.
    pub volume_wh: u64,
    /// Who sells to whom: places of bid and ask, Wh.
    pub lots: Vec<(u32, u32, u32)>,
    /// Asks that stood out.
    pub stood_out: Vec<u32>,
    /// What sell rules put up for sale afterwards: whose, Wh, price.
    pub put: Vec<(HouseholdId, Wh, Price)>,
    /// Of each household with rules: what it bought and has not used, and what it had drawn
    /// by then in all, less what it had pushed.
    pub(crate) bought: Vec<(HouseholdId, Wh, i64)>,
}

impl CallLine {
    pub(super) fn of(order: &CallOrder) -> Self {
        let offer = match order.source {
            Source::Rule => 0,
            Source::Offer(offer) => offer.0,
        };
        let operator = order.party == Party::Operator;
        Self(order.household, operator, order.energy_wh, order.limit, order.since, offer, order.money)
    }

    fn order(self) -> CallOrder {
        let Self(household, operator, energy_wh, limit, since, offer, money) = self;
        CallOrder {
            household,
            party: if operator { Party::Operator } else { Party::Household },
            energy_wh,
            limit,
            since,
            source: if offer == 0 { Source::Rule } else { Source::Offer(OfferId(offer)) },
            money,
        }
    }
}

impl CallBook {
    /// Lines of a side.
    pub(super) fn lines(book: &Book, side: Side) -> Vec<CallLine> {
        let count = u32::try_from(book.len(side)).unwrap_or(u32::MAX);
        (0..count).filter_map(|place| book.order(side, place)).map(|order| CallLine::of(&order)).collect()
    }

    /// The book as it was entered.
    pub fn book(&self) -> Result<Book, jirani_market::call::Refused> {
        let mut book = Book::new(self.tariff);
        for (side, lines) in [(Side::Bid, &self.bids), (Side::Ask, &self.asks)] {
            for line in lines {
                book.enter(side, &line.order())?;
            }
        }
        Ok(book)
    }

    /// Whose money pays for a bid, and grid fee and tax on top: the operator buys without.
    pub(super) fn terms(&self, bid: u32) -> (orders::Party, Price, Price) {
        match self.bids.get(bid as usize) {
            Some(CallLine(household, false, ..)) => {
                (orders::Party::Household(*household), self.tariff.grid_fee, self.tariff.tax)
            }
            Some(CallLine(_, true, ..)) | None => (orders::Party::Operator, Price(0), Price(0)),
        }
    }

    /// What was decided.
    pub fn outcome(&self) -> Outcome {
        let lot = |&(bid, ask, energy_wh): &(u32, u32, u32)| Lot { bid, ask, energy_wh };
        Outcome {
            price: self.price,
            volume_wh: self.volume_wh,
            lots: self.lots.iter().map(lot).collect(),
            stood_out: self.stood_out.clone(),
        }
    }

    /// Reads what [`CallBook::text`] wrote.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(super) fn text(&self) -> Result<String, Broken> {
        serde_json::to_string(self).map_err(|error| Broken(format!("a call cannot be written: {error}")))
    }
}

/// The numbers of what a call became.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    /// Offers at the call's price, what is left of open offers, and what was put up.
    pub(super) offers: Vec<OfferId>,
    /// Orders.
    pub(super) orders: Vec<OrderId>,
}

impl Carried {
    pub(super) fn read(text: &str) -> Result<Self, Broken> {
        serde_json::from_str(text)
            .map_err(|error| Broken(format!("a call's numbers cannot be read: {error}")))
    }

    pub(super) fn text(&self) -> Result<String, Broken> {
        serde_json::to_string(self)
            .map_err(|error| Broken(format!("a call's numbers cannot be written: {error}")))
    }
}

/// Bytes as text, as on screens.
pub(super) fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes of that text.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

mod bytes {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        super::unhex(&text).ok_or_else(|| D::Error::custom("64 hex digits are needed here"))
    }
}
