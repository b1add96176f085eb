use super::{ConfigError, Demo, is_local};
use jirani_weather::OpenMeteoConfig;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Who is asked for weather.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeatherSource {
    /// Nobody: forecasts stand on the sun and the past.
    #[default]
    ClearSky,
    /// Open-Meteo, or a mirror of it.
    OpenMeteo,
    /// A file of issued forecasts.
    File,
}

/// `[weather]`: who is asked for weather.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeatherSettings {
    /// Who.
    pub provider: WeatherSource,
    /// The file, with `provider = "file"`.
    pub file: PathBuf,
    /// Base of Open-Meteo's forecast API; empty: its own, the customers' with a key.
    pub url: String,
    /// Base of its API of previous runs, likewise.
    pub past_url: String,
    /// Key of a paying customer; from the environment.
    pub api_key: String,
}

impl fmt::Debug for WeatherSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeatherSettings")
            .field("provider", &self.provider)
            .field("file", &self.file)
            .field("url", &self.url)
            .field("past_url", &self.past_url)
            .finish_non_exhaustive()
    }
}

impl WeatherSettings {
    /// As the provider takes them.
    pub fn open_meteo(&self) -> OpenMeteoConfig {
        OpenMeteoConfig {
            url: self.url.clone(),
            past_url: self.past_url.clone(),
            api_key: self.api_key.clone(),
        }
    }

    pub(super) fn validate(&self, demo: &Demo) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Invalid(what.to_owned()));
        let file = !self.file.as_os_str().is_empty();
        if (self.provider == WeatherSource::File) != file {
            return wrong("weather.file and weather.provider = \"file\" belong together");
        }
        if self.provider == WeatherSource::OpenMeteo && demo.on && !demo.real_time {
            return wrong(
                "weather.provider = \"open_meteo\" tells the weather of now: set demo.on = false or demo.real_time = true",
            );
        }
        for url in [&self.url, &self.past_url] {
            let local = url.starts_with("http://") && is_local(url);
            if !(url.is_empty() || local || url.starts_with("https://")) {
                return wrong("weather.url and weather.past_url must be https:// or on this machine");
            }
            if url.contains(['?', '#', '@']) {
                return wrong(
                    "weather.url and weather.past_url are bases without a query; the key is JIRANI__WEATHER__API_KEY",
                );
            }
        }
        Ok(())
    }
}
