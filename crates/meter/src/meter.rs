//! The meter's own logic: it counts, reads, signs, keeps and lets go.
//!
//! One message is under way at a time: whoever drives a meter sends
//! [`Meter::message`] and, until the acknowledgement has come, nothing but the
//! same message again. So readings reach the gateway in order.

use crate::MeterName;
use crate::ack::Ack;
use crate::buffer::Buffer;
use crate::challenge::{Challenge, ChallengeAnswer};
use crate::command::{Action, Command, Obeyed, Relay};
use crate::error::WireError;
use crate::key::{PublicKey, Signer, name_of};
use crate::message::head;
use crate::queue::{Pushed, Queue, keep_of};
use crate::reading::{Flags, Instantaneous, Reading, Registers, SignedReading, TimeQuality};
use crate::{ANSWER_MAX, MESSAGE_READINGS_MAX, READING_MAX};

/// What a meter must not forget when power goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterState {
    /// Generation of the registers.
    pub epoch: u32,
    /// Number of the last reading; 0 before the first.
    pub last_seq: u64,
    /// Time of the last reading, microseconds since 1970.
    pub last_time_us: u64,
    /// Registers.
    pub registers: Registers,
    /// First 8 bytes of SHA-256 of the last signed reading.
    pub previous: [u8; 8],
    /// Where the relay is.
    pub relay: Relay,
    /// Number of the last relay command that was obeyed; 0 before the first.
    pub last_command: u64,
    /// Number of the last other command that was obeyed; 0 before the first.
    pub last_order: u64,
    /// Seconds between readings as the operator wants them; 0 while it is the meter's own
    /// choice.
    pub interval_s: u32,
    /// What every reading says until one that says it is acknowledged: [`Flags::STICKY`].
    pub untold: Flags,
}

/// What a reading needs from outside the meter's own memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Microseconds since 1970, UTC.
    pub time_us: u64,
    /// What the time is worth.
    pub time_quality: TimeQuality,
    /// Seconds since power came back.
    pub uptime_s: u32,
    /// How often the meter reads, in seconds.
    pub interval_s: u32,
    /// The moment's values.
    pub instantaneous: Instantaneous,
    /// Circumstances that only the hardware knows.
    pub flags: Flags,
}

/// Why a meter did not do what it was asked. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeterError {
    /// A register would pass `u64::MAX` Wh.
    #[error("meter.register_full: a register cannot count further")]
    RegisterFull,
    /// No room for another reading until one is acknowledged. The registers
    /// count on, so no energy is lost, only the moment.
    #[error("meter.queue_full: no room for another reading until one is acknowledged")]
    QueueFull,
    /// The reading could not be made.
    #[error("meter.not_readable: {0}")]
    Reading(WireError),
    /// The acknowledgement is not the gateway's, or not for this meter.
    #[error("meter.ack_refused: {0}")]
    Ack(WireError),
    /// The acknowledgement is for another meter.
    #[error("meter.foreign_ack: the acknowledgement is for another meter")]
    ForeignAck,
    /// The command is not the gateway's.
    #[error("meter.command_refused: {0}")]
    Command(WireError),
    /// The command or challenge is for another meter.
    #[error("meter.foreign_command: the command is for another meter")]
    ForeignCommand,
    /// The firmware that was announced is not its maker's.
    #[error("meter.release_refused: {0}")]
    Release(WireError),
}

/// What came on the leaf for commands, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A command.
    Command(Obeyed),
    /// A challenge: whoever drives the meter publishes the answer on `v1/<meter>/claim`.
    Challenge(Buffer<ANSWER_MAX>),
}

/// A meter with its key and its queue.
#[derive(Clone, Debug)]
pub struct Meter<K, Q> {
    key: K,
    queue: Q,
    gateway: PublicKey,
    /// Whose firmware is taken, and the version that runs.
    maker: (PublicKey, u32),
    firmware: [u8; 8],
    name: MeterName,
    state: MeterState,
    /// What the next reading tells of, and only it.
    flags: u32,
    /// First reading of the epoch that carries all of [`MeterState::untold`].
    told_from: u64,
}

impl<K: Signer, Q: Queue> Meter<K, Q> {
    /// A meter that goes on from `state` and trusts acknowledgements of `gateway` only.
    pub fn new(key: K, gateway: PublicKey, firmware: [u8; 8], queue: Q, state: MeterState) -> Self {
        let name = name_of(&key.public_key());
        let maker = (gateway, 0);
        let told_from = state.last_seq.saturating_add(1);
        Self { key, queue, gateway, maker, firmware, name, state, flags: Flags::RESTARTED, told_from }
    }

