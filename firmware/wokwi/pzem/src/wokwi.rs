//! The simulator's side: pins, the UART, timers and attributes of Wokwi's chips API.
//!
//! Names, types and layouts are those of `wokwi-api.h` (API version 1), which Wokwi's
//! own Rust example declares in the same way; docs.wokwi.com, "Chips API", says when they
//! may be called: whatever ends in `Init` only from `chipInit`.

use crate::line::{BAUD, Flow, Line, SILENCE_US, deciwatts};
use std::ffi::{CStr, c_char, c_void};

const INPUT: u32 = 0;
const INPUT_PULLUP: u32 = 2;
const INPUT_PULLDOWN: u32 = 3;
const ANALOG: u32 = 4;
const HIGH: u32 = 1;

/// How often the sliders are read, microseconds.
const SAMPLE_US: u32 = 100_000;
const FULL_W: u32 = 3_000;
/// What Wokwi's virtual converters call full, millivolts.
const FULL_MILLIVOLTS: u32 = 5_000;

/// A [`State`], as the simulator carries it about.
type Chip = *mut c_void;

#[repr(C)]
struct UartConfig {
    user_data: Chip,
    rx: i32,
    tx: i32,
    baud_rate: u32,
    rx_data: extern "C" fn(Chip, u8),
    write_done: extern "C" fn(Chip),
    reserved: [u32; 8],
}

#[repr(C)]
struct TimerConfig {
    user_data: Chip,
    callback: extern "C" fn(Chip),
    reserved: [u32; 8],
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn pinInit(name: *const c_char, mode: u32) -> i32;
    safe fn pinRead(pin: i32) -> u32;
    safe fn pinADCRead(pin: i32) -> f32;
    fn attrInit(name: *const c_char, default: u32) -> u32;
    safe fn attrRead(attribute: u32) -> u32;
    fn uartInit(config: *const UartConfig) -> u32;
    fn uartWrite(uart: u32, bytes: *const u8, count: u32) -> bool;
    fn timerInit(config: *const TimerConfig) -> u32;
    safe fn timerStart(timer: u32, microseconds: u32, repeat: bool);
    safe fn getSimNanos() -> f64;
}

/// One chip of the diagram.
struct State {
    line: Line,
    uart: u32,
    silence: u32,
    sun: i32,
    load: i32,
    cut: i32,
    sun_watts: u32,
    load_watts: u32,
    full_millivolts: u32,
    /// Stands still until the simulator has sent it.
    answer: [u8; crate::ic::ANSWER_MAX],
}

impl State {
    /// Reads the sliders; a cut contact lets nothing flow.
    fn sample(&mut self, now_ns: u64) {
        let full = attrRead(self.full_millivolts);
        let part = |pin, watts| deciwatts(attrRead(watts), millivolts(pin), full);
        let flow = if pinRead(self.cut) == HIGH {
            Flow::default()
        } else {
            Flow {
                panels_deciwatts: part(self.sun, self.sun_watts),
                house_deciwatts: part(self.load, self.load_watts),
            }
        };
        self.line.flow(now_ns, flow);
    }
}

/// Says to the simulator which API this chip speaks.
#[unsafe(no_mangle)]
extern "C" fn __wokwi_api_version_1() -> i32 {
    1
}

/// Makes one chip; called once for each in the diagram.
#[unsafe(no_mangle)]
extern "C" fn chipInit() {
    let state = Box::into_raw(Box::new(State {
        line: Line::default(),
        uart: 0,
        silence: 0,
        sun: pin(c"SUN", ANALOG),
        load: pin(c"LOAD", ANALOG),
        cut: pin(c"CUT", INPUT_PULLDOWN),
        sun_watts: attribute(c"sunWatts", FULL_W),
        load_watts: attribute(c"loadWatts", FULL_W),
        full_millivolts: attribute(c"fullScaleMillivolts", FULL_MILLIVOLTS),
        answer: [0; crate::ic::ANSWER_MAX],
    }));
    let chip = state.cast();
    let uart = UartConfig {
        user_data: chip,
        rx: pin(c"RX", INPUT),
        tx: pin(c"TX", INPUT_PULLUP),
        baud_rate: BAUD,
        rx_data: on_byte,
        write_done: on_written,
        reserved: [0; 8],
    };
    let timer = |callback| TimerConfig { user_data: chip, callback, reserved: [0; 8] };
    let (on_silence, on_sample) = (timer(on_silence), timer(on_sample));
    // SAFETY: the structures have the header's layout and are read before these return;
    // `state` is never freed, and nothing else refers to it now.
    let sample = unsafe {
        (*state).uart = uartInit(&raw const uart);
        (*state).silence = timerInit(&raw const on_silence);
        timerInit(&raw const on_sample)
    };
    timerStart(sample, SAMPLE_US, true);
}

extern "C" fn on_byte(chip: Chip, byte: u8) {
    // SAFETY: the simulator gives back the pointer `chipInit` gave it, which is never
    // freed, and calls a chip's callbacks one at a time.
    let chip = unsafe { &mut *chip.cast::<State>() };
    chip.line.byte(now_ns(), byte);
    timerStart(chip.silence, SILENCE_US, false);
}

extern "C" fn on_silence(chip: Chip) {
    // SAFETY: as in `on_byte`.
    let chip = unsafe { &mut *chip.cast::<State>() };
    let now_ns = now_ns();
    chip.sample(now_ns);
    let Some(answer) = chip.line.silence(now_ns) else { return };
    let bytes = answer.as_slice();
    chip.answer[..bytes.len()].copy_from_slice(bytes);
    // INVARIANT: an answer has at most 25 bytes.
    let count = u32::try_from(bytes.len()).unwrap_or_default();
    // SAFETY: `count` bytes of the chip's own buffer, which is never freed. A line that is
    // still busy takes nothing, as a real one would spoil it.
    let _ = unsafe { uartWrite(chip.uart, chip.answer.as_ptr(), count) };
}

extern "C" fn on_sample(chip: Chip) {
    // SAFETY: as in `on_byte`.
    let chip = unsafe { &mut *chip.cast::<State>() };
    chip.sample(now_ns());
}

extern "C" fn on_written(_chip: Chip) {}

fn pin(name: &CStr, mode: u32) -> i32 {
    // SAFETY: a text that ends with a zero and outlives the call.
    unsafe { pinInit(name.as_ptr(), mode) }
}

fn attribute(name: &CStr, default: u32) -> u32 {
    // SAFETY: a text that ends with a zero and outlives the call.
    unsafe { attrInit(name.as_ptr(), default) }
}

/// The simulator's time. It counts in floating point; whole from here on.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast keeps to the range")]
fn now_ns() -> u64 {
    getSimNanos() as u64
}

/// A pin's voltage. The simulator gives volts in floating point; whole from here on.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast keeps to the range")]
fn millivolts(pin: i32) -> u32 {
    (pinADCRead(pin) * 1_000.0 + 0.5) as u32
}
