//! The frames of a PZEM-004T version 3: Modbus RTU, 9,600 baud, 8N1.
//!
//! One request reads all ten input registers (function 4, from address 0). Two-word
//! values come with the low word first. Source: the manufacturer's manual of the
//! PZEM-004T-100A, section 2.

/// Bytes of a request.
pub const REQUEST: usize = 8;
/// Bytes of an answer with all registers.
pub const ANSWER: usize = 3 + 2 * REGISTERS + 2;
/// Bytes of an answer that refuses.
pub const REFUSAL: usize = 5;

const REGISTERS: usize = 10;
const READ_INPUT: u8 = 4;
const REFUSED: u8 = 0x80 | READ_INPUT;

/// What the IC measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// Voltage, tenths of a volt.
    pub voltage_decivolts: u16,
    /// Current, mA.
    pub current_ma: u32,
    /// Active power, tenths of a watt; without a sign.
    pub power_deciwatts: u32,
    /// The IC's own energy counter, Wh. It can be reset from the bus, so no money follows it.
    pub energy_wh: u32,
    /// Frequency, tenths of a hertz.
    pub frequency_decihertz: u16,
    /// Power factor, hundredths.
    pub power_factor_hundredths: u16,
}

/// Why an answer says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not as many bytes as an answer has.
    #[error("energy.length: the answer has the wrong length; check the wires of the energy IC")]
    Length,
    /// The checksum does not fit.
    #[error("energy.checksum: the answer was damaged on its way; check the wires of the energy IC")]
    Checksum,
    /// Another address answered, or another function.
    #[error("energy.foreign: the answer is not to what was asked; give each energy IC its own address")]
    Foreign,
    /// The IC refused, with Modbus's number for why.
    #[error("energy.refused: the energy IC refused with code {0}")]
    Refused(u8),
}

/// Asks the IC at `address` (1 to 247) for all its registers.
pub fn request(address: u8) -> [u8; REQUEST] {
    let mut frame = [address, READ_INPUT, 0, 0, 0, 10, 0, 0];
    let [low, high] = checksum(&frame[..6]).to_le_bytes();
    (frame[6], frame[7]) = (low, high);
    frame
}

/// Reads the answer of the IC at `address`.
pub fn read(address: u8, frame: &[u8]) -> Result<Measurement, FrameError> {
    let (content, sum) = frame.split_last_chunk::<2>().ok_or(FrameError::Length)?;
    if frame.len() != ANSWER && frame.len() != REFUSAL {
        return Err(FrameError::Length);
    }
    if checksum(content).to_le_bytes() != *sum {
        return Err(FrameError::Checksum);
    }
    match content {
        [from, REFUSED, code] if *from == address => Err(FrameError::Refused(*code)),
        [from, READ_INPUT, 20, registers @ ..] if *from == address && registers.len() == 2 * REGISTERS => {
            Ok(measurement(registers))
        }
        _ => Err(FrameError::Foreign),
    }
}

fn measurement(registers: &[u8]) -> Measurement {
    let word = |place: usize| match registers.get(2 * place..2 * place + 2) {
        Some([high, low]) => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    let two_words = |place: usize| u32::from(word(place)) | u32::from(word(place + 1)) << 16;
    Measurement {
        voltage_decivolts: word(0),
        current_ma: two_words(1),
        power_deciwatts: two_words(3),
        energy_wh: two_words(5),
        frequency_decihertz: word(7),
        power_factor_hundredths: word(8),
    }
}

/// Modbus's CRC-16: polynomial 0xA001 (reflected), begun with all ones.
pub fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xA001 })
    })
}
