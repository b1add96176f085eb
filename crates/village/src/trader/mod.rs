//! People who trade: each with habits of their own, all through the same door
//! that a dashboard uses, one request after another.

mod door;
mod habits;
mod people;
#[cfg(test)]
mod toy_market;

pub use door::{Door, HomeNow, HomeRules, OwnOffer, PayWith, PriceBounds, QuoteNow, Refusal};
pub use people::{Actor, Deeds, People};
