//! One PZEM-004T: what it measures, counts and answers.
//!
//! Source: the manufacturer's manual of the PZEM-004T-100A version 3, section 2. Requests
//! of functions 3, 4 and 6 have 8 bytes, a reset of the energy 4. An answer that refuses
//! is the function with its highest bit set and one byte that says why.

/// Most bytes of an answer: all ten registers.
pub const ANSWER_MAX: usize = 25;
/// Most watts that can be measured: 100 A at 230 V.
pub const POWER_MAX_W: u32 = 23_000;
/// The address a general call goes to.
pub const GENERAL: u8 = 0xF8;

const READ_HOLDING: u8 = 0x03;
const READ_INPUT: u8 = 0x04;
const WRITE_SINGLE: u8 = 0x06;
const RESET_ENERGY: u8 = 0x42;
const REFUSED: u8 = 0x80;

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_DATA: u8 = 3;

/// Holding register: above how many watts the alarm is on.
const ALARM_THRESHOLD: u16 = 1;
/// Holding register: the address.
const ADDRESS: u16 = 2;
const ADDRESS_MAX: u16 = 0xF7;

const INPUTS: usize = 10;
/// Kenya's voltage, tenths of a volt.
const VOLTAGE_DECIVOLTS: u16 = 2_400;
/// Kenya's frequency, tenths of a hertz.
const FREQUENCY_DECIHERTZ: u16 = 500;
/// One Wh in tenths of a watt times a nanosecond.
const WH: u128 = 10 * 3_600 * 1_000_000_000;
/// The counter's range is 0 to 9999.99 kWh; then it begins anew.
const ENERGY_END_WH: u128 = 10_000_000;

/// Bytes for the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    bytes: [u8; ANSWER_MAX],
    length: usize,
}

impl Answer {
    /// The content with its checksum.
    fn of(content: &[u8]) -> Self {
        let mut answer = Self { bytes: [0; ANSWER_MAX], length: 0 };
        for byte in content.iter().chain(&checksum(content).to_le_bytes()) {
            // INVARIANT: the longest content is 3 + 2 * INPUTS bytes, 2 below the most.
            if let Some(place) = answer.bytes.get_mut(answer.length) {
                (*place, answer.length) = (*byte, answer.length + 1);
            }
        }
        answer
    }