    /// Takes firmware of `maker` only, instead of the gateway's, and only what is later
    /// than the `running` version (0: any).
    #[must_use]
    pub fn with_releases_of(mut self, maker: PublicKey, running: u32) -> Self {
        self.maker = (maker, running);
        self
    }

    /// The meter's name.
    pub fn name(&self) -> MeterName {
        self.name
    }

    /// What must survive a power cut, together with the queue.
    pub fn state(&self) -> MeterState {
        self.state
    }

    /// Readings that nobody has acknowledged.
    pub fn queue(&self) -> &Q {
        &self.queue
    }

    /// Counts energy.
    pub fn count(&mut self, energy: Registers) -> Result<(), MeterError> {
        let now = &self.state.registers;
        let add = |a: u64, b: u64| a.checked_add(b).ok_or(MeterError::RegisterFull);
        self.state.registers = Registers {
            import_wh: add(now.import_wh, energy.import_wh)?,
            export_wh: add(now.export_wh, energy.export_wh)?,
            generation_wh: add(now.generation_wh, energy.generation_wh)?,
        };
        Ok(())
    }

    /// Notes what must not go untold, of [`Flags::STICKY`]: every reading says it from now
    /// on, until one is acknowledged. Whoever drives the meter keeps [`Meter::state`].
    pub fn note(&mut self, flags: Flags) {
        let new = flags.0 & Flags::STICKY & !self.state.untold.0;
        if new != 0 {
            self.state.untold.0 |= new;
            self.told_from = self.state.last_seq.saturating_add(1);
        }
    }

    /// Reads the registers, signs, and keeps the reading until it is acknowledged, or,
    /// when it is no slot's first and room is needed, for a day. Gives the reading's number.
    pub fn read(&mut self, sample: Sample) -> Result<u64, MeterError> {
        self.note(sample.flags);
        let state = &self.state;
        let earliest = state.last_time_us.saturating_add(u64::from(state.last_seq > 0));
        let time_us = sample.time_us.max(earliest);
        let keep = keep_of((state.last_seq > 0).then_some(state.last_time_us), time_us);
        if self.queue.is_full(keep) {
            self.flags |= Flags::QUEUE_WAS_FULL;
            return Err(MeterError::QueueFull);
        }
        let relay = Flags::of_relay(state.relay, state.last_command);
        let mut flags = sample.flags.0 | self.flags | state.untold.0 | relay;
        if sample.time_us < earliest {
            flags |= Flags::CLOCK_WENT_BACK;
        }
        let reading = Reading {
            meter: self.name,
            epoch: state.epoch,
            seq: state.last_seq.saturating_add(1),
            time_us,
            time_quality: sample.time_quality,
            uptime_s: sample.uptime_s,
            interval_s: sample.interval_s,
            registers: state.registers,
            instantaneous: sample.instantaneous,
            flags: Flags(flags),
            firmware: self.firmware,
            previous: state.previous,
        };
        let signed = reading.sign(&self.key).map_err(MeterError::Reading)?;
        let previous = signed.short_hash();
        let Ok(pushed) = self.queue.push(signed, keep) else {
            self.flags |= Flags::QUEUE_WAS_FULL;
            return Err(MeterError::QueueFull);
        };
        self.state.previous = previous;
        self.state.last_seq = reading.seq;
        self.state.last_time_us = reading.time_us;
        self.flags = 0;
        if pushed == Pushed::Thinned {
            self.note(Flags(Flags::QUEUE_THINNED));
        }
        Ok(reading.seq)
    }

    /// The message to send now: the oldest unacknowledged readings, as many as
    /// fit `N` bytes and the limit. `None` when all are acknowledged.
    pub fn message_within<const N: usize>(&self, most: usize) -> Option<Buffer<N>> {
        let fit = N.saturating_sub(2) / READING_MAX;
        let count = most.min(fit).min(MESSAGE_READINGS_MAX).min(self.queue.len());
        let mut message = Buffer::new();
        let (bytes, length) = head(u64::try_from(count).ok().filter(|count| *count > 0)?);
        let mut whole = message.extend(&bytes[..length]);
        let mut shown = 0;
        self.queue.visit_oldest(count, &mut |reading: &SignedReading| {
            shown += 1;
            whole = whole.and_then(|()| message.extend(reading.bytes.as_slice()));
        });
        // A flash that fails shows fewer than it counts, and the head would be wrong.
        whole.ok().filter(|()| shown == count).map(|()| message)
    }

