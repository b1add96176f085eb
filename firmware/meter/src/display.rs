//! The small display: what flows, what was counted, how the meter is.

use crate::Shared;
use alloc::format;
use embassy_net::Stack;
use embassy_time::{Duration, Ticker};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_6X10;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{DrawTarget as _, Drawable as _, Point};
use embedded_graphics::text::{Baseline, Text};
use esp_hal::Blocking;
use esp_hal::i2c::master::I2c;
use jirani_meter::{Relay, TimeQuality};
use ssd1306::mode::DisplayConfig as _;
use ssd1306::rotation::DisplayRotation;
use ssd1306::size::DisplaySize128x64;
use ssd1306::{I2CDisplayInterface, Ssd1306};

const BEAT: Duration = Duration::from_secs(1);
const LINE_HEIGHT: i32 = 10;

/// Runs for ever; a display that is missing is said once and asked for again.
#[embassy_executor::task]
pub async fn run(device: Shared, stack: Stack<'static>, wire: I2c<'static, Blocking>) -> ! {
    let interface = I2CDisplayInterface::new(wire);
    let mut display =
        Ssd1306::new(interface, DisplaySize128x64, DisplayRotation::Rotate0).into_buffered_graphics_mode();
    let mut is_on = false;
    let mut beat = Ticker::every(BEAT);
    loop {
        if !is_on {
            is_on = display.init().is_ok();
        }
        let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
        let drawn = display.clear(BinaryColor::Off).is_ok()
            && lines(device, stack).iter().zip(0_i32..).all(|(line, row)| {
                let place = Point::new(0, row * LINE_HEIGHT);
                Text::with_baseline(line, place, style, Baseline::Top).draw(&mut display).is_ok()
            });
        let shown = drawn && display.flush().is_ok();
        if is_on && !shown {
            log::warn!("the display does not answer");
        }
        is_on = shown;
        beat.next().await;
    }
}

/// Six lines of 21 letters.
fn lines(device: Shared, stack: Stack<'static>) -> [alloc::string::String; 6] {
    let device = device.borrow();
    let (state, now) = (device.state(), device.now());
    let registers = state.registers;
    let relay = match state.relay {
        Relay::Closed => "on",
        Relay::Open => "OFF",
    };
    let network = if stack.is_config_up() { "online" } else { "offline" };
    let time = match device.time().1 {
        TimeQuality::Synchronised => "",
        TimeQuality::HeldOver => " clock?",
        TimeQuality::Unset => " no clock",
    };
    [
        format!("{:+} W  power {relay}", now.power_w),
        kwh("out", registers.export_wh),
        kwh("in ", registers.import_wh),
        kwh("sun", registers.generation_wh),
        format!("{network}{time}"),
        format!("{} to send", device.waiting()),
    ]
}

fn kwh(name: &str, wh: u64) -> alloc::string::String {
    format!("{name} {}.{:03} kWh", wh / 1_000, wh % 1_000)
}
