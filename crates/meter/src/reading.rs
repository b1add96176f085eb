//! A reading: one sample of a meter's registers, and its one encoding.

use crate::buffer::{Buffer, written};
use crate::command::Relay;
use crate::error::WireError;
use crate::key::Signer;
use crate::sign1::{PAYLOAD_MAX, Sign1, begin, seal};
use crate::{MeterName, READING_CONTEXT, READING_MAX, VERSION};
use minicbor::Encoder;
use sha2::{Digest as _, Sha256};

/// Fields of a reading's payload, counting the version.
const FIELDS: u64 = 19;
/// The power factor's range, in thousandths.
const POWER_FACTOR_MAX: i16 = 1_000;

/// Cumulative counters in Wh. They only grow within an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Drawn from the grid.
    pub import_wh: u64,
    /// Pushed into the grid.
    pub export_wh: u64,
    /// Made by the panels.
    pub generation_wh: u64,
}

/// What the meter saw at the moment of the reading. For screens and for
/// plausibility; money follows the registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instantaneous {
    /// Voltage, mV.
    pub voltage_mv: u32,
    /// Current, mA.
    pub current_ma: u32,
    /// Net power, W; export is positive.
    pub power_w: i32,
    /// Frequency, thousandths of a hertz.
    pub frequency_millihertz: u16,
    /// Power factor, thousandths, -1000 to 1000.
    pub power_factor_thousandths: i16,
}

/// How far the meter trusts its own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeQuality {
    /// Never set since power came back (0).
    #[default]
    Unset,
    /// Set once, running on its own since (1).
    HeldOver,
    /// Set from the network within the last day (2).
    Synchronised,
}

/// Remarkable circumstances of a reading, one bit each. Unknown bits are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// Readings before this one were not kept: the queue was full.
    pub const QUEUE_WAS_FULL: u32 = 1;
    /// The clock went back; the time was held just after the previous reading.
    pub const CLOCK_WENT_BACK: u32 = 1 << 1;
    /// First reading after power came back.
    pub const RESTARTED: u32 = 1 << 2;
    /// The cover was open.
    pub const COVER_OPEN: u32 = 1 << 3;
    /// The relay was open: no power flowed.
    pub const RELAY_OPEN: u32 = 1 << 4;
    /// A strong magnet was near.
    pub const MAGNET: u32 = 1 << 5;
    /// A current transformer was off its wire, or shorted.
    pub const CURRENT_OFF: u32 = 1 << 6;
    /// Readings by the minute before this one were forgotten: there was no room. No
    /// slot's boundary was.
    pub const QUEUE_THINNED: u32 = 1 << 7;
    /// The epoch began because the meter had lost its state.
    pub const STATE_LOST: u32 = 1 << 8;
    /// The epoch began because the meter, or its measuring part, was replaced.
    pub const REPLACED: u32 = 1 << 9;
    /// Signs of tampering.
    pub const TAMPER: u32 = Self::COVER_OPEN | Self::MAGNET | Self::CURRENT_OFF;
    /// What every reading says from the moment it was so until one is acknowledged: the
    /// signs of tampering, why the epoch began, and that minutes were forgotten.
    pub const STICKY: u32 = Self::TAMPER | Self::QUEUE_THINNED | Self::STATE_LOST | Self::REPLACED;
    /// The site signed this on behalf of a foreign device, which does not sign itself.
    pub const SITE_SIGNED: u32 = 1 << 15;
    /// The upper 16 bits are the lower 16 of the number of the last command obeyed; 0
    /// before the first.
    pub const COMMAND_SHIFT: u32 = 16;

    /// Where the relay was.
    pub const fn relay(self) -> Relay {
        if self.0 & Self::RELAY_OPEN == 0 { Relay::Closed } else { Relay::Open }
    }

    /// Whether the last command that the meter had obeyed may be this one.
    pub const fn obeyed(self, number: u64) -> bool {
        self.0 >> Self::COMMAND_SHIFT == Self::command(number) >> Self::COMMAND_SHIFT
    }

    const fn command(number: u64) -> u32 {
        ((number & 0xffff) as u32) << Self::COMMAND_SHIFT
    }

    pub(crate) const fn of_relay(relay: Relay, last_command: u64) -> u32 {
        let open = match relay {
            Relay::Open => Self::RELAY_OPEN,
            Relay::Closed => 0,
        };
        open | Self::command(last_command)
    }
}

/// One sample of a meter. Identity: (meter, epoch, seq).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Whose registers.
    pub meter: MeterName,
    /// Generation of the registers; grows when they start anew.
    pub epoch: u32,
    /// 1, 2, 3, ... within the epoch.
    pub seq: u64,
    /// When: microseconds since 1970, UTC, at most `i64::MAX`.
    pub time_us: u64,
    /// What the time is worth.
    pub time_quality: TimeQuality,
    /// Seconds since power came back.
    pub uptime_s: u32,
    /// How often the meter reads, in seconds.
    pub interval_s: u32,
    /// Registers.
    pub registers: Registers,
    /// The moment's values.
    pub instantaneous: Instantaneous,
    /// Circumstances.
    pub flags: Flags,
    /// First 8 bytes of SHA-256 of the firmware's image.
    pub firmware: [u8; 8],
    /// First 8 bytes of SHA-256 of the previous signed reading; zeroes for the first.
    pub previous: [u8; 8],
}

