//! The walk of a household that owes energy: messages at 50 and 80 % of its limit, the
//! relay at the limit with its protections, emergency credit, disputes.
//!
//! The rules are [`jirani_market::shortfall`]; here they are asked after every attested
//! slot, whenever money comes in, and every quarter of an hour, with what chain and ledger
//! say then. Whoever seems to pass a mark by the last bill is looked up on chain first, so
//! that nobody is warned for energy bought a minute ago. Every step is kept with its number
//! in the commit that changes the standing, and told in both languages.
//!
//! Commands to relays are records in the same commit: the gateway tells the meter until a
//! reading says that it was obeyed, and what it said is a step of the next look.
//!
//! **Emergency credit is no money.** It is room above the limit: while it is owed, what is
//! owed of it counts beside the balance; it is in no account of the ledger, buys nothing and
//! cannot be withdrawn, so M1 to M3 cannot feel it. Money that comes in takes the room away
//! again, first of all, as far as it goes; which rows of the journal have done so is kept
//! with the standing.
//!
//! | where | does |
//! |---|---|
//! | `decide` | standing, facts and event to standing and steps; pure |
//! | `tell` | a step in two languages |
//! | `instalment` | the purchase of what an instalment pays off |
//! | `effect` | the lane, and what household and operator ask for |

mod decide;
mod effect;
mod instalment;
mod tell;

pub use effect::Standing;
pub(crate) use effect::{Billed, Walking};
pub use tell::step_in_words;

use jirani_market::shortfall::Policy;
use jirani_units::Cents;

/// The operator's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortfallPolicy {
    /// Limit of a household for which none was set.
    pub limit: Cents,
    /// Hours, days and emergency credit; the same for all.
    pub rules: Policy,
}

impl Default for ShortfallPolicy {
    /// KSh 500, some 14 kWh at a common retail price.
    fn default() -> Self {
        Self { limit: Cents(50_000), rules: Policy::default() }
    }
}
