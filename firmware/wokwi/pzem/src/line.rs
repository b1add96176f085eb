//! The line both ICs hang on: bytes become frames by the silence around them.
//!
//! A frame ends when nothing came for three and a half characters (Modbus over serial
//! line, section 2.5.1.1). One that is damaged, too long or for nobody gets no answer;
//! nor does one that both would answer, for their bytes would destroy each other's: two
//! at one address, or the general address.

use crate::ic::{Answer, GENERAL, Ic, checksum};

/// The line's speed.
pub const BAUD: u32 = 9_600;
/// Three and a half characters of ten bits, rounded up, microseconds.
pub const SILENCE_US: u32 = 3_646;
/// The panels' address.
pub const PANELS: u8 = 1;
/// The house's address.
pub const HOUSE: u8 = 2;

const SILENCE_NS: u64 = SILENCE_US as u64 * 1_000;
/// Longer than any request.
const FRAME_MAX: usize = 16;
/// A house has motors.
const HOUSE_POWER_FACTOR: u16 = 95;

/// What the sliders and the contact say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// What the panels make, tenths of a watt.
    pub panels_deciwatts: u32,
    /// What the house takes, tenths of a watt.
    pub house_deciwatts: u32,
}

/// A slider's part of `full_w` watts, in tenths: its voltage against the greatest.
pub fn deciwatts(full_w: u32, millivolts: u32, full_millivolts: u32) -> u32 {
    let full = u64::from(full_millivolts.max(1));
    let part = u64::from(full_w) * 10 * u64::from(millivolts).min(full) / full;
    u32::try_from(part).unwrap_or(u32::MAX)
}

/// The line with both ICs.
#[derive(Clone, Debug)]
pub struct Line {
    panels: Ic,
    house: Ic,
    frame: [u8; FRAME_MAX],
    length: usize,
    /// More came than any request has.
    overlong: bool,
    last_ns: u64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            panels: Ic::new(PANELS, 100),
            house: Ic::new(HOUSE, HOUSE_POWER_FACTOR),
            frame: [0; FRAME_MAX],
            length: 0,
            overlong: false,
            last_ns: 0,
        }
    }
}

impl Line {
    /// What flows from `now_ns` on.
    pub fn flow(&mut self, now_ns: u64, flow: Flow) {
        self.panels.measure(now_ns, flow.panels_deciwatts);
        self.house.measure(now_ns, flow.house_deciwatts);
    }

    /// Takes a byte.
    pub fn byte(&mut self, now_ns: u64, byte: u8) {
        if now_ns.saturating_sub(self.last_ns) > SILENCE_NS {
            (self.length, self.overlong) = (0, false);
        }
        self.last_ns = now_ns;
        match self.frame.get_mut(self.length) {
            Some(place) => (*place, self.length) = (byte, self.length + 1),
            None => self.overlong = true,
        }
    }

    /// Ends the frame when the line has been silent for long enough; its answer.
    pub fn silence(&mut self, now_ns: u64) -> Option<Answer> {
        if self.length == 0 || now_ns.saturating_sub(self.last_ns) < SILENCE_NS {
            return None;
        }
        let (frame, length, overlong) = (self.frame, self.length, self.overlong);
        (self.length, self.overlong) = (0, false);
        let frame = &frame[..length];
        let (content, sum) = frame.split_last_chunk::<2>()?;
        if overlong || checksum(content).to_le_bytes() != *sum {
            return None;
        }
        let address = *content.first()?;
        let (panels, house) = (address == self.panels.address(), address == self.house.address());
        match (panels, house) {
            _ if address == GENERAL => None,
            (true, false) => self.panels.answer(frame),
            (false, true) => self.house.answer(frame),
            (true, true) | (false, false) => None,
        }
    }
}
