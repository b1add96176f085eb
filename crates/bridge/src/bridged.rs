//! A device with the meter that the site is for it.

use crate::error::BridgeError;
use crate::file::{DeviceFile, StoredDevice};
use crate::status::Status;
use jirani_devices::{Decoder, Message, Moment, Outcome, Register, Shown, Tally};
use jirani_meter::queue::keep_of;
use jirani_meter::{
    Buffer, Ed25519Signer, Flags, HeapQueue, Instantaneous, Meter, MeterError, MeterState, PublicKey,
    Queue as _, Reading, Registers, Sample, SignedReading, TimeQuality,
};
use jirani_store::ReadingRow;
use jirani_units::{MeterId, Timestamp};

/// Readings kept while nobody acknowledges: 30 days of quarter hours.
const QUEUE_MAX: usize = 2_880;
/// More waiting than this, and only quarter hours are kept.
const QUEUE_DENSE: usize = 120;
/// A quarter of an hour, in seconds.
const QUARTER_S: u32 = 900;

/// A bridged device.
pub(crate) struct Bridged {
    decoder: Decoder,
    tally: Tally,
    base: Registers,
    meter: Meter<Ed25519Signer, HeapQueue>,
    file: DeviceFile,
    /// Whether everything that would be published is on disk.
    is_kept: bool,
    started: Timestamp,
    status: Status,
}

impl Bridged {
    /// Goes on where the file left off; without one, behind the last reading that is stored.
    pub(crate) fn restore(
        decoder: Decoder,
        key: &[u8; 32],
        gateway: PublicKey,
        file: DeviceFile,
        latest: Option<&ReadingRow>,
        started: Timestamp,
        status: Status,
    ) -> Result<Self, BridgeError> {
        let key = Ed25519Signer::from_seed(key);
        let firmware = decoder.definition().fingerprint;
        let mut queue = HeapQueue::with_bound(QUEUE_MAX);
        let Some(stored) = file.read()? else {
            let state = latest.map_or(MeterState { epoch: 1, ..MeterState::default() }, state_behind);
            let base = state.registers;
            let meter = Meter::new(key, gateway, firmware, queue, state);
            return Ok(Self {
                decoder,
                tally: latest.map_or_else(Tally::default, |row| Tally::behind(row.time)),
                base,
                meter,
                file,
                is_kept: true,
                started,
                status,
            });
        };
        let previous = hex::decode(&stored.previous).ok().and_then(|bytes| bytes.try_into().ok());
        let previous = previous.ok_or_else(|| file.damaged("a hash does not have 8 bytes"))?;
        let mut before_us = None;
        for (seq, text) in &stored.unacknowledged {
            let bytes = hex::decode(text).ok().and_then(|bytes| Buffer::from_slice(&bytes).ok());
            let bytes = bytes.ok_or_else(|| file.damaged("a reading is none"))?;
            let reading = SignedReading { epoch: stored.epoch, seq: *seq, bytes };
            let (read, _) =
                Reading::decode(reading.bytes.as_slice()).map_err(|_| file.damaged("a reading is none"))?;
            let keep = keep_of(before_us.replace(read.time_us), read.time_us);
            queue.push(reading, keep).map_err(|_| file.damaged("more readings than are kept"))?;
        }
        let state = MeterState {
            epoch: stored.epoch,
            last_seq: stored.last_seq,
            last_time_us: stored.last_time_us,
            registers: stored.registers.into(),
            previous,
            ..MeterState::default()
        };
        // A new generation of the device: its next value is a baseline, and our registers go on.
        let (tally, base) = if stored.generation == decoder.device().generation {
            (stored.tally, stored.base.into())
        } else {
            (stored.tally.anew(&decoder), state.registers)
        };
        let meter = Meter::new(key, gateway, firmware, queue, state);
        Ok(Self { decoder, tally, base, meter, file, is_kept: true, started, status })
    }

    /// The meter's name.
    pub(crate) fn id(&self) -> MeterId {
        MeterId(self.meter.name())
    }

