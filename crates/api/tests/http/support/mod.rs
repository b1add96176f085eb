//! A running API on an empty SQLite store, a chain in memory, and people with a browser.

mod chain;
mod world;

pub use chain::TestChain;
pub use world::{Person, USSD_SECRET, World, WorldOptions, expect, reading, start, start_on};
