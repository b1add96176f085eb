//! What a household will produce and use over the next two days, how sure that
//! is, and the one sentence that is worth saying about it.
//!
//! Promises: seven quantiles per slot that never cross, whole watt-hours out,
//! only what was known at the time of issue looked at, the same answer for the
//! same input; advice only when following it earns something.
//! Pure: no I/O, no clock. [`Forecaster`] is the door every method enters by;
//! [`ClearSkyAndYesterday`] is the one that needs no training, [`learn`] holds the one
//! that learns from many homes.

pub mod advice;
pub mod clear_sky;
mod climatology;
pub mod first;
pub mod forecaster;
pub mod history;
pub mod learn;
mod number;
pub mod place;
pub mod quantiles;
pub mod solar;
mod text;
pub mod typical;

pub use advice::{Action, Advice, AdviceInput, Confidence, Prices, Reason, advise};
pub use climatology::Climatology;
pub use first::ClearSkyAndYesterday;
pub use forecaster::{Forecast, ForecastInput, Forecaster, HORIZON_S, Point, Stage, WeatherSlot};
pub use history::{RegisterSample, SlotEnergy, slot_energies};
pub use place::{InvalidPlace, Place};
pub use quantiles::{LEVELS, Quantiles};
pub use text::Tongue;
