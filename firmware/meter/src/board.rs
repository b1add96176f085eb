//! The board: which pin does what, and what stands where in flash.
//!
//! An ESP32-C3-DevKitM-1 with 4 MB, or an ESP32-DevKitC with 4 MB and no PSRAM: they differ
//! in their pins alone, which stand at the end of this file.

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

/// Makes the board's start around its pins. A high relay pin opens the contact; a high
/// cover pin says that the cover is open. The serial line is UART0, on the board's USB
/// socket.
macro_rules! start_with_pins {
    (
        energy_transmit: $energy_transmit:ident,
        energy_receive: $energy_receive:ident,
        relay: $relay:ident,
        cover: $cover:ident,
        display_data: $display_data:ident,
        display_clock: $display_clock:ident,
        serial_transmit: $serial_transmit:ident,
        serial_receive: $serial_receive:ident $(,)?
    ) => {
        impl Board {
            /// Takes the hardware and starts the scheduler, which the radio needs. Only once.
            pub fn start() -> Result<Self, BoardError> {
                let parts = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
                esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: 64 * 1024);
                esp_alloc::heap_allocator!(size: 36 * 1024);
                esp_rtos::start(TimerGroup::new(parts.TIMG0).timer0, parts.FROM_CPU_INTR0);
                let energy = Uart::new(parts.UART1, uart::Config::default().with_baudrate(ENERGY_BAUD))
                    .map_err(|_| BoardError("the energy ICs' UART"))?
                    .with_tx(parts.$energy_transmit)
                    .with_rx(parts.$energy_receive)
                    .into_async();
                let serial = Uart::new(parts.UART0, uart::Config::default().with_baudrate(SERIAL_BAUD))
                    .map_err(|_| BoardError("the serial line's UART"))?
                    .with_tx(parts.$serial_transmit)
                    .with_rx(parts.$serial_receive)
                    .into_async();
                let display = I2c::new(parts.I2C0, master::Config::default())
                    .map_err(|_| BoardError("the display's I2C"))?
                    .with_sda(parts.$display_data)
                    .with_scl(parts.$display_clock);
                Ok(Self {
                    energy,
                    relay: Output::new(parts.$relay, Level::Low, OutputConfig::default()),
                    cover: Input::new(parts.$cover, InputConfig::default().with_pull(Pull::Up)),
                    display,
                    serial,
                    flash: FlashStorage::new(parts.FLASH),
                    watchdog: Rtc::new(parts.RTC_TIMER).rwdt,
                    wifi: parts.WIFI,
                })
            }
        }
    };
}

#[cfg(feature = "esp32c3")]
start_with_pins! {
    energy_transmit: GPIO4,
    energy_receive: GPIO5,
    relay: GPIO10,
    cover: GPIO3,
    display_data: GPIO6,
    display_clock: GPIO7,
    serial_transmit: GPIO21,
    serial_receive: GPIO20,
}

#[cfg(feature = "esp32")]
start_with_pins! {
    energy_transmit: GPIO17,
    energy_receive: GPIO16,
    relay: GPIO25,
    cover: GPIO27,
    display_data: GPIO21,
    display_clock: GPIO22,
    serial_transmit: GPIO1,
    serial_receive: GPIO3,
}
