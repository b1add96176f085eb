//! The village's meters: the code that real ones run, with a memory on disk.

use crate::error::VillageError;
use crate::file::{StoredMeter, VillageFile};
use crate::physics::HomeFlow;
use jirani_meter::{
    Buffer, Ed25519Signer, Flags, HeapQueue, Instantaneous, Meter, MeterError, MeterState, Obeyed, PublicKey,
    Queue as _, Registers, Relay, Sample, SignedReading, TimeQuality,
};
use jirani_units::{HouseholdId, Timestamp};

/// Readings kept while nobody acknowledges: ten days of quarter hours.
const QUEUE_MAX: usize = 1_000;
/// What the simulated firmware is called: the first bytes of its image's hash.
const FIRMWARE: [u8; 8] = *b"village1";
const MAINS_MV: u32 = 240_000;
const MAINS_MHZ: u16 = 50_000;

/// A simulated meter.
pub struct SimulatedMeter {
    household: HouseholdId,
    meter: Meter<Ed25519Signer, HeapQueue>,
}

impl SimulatedMeter {
    /// A meter that goes on where `stored` left off.
    pub fn restore(
        household: HouseholdId,
        key: Ed25519Signer,
        gateway: PublicKey,
        stored: &StoredMeter,
        file: &VillageFile,
    ) -> Result<Self, VillageError> {
        let mut previous = [0; 8];
        if !stored.previous.is_empty() {
            let bytes =
                hex::decode(&stored.previous).map_err(|_| file.damaged("a hash is not hexadecimal"))?;
            previous = bytes.try_into().map_err(|_| file.damaged("a hash does not have 8 bytes"))?;
        }
        let mut queue = HeapQueue::with_bound(QUEUE_MAX);
        for (seq, text) in &stored.unacknowledged {
            let raw = hex::decode(text).map_err(|_| file.damaged("a reading is not hexadecimal"))?;
            let mut bytes = Buffer::new();
            bytes.extend(&raw).map_err(|_| file.damaged("a reading is too long"))?;
            let reading = SignedReading { epoch: stored.epoch, seq: *seq, bytes };
            queue.push(reading).map_err(|_| file.damaged("more readings than a meter keeps"))?;
        }
        let state = MeterState {
            epoch: stored.epoch,
            last_seq: stored.last_seq,
            last_time_us: stored.last_time_us,
            registers: Registers {
                import_wh: stored.import_wh,
                export_wh: stored.export_wh,
                generation_wh: stored.generation_wh,
            },
            previous,
            relay: if stored.relay_open { Relay::Open } else { Relay::Closed },
            last_command: stored.last_command,
        };
        Ok(Self { household, meter: Meter::new(key, gateway, FIRMWARE, queue, state) })
    }

    /// As it must be found again.
    pub fn stored(&self) -> StoredMeter {
        let state = self.meter.state();
        let mut unacknowledged = Vec::new();
        self.meter.queue().visit_oldest(QUEUE_MAX, &mut |reading| {
            unacknowledged.push((reading.seq, hex::encode(reading.bytes.as_slice())));
        });
        StoredMeter {
            epoch: state.epoch,
            last_seq: state.last_seq,
            last_time_us: state.last_time_us,
            import_wh: state.registers.import_wh,
            export_wh: state.registers.export_wh,
            generation_wh: state.registers.generation_wh,
            previous: hex::encode(state.previous),
            unacknowledged,
            relay_open: state.relay == Relay::Open,
            last_command: state.last_command,
        }
    }

    /// 32 hexadecimal digits.
    pub fn id(&self) -> jirani_units::MeterId {
        jirani_units::MeterId(self.meter.name())
    }