    /// The device.
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Takes a message of the device. Blocks while it is written to disk.
    pub(crate) fn hear(&mut self, message: Message<'_>) -> Result<(), BridgeError> {
        let device = self.decoder.device().id.clone();
        let heard = match self.decoder.hear(message) {
            Ok(Some(heard)) => heard,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.refused(&device, &error);
                return Ok(());
            }
        };
        match self.tally.take(&self.decoder, &heard) {
            Ok(Outcome::Nothing) => self.status.note(&device, |status| status.nothing += 1),
            Ok(Outcome::Suspected(value)) => {
                tracing::warn!(%device, "device.suspected: {value} fell; the next message tells why");
                self.status.note(&device, |status| {
                    *status.refused.entry("device.suspected").or_default() += 1;
                });
            }
            Ok(Outcome::Taken { moment, counted, resets, roll_overs, missing_pages }) => {
                let anew = resets.len() + roll_overs.len();
                if anew + usize::from(missing_pages > 0) > 0 {
                    tracing::warn!(%device, ?resets, ?roll_overs, missing_pages, "a device began anew, or left out records");
                }
                self.status.note(&device, |status| {
                    status.taken += 1;
                    status.began_anew += anew as u64;
                    status.last = Some(moment.time());
                });
                // Power alone would be read with registers of an earlier time.
                if counted {
                    self.read_if_due(moment, heard.record.as_deref())?;
                }
            }
            Err(error) => self.refused(&device, &error),
        }
        Ok(())
    }

    fn refused(&self, device: &str, error: &jirani_devices::DeviceError) {
        tracing::warn!(%device, "{error}");
        self.status.note(device, |status| *status.refused.entry(error.code()).or_default() += 1);
    }

    /// Reads once an interval, as soon as every register is known.
    fn read_if_due(&mut self, moment: Moment, record: Option<&[u8]>) -> Result<(), BridgeError> {
        if !self.tally.is_complete(&self.decoder) {
            return Ok(());
        }
        let interval_s = self.decoder.device().interval_s;
        let dense = self.meter.queue().len() < QUEUE_DENSE;
        let every_us = i64::from(if dense { interval_s } else { QUARTER_S }) * 1_000_000;
        let (time, last) = (moment.time().0, self.meter.state().last_time_us);
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        // A signed record is evidence of its own reading.
        if record.is_none() && time.div_euclid(every_us) <= last.div_euclid(every_us) {
            return Ok(());
        }
        self.meter.count(self.grown())?;
        let sample = Sample {
            time_us: u64::try_from(time).unwrap_or(0),
            time_quality: match moment {
                Moment::Received(_) | Moment::Signed(_) => TimeQuality::Synchronised,
                Moment::Device(_) => TimeQuality::HeldOver,
            },
            uptime_s: u32::try_from(moment.time().since(self.started) / 1_000_000).unwrap_or(0),
            interval_s,
            instantaneous: self.now(),
            flags: Flags(Flags::SITE_SIGNED),
        };
        self.is_kept = false;
        match self.meter.read(sample) {
            Ok(seq) => {
                if let Some(record) = record {
                    self.file.add_record(seq, record)?;
                }
                self.status.note(&self.decoder.device().id, |status| status.readings += 1);
            }
            // The registers count on; the moment is lost, no energy is.
            Err(MeterError::QueueFull) => {}
            Err(error) => return Err(error.into()),
        }
        self.keep()
    }

    /// By how much the tally is ahead of the meter's registers.
    fn grown(&self) -> Registers {
        let (base, now) = (self.base, self.meter.state().registers);
        let ahead = |register, base: u64, now: u64| {
            base.saturating_add(self.tally.wh(&self.decoder, register)).saturating_sub(now)
        };
        Registers {
            import_wh: ahead(Register::Import, base.import_wh, now.import_wh),
            export_wh: ahead(Register::Export, base.export_wh, now.export_wh),
            generation_wh: ahead(Register::Generation, base.generation_wh, now.generation_wh),
        }
    }

    fn now(&self) -> Instantaneous {
        let shown = |kind| self.tally.shown(&self.decoder, kind);
        let power_mw = shown(Shown::PowerPushed).saturating_sub(shown(Shown::PowerDrawn));
        Instantaneous {
            voltage_mv: u32::try_from(shown(Shown::Voltage)).unwrap_or(0),
            current_ma: u32::try_from(shown(Shown::Current).saturating_abs()).unwrap_or(0),
            power_w: i32::try_from(power_mw / 1_000).unwrap_or(0),
            frequency_millihertz: u16::try_from(shown(Shown::Frequency)).unwrap_or(0),
            power_factor_thousandths: 0,
        }
    }

    /// Takes an acknowledgement; says whether it freed anything. The file is written with the
    /// next reading: until then what was freed would only be sent once more.
    pub(crate) fn acknowledge(&mut self, bytes: &[u8]) -> bool {
        match self.meter.acknowledge(bytes) {
            Ok(freed) => freed > 0,
            Err(error) => {
                tracing::warn!(device = %self.decoder.device().id, %error, "an acknowledgement was refused");
                false
            }
        }
    }

    /// Answers a challenge of the gateway, which proves that the site has the meter's key.
    /// Commands are not taken: a bridged device has no relay of ours, and its interval and
    /// time are the site's settings.
    pub(crate) fn answer(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.meter.answer(bytes) {
            Ok(answer) => Some(answer.as_slice().to_vec()),
            Err(error) => {
                tracing::warn!(device = %self.decoder.device().id, %error, "not taken: only challenges are");
                None
            }
        }
    }

    /// What is to be sent now; nothing that is not on disk.
    pub(crate) fn message(&self) -> Option<Vec<u8>> {
        if self.is_kept { self.meter.message() } else { None }
    }

    /// Writes the device to disk; done once more after a disk that was full.
    pub(crate) fn keep(&mut self) -> Result<(), BridgeError> {
        let (generation, queue) = (self.decoder.device().generation, self.meter.queue());
        let stored = StoredDevice::of(generation, self.tally.clone(), self.base, self.meter.state(), queue);
        self.file.write(&stored)?;
        self.is_kept = true;
        Ok(())
    }

    /// Whether something could not be written yet.
    pub(crate) const fn waits_for_disk(&self) -> bool {
        !self.is_kept
    }
}

