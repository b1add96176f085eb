//! Handlers: one file per noun, each with its OpenAPI block.

pub mod bills;
pub mod calls;
pub mod config;
pub mod events;
pub mod evidence;
pub mod findings;
pub mod float;
pub mod handset;
pub mod home;
pub mod hooks;
pub mod market;
pub mod meters;
pub mod movements;
pub mod notices;
pub mod operator;
pub mod orders;
pub mod payouts;
pub mod reviews;
pub mod rules;
pub mod session;
pub mod shortfall;
pub mod statements;
pub mod tariffs;
pub mod ussd;
