//! The market's rules: what a lot costs, who fills an order, what is allowed.
//!
//! Promises: cheapest first, older first among equals; one ceiling per order;
//! never above retail for the same lot; every cent of the due goes somewhere.
//! Pure: integers in, integers out.
//!
//! | module | holds |
//! |---|---|
//! | [`mod@fill`], [`limits`] | orders between calls: cheapest offers first, and what is allowed |
//! | [`call`] | the call of a slot: all rules and offers at one price |
//! | [`rule`] | households' rules, and what they do in a slot |
//! | [`operator`] | what the operator buys back by itself |
//! | [`shortfall`] | what a household owes, and what happens before its light goes out |
//! | [`bill`], [`report`] | a household's slot, day and month against the tariff alone; a feeder's slot |
//! | [`schedule`] | the tariff over time, and what a change leaves alone |
//! | [`mod@trust`] | what a meter's trust class means for what it sells |
//! | [`tariffs`] | the schedule in force, as all services read it |

pub mod bill;
pub mod call;
pub mod error;
pub mod fill;
pub mod limits;
pub mod nairobi;
pub mod operator;
pub mod report;
pub mod rule;
pub mod schedule;
mod select;
pub mod shortfall;
pub mod tariff;
pub mod tariffs;
pub mod trust;

pub use error::MarketError;
pub use fill::{Candidate, Fill, Selection, Shares, Want, collect, retail_cost, select, shares};
pub use tariff::{InvalidTariff, Tariff};
pub use tariffs::Tariffs;
pub use trust::{AttestedExports, AttestedPolicy};
