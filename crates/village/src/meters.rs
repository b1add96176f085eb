//! The village's meters: the code that real ones run, with a memory on disk.

use crate::error::VillageError;
use crate::file::{StoredMeter, VillageFile};
use crate::physics::HomeFlow;
use jirani_meter::queue::{BOUNDARIES_KEPT, MINUTES_KEPT};
use jirani_meter::{
    Buffer, Ed25519Signer, Flags, HeapQueue, Heard, Instantaneous, Keep, Meter, MeterError, MeterState,
    Obeyed, PublicKey, Queue as _, Registers, Relay, Sample, Schedule, SignedReading, TimeQuality,
};
use jirani_units::{HouseholdId, Timestamp};

/// Readings kept while nobody acknowledges: what every meter keeps.
const QUEUE_MAX: usize = BOUNDARIES_KEPT + MINUTES_KEPT;
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
        let minutes = stored.unacknowledged.iter().map(|(seq, text)| (seq, text, Keep::Minute));
        let boundaries = stored.boundaries.iter().map(|(seq, text)| (seq, text, Keep::Boundary));
        let mut unacknowledged: Vec<_> = boundaries.chain(minutes).collect();
        unacknowledged.sort_unstable_by_key(|(seq, ..)| **seq);
        for (seq, text, keep) in unacknowledged {
            let raw = hex::decode(text).map_err(|_| file.damaged("a reading is not hexadecimal"))?;
            let mut bytes = Buffer::new();
            bytes.extend(&raw).map_err(|_| file.damaged("a reading is too long"))?;
            let reading = SignedReading { epoch: stored.epoch, seq: *seq, bytes };
            queue.push(reading, keep).map_err(|_| file.damaged("more readings than a meter keeps"))?;
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
            last_order: stored.last_order,
            interval_s: stored.interval_s,
            untold: Flags(stored.untold),
        };
        Ok(Self { household, meter: Meter::new(key, gateway, FIRMWARE, queue, state) })
    }

    /// As it must be found again.
    pub fn stored(&self) -> StoredMeter {
        let state = self.meter.state();
        let (mut unacknowledged, mut boundaries) = (Vec::new(), Vec::new());
        self.meter.queue().visit_kept(&mut |reading, keep| {
            let list = if keep == Keep::Boundary { &mut boundaries } else { &mut unacknowledged };
            list.push((reading.seq, hex::encode(reading.bytes.as_slice())));
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
            boundaries,
            relay_open: state.relay == Relay::Open,
            last_command: state.last_command,
            last_order: state.last_order,
            interval_s: state.interval_s,
            untold: state.untold.0,
        }
    }

    /// 32 hexadecimal digits.
    pub fn id(&self) -> jirani_units::MeterId {
        jirani_units::MeterId(self.meter.name())
    }

    /// Counts a slot's energy and reads as often as the operator wants, at the slot's end
    /// at least; says how many readings that made. With a full memory it counts on without
    /// reading, as real ones do.
    pub fn count_and_read(
        &mut self,
        flow: HomeFlow,
        end: Timestamp,
        slot_s: u32,
        uptime_s: u32,
    ) -> Result<u64, VillageError> {
        let told = self.meter.state().interval_s;
        let wanted = if told == 0 { slot_s } else { Schedule::interval_s(told, self.meter.queue().len()) };
        // A slot of another length than the usual is read at its end alone.
        let interval_s = if slot_s.is_multiple_of(wanted) { wanted } else { slot_s };
        let parts = slot_s / interval_s;
        let mut made = 0;
        for part in 1..=parts {
            let left_s = (parts - part) * interval_s;
            let at = end.plus_seconds(-i64::from(left_s));
            let energy = Registers {
                import_wh: part_of(flow.import_wh, part, parts),
                export_wh: part_of(flow.export_wh, part, parts),
                generation_wh: part_of(flow.generation_wh, part, parts),
            };
            let uptime_s = uptime_s.saturating_sub(left_s);
            made += self.count_part(energy, mean_power(flow, slot_s), (at, uptime_s, interval_s))?;
        }
        Ok(made)
    }

    fn count_part(
        &mut self,
        energy: Registers,
        power_w: i32,
        (at, uptime_s, interval_s): (Timestamp, u32, u32),
    ) -> Result<u64, VillageError> {
        let stopped = |source| VillageError::Meter { household: self.household, source };
        self.meter.count(energy).map_err(stopped)?;
        let sample = Sample {
            time_us: u64::try_from(at.0).unwrap_or(0),
            time_quality: TimeQuality::Synchronised,
            uptime_s,
            interval_s,
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

    /// Takes what came on the leaf for commands at `now`; gives the answer when it was a
    /// challenge. What was obeyed is kept with the next slot: if the village ends before
    /// that, no reading has told of it, and it is told again.
    pub fn hear(&mut self, bytes: &[u8], now: Timestamp) -> Option<Vec<u8>> {
        let time_us = u64::try_from(now.0).unwrap_or(0);
        let household = self.household;
        match self.meter.hear(bytes, time_us, TimeQuality::Synchronised) {
            Ok(Heard::Command(Obeyed::Done)) => {
                tracing::info!(%household, relay = ?self.relay(), "a meter obeyed");
            }
            // Its clock is the village's, and it is no image that could be exchanged.
            Ok(Heard::Command(_)) => {}
            Ok(Heard::Challenge(answer)) => return Some(answer.as_slice().to_vec()),
            Err(error) => tracing::warn!(%household, %error, "a meter refused a command"),
        }
        None
    }

    /// Takes an acknowledgement; says how many readings it freed.
    pub fn acknowledge(&mut self, bytes: &[u8]) -> usize {
        self.meter.acknowledge(bytes).unwrap_or_else(|error| {
            tracing::warn!(household = %self.household, %error, "a meter refused an acknowledgement");
            0
        })
    }
}

/// What the `part`th of `parts` equal stretches adds, so that all of them add up.
fn part_of(whole: u64, part: u32, parts: u32) -> u64 {
    let until = |part: u32| u128::from(whole) * u128::from(part) / u128::from(parts);
    u64::try_from(until(part) - until(part - 1)).unwrap_or(u64::MAX)
}

fn mean_power(flow: HomeFlow, slot_s: u32) -> i32 {
    let net = i128::from(flow.export_wh) - i128::from(flow.import_wh);
    i32::try_from(net * 3_600 / i128::from(slot_s.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_meter::{Ack, Action, Command, Reading, Signer as _};

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
    fn a_meter_that_is_told_to_reads_every_five_minutes_and_loses_no_watt_hour() {
        let mut meter = restore(&StoredMeter::default());
        let action = Action::SetInterval { seconds: 300 };
        let order = Command { meter: meter.id().0, number: 9, action }.sign(&gateway()).unwrap();
        assert_eq!(meter.hear(order.as_slice(), Timestamp(1)), None);
        let mut meter = restore(&meter.stored());
        let flow = HomeFlow { generation_wh: 10, import_wh: 7, export_wh: 2 };
        assert_eq!(meter.count_and_read(flow, Timestamp::from_seconds(900), 900, 900).unwrap(), 3);
        let stored = meter.stored();
        assert_eq!((stored.import_wh, stored.export_wh, stored.generation_wh), (7, 2, 10));
        // The first begins the meter's life, the last a slot.
        assert_eq!((stored.boundaries.len(), stored.unacknowledged.len()), (2, 1));
        let sent = meter.message();
        assert_eq!(restore(&stored).message(), sent);
        let sent = sent.unwrap();
        let readings = jirani_meter::message::split(&sent).unwrap();
        let told = readings.map(|signed| Reading::decode_payload(signed.unwrap().payload).unwrap());
        let told: Vec<_> = told.map(|r| (r.time_us / 1_000_000, r.uptime_s, r.interval_s)).collect();
        assert_eq!(told, [(300, 300, 300), (600, 600, 300), (900, 900, 300)]);
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
