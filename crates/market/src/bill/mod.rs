//! A household's bill: per slot, added up per day and month, and compared with the
//! tariff alone.
//!
//! **Never worse than the tariff.** With the tariff alone a household buys every Wh it
//! draws at retail and sells every Wh it pushes at buy-back. The bill compares lot by
//! lot, by the same functions with the same roundings: what was bought, with the same
//! lot at retail; what was sold, with the same lot at buy-back; and own energy used
//! later, which the tariff alone would have bought back low and sold dear. The bounds of
//! prices make every one of these gains zero or more; [`SlotBill::guarantee`] checks it.
//!
//! A bill knows all tokens of a household as one holding, in the vault and in offers.

mod slot;
mod table;
mod total;

pub use slot::{BillError, Flow, Guarantee, Line, SlotBill, Trade};
pub use table::{Words, csv, sentence};
pub use total::{Period, Total, totals};
