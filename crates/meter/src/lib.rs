//! The meter: what it says, how it signs it, and how it keeps what nobody has
//! acknowledged yet. The same code runs in simulated meters and in firmware.
//!
//! Promises: a reading is at most [`READING_MAX`] bytes; the same reading has
//! one encoding and every other encoding is refused; nothing that arrives from
//! outside makes the code panic; a slot's boundary leaves the queue only for a valid
//! acknowledgement signed by the gateway's key, a reading between only when there is no
//! room ([`queue`]).
//! `no_std` and without allocation (the feature `alloc` adds a queue on the
//! heap). Stands at the bottom of the code beside `units`; knows no network,
//! no clock and no flash: those are handed in.
//!
//! # On the wire
//! A reading is a tagged COSE_Sign1 (RFC 9052) in deterministic CBOR (RFC 8949
//! section 4.2.1). Its protected header is `{1: alg}`, its unprotected header
//! is empty, its external_aad is [`READING_CONTEXT`]. Its payload is an array of
//! the 19 fields of [`Reading`], in order. An acknowledgement is the same with
//! [`ACK_CONTEXT`] and the five fields of [`Ack`], a command with [`COMMAND_CONTEXT`]
//! and those of [`Command`], and so with releases, challenges and answers: none can pass
//! for another. A message (`v1/<meter>/up`) is a CBOR array of readings.

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod ack;
pub mod buffer;
pub mod challenge;
pub mod clock;
pub mod command;
pub mod epoch;
pub mod error;
pub mod fetch;
pub mod key;
pub mod message;
pub mod meter;
pub mod queue;
pub mod reading;
pub mod release;
pub mod retry;
pub mod schedule;
pub mod sign1;

pub use ack::Ack;
pub use buffer::Buffer;
pub use challenge::{Challenge, ChallengeAnswer};
pub use clock::Clock;
pub use command::{Action, Command, Obeyed, Relay};
pub use epoch::Anew;
pub use error::WireError;
pub use key::{Algorithm, Ed25519Signer, PublicKey, Signer};
pub use meter::{Heard, Meter, MeterError, MeterState, Sample};
#[cfg(feature = "alloc")]
pub use queue::HeapQueue;
pub use queue::{ArrayQueue, Keep, Pushed, Queue, QueueFull};
pub use reading::{Flags, Instantaneous, Reading, Registers, SignedReading, TimeQuality};
pub use release::{Release, SignedRelease};
pub use retry::Retry;
pub use schedule::Schedule;
pub use sign1::Sign1;

/// A meter's name: the first 16 bytes of SHA-256 of its public key. Readings
/// carry these bytes; topics carry them as 32 lower-case hexadecimal digits.
pub type MeterName = [u8; 16];

/// Version of the fields of readings, acknowledgements and commands.
pub const VERSION: u8 = 1;
/// Most bytes of one signed reading.
pub const READING_MAX: usize = 200;
/// Most bytes of one signed acknowledgement.
pub const ACK_MAX: usize = 128;
/// Most bytes of one signed command.
pub const COMMAND_MAX: usize = 256;
/// Most bytes of one signed release.
pub const RELEASE_MAX: usize = 128;
/// Most bytes of one signed challenge.
pub const CHALLENGE_MAX: usize = 160;
/// Most bytes of one signed answer to a challenge.
pub const ANSWER_MAX: usize = 192;
/// Most readings in one message.
pub const MESSAGE_READINGS_MAX: usize = 64;
/// Most bytes of one message.
pub const MESSAGE_MAX: usize = 2 + MESSAGE_READINGS_MAX * READING_MAX;
/// What a reading's signature covers besides its own bytes.
pub const READING_CONTEXT: &[u8] = b"jirani/reading/1";
/// What an acknowledgement's signature covers besides its own bytes.
pub const ACK_CONTEXT: &[u8] = b"jirani/ack/1";
/// What a command's signature covers besides its own bytes.
pub const COMMAND_CONTEXT: &[u8] = b"jirani/command/1";
/// What a release's signature covers besides its own bytes.
pub const RELEASE_CONTEXT: &[u8] = b"jirani/release/1";
/// What a challenge's signature covers besides its own bytes.
pub const CHALLENGE_CONTEXT: &[u8] = b"jirani/challenge/1";
/// What an answer's signature covers besides its own bytes.
pub const ANSWER_CONTEXT: &[u8] = b"jirani/answer/1";
/// Seconds of a settlement slot: a meter's intervals divide it.
pub const SLOT_S: u32 = 900;