    /// The message to send now, on the heap. `None` when all are acknowledged.
    #[cfg(feature = "alloc")]
    pub fn message(&self) -> Option<alloc::vec::Vec<u8>> {
        self.message_within::<{ crate::MESSAGE_MAX }>(MESSAGE_READINGS_MAX)
            .map(|message| message.as_slice().to_vec())
    }

    /// Takes an acknowledgement; says how many readings it freed. One that comes
    /// twice frees nothing the second time.
    pub fn acknowledge(&mut self, bytes: &[u8]) -> Result<usize, MeterError> {
        let ack = Ack::open(bytes, &self.gateway).map_err(MeterError::Ack)?;
        if ack.meter != self.name {
            return Err(MeterError::ForeignAck);
        }
        if ack.epoch == self.state.epoch && ack.seq >= self.told_from {
            self.state.untold = Flags::default();
        }
        Ok(self.queue.free(ack.epoch, ack.first_seq, ack.seq))
    }

    /// Takes a command at `time_us` of a clock of such quality. Whoever drives the meter
    /// keeps [`Meter::state`] (for an announcement, the announcement first) and moves the
    /// relay to [`MeterState::relay`], unless it was `Before` or `Void`.
    pub fn command(
        &mut self,
        bytes: &[u8],
        time_us: u64,
        time_quality: TimeQuality,
    ) -> Result<Obeyed, MeterError> {
        let command = Command::open(bytes, &self.gateway).map_err(MeterError::Command)?;
        if command.meter != self.name {
            return Err(MeterError::ForeignCommand);
        }
        let last = if command.action.moves_relay() { self.state.last_command } else { self.state.last_order };
        if command.number <= last {
            return Ok(Obeyed::Before);
        }
        let obeyed = self.obey(&command.action, time_us, time_quality)?;
        match obeyed {
            Obeyed::Before | Obeyed::Void => {}
            _ if command.action.moves_relay() => self.state.last_command = command.number,
            _ => self.state.last_order = command.number,
        }
        Ok(obeyed)
    }

    fn obey(
        &mut self,
        action: &Action,
        time_us: u64,
        time_quality: TimeQuality,
    ) -> Result<Obeyed, MeterError> {
        match *action {
            Action::CloseRelay => self.state.relay = Relay::Closed,
            Action::OpenRelay { not_after_us } => {
                if time_quality == TimeQuality::Unset || time_us >= not_after_us {
                    return Ok(Obeyed::Void);
                }
                self.state.relay = Relay::Open;
            }
            Action::SetInterval { seconds } => self.state.interval_s = seconds,
            Action::SetTime { time_us: told, epoch, seq } => {
                let state = &self.state;
                let is_answer = (epoch, seq) == (state.epoch, state.last_seq);
                // Nor may a boundary that was read come again.
                if time_quality == TimeQuality::Synchronised || !is_answer || told <= state.last_time_us {
                    return Ok(Obeyed::Void);
                }
                return Ok(Obeyed::TimeTold(told));
            }
            Action::AnnounceFirmware(signed) => {
                let (maker, running) = &self.maker;
                signed.verify(maker).map_err(MeterError::Release)?;
                let is_running = signed.release.sha256[..8] == self.firmware;
                if is_running || signed.release.version <= *running {
                    return Ok(Obeyed::Void);
                }
                return Ok(Obeyed::Announced(signed));
            }
        }
        Ok(Obeyed::Done)
    }

    /// Answers the gateway's challenge.
    pub fn answer(&self, bytes: &[u8]) -> Result<Buffer<ANSWER_MAX>, MeterError> {
        let challenge = Challenge::open(bytes, &self.gateway).map_err(MeterError::Command)?;
        if challenge.meter != self.name {
            return Err(MeterError::ForeignCommand);
        }
        ChallengeAnswer::sign(challenge.nonce, &self.key).map_err(MeterError::Reading)
    }

    /// Takes whatever comes on `v1/<meter>/cmd`: a command as [`Meter::command`] does, or
    /// a challenge as [`Meter::answer`] does.
    pub fn hear(
        &mut self,
        bytes: &[u8],
        time_us: u64,
        time_quality: TimeQuality,
    ) -> Result<Heard, MeterError> {
        match self.command(bytes, time_us, time_quality) {
            // Not a command's fields; only a challenge's are left. Both are read before
            // anything is verified, so this costs no second signature.
            Err(MeterError::Command(WireError::Malformed(_))) => self.answer(bytes).map(Heard::Challenge),
            obeyed => obeyed.map(Heard::Command),
        }
    }
}