/// A reading as it is sent and kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedReading {
    /// Generation of the registers.
    pub epoch: u32,
    /// Number within the epoch.
    pub seq: u64,
    /// The COSE_Sign1.
    pub bytes: Buffer<READING_MAX>,
}

impl SignedReading {
    /// What the next reading carries in [`Reading::previous`].
    pub fn short_hash(&self) -> [u8; 8] {
        let mut hash = [0; 8];
        hash.copy_from_slice(&Sha256::digest(self.bytes.as_slice())[..8]);
        hash
    }
}

impl Reading {
    /// Signs.
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<SignedReading, WireError> {
        let payload = self.encode()?;
        let bytes = seal(payload.as_slice(), READING_CONTEXT, signer)?;
        Ok(SignedReading { epoch: self.epoch, seq: self.seq, bytes })
    }

    /// Reads what was signed; the signature is *not* verified.
    pub fn decode(bytes: &[u8]) -> Result<(Self, Sign1<'_>), WireError> {
        if bytes.len() > READING_MAX {
            return Err(WireError::TooLarge { what: "a reading", limit: READING_MAX });
        }
        let signed = Sign1::read_all(bytes)?;
        Ok((Self::decode_payload(signed.payload)?, signed))
    }

    /// Reads a payload, refusing whatever is not its one encoding.
    pub fn decode_payload(payload: &[u8]) -> Result<Self, WireError> {
        let mut decoder = begin(payload, FIELDS, "a reading has 19 fields")?;
        let reading = Self {
            meter: fixed(decoder.bytes()?)?,
            epoch: decoder.u32()?,
            seq: decoder.u64()?,
            time_us: decoder.u64()?,
            time_quality: TimeQuality::from_number(decoder.u8()?)?,
            uptime_s: decoder.u32()?,
            interval_s: decoder.u32()?,
            registers: Registers {
                import_wh: decoder.u64()?,
                export_wh: decoder.u64()?,
                generation_wh: decoder.u64()?,
            },
            instantaneous: Instantaneous {
                voltage_mv: decoder.u32()?,
                current_ma: decoder.u32()?,
                power_w: decoder.i32()?,
                frequency_millihertz: decoder.u16()?,
                power_factor_thousandths: decoder.i16()?,
            },
            flags: Flags(decoder.u32()?),
            firmware: fixed(decoder.bytes()?)?,
            previous: fixed(decoder.bytes()?)?,
        };
        // Also refuses bytes after the last field.
        if reading.encode()?.as_slice() == payload { Ok(reading) } else { Err(WireError::NotCanonical) }
    }

    /// The payload's one encoding.
    pub fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        self.check()?;
        let (registers, now) = (&self.registers, &self.instantaneous);
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.meter))
                .and_then(|e| e.u32(self.epoch))
                .and_then(|e| e.u64(self.seq))
                .and_then(|e| e.u64(self.time_us))
                .and_then(|e| e.u8(self.time_quality.number()))
                .and_then(|e| e.u32(self.uptime_s))
                .and_then(|e| e.u32(self.interval_s))
                .and_then(|e| e.u64(registers.import_wh))
                .and_then(|e| e.u64(registers.export_wh))
                .and_then(|e| e.u64(registers.generation_wh))
                .and_then(|e| e.u32(now.voltage_mv))
                .and_then(|e| e.u32(now.current_ma))
                .and_then(|e| e.i32(now.power_w))
                .and_then(|e| e.u16(now.frequency_millihertz))
                .and_then(|e| e.i16(now.power_factor_thousandths))
                .and_then(|e| e.u32(self.flags.0))
                .and_then(|e| e.bytes(&self.firmware))
                .and_then(|e| e.bytes(&self.previous))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }

    fn check(&self) -> Result<(), WireError> {
        if self.seq == 0 {
            return Err(WireError::Malformed("seq begins at 1"));
        }
        if i64::try_from(self.time_us).is_err() {
            return Err(WireError::Malformed("the time is beyond 63 bits"));
        }
        if !(-POWER_FACTOR_MAX..=POWER_FACTOR_MAX).contains(&self.instantaneous.power_factor_thousandths) {
            return Err(WireError::Malformed("the power factor is beyond -1000 to 1000 thousandths"));
        }
        Ok(())
    }
}

impl TimeQuality {
    /// As it is sent.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unset => 0,
            Self::HeldOver => 1,
            Self::Synchronised => 2,
        }
    }

    fn from_number(number: u8) -> Result<Self, WireError> {
        match number {
            0 => Ok(Self::Unset),
            1 => Ok(Self::HeldOver),
            2 => Ok(Self::Synchronised),
            _ => Err(WireError::Malformed("the time's quality is 0, 1 or 2")),
        }
    }
}

pub(crate) fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], WireError> {
    bytes.try_into().map_err(|_| WireError::Malformed("a byte string has the wrong length"))
}
