//! M-Pesa's books against ours: which lines stand on both sides, on one only, or
//! differ, and what each side's balance has to do with them.
//!
//! Promises: every line given is in exactly one group, or before or after the time
//! that is compared; for both sides opening + movements = closing; M-Pesa's balance
//! less ours is the sum of what stands apart and of what is left unexplained, to the
//! cent. Pure: no clock, no store. Stands below the service that gathers the lines.

pub mod compare;
pub mod decision;
pub mod line;
pub mod report;

pub use compare::{MARGIN_S, compare};
pub use decision::{Decision, Shortcode};
pub use line::{Kind, Ours, Purse, Scope, Side, Theirs};
pub use report::{Age, Book, Differing, Group, LINES_MAX, Report, Sums, Total};
