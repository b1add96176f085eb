//! What the operator tells a meter to do: move its relay, read oftener or less often,
//! take the time, fetch a firmware.
//!
//! A command is signed by the gateway's key, which the meter has pinned, in a context
//! of its own. Numbers only grow, so one that is heard again, late or replayed does
//! nothing. Relay commands and all others are numbered each in a sequence of its own,
//! so that whoever cuts the power for a debt and whoever tends the meters need not agree.
//!
//! One that opens the relay carries the moment from which it is void, so that a light
//! never goes out by a command that lay about. One that closes is never void. One that
//! tells the time names the reading that it answers and is void once the meter has made
//! another: a meter without a clock can measure the age of a command in no other way.

use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::key::{PublicKey, Signer};
use crate::reading::fixed;
use crate::release::{Release, SignedRelease};
use crate::sign1::{open, seal};
use crate::{COMMAND_CONTEXT, COMMAND_MAX, MeterName, SLOT_S, VERSION};
use minicbor::{Decoder, Encoder};

/// Fields of the shortest: version, meter, number, action, its one argument.
const FIELDS: u64 = 5;
const TIME_FIELDS: u64 = 7;
const FIRMWARE_FIELDS: u64 = 8;
const PAYLOAD_MAX: usize = 144;
const OPEN: u8 = 1;
const CLOSE: u8 = 2;
const INTERVAL: u8 = 3;
const TIME: u8 = 4;
const FIRMWARE: u8 = 5;

/// Where a meter's relay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relay {
    /// Power flows.
    #[default]
    Closed,
    /// Power is cut.
    Open,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Cut the power, unless it is this moment (microseconds since 1970) or later.
    OpenRelay {
        /// First moment at which the command is void; above 0, at most `i64::MAX`.
        not_after_us: u64,
    },
    /// Let power flow.
    CloseRelay,
    /// Read so often.
    SetInterval {
        /// Seconds between readings, 1 to [`SLOT_S`], which they divide.
        seconds: u32,
    },
    /// Take the operator's time. Void for a meter that has the network's, for one that
    /// has made another reading since, and when it lies before that reading.
    SetTime {
        /// Microseconds since 1970; above 0, at most `i64::MAX`.
        time_us: u64,
        /// Epoch of the reading that this answers.
        epoch: u32,
        /// Its number, from 1.
        seq: u64,
    },
    /// Fetch this image and start it, if it is later than the running one.
    AnnounceFirmware(SignedRelease),
}

impl Action {
    /// Whether it is numbered among the relay's commands.
    pub const fn moves_relay(&self) -> bool {
        matches!(self, Self::OpenRelay { .. } | Self::CloseRelay)
    }
}

/// One command to one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Whom it is for.
    pub meter: MeterName,
    /// From 1, growing. Relay commands: 1, 2, 3, ... per household, another meter of the
    /// same goes on counting. All others: any greater number.
    pub number: u64,
    /// What to do.
    pub action: Action,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obeyed {
    /// The relay is where it says; the interval is what it says.
    Done,
    /// The meter's driver sets its clock to these microseconds since 1970.
    TimeTold(u64),
    /// The meter's driver keeps this announcement, then fetches the image.
    Announced(SignedRelease),
    /// This command, or a later one, was obeyed before: nothing happened.
    Before,
    /// It is void: its time is over, the meter does not know the time or knows it better,
    /// or it runs this firmware already. Nothing happened.
    Void,
}

/// Whether an interval is one that a meter takes: it divides a slot.
pub const fn is_interval(seconds: u32) -> bool {
    seconds > 0 && seconds <= SLOT_S && SLOT_S.is_multiple_of(seconds)
}

impl Command {
    /// Signs with the gateway's key.
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<Buffer<COMMAND_MAX>, WireError> {
        seal(self.encode()?.as_slice(), COMMAND_CONTEXT, signer)
    }

    /// Reads and verifies.
    pub fn open(bytes: &[u8], gateway: &PublicKey) -> Result<Self, WireError> {
        open(bytes, ("a command", COMMAND_MAX), (gateway, COMMAND_CONTEXT), Self::decode)
    }

    fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut decoder = Decoder::new(payload);
        let fields = decoder.array()?.filter(|fields| *fields >= FIELDS);
        let fields = fields.ok_or(WireError::Malformed("a command has five to eight fields"))?;
        let version = decoder.u8()?;
        if version != VERSION {
            return Err(WireError::UnknownVersion(version));
        }
        let (meter, number) = (fixed(decoder.bytes()?)?, decoder.u64()?);
        let action = match (fields, decoder.u8()?) {
            (FIELDS, OPEN) => Action::OpenRelay { not_after_us: decoder.u64()? },
            (FIELDS, CLOSE) => match decoder.u64()? {
                0 => Action::CloseRelay,
                _ => return Err(WireError::Malformed("a command that closes the relay is for good")),
            },
            (FIELDS, INTERVAL) => Action::SetInterval { seconds: decoder.u32()? },
            (TIME_FIELDS, TIME) => {
                Action::SetTime { time_us: decoder.u64()?, epoch: decoder.u32()?, seq: decoder.u64()? }
            }
            (FIRMWARE_FIELDS, FIRMWARE) => Action::AnnounceFirmware(SignedRelease {
                release: Release {
                    version: decoder.u32()?,
                    size: decoder.u32()?,
                    sha256: fixed(decoder.bytes()?)?,
                },
                signature: fixed(decoder.bytes()?)?,
            }),
            _ => return Err(WireError::Malformed("a command is none of those that are known")),
        };
        let command = Self { meter, number, action };
        if command.encode()?.as_slice() == payload { Ok(command) } else { Err(WireError::NotCanonical) }
    }

    fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        self.check()?;
        let (fields, action) = match self.action {
            Action::OpenRelay { .. } => (FIELDS, OPEN),
            Action::CloseRelay => (FIELDS, CLOSE),
            Action::SetInterval { .. } => (FIELDS, INTERVAL),
            Action::SetTime { .. } => (TIME_FIELDS, TIME),
            Action::AnnounceFirmware(_) => (FIRMWARE_FIELDS, FIRMWARE),
        };
        let mut encoder = Encoder::new(Buffer::new());
        let begun = encoder
            .array(fields)
            .and_then(|e| e.u8(VERSION))
            .and_then(|e| e.bytes(&self.meter))
            .and_then(|e| e.u64(self.number))
            .and_then(|e| e.u8(action));
        written(
            match &self.action {
                Action::OpenRelay { not_after_us } => begun.and_then(|e| e.u64(*not_after_us)),
                Action::CloseRelay => begun.and_then(|e| e.u64(0)),
                Action::SetInterval { seconds } => begun.and_then(|e| e.u32(*seconds)),
                Action::SetTime { time_us, epoch, seq } => {
                    begun.and_then(|e| e.u64(*time_us)).and_then(|e| e.u32(*epoch)).and_then(|e| e.u64(*seq))
                }
                Action::AnnounceFirmware(SignedRelease { release, signature }) => begun
                    .and_then(|e| e.u32(release.version))
                    .and_then(|e| e.u32(release.size))
                    .and_then(|e| e.bytes(&release.sha256))
                    .and_then(|e| e.bytes(signature)),
            }
            .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }

    fn check(&self) -> Result<(), WireError> {
        let is_time = |time_us: u64| time_us > 0 && i64::try_from(time_us).is_ok();
        if self.number == 0 {
            return Err(WireError::Malformed("commands are numbered from 1"));
        }
        match self.action {
            Action::OpenRelay { not_after_us } if !is_time(not_after_us) => {
                Err(WireError::Malformed("a command that opens says until when"))
            }
            Action::SetInterval { seconds } if !is_interval(seconds) => {
                Err(WireError::Malformed("an interval is 1 to 900 seconds and divides a slot"))
            }
            Action::SetTime { time_us, seq, .. } if !is_time(time_us) || seq == 0 => {
                Err(WireError::Malformed("a command that tells the time answers a reading"))
            }
            Action::AnnounceFirmware(signed) => signed.release.check(),
            _ => Ok(()),
        }
    }
}
