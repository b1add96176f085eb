//! Weather for forecasts: one trait, and who stands behind it.
//!
//! [`ClearSky`] knows the sun's geometry and needs no network, [`OpenMeteo`] asks a public
//! service, [`FileWeather`] plays forecasts from a file. [`Archive`] keeps what was said
//! with the time it was said, for learning.
//!
//! Promises: slots are stamped with their start, in order, never twice; what nobody says is
//! left out, never made up; a forecast says who made it and when, and holds nothing that
//! became known after it was asked for. Whatever comes from outside is bounded, and what
//! cannot be right (units, place, age) is an error with a name, never a number.
//! Stands between the forecast's words and whoever knows the sky.

mod archive;
mod clear_sky;
mod file;
mod interval;
mod open_meteo;
mod table;

pub use archive::{Archive, ArchiveError, Opened};
pub use clear_sky::ClearSky;
pub use file::FileWeather;
pub use open_meteo::{OpenMeteo, OpenMeteoConfig};
pub use table::TableError;

use async_trait::async_trait;
use jirani_forecast::{Place, WeatherSlot};
use jirani_units::{Slot, Timestamp};

/// The most slots one question may ask for: 31 days of quarter hours.
pub const SLOTS_MAX: u32 = 2_976;
/// Weather that was issued longer ago than this says nothing any more, in seconds.
pub const STALE_S: i64 = 86_400;

/// Which weather is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where.
    pub place: Place,
    /// When it is asked: nothing that became known later may be in the answer.
    pub issued_at: Timestamp,
    /// First slot wanted: the one that holds this moment.
    pub from: Timestamp,
    /// Length of a slot in seconds; divides a day.
    pub slot_length_s: u32,
    /// How many slots, at most [`SLOTS_MAX`].
    pub slots: u32,
}

impl Request {
    /// The first slot, if the question is one that may be asked.
    pub(crate) fn first(&self) -> Result<Slot, WeatherError> {
        let length = self.slot_length_s;
        if self.slots > SLOTS_MAX || length == 0 || !86_400_u32.is_multiple_of(length) {
            return Err(WeatherError::InvalidRequest);
        }
        Ok(Slot::containing(self.from, length))
    }
}

/// What a forecast of the sky stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// Where the sun stands, which every forecast knows by itself.
    SunOnly,
    /// What is before the sun.
    Clouds,
}

/// What a provider answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Who says so, as it must be shown to people.
    pub source: &'static str,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// What it stands on.
    pub knows: Knows,
    /// The slots asked for, in order; those that nobody says anything of are left out,
    /// at most a quarter of them.
    pub slots: Vec<WeatherSlot>,
}

/// A slot of a past forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownSlot {
    /// From when on it was known.
    pub known_from: Timestamp,
    /// What was known.
    pub slot: WeatherSlot,
}

/// Somebody who knows the sky.
#[async_trait]
pub trait WeatherProvider: Send + Sync {
    /// Weather for the slots asked for.
    async fn weather(&self, request: Request) -> Result<Weather, WeatherError>;

    /// What its answers stand on; who knows no more than the sun need not be asked.
    fn knows(&self) -> Knows {
        Knows::Clouds
    }

    /// What was forecast for past slots, each with the time from which that was known; empty
    /// where nobody kept it.
    async fn past(&self, _request: Request) -> Result<Vec<KnownSlot>, WeatherError> {
        Ok(Vec::new())
    }
}

/// No weather; a forecast goes on without it and says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeatherError {
    /// More slots than [`SLOTS_MAX`], or a length that does not divide a day.
    #[error("weather.invalid_request: ask for at most 2976 slots whose length divides a day")]
    InvalidRequest,
    /// The provider does not answer, or has nothing to say.
    #[error("weather.unavailable: {0}")]
    Unavailable(String),
    /// The provider wants to be left alone until then.
    #[error("weather.wait: the provider is asked again at {0}")]
    Wait(Timestamp),
    /// An answer that cannot be understood.
    #[error("weather.unreadable: {0}")]
    Unreadable(String),
    /// A value in another unit than the one asked for.
    #[error("weather.wrong_units: {0}")]
    WrongUnits(String),
    /// An answer for somewhere else.
    #[error("weather.wrong_place: the answer is for a place more than 0.3 degrees away")]
    WrongPlace,
    /// The last that was heard is older than a day.
    #[error("weather.stale: the last weather is older than a day")]
    Stale,
    /// Too many holes.
    #[error("weather.incomplete: less than three quarters of the slots asked for are known")]
    Incomplete,
}

impl WeatherError {
    /// The stable code before the colon.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest => "weather.invalid_request",
            Self::Unavailable(_) => "weather.unavailable",
            Self::Wait(_) => "weather.wait",
            Self::Unreadable(_) => "weather.unreadable",
            Self::WrongUnits(_) => "weather.wrong_units",
            Self::WrongPlace => "weather.wrong_place",
            Self::Stale => "weather.stale",
            Self::Incomplete => "weather.incomplete",
        }
    }
}