    /// Counts a slot and reads at its end; says how many readings that made. With a
    /// full memory it counts on without reading, as real ones do.
    pub fn count_and_read(
        &mut self,
        flow: HomeFlow,
        at: Timestamp,
        slot_s: u32,
        uptime_s: u32,
    ) -> Result<u64, VillageError> {
        let registers = Registers {
            import_wh: flow.import_wh,
            export_wh: flow.export_wh,
            generation_wh: flow.generation_wh,
        };
        let stopped = |source| VillageError::Meter { household: self.household, source };
        self.meter.count(registers).map_err(stopped)?;
        let power_w = mean_power(flow, slot_s);
        let sample = Sample {
            time_us: u64::try_from(at.0).unwrap_or(0),
            time_quality: TimeQuality::Synchronised,
            uptime_s,
            interval_s: slot_s,
            instantaneous: Instantaneous {
                voltage_mv: MAINS_MV,
                current_ma: power_w.unsigned_abs().saturating_mul(1_000_000) / MAINS_MV,
                power_w,
                frequency_millihertz: MAINS_MHZ,
                power_factor_thousandths: 1_000,
            },
            flags: Flags::default(),
        };
        match self.meter.read(sample) {
            Ok(_) => Ok(1),
            Err(MeterError::QueueFull) => Ok(0),
            Err(source) => Err(stopped(source)),
        }
    }

    /// The message to send now; `None` when all is acknowledged.
    pub fn message(&self) -> Option<Vec<u8>> {
        self.meter.message()
    }

    /// Where the relay is.
    pub fn relay(&self) -> Relay {
        self.meter.state().relay
    }

    /// Takes a command at `now`. One that was obeyed is kept with the next slot: if the
    /// village ends before that, no reading has told of it, and it is told again.
    pub fn command(&mut self, bytes: &[u8], now: Timestamp) {
        let time_us = u64::try_from(now.0).unwrap_or(0);
        match self.meter.command(bytes, time_us, TimeQuality::Synchronised) {
            Ok(Obeyed::Done) => {
                tracing::info!(household = %self.household, relay = ?self.relay(), "a relay moved");
            }
            Ok(Obeyed::Before | Obeyed::Void) => {}
            Err(error) => tracing::warn!(household = %self.household, %error, "a meter refused a command"),
        }
    }

    /// Takes an acknowledgement; says how many readings it freed.
    pub fn acknowledge(&mut self, bytes: &[u8]) -> usize {
        self.meter.acknowledge(bytes).unwrap_or_else(|error| {
            tracing::warn!(household = %self.household, %error, "a meter refused an acknowledgement");
            0
        })
    }
}

fn mean_power(flow: HomeFlow, slot_s: u32) -> i32 {
    let net = i128::from(flow.export_wh) - i128::from(flow.import_wh);
    i32::try_from(net * 3_600 / i128::from(slot_s.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_meter::{Ack, Signer as _};

    const FLOW: HomeFlow = HomeFlow { generation_wh: 30, import_wh: 5, export_wh: 0 };

    fn restore(stored: &StoredMeter) -> SimulatedMeter {
        let key = crate::registry::meter_key(1, HouseholdId(3));
        let gateway = PublicKey::from_bytes(&gateway().public_key()).unwrap();
        let file = VillageFile::in_folder(None);
        SimulatedMeter::restore(HouseholdId(3), key, gateway, stored, &file).unwrap()
    }

    fn gateway() -> Ed25519Signer {
        Ed25519Signer::from_seed(&[9; 32])
    }

    #[test]
    fn a_meter_killed_before_it_was_acknowledged_sends_the_same_bytes_again() {
        let mut meter = restore(&StoredMeter::default());
        meter.count_and_read(FLOW, Timestamp::from_seconds(900), 900, 900).unwrap();
        let stored = meter.stored();
        let sent = meter.message();
        drop(meter);
        let mut again = restore(&stored);
        assert_eq!(again.message(), sent);
        again.count_and_read(FLOW, Timestamp::from_seconds(1_800), 900, 1_800).unwrap();
        assert_eq!((again.stored().import_wh, again.stored().last_seq), (10, 2));
    }

    #[test]
    fn only_the_gateway_s_word_frees_a_reading() {
        let mut meter = restore(&StoredMeter::default());
        meter.count_and_read(FLOW, Timestamp::from_seconds(900), 900, 900).unwrap();
        let ack = Ack { meter: meter.id().0, epoch: 0, first_seq: 1, seq: 1 };
        let forged = ack.sign(&Ed25519Signer::from_seed(&[8; 32])).unwrap();
        assert_eq!(meter.acknowledge(forged.as_slice()), 0);
        assert_eq!(meter.acknowledge(ack.sign(&gateway()).unwrap().as_slice()), 1);
        assert_eq!(meter.message(), None);
    }
}
