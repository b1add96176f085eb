//! The API's neighbours behind its own words ([`crate::ports`]).

mod advisor;

pub use advisor::FromAdvisor;
