//! The same board around the original ESP32: an ESP32-DevKitC with 4 MB and no PSRAM.
//!
//! Energy ICs: GPIO17 (to their RX), GPIO16 (from their TX). Relay: GPIO25, high opens the
//! contact. Cover switch: GPIO27, high when open. Display: GPIO21 (SDA), GPIO22 (SCL).
//! Serial line for a person: UART0, on the board's USB socket. Nothing else differs.

use crate::board::{Board, BoardError, ENERGY_BAUD, SERIAL_BAUD};
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Input, InputConfig, Level, Output, OutputConfig, Pull};
use esp_hal::i2c::master::{self, I2c};
use esp_hal::rtc_cntl::Rtc;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::uart::{self, Uart};
use esp_storage::FlashStorage;

impl Board {
    /// Takes the hardware and starts the scheduler, which the radio needs. Only once.
    pub fn start() -> Result<Self, BoardError> {
        let parts = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: 64 * 1024);
        esp_alloc::heap_allocator!(size: 36 * 1024);
        esp_rtos::start(TimerGroup::new(parts.TIMG0).timer0, parts.FROM_CPU_INTR0);
        let energy = Uart::new(parts.UART1, uart::Config::default().with_baudrate(ENERGY_BAUD))
            .map_err(|_| BoardError("the energy ICs' UART"))?
            .with_tx(parts.GPIO17)
            .with_rx(parts.GPIO16)
            .into_async();
        let serial = Uart::new(parts.UART0, uart::Config::default().with_baudrate(SERIAL_BAUD))
            .map_err(|_| BoardError("the serial line's UART"))?
            .with_tx(parts.GPIO1)
            .with_rx(parts.GPIO3)
            .into_async();
        let display = I2c::new(parts.I2C0, master::Config::default())
            .map_err(|_| BoardError("the display's I2C"))?
            .with_sda(parts.GPIO21)
            .with_scl(parts.GPIO22);
        Ok(Self {
            energy,
            relay: Output::new(parts.GPIO25, Level::Low, OutputConfig::default()),
            cover: Input::new(parts.GPIO27, InputConfig::default().with_pull(Pull::Up)),
            display,
            serial,
            flash: FlashStorage::new(parts.FLASH),
            watchdog: Rtc::new(parts.RTC_TIMER).rwdt,
            wifi: parts.WIFI,
        })
    }
}
