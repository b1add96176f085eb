//! A running API on an empty SQLite store, a chain in memory, and people with a browser.

mod chain;
mod world;

pub use chain::TestChain;
pub use world::{
    ACTS_KEY, Person, TOTP_KEY, USSD_SECRET, World, WorldOptions, expect, reading, start, start_on,
};
