//! What the operator tells a meter to do: open its relay, or close it.
//!
//! A command is signed by the gateway's key, which the meter has pinned, in a context
//! of its own. Numbers only grow, so one that is heard again, late or replayed does
//! nothing; one that opens carries the moment from which it is void, so that a light
//! never goes out by a command that lay about. One that closes is never void.

use crate::buffer::{Buffer, written};
use crate::error::WireError;
use crate::key::{PublicKey, Signer};
use crate::reading::fixed;
use crate::sign1::{begin, open, seal};
use crate::{COMMAND_CONTEXT, COMMAND_MAX, MeterName, VERSION};
use minicbor::Encoder;

const FIELDS: u64 = 5;
const PAYLOAD_MAX: usize = 48;
const OPEN: u8 = 1;
const CLOSE: u8 = 2;

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
}

/// One command to one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Whom it is for.
    pub meter: MeterName,
    /// 1, 2, 3, ... per household: another meter of the same goes on counting.
    pub number: u64,
    /// What to do.
    pub action: Action,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obeyed {
    /// The relay is where it says.
    Done,
    /// This command, or a later one, was obeyed before: nothing happened.
    Before,
    /// It is void: its time is over, or the meter does not know the time. Nothing happened.
    Void,
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
        let mut decoder = begin(payload, FIELDS, "a command has five fields")?;
        let (meter, number) = (fixed(decoder.bytes()?)?, decoder.u64()?);
        let action = match (decoder.u8()?, decoder.u64()?) {
            (OPEN, not_after_us) => Action::OpenRelay { not_after_us },
            (CLOSE, 0) => Action::CloseRelay,
            _ => return Err(WireError::Malformed("a command opens the relay or closes it for good")),
        };
        let command = Self { meter, number, action };
        if command.encode()?.as_slice() == payload { Ok(command) } else { Err(WireError::NotCanonical) }
    }

    fn encode(&self) -> Result<Buffer<PAYLOAD_MAX>, WireError> {
        let (action, not_after_us) = match self.action {
            Action::OpenRelay { not_after_us } => (OPEN, not_after_us),
            Action::CloseRelay => (CLOSE, 0),
        };
        if self.number == 0 {
            return Err(WireError::Malformed("commands are numbered from 1"));
        }
        if (action == OPEN && not_after_us == 0) || i64::try_from(not_after_us).is_err() {
            return Err(WireError::Malformed("a command that opens says until when"));
        }
        let mut encoder = Encoder::new(Buffer::new());
        written(
            encoder
                .array(FIELDS)
                .and_then(|e| e.u8(VERSION))
                .and_then(|e| e.bytes(&self.meter))
                .and_then(|e| e.u64(self.number))
                .and_then(|e| e.u8(action))
                .and_then(|e| e.u64(not_after_us))
                .map(|_| ()),
        )?;
        Ok(encoder.into_writer())
    }
}
