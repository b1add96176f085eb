//! What the ledger tells people: a household's statement, and the operator's list of
//! sales for the tax invoice system.
//!
//! Promises: a statement exists only if opening + lines = closing, by two counts of
//! the same rows, and if the account's whole history makes the balance that the store
//! keeps; a list of sales exists only if its taxes are those of the ledger's taxes
//! account, row by row; both are bounded. Days and months are Nairobi's. Stands above
//! the store, of which it only reads; formats (CSV, JSON, PDF) know no store.

pub mod compose;
pub mod csv;
pub mod error;
pub mod gather;
pub mod line;
pub mod pdf;
pub mod period;
pub mod tax;
pub mod words;

pub use compose::Statement;
pub use error::StatementError;
pub use gather::{Subject, statement};
pub use line::{Line, What};
pub use period::{InvalidPeriod, Period, minute as minute_in_nairobi};
pub use tax::{TaxExport, tax_export};
