//! Orders: energy held for one buyer until it is paid for, or given up.
//!
//! | state | event | next | effect |
//! |---|---|---|---|
//! | - | `place_order` | Planned | offers reserved; from balance: due to clearing; `place/<id>` on chain |
//! | Planned, M-Pesa | landed | AwaitingPayment | the collection is stored, its prompt sent |
//! | Planned, balance | landed: placed and settled in one | Settled | due to sellers and operator |
//! | Planned, of a call | the chain refused some of its offers | Refused | due back to the balance; a new order of the fills that are left, in the same commit |
//! | Planned | refused | Refused | offers freed; due back to the balance |
//! | AwaitingPayment, ReceiptAwaited | proven in time, due covered | Paid | `settle/<id>` on chain |
//! | AwaitingPayment, ReceiptAwaited | proven short | Releasing | the money becomes balance |
//! | AwaitingPayment | a query says paid | ReceiptAwaited | waits for the receipt |
//! | AwaitingPayment | refused for good | Releasing | `release/<id>` on chain |
//! | AwaitingPayment, ReceiptAwaited | deadline and grace are over | Releasing | `release/<id>` on chain |
//! | Paid | settled on chain | Settled | due to sellers and operator, the rest to the buyer's balance |
//! | Paid | the chain refuses to settle | Releasing | the money becomes balance |
//! | Releasing | landed, or gone from the chain | Released | offers freed |
//! | Releasing | refused | Releasing | the same later, under a new key |
//! | Settled, Released, Refused | anything | unchanged | money becomes balance |
//!
//! The middle rows, where money is awaited, are the collection's: see
//! [`crate::collection`].

mod decide;
mod effect;
mod place;
mod view;

pub(crate) use decide::releasing;
pub use place::Quote;
pub(crate) use place::planned;
pub(crate) use view::{View, party};
