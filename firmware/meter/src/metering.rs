//! The meter's heartbeat: measures, counts, reads, moves the relay, every half second.

use crate::Shared;
use crate::energy::{EnergyError, EnergyIc as _, GENERATION, LOAD, Pzem004t};
use crate::update::Then;
use embassy_time::{Duration, Ticker};
use esp_hal::gpio::{Input, Level, Output};
use esp_hal::rtc_cntl::{Rwdt, RwdtStage};
use jirani_firmware_logic::modbus::Measurement;
use jirani_meter::{MeterError, Relay};

const BEAT: Duration = Duration::from_millis(500);
/// A beat that takes so long never ends: the watchdog starts the meter anew.
const PATIENCE: esp_hal::time::Duration = esp_hal::time::Duration::from_secs(30);

/// Runs for ever.
#[embassy_executor::task]
pub async fn run(
    device: Shared,
    mut ics: Pzem004t,
    mut relay: Output<'static>,
    cover: Input<'static>,
    mut watchdog: Rwdt,
) -> ! {
    watchdog.enable();
    watchdog.set_timeout(RwdtStage::Stage0, PATIENCE);
    let mut beat = Ticker::every(BEAT);
    loop {
        watchdog.feed();
        let measured = measure(&mut ics).await;
        relay.set_level(count(device, &measured, cover.is_high()));
        if device.borrow_mut().look_for_firmware() == Then::Restarts {
            log::info!("another firmware is started");
            esp_hal::system::software_reset();
        }
        beat.next().await;
    }
}

/// Counts, reads when it is time; gives the relay's level.
fn count(
    device: Shared,
    measured: &Result<(Measurement, Measurement), EnergyError>,
    cover_is_open: bool,
) -> Level {
    let mut device = device.borrow_mut();
    match measured {
        Ok((generation, load)) => note(device.measured(generation, load)),
        Err(error) => log::warn!("{error}"),
    }
    device.watch(cover_is_open);
    note(device.read_if_due());
    match device.relay() {
        Relay::Closed => Level::Low,
        Relay::Open => Level::High,
    }
}

fn note(done: Result<(), MeterError>) {
    if let Err(error) = done {
        log::warn!("{error}");
    }
}

async fn measure(ics: &mut Pzem004t) -> Result<(Measurement, Measurement), EnergyError> {
    Ok((ics.measure(GENERATION).await?, ics.measure(LOAD).await?))
}
