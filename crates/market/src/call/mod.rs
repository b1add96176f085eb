//! The call: all rules and open offers of a slot cleared at one price.
//!
//! After a slot is attested, bids (standing orders) and asks (sell rules, open
//! offers, the operator's own at the edges of the tariff) meet once. Everyone who
//! trades, trades at the same price. What the result promises, each tested against a
//! slow search in `tests/clearing.rs`: the most energy that can trade, the highest
//! welfare, nobody beyond their own limit, every Wh sold bought by somebody.
//!
//! | module | holds |
//! |---|---|
//! | [`book`] | orders as columns; what may enter |
//! | [`clear`](mod@clear) | price and fills, by counting price levels: no sorting |
//! | [`draw`] | the tie-break that nobody can steer |
//! | [`plan`] | fills as offers and orders that the program on chain takes |
//!
//! Limits and the price are the seller's net, in cents per kWh, as everywhere in the
//! market; a bid's limit is what the buyer would pay less fee and tax. The rules in
//! words, and why they are fair, stand in `docs/market.md`.

pub mod book;
pub mod clear;
pub mod draw;
pub mod plan;

pub use book::{Book, CallOrder, OrderIndex, Party, Refused, Side, Source};
pub use clear::{Lot, Outcome, clear};
pub use draw::{Draw, DrawError};
pub use plan::{CallOffer, Plan, Purchase};
