//! The meter as a whole: the core with its flash, its clock and its integration.
//!
//! Nothing is sent before the state that made it is kept; see `logic::state`.

use crate::update::{Then, Updates};
use embassy_time::Instant;
use esp_storage::FlashStorage;
use jirani_firmware_logic::flash::Shared;
use jirani_firmware_logic::integration::{Integrator, Powers};
use jirani_firmware_logic::modbus::Measurement;
use jirani_firmware_logic::queue::FlashQueue;
use jirani_firmware_logic::state::Kept;
use jirani_firmware_logic::store::{Name, Store};
use jirani_meter::fetch::WANT_MAX;
use jirani_meter::{
    ANSWER_MAX, Buffer, Clock, Ed25519Signer, Flags, Heard, Instantaneous, Meter, MeterError, MeterName,
    MeterState, Obeyed, Queue as _, Relay, Sample, Schedule, TimeQuality,
};

/// The flash as queue and store see it.
pub type Flash = Shared<'static, FlashStorage<'static>>;
/// The core with its key and queue.
pub type Core = Meter<Ed25519Signer, FlashQueue<Flash>>;

/// Most bytes of a message: what the network's buffers hold.
pub const MESSAGE: usize = 2 + 16 * jirani_meter::READING_MAX;
/// Readings of one message.
const MESSAGE_READINGS: usize = 16;
/// How often the state is kept while only the registers move, ms. Flash lasts 100,000
/// erasures a page: this spends about 4,600 a year on each of 16.
const KEEP_MS: u64 = 10_000;

/// The meter.
pub struct Device {
    core: Core,
    store: Store<Flash>,
    clock: Clock,
    integrator: Integrator,
    schedule: Schedule,
    updates: Updates,
    now: Instantaneous,
    kept_ms: u64,
    /// The state in flash is that of the last reading.
    is_kept: bool,
}

impl Device {
    /// From its parts; `kept` is the state that `core` was made with.
    pub fn new(core: Core, store: Store<Flash>, updates: Updates, kept: &Kept) -> Self {
        Self {
            core,
            store,
            clock: Clock::new(kept.meter.last_time_us),
            integrator: Integrator::new(kept.remainders),
            schedule: Schedule::default(),
            updates,
            now: Instantaneous::default(),
            kept_ms: 0,
            is_kept: true,
        }
    }

    /// The meter's name.
    pub fn name(&self) -> MeterName {
        self.core.name()
    }

    /// Registers, relay and numbers.
    pub fn state(&self) -> MeterState {
        self.core.state()
    }

    /// The moment's values.
    pub fn now(&self) -> Instantaneous {
        self.now
    }

    /// Readings that wait.
    pub fn waiting(&self) -> usize {
        self.core.queue().len()
    }

    /// Where the relay must be.
    pub fn relay(&self) -> Relay {
        self.core.state().relay
    }

    /// The time and what it is worth.
    pub fn time(&self) -> (u64, TimeQuality) {
        self.clock.time(Instant::now().as_micros())
    }

    /// Takes the network's time, microseconds since 1970.
    pub fn set_time(&mut self, time_us: u64) {
        self.clock.set(time_us, Instant::now().as_micros());
    }

    /// Counts what both ICs measured.
    pub fn measured(&mut self, generation: &Measurement, load: &Measurement) -> Result<(), MeterError> {
        let powers =
            Powers { generation_deciwatts: generation.power_deciwatts, load_deciwatts: load.power_deciwatts };
        let thousandths = i16::try_from(load.power_factor_hundredths.min(100) * 10).unwrap_or_default();
        self.now = Instantaneous {
            voltage_mv: u32::from(load.voltage_decivolts) * 100,
            current_ma: load.current_ma,
            power_w: i32::try_from(powers.net_deciwatts() / 10).unwrap_or(i32::MAX),
            frequency_millihertz: load.frequency_decihertz.saturating_mul(100),
            power_factor_thousandths: thousandths,
        };
        let now_ms = Instant::now().as_millis();
        let energy = self.integrator.sample(now_ms, powers);
        self.core.count(energy)?;
        if now_ms.saturating_sub(self.kept_ms) >= KEEP_MS {
            self.keep();
        }
        Ok(())
    }

