use crate::interval::{self, Interval};
use crate::table::{self, TableError};
use crate::{KnownSlot, Knows, Request, STALE_S, Weather, WeatherError, WeatherProvider};
use async_trait::async_trait;
use jirani_units::Timestamp;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// Weather forecasts from a file, each told from its time of issue on.
///
/// Columns as in [`crate::table`]: `issue_time_utc`, `timestamp_utc` (start of an even step),
/// `fc_ghi` (mean, W/m2) and, where known, `temp_c` and `cloud_pct`. The file is for the
/// site: it says no place.
#[derive(Clone, Debug)]
pub struct FileWeather(BTreeMap<Timestamp, Vec<Interval>>);

impl FileWeather {
    /// Reads the file once.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let unreadable = |error: &dyn std::fmt::Display| TableError::Unreadable(error.to_string());
        let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let mut text = Vec::new();
        file.take(BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
        if text.len() as u64 > BYTES_MAX {
            return Err(TableError::TooLong);
        }
        Ok(Self(table::read(&text)?))
    }
}

#[async_trait]
impl WeatherProvider for FileWeather {
    async fn weather(&self, request: Request) -> Result<Weather, WeatherError> {
        request.first()?;
        let issue = self.0.range(..=request.issued_at).next_back();
        let Some((issued_at, intervals)) = issue else {
            return Err(WeatherError::Unavailable("the file has no forecast from before now".to_owned()));
        };
        if request.issued_at.since(*issued_at) > STALE_S * 1_000_000 {
            return Err(WeatherError::Stale);
        }
        let slots = interval::slots(&request, intervals)?;
        Ok(Weather { source: "weather file", issued_at: *issued_at, knows: Knows::Clouds, slots })
    }

    async fn past(&self, request: Request) -> Result<Vec<KnownSlot>, WeatherError> {
        let first = request.first()?.start;
        let span = i64::from(request.slots) * i64::from(request.slot_length_s);
        let end = first.plus_seconds(span);
        let mut known = Vec::new();
        for (known_from, intervals) in self.0.range(first.plus_seconds(-STALE_S)..=request.issued_at) {
            let slots = interval::known(&request, intervals)?;
            let within = slots.into_iter().filter(|slot| slot.start < end);
            known.extend(within.map(|slot| KnownSlot { known_from: *known_from, slot }));
        }
        Ok(known)
    }
}
