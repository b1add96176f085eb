//! Trades and payouts as state machines that survive anything.
//!
//! Promises: an intent is stored before anything leaves the process; all changes
//! of one step are one commit; every machine goes on from its stored state after
//! any crash; the chain decides and the ledger follows (S2): received money waits
//! in clearing until its order is settled, and what no order can use becomes
//! balance; a receipt is booked once, a prompt sent once, a payout paid once.
//!
//! Each machine has a folder with its state table in the header, its pure
//! decisions in `decide` and what it does to the world in `effect`: [`offer`],
//! [`order`], [`collection`], [`payout`], [`float`]; [`reversal`] is what M-Pesa takes
//! back, [`reconciliation`] how its books are compared with ours, [`market`] the call of
//! each slot, [`buy_back`] what the operator buys when nobody does, [`tariff`] what prices
//! are announced and how the chain follows.
//! [`engine`] runs them, one event per thing at a time; [`inbox`] matches M-Pesa's
//! callbacks to them. [`notice`] is what people are told, [`review`] what only a
//! person decides.
//!
//! Stands between the API above it and the store, the chain and M-Pesa, which it
//! sees only through their traits.
#![expect(
    rustdoc::private_intra_doc_links,
    reason = "the header is the map of the crate for who works on it"
)]

mod bill;
mod buy_back;
mod chain_work;
mod collection;
mod config;
mod debts;
mod engine;
mod error;
#[cfg(test)]
mod fixtures;
mod float;
mod inbox;
pub mod interruption;
mod market;
mod names;
mod notice;
mod offer;
mod order;
mod payout;
mod planning;
mod proof;
mod reconciliation;
mod reversal;
mod review;
mod service;
mod shortfall;
mod step;
mod tariff;
mod trust;

pub use bill::BillPolicy;
pub use config::{PayoutPolicy, SettlementConfig, SettlementDeps};
pub use error::{Fault, SettlementError};
pub use float::record::{FloatRecord, FloatState};
pub use jirani_market::Want;
pub use market::{CallBook, CallLine, MarketPolicy, OperatorPolicy, draws_setting};
pub use order::Quote;
pub use payout::{PayoutQueue, PayoutQuote};
pub use proof::{receipt_proof, transfer_proof};
pub use reconciliation::{Asked, Figures, Reconciled, ReconciliationPolicy, StatementFile};
pub use service::Settlement;
pub use shortfall::{ShortfallPolicy, Standing, step_in_words};
pub use tariff::{Listed, TariffState, list_tariffs, open_tariffs};
