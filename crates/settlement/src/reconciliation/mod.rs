//! M-Pesa's books against our ledger, and the desk where two persons decide what no
//! machine may.
//!
//! | what is found | what becomes of it |
//! |---|---|
//! | a payment only M-Pesa has | booked as if it had been confirmed: an order's, a balance, or suspense |
//! | a payment M-Pesa took back, which we do not know | booked as a reversal |
//! | anything else on one side only, or with two amounts, past an age | a review is opened |
//! | what stood apart and is on both sides now | its review is closed |
//!
//! Every quarter of an hour the figures of [`watch`] are looked at, and the operator hears
//! once of each that passes its threshold. Once a day, at 02:00 in Nairobi, M-Pesa is
//! asked for its balances, and the list of the last 48 hours is compared. On demand
//! the same is done at once, or a statement of the portal is compared over the time
//! that it covers. Each comparison is kept as it was found.
//!
//! [`desk`] holds what operators propose, approve and reject, [`act`] what an approved
//! decision changes: all of it in one commit, through the ledger's templates, so that
//! approving twice books once.

mod act;
mod ask;
mod desk;
mod gather;
mod policy;
mod run;
mod watch;

pub(crate) use ask::Reconciling;
pub(crate) use desk::check_operator;
pub use policy::ReconciliationPolicy;
pub use run::{Asked, Reconciled, StatementFile};
pub use watch::Figures;
