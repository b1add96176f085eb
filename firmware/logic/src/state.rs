//! What must survive a power cut, as it stands in flash, and how it comes back.
//!
//! A reading goes into the queue first and the state is written after; both are whole
//! or absent. When power goes in between, the queue's newest reading is ahead of the
//! state, and the state follows it: no number is ever given to two readings.

use crate::integration::Remainders;
use jirani_meter::{Flags, MeterState, Reading, Registers, Relay, Release, SignedReading};

/// Bytes of an encoded state.
pub const STATE: usize = 90;
const VERSION: u8 = 2;
/// Of a state by firmware that knew no orders but the relay's; the rest is as it is now.
const VERSION_RELAY_ONLY: u8 = 1;

/// The meter's state and the energy below one Wh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What the core must not forget.
    pub meter: MeterState,
    /// What the integration must not forget.
    pub remainders: Remainders,
}

impl Kept {
    /// The bytes for flash: the version, then every field with its low byte first.
    pub fn encode(&self) -> [u8; STATE] {
        let (meter, remainders) = (&self.meter, &self.remainders);
        let relay = u8::from(meter.relay == Relay::Open);
        let mut bytes = [0; STATE];
        let mut rest = &mut bytes[..];
        for field in [
            &[VERSION][..],
            &meter.epoch.to_le_bytes(),
            &meter.last_seq.to_le_bytes(),
            &meter.last_time_us.to_le_bytes(),
            &meter.registers.import_wh.to_le_bytes(),
            &meter.registers.export_wh.to_le_bytes(),
            &meter.registers.generation_wh.to_le_bytes(),
            &meter.previous,
            &[relay],
            &meter.last_command.to_le_bytes(),
            &remainders.import.to_le_bytes(),
            &remainders.export.to_le_bytes(),
            &remainders.generation.to_le_bytes(),
            &meter.last_order.to_le_bytes(),
            &meter.interval_s.to_le_bytes(),
            &meter.untold.0.to_le_bytes(),
        ] {
            // INVARIANT: the fields are `STATE` bytes long; a test reads them all back.
            let (place, after) = rest.split_at_mut(field.len());
            place.copy_from_slice(field);
            rest = after;
        }
        bytes
    }

    /// Reads what [`Kept::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        if version != VERSION && version != VERSION_RELAY_ONLY {
            return None;
        }
        let mut meter = MeterState {
            epoch: u32::from_le_bytes(take(&mut rest)?),
            last_seq: u64::from_le_bytes(take(&mut rest)?),
            last_time_us: u64::from_le_bytes(take(&mut rest)?),
            registers: Registers {
                import_wh: u64::from_le_bytes(take(&mut rest)?),
                export_wh: u64::from_le_bytes(take(&mut rest)?),
                generation_wh: u64::from_le_bytes(take(&mut rest)?),
            },
            previous: take(&mut rest)?,
            relay: match take(&mut rest)? {
                [0] => Relay::Closed,
                [1] => Relay::Open,
                _ => return None,
            },
            last_command: u64::from_le_bytes(take(&mut rest)?),
            ..MeterState::default()
        };
        let remainders = Remainders {
            import: u32::from_le_bytes(take(&mut rest)?),
            export: u32::from_le_bytes(take(&mut rest)?),
            generation: u32::from_le_bytes(take(&mut rest)?),
        };
        if version == VERSION {
            meter.last_order = u64::from_le_bytes(take(&mut rest)?);
            meter.interval_s = u32::from_le_bytes(take(&mut rest)?);
            meter.untold = Flags(u32::from_le_bytes(take(&mut rest)?));
        }
        rest.is_empty().then_some(Self { meter, remainders })
    }

    /// The state after a start: what was kept, or, when the queue's newest reading is
    /// ahead of it, what that reading says.
    #[must_use]
    pub fn recovered(self, newest: Option<&SignedReading>) -> Self {
        let Some(newest) = newest else { return self };
        let Ok((reading, _)) = Reading::decode(newest.bytes.as_slice()) else { return self };
        if (reading.epoch, reading.seq) <= (self.meter.epoch, self.meter.last_seq) {
            return self;
        }
        let meter = MeterState {
            epoch: reading.epoch,
            last_seq: reading.seq,
            last_time_us: reading.time_us,
            registers: reading.registers,
            previous: newest.short_hash(),
            ..self.meter
        };
        Self { meter, remainders: self.remainders }
    }
}

/// Bytes of a kept announcement.
pub const ANNOUNCED: usize = 40;

/// An announced image as it stands in flash until it runs. Its maker's signature was
/// verified when it was announced.
pub fn encode_announced(release: &Release) -> [u8; ANNOUNCED] {
    let mut bytes = [0; ANNOUNCED];
    bytes[..4].copy_from_slice(&release.version.to_le_bytes());
    bytes[4..8].copy_from_slice(&release.size.to_le_bytes());
    bytes[8..].copy_from_slice(&release.sha256);
    bytes
}

/// Reads what [`encode_announced`] wrote; `None` for anything else.
pub fn decode_announced(bytes: &[u8]) -> Option<Release> {
    let mut rest = bytes;
    let release = Release {
        version: u32::from_le_bytes(take(&mut rest)?),
        size: u32::from_le_bytes(take(&mut rest)?),
        sha256: take(&mut rest)?,
    };
    rest.is_empty().then_some(release)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}
