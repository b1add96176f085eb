//! What a household owes, and what happens before its light goes out.
//!
//! A shortfall is energy that was drawn and found no token. What counts against the
//! limit is its *exposure*: the shortfall at retail less the available balance, so who
//! can pay is never cut for want of a seller. At 50 % and 80 % of the limit a message
//! goes out; at the limit the relay opens, but never
//!
//! - at night in Nairobi, nor by a command that reaches the meter only then;
//! - where a protected customer or a clinic hangs on it;
//! - less than a day after the 80 % message (a jump from nothing is no surprise cut);
//! - on readings older than a day, or while the household disputes a step (a week, once a month).
//!
//! Money that comes in repays emergency credit first, then buys what instalments pay off, and
//! closes the relay in the same step when it suffices. Every step is a record with its
//! numbers that the household can read and dispute.
//!
//! | event | may bring the steps |
//! |---|---|
//! | attested, tick | warned, limit reached, relay opens or closes, opening lapsed, instalment missed, agreement ended or done |
//! | paid | emergency repaid, relay closes |
//! | instalment paid | instalment paid, agreement done |
//! | relay reported | relay confirmed |
//! | emergency asked, instalments agreed, protection or limit set | granted, agreed, set; relay closes |
//! | disputed, resolved | disputed, resolved; relay may open again |

mod account;
mod decide;
mod money;
mod step;

pub use account::{Account, Instalments, Mark, Policy, Protection, Relay};
pub use decide::{Event, apply};
pub use money::InstalmentDue;
pub use step::{Deferral, RelayPosition, ShortfallError, Step, StepKind};
