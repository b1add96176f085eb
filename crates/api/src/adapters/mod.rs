//! The API's neighbours behind its own words ([`crate::ports`]).

mod advisor;
mod settlement;

pub use advisor::FromAdvisor;