/// A meter's state behind a stored reading.
fn state_behind(row: &ReadingRow) -> MeterState {
    let mut previous = [0; 8];
    let mut bytes = Buffer::new();
    // A stored reading fits: it came as one.
    if bytes.extend(&row.bytes).is_ok() {
        previous = SignedReading { epoch: row.epoch, seq: row.seq, bytes }.short_hash();
    }
    MeterState {
        epoch: row.epoch,
        last_seq: row.seq,
        last_time_us: u64::try_from(row.time.0).unwrap_or(0),
        registers: Registers {
            import_wh: row.import_wh.0,
            export_wh: row.export_wh.0,
            generation_wh: row.generation_wh.0,
        },
        previous,
        ..MeterState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_devices::{SiteDevice, built_in};
    use jirani_meter::Signer as _;
    use serde_json::json;
    use std::collections::BTreeMap;

    const TAKEN: Timestamp = Timestamp::from_seconds(1_780_304_400);

    fn restored(folder: &std::path::Path, generation: u32, latest: Option<&ReadingRow>) -> serde_json::Value {
        let device = SiteDevice {
            id: "a".to_owned(),
            definition: "shelly-em".to_owned(),
            generation,
            import_rating_w: 5_000,
            export_rating_w: 5_000,
            pv_rated_w: 0,
            interval_s: 60,
            parameters: BTreeMap::new(),
        };
        let decoder = Decoder::new(built_in("shelly-em").unwrap(), device).unwrap();
        let gateway = Ed25519Signer::from_seed(&[2; 32]).public_key();
        let gateway = PublicKey::from_bytes(&gateway).unwrap();
        let file = DeviceFile::new(folder, "a");
        let bridged =
            Bridged::restore(decoder, &[1; 32], gateway, file, latest, TAKEN, Status::default()).unwrap();
        serde_json::to_value(&bridged.tally).unwrap()
    }

    #[test]
    fn what_was_taken_stays_taken_in_a_new_generation_and_without_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let told = json!({"counters": {}, "shown": {"power": 7}, "last_us": TAKEN.0, "pages": {"T": 7}});
        let tally: Tally = serde_json::from_value(told).unwrap();
        let state = MeterState { epoch: 1, ..MeterState::default() };
        let queue = HeapQueue::with_bound(1);
        let stored = StoredDevice::of(1, tally, Registers::default(), state, &queue);
        DeviceFile::new(folder.path(), "a").write(&stored).unwrap();
        let anew = restored(folder.path(), 2, None);
        assert_eq!((&anew["last_us"], &anew["pages"]), (&json!(TAKEN.0), &json!({"T": 7})));
        assert_eq!(anew["shown"], json!({}), "its values are the old device's");

        let elsewhere = tempfile::tempdir().unwrap();
        let row = ReadingRow {
            meter: MeterId([1; 16]),
            epoch: 1,
            seq: 9,
            household: jirani_units::HouseholdId(1),
            time: TAKEN,
            import_wh: jirani_units::Wh(5),
            export_wh: jirani_units::Wh(0),
            generation_wh: jirani_units::Wh(0),
            power_w: 0,
            bytes: vec![1],
            received_at: TAKEN,
        };
        assert_eq!(restored(elsewhere.path(), 1, Some(&row))["last_us"], json!(TAKEN.0));
    }
}
