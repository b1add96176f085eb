//! What stands between the network and the handlers: request ids, the count of
//! work under way, time limits, and limits on what one client may ask for.

pub mod hooks;
pub mod rate;
pub mod request;
pub mod streams;
pub mod wait;
