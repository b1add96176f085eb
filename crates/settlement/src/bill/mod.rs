//! Bills: for every household and slot what it bought, sold, used of its own and came to
//! owe, against the tariff alone; for every feeder and slot a report that sums to zero.
//!
//! A slot is billed once its attestation has landed and the moment of that is over. **An
//! order belongs to the first slot whose attestation landed at or after the order was
//! settled**: the tokens that it moved were burned by that attestation or lie in a vault
//! after it, so each order stands in one bill, and tokens before and after a slot follow
//! from what is stored: attested registers, settled orders and what the program reported
//! of the attestation.
//!
//! | where | does |
//! |---|---|
//! | `decide` | a slot's bills from the books before it; pure |
//! | `report` | the feeder's slot, from one slot through which all are attested to the next |
//! | `month` | the sentence of a month that is over |
//! | `effect` | slot after slot, each in one commit; catches up after a restart |
//!
//! A slot's energy is billed by the prices of its start, a trade by those of the moment at
//! which its order was made.
//!
//! Slots are billed in their order, each once: the row of a slot is unique, and what is in
//! memory is only a copy of the last rows.

mod decide;
mod effect;
mod month;
mod report;

pub(crate) use effect::Billing;

/// How bills are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillPolicy {
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
}

impl Default for BillPolicy {
    /// A quarter of an hour.
    fn default() -> Self {
        Self { slot_length_s: 900 }
    }
}
