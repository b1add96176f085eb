//! The board: which pin does what, and what stands where in flash.
//!
//! An ESP32-C3-DevKitM-1 with 4 MB. Energy ICs: GPIO4 (to their RX), GPIO5 (from their
//! TX). Relay: GPIO10, high opens the contact. Cover switch: GPIO3, high when open.
//! Display: GPIO6 (SDA), GPIO7 (SCL). Serial line for a person: UART0, 115,200 baud.

#![cfg_attr(not(feature = "esp32c3"), allow(unused_imports, reason = "`board_esp32.rs` starts that board"))]

use core::ops::Range;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Input, InputConfig, Level, Output, OutputConfig, Pull};
use esp_hal::i2c::master::{self, I2c};
use esp_hal::rtc_cntl::{Rtc, Rwdt};
use esp_hal::timer::timg::TimerGroup;
use esp_hal::uart::{self, Uart};
use esp_hal::{Async, Blocking};
use esp_storage::FlashStorage;

/// Settings, identity and state; `partitions.csv` says the same.
pub const STORE: Range<u32> = 0x2F_0000..0x30_0000;
/// The queue of readings.
pub const QUEUE: Range<u32> = 0x30_0000..0x40_0000;

/// Bits a second on the energy ICs' line.
pub const ENERGY_BAUD: u32 = 9_600;
/// Bits a second on the line for a person.
pub const SERIAL_BAUD: u32 = 115_200;

/// Everything that is soldered on.
pub struct Board {
    /// To the energy ICs.
    pub energy: Uart<'static, Async>,
    /// Opens and closes the contact.
    pub relay: Output<'static>,
    /// High while the cover is open.
    pub cover: Input<'static>,
    /// To the display.
    pub display: I2c<'static, Blocking>,
    /// To a person.
    pub serial: Uart<'static, Async>,
    /// Whole flash.
    pub flash: FlashStorage<'static>,
    /// Starts the meter anew when nobody feeds it.
    pub watchdog: Rwdt,
    /// Radio.
    pub wifi: esp_hal::peripherals::WIFI<'static>,
}

/// A driver refused its settings, which are constants here.
#[derive(Debug, thiserror::Error)]
#[error("board.refused: {0} did not take its settings")]
pub struct BoardError(pub &'static str);

#[cfg(feature = "esp32c3")]
impl Board {
    /// Takes the hardware and starts the scheduler, which the radio needs. Only once.
    pub fn start() -> Result<Self, BoardError> {
        let parts = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: 64 * 1024);
        esp_alloc::heap_allocator!(size: 36 * 1024);
        esp_rtos::start(TimerGroup::new(parts.TIMG0).timer0, parts.FROM_CPU_INTR0);
        let energy = Uart::new(parts.UART1, uart::Config::default().with_baudrate(ENERGY_BAUD))
            .map_err(|_| BoardError("the energy ICs' UART"))?
            .with_tx(parts.GPIO4)
            .with_rx(parts.GPIO5)
            .into_async();
        let serial = Uart::new(parts.UART0, uart::Config::default().with_baudrate(SERIAL_BAUD))
            .map_err(|_| BoardError("the serial line's UART"))?
            .with_tx(parts.GPIO21)
            .with_rx(parts.GPIO20)
            .into_async();
        let display = I2c::new(parts.I2C0, master::Config::default())
            .map_err(|_| BoardError("the display's I2C"))?
            .with_sda(parts.GPIO6)
            .with_scl(parts.GPIO7);
        Ok(Self {
            energy,
            relay: Output::new(parts.GPIO10, Level::Low, OutputConfig::default()),
            cover: Input::new(parts.GPIO3, InputConfig::default().with_pull(Pull::Up)),
            display,
            serial,
            flash: FlashStorage::new(parts.FLASH),
            watchdog: Rtc::new(parts.RTC_TIMER).rwdt,
            wifi: parts.WIFI,
        })
    }
}