    /// What goes on the line.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The IC.
#[derive(Clone, Debug)]
pub struct Ic {
    address: u8,
    alarm_threshold_w: u16,
    power_factor_hundredths: u16,
    power_deciwatts: u32,
    since_ns: u64,
    energy_wh: u32,
    /// Energy below one Wh, tenths of a watt times a nanosecond.
    remainder: u128,
}

impl Ic {
    /// One that measures nothing yet. The power factor is in hundredths, 1 to 100.
    pub fn new(address: u8, power_factor_hundredths: u16) -> Self {
        Self {
            address,
            // INVARIANT: 23,000 fits.
            alarm_threshold_w: u16::try_from(POWER_MAX_W).unwrap_or(u16::MAX),
            power_factor_hundredths: power_factor_hundredths.clamp(1, 100),
            power_deciwatts: 0,
            since_ns: 0,
            energy_wh: 0,
            remainder: 0,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> u8 {
        self.address
    }

    /// From `now_ns` on this much flows, tenths of a watt; until then what flowed before
    /// is counted. A clock that goes back counts nothing.
    pub fn measure(&mut self, now_ns: u64, power_deciwatts: u32) {
        // A day at full power passes 64 bits.
        let flowed = u128::from(self.power_deciwatts) * u128::from(now_ns.saturating_sub(self.since_ns));
        let sum = self.remainder + flowed;
        // INVARIANT: both are below what they are divided by, which fits.
        let whole = (u128::from(self.energy_wh) + sum / WH) % ENERGY_END_WH;
        self.energy_wh = u32::try_from(whole).unwrap_or_default();
        self.remainder = sum % WH;
        self.since_ns = now_ns;
        self.power_deciwatts = power_deciwatts.min(POWER_MAX_W * 10);
    }

    /// The answer to a frame whose checksum and address were checked.
    pub fn answer(&mut self, frame: &[u8]) -> Option<Answer> {
        let (content, _) = frame.split_last_chunk::<2>()?;
        let [address, function, data @ ..] = content else { return None };
        let done = match *function {
            READ_INPUT => read(data, 0, &self.inputs()),
            READ_HOLDING => read(data, ALARM_THRESHOLD, &[self.alarm_threshold_w, self.address.into()]),
            WRITE_SINGLE => self.write(data),
            RESET_ENERGY if data.is_empty() => {
                (self.energy_wh, self.remainder) = (0, 0);
                Ok(Reply::Echo)
            }
            RESET_ENERGY => Err(ILLEGAL_DATA),
            _ => Err(ILLEGAL_FUNCTION),
        };
        Some(match done {
            Ok(Reply::Echo) => Answer::of(content),
            Ok(Reply::Words { words, count }) => {
                let mut answer = [0; 3 + 2 * INPUTS];
                let length = 3 + 2 * count;
                // INVARIANT: `read` gives at most INPUTS words, 20 bytes.
                answer[..3].copy_from_slice(&[*address, *function, u8::try_from(2 * count).unwrap_or(0)]);
                for (place, word) in answer[3..length].chunks_exact_mut(2).zip(words) {
                    place.copy_from_slice(&word.to_be_bytes());
                }
                Answer::of(&answer[..length])
            }
            Err(why) => Answer::of(&[*address, REFUSED | *function, why]),
        })
    }

    /// The ten input registers: two-word values with the low word first.
    fn inputs(&self) -> [u16; INPUTS] {
        let watts = self.power_deciwatts / 10;
        // mA = W * 1000 / V, with tenths above and below: dW * 1000 / dV * 100 / pf.
        let milliamperes = u64::from(self.power_deciwatts) * 100_000
            / (u64::from(VOLTAGE_DECIVOLTS) * u64::from(self.power_factor_hundredths));
        let alarm = if watts > u32::from(self.alarm_threshold_w) { 0xFFFF } else { 0 };
        let power_factor = if self.power_deciwatts == 0 { 0 } else { self.power_factor_hundredths };
        let (current_low, current_high) = words(milliamperes);
        let (power_low, power_high) = words(u64::from(self.power_deciwatts));
        let (energy_low, energy_high) = words(self.energy_wh.into());
        [
            VOLTAGE_DECIVOLTS,
            current_low,
            current_high,
            power_low,
            power_high,
            energy_low,
            energy_high,
            FREQUENCY_DECIHERTZ,
            power_factor,
            alarm,
        ]
    }

    fn write(&mut self, data: &[u8]) -> Result<Reply, u8> {
        let (register, value) = two_words(data)?;
        match register {
            ALARM_THRESHOLD => self.alarm_threshold_w = value,
            ADDRESS if (1..=ADDRESS_MAX).contains(&value) => {
                self.address = u8::try_from(value).map_err(|_| ILLEGAL_DATA)?;
            }
            ADDRESS => return Err(ILLEGAL_DATA),
            _ => return Err(ILLEGAL_ADDRESS),
        }
        Ok(Reply::Echo)
    }
}

enum Reply {
    /// The request again.
    Echo,
    /// The first `count` of these.
    Words { words: [u16; INPUTS], count: usize },
}

/// Reads as many of `registers`, which begin at `first`, as the request asks for.
fn read(data: &[u8], first: u16, registers: &[u16]) -> Result<Reply, u8> {
    let (from, count) = two_words(data)?;
    let begin = usize::from(from.checked_sub(first).ok_or(ILLEGAL_ADDRESS)?);
    let end = begin + usize::from(count);
    let asked = registers.get(begin..end).filter(|asked| !asked.is_empty()).ok_or(ILLEGAL_ADDRESS)?;
    let mut words = [0; INPUTS];
    words[..asked.len()].copy_from_slice(asked);
    Ok(Reply::Words { words, count: asked.len() })
}

fn two_words(data: &[u8]) -> Result<(u16, u16), u8> {
    match data {
        [a, b, c, d] => Ok((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))),
        _ => Err(ILLEGAL_DATA),
    }
}

/// The low word and the high one; beyond 32 bits is the greatest.
fn words(value: u64) -> (u16, u16) {
    let [a, b, c, d] = u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    (u16::from_be_bytes([c, d]), u16::from_be_bytes([a, b]))
}

/// Modbus's CRC-16 (MODBUS over serial line, V1.02, section 6.2.2).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0xFFFF_u16;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = sum & 1;
            sum >>= 1;
            if carry == 1 {
                sum ^= 0xA001;
            }
        }
    }
    sum
}