    /// Notes what the switches say, at every beat: what is noted is told even when it was
    /// so for a moment only and power went before the next reading.
    pub fn watch(&mut self, cover_is_open: bool) {
        let before = self.core.state().untold;
        self.core.note(Flags(if cover_is_open { Flags::COVER_OPEN } else { 0 }));
        if self.core.state().untold != before {
            self.keep();
        }
    }

    /// Makes a reading when one is due.
    pub fn read_if_due(&mut self) -> Result<(), MeterError> {
        let (time_us, time_quality) = self.time();
        let interval_s = Schedule::interval_s(self.core.state().interval_s, self.waiting());
        if !self.schedule.is_due(time_us, interval_s) {
            return Ok(());
        }
        let uptime_s = u32::try_from(Instant::now().as_secs()).unwrap_or(u32::MAX);
        let made = self.core.read(Sample {
            time_us,
            time_quality,
            uptime_s,
            interval_s,
            instantaneous: self.now,
            flags: Flags::default(),
        });
        self.keep();
        made.map(|_| ())
    }

    /// What to send now; nothing while the state is not kept.
    pub fn message(&mut self) -> Option<Buffer<MESSAGE>> {
        if !self.is_kept {
            self.keep();
        }
        self.core.message_within(MESSAGE_READINGS).filter(|_| self.is_kept)
    }

    /// Takes an acknowledgement; says how many readings it freed.
    pub fn acknowledge(&mut self, bytes: &[u8]) -> Result<usize, MeterError> {
        let freed = self.core.acknowledge(bytes)?;
        self.updates.confirm(&mut self.store);
        Ok(freed)
    }

    /// Takes a command, and keeps what it did before anybody sees it; or a challenge, and
    /// gives the answer.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Option<Buffer<ANSWER_MAX>>, MeterError> {
        let (time_us, time_quality) = self.time();
        let obeyed = match self.core.hear(bytes, time_us, time_quality)? {
            Heard::Challenge(answer) => return Ok(Some(answer)),
            Heard::Command(obeyed) => obeyed,
        };
        log::info!("command: {obeyed:?}");
        match obeyed {
            Obeyed::Before | Obeyed::Void => return Ok(None),
            Obeyed::Done => {}
            Obeyed::TimeTold(time_us) => self.clock.take(time_us, Instant::now().as_micros()),
            Obeyed::Announced(signed) => {
                // Before the number: the gateway announces until a reading shows the image.
                if let Err(error) = self.updates.announced(&mut self.store, signed) {
                    log::error!("{error}");
                }
            }
        }
        self.keep();
        Ok(None)
    }

    /// The question for a piece of firmware to send now.
    pub fn want(&mut self) -> Option<Buffer<WANT_MAX>> {
        self.updates.want()
    }

    /// Takes a piece of firmware.
    pub fn piece(&mut self, bytes: &[u8]) {
        self.updates.piece(&mut self.store, bytes);
    }

    /// Twice a second: whether another firmware is to be started.
    pub fn look_for_firmware(&mut self) -> Then {
        self.updates.look(&mut self.store)
    }

    /// Settings, for the serial line.
    pub fn store(&mut self) -> &mut Store<Flash> {
        &mut self.store
    }

    fn keep(&mut self) {
        let kept = Kept { meter: self.core.state(), remainders: self.integrator.remainders() };
        self.kept_ms = Instant::now().as_millis();
        let outcome = self.store.put(Name::State, &kept.encode());
        if let Err(error) = outcome {
            log::error!("{error}");
        }
        self.is_kept = outcome.is_ok();
    }
}
