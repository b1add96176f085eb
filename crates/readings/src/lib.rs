//! The rules of readings, in one place: what is accepted, what is remarkable, what a
//! household's registers were at a moment, and how they go on over a reset, a roll-over
//! or another meter.
//!
//! Promises: cumulative registers only, never power; a register of a household never
//! falls and no Wh counts twice; between two signed readings energy is shared out in a
//! straight line and said to be estimated, beyond the last one nothing is said; the same
//! input gives the same answer in gateway, witness, proof and audit. Pure: no store, no
//! clock, no network. Stands above `meter` (what is signed) and `units`.

mod ahead;
mod boundary;
mod refusal;
mod remark;
mod rules;
mod span;

pub use ahead::Ahead;
pub use boundary::{Boundary, Point, at_boundary};
pub use refusal::Refusal;
pub use remark::{Remark, Remarks};
pub use rules::{Began, Latest, Rating, Terms, Verdict, judge, time_of};
pub use span::{
    Base, LEAF_BYTES, Leaf, Offsets, Span, SpanError, SpanReason, covering, is_within, short_hash, virtual_of,
};
