//! Who is asked for weather, and where what was said is kept.

use crate::config::{Config, WeatherSource};
use crate::wiring::DataFolder;
use anyhow::Context as _;
use jirani_units::Timestamp;
use jirani_weather::{Archive, ClearSky, FileWeather, OpenMeteo, WeatherProvider};
use std::sync::Arc;

/// The provider of the settings; fails before anything runs where it cannot be used.
pub fn provider(config: &Config) -> anyhow::Result<Arc<dyn WeatherProvider>> {
    let settings = &config.weather;
    Ok(match settings.provider {
        WeatherSource::ClearSky => Arc::new(ClearSky),
        WeatherSource::OpenMeteo => Arc::new(OpenMeteo::new(settings.open_meteo())?),
        WeatherSource::File => {
            let file = FileWeather::open(&settings.file);
            Arc::new(file.with_context(|| format!("weather.file = {}", settings.file.display()))?)
        }
    })
}

/// What was said before.
pub fn archive(config: &Config, folder: &DataFolder, now: Timestamp) -> anyhow::Result<Archive> {
    let opened = Archive::open(&folder.path().join("weather"), config.site.slot_length_s, now)?;
    for (path, error) in opened.damaged {
        tracing::warn!(path = %path.display(), %error, "a day of weather is damaged and left out");
    }
    Ok(opened.archive)
}
