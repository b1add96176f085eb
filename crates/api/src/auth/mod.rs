//! Who asks, and what they may.

pub mod opening;
pub mod origin;
pub mod rights;
pub mod token;

pub use rights::{Own, SignedIn};
