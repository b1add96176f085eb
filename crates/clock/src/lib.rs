//! The clock that services share, and what it knows of their idleness.
//!
//! A [`ServiceClock`] either follows the system or is advanced by hand (a
//! simulated village). Promises: time never goes back, not even over a restart
//! (see [`stored`]); a service that sleeps on the clock is counted as busy from
//! the moment it is woken, so that a driver which advances the clock only when
//! [`ServiceClock::idle`] returns sees the same run every time.
//! Stands between the binary, which makes the clock, and every service.

pub mod activity;
pub mod paced;
pub mod service_clock;
pub mod stored;

pub use activity::{Activity, Busy};
pub use service_clock::{PersonPresent, ServiceClock};
pub use stored::StoredClock;
