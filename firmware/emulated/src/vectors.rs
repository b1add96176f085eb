//! The golden vectors, as constants that the build script writes.

#![expect(clippy::unreadable_literal, reason = "the build script writes numbers as the file has them")]

use jirani_meter::{
    Ack, Action, Challenge, Command, Flags, Instantaneous, MeterName, Reading, Registers, Release,
    SignedRelease, TimeQuality,
};

/// A key and what follows from it.
pub struct Key {
    pub seed: [u8; 32],
    pub public: [u8; 32],
    pub name: MeterName,
}

/// A reading, its payload and its signed bytes.
pub struct ReadingVector {
    pub name: &'static str,
    pub reading: Reading,
    pub payload: &'static [u8],
    pub signed: &'static [u8],
}

/// An acknowledgement, its payload and its signed bytes.
pub struct AckVector {
    pub name: &'static str,
    pub ack: Ack,
    pub payload: &'static [u8],
    pub signed: &'static [u8],
}

/// A command, its payload and its signed bytes.
pub struct CommandVector {
    pub name: &'static str,
    pub command: Command,
    pub payload: &'static [u8],
    pub signed: &'static [u8],
}

/// A release, its payload and its signed bytes.
pub struct ReleaseVector {
    pub name: &'static str,
    pub release: Release,
    pub payload: &'static [u8],
    pub signed: &'static [u8],
}

/// A challenge, its payload and its signed bytes.
pub struct ChallengeVector {
    pub name: &'static str,
    pub challenge: Challenge,
    pub payload: &'static [u8],
    pub signed: &'static [u8],
}

/// The meter's answer to a challenge, its payload and its signed bytes.
pub struct AnswerVector {
    pub name: &'static str,
    pub nonce: [u8; 32],
    pub payload: &'static [u8],
    pub signed: &'static [u8],
}

/// A message and the names of its readings.
pub struct MessageVector {
    pub name: &'static str,
    pub readings: &'static [&'static str],
    pub bytes: &'static [u8],
}

/// Bytes that are refused, and the code of the refusal.
pub struct RefusedVector {
    pub name: &'static str,
    pub bytes: &'static [u8],
    pub code: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/vectors.rs"));
