//! The API from outside: over HTTP, on the real store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing, in its helpers too"
)]

mod support;

mod accounts;
mod bills;
mod desk;
mod errors;
mod events;
mod findings;
mod home;
mod hooks;
mod operator;
mod reviews;
mod rights;
mod rules;
mod sessions;
mod statements;
mod tariffs;
mod trading;
mod ussd;
mod waiting;
mod web;
