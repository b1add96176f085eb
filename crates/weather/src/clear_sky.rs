use crate::{Knows, Request, Weather, WeatherError, WeatherProvider};
use async_trait::async_trait;
use jirani_forecast::{WeatherSlot, clear_sky};

/// A cloudless sky, from the sun's geometry alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClearSky;

#[async_trait]
impl WeatherProvider for ClearSky {
    fn knows(&self) -> Knows {
        Knows::SunOnly
    }

    async fn weather(&self, request: Request) -> Result<Weather, WeatherError> {
        let mut slot = request.first()?;
        let length = request.slot_length_s;
        let slots = (0..request.slots)
            .map(|_| {
                let irradiance = clear_sky::mean_irradiance(request.place, slot.start, length);
                let weather =
                    WeatherSlot { start: slot.start, irradiance, temperature_c: None, cloud_percent: None };
                slot = slot.next();
                weather
            })
            .collect();
        Ok(Weather { source: "clear sky", issued_at: request.issued_at, knows: Knows::SunOnly, slots })
    }
}
