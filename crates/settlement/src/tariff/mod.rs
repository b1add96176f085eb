//! Dated tariffs: announced, told to every home, followed by the chain's price bounds.
//!
//! The rules are [`jirani_market::schedule`]; the schedule is what all announcements make,
//! in order of their numbers. The settings' tariff is the first, from time 0; other settings
//! at a later start are announced for the next quarter of an hour, so that no restart prices
//! the past anew. Everybody reads one handle, [`jirani_market::Tariffs`], by the moment:
//!
//! | what | by the prices of |
//! |---|---|
//! | offers, quotes, orders, rules, calls | now: the program compares an order's fee and tax with Config when it is placed |
//! | a trade in bills and in the audit | the moment at which its order was made |
//! | a slot's energy: own use, what is owed | the slot's start |
//!
//! **What is reserved keeps its terms.** An order that is on chain carries its fee and tax
//! there. When prices change, the chain's bounds follow once every order and call of before
//! is on chain, for a minute at most; until they have followed nothing is offered or ordered,
//! with `settlement.tariff_pending`. One that a node kept from the chain all that time is
//! refused there, and its money goes back.
//!
//! **An open offer keeps its price.** One that the new bounds leave outside is bought by
//! nobody, its owner is told once, and can take it back; below a buy-back that rose it still
//! stands in calls, asking that.
//!
//! | state of the lane | event | next |
//! |---|---|---|
//! | waits | start, announcement, a price begins, somebody wants to trade and the bounds are not known | asks the chain to set them |
//! | asks | set, or were so | tells owners of offers outside; waits for the next change |
//! | asks | no answer | asks again |
//! | asks | Config's admin is not our key | tells the operator once per change; asks again every five minutes |
//!
//! | where | does |
//! |---|---|
//! | `announce` | keeps an announcement, with a message to every home |
//! | `follow` | the lane |
//! | `open` | what a start finds, and what there is to show |
//! | `tell` | what people are told, in both languages |

/// The least from an announcement to its beginning, in seconds: what was ordered or called
/// before has ended by then, and nothing is priced by a tariff that is announced too late.
pub(crate) const LEAD_S: i64 = 300;

mod announce;
mod follow;
mod open;
mod tell;

pub(crate) use follow::Following;
pub use open::{Listed, TariffState, list_tariffs, open_tariffs};
