//! The HTTP doors: the API of households and the operator, live events,
//! M-Pesa's callbacks, and the dashboard's files.
//!
//! Promises: every route stands in [`router`] and in the OpenAPI document; who
//! may use a route is decided in one place ([`auth::rights`]); a household sees
//! only what is its own; every error is a stable code, a sentence and a request
//! id, and never an internal; a callback is on disk before it is answered; a
//! request is counted as work under way until it is answered.
//! Stands above settlement, store and chain, which it knows by their traits
//! ([`ports`]); decides nothing about money or energy itself.

pub mod accounts;
pub mod adapters;
pub mod app;
pub mod auth;
pub mod config;
pub mod dto;
pub mod error;
pub mod extract;
pub mod guard;
pub mod openapi;
pub mod ports;
pub mod problem;
pub mod router;
pub mod routes;
pub mod server;
pub mod ussd;
pub mod view;
pub mod web;

pub use accounts::{AccountsConfig, PinForMoney};
pub use adapters::FromAdvisor;
pub use auth::token::TokenSource;
pub use config::{ApiConfig, ApiDeps, GatewaySecret, Limits, Phones};
pub use error::ApiError;
pub use ports::{Advice, AuditRunner, Trading, TradingError, TradingFault};
pub use problem::Problem;
pub use server::{Api, ApiStartError, BoundApi, RunningApi};
pub use ussd::UssdConfig;
