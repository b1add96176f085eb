//! A new firmware on this meter: which image runs, which is fetched, which is on trial.
//! The rules are `logic::update` and `logic::trial`, tested with power cuts; here are the
//! chip's flash, its bootloader's partition table and its clock.

use crate::device::Flash;
use core::cell::RefCell;
use core::ops::Range;
use embassy_time::{Duration, Instant};
use esp_bootloader_esp_idf::partitions::{
    AppPartitionSubType, DataPartitionSubType, PARTITION_TABLE_MAX_LEN, PartitionType, read_partition_table,
};
use esp_storage::FlashStorage;
use jirani_firmware_logic::flash::Blocking;
use jirani_firmware_logic::image;
use jirani_firmware_logic::otadata::Slot;
use jirani_firmware_logic::store::Store;
use jirani_firmware_logic::trial::{self, Start, TRIAL_MS};
use jirani_firmware_logic::update::{Running, Update, UpdateError, hash};
use jirani_meter::fetch::WANT_MAX;
use jirani_meter::{Buffer, PublicKey, SignedRelease};

/// This firmware's version: what a release of it is signed with, and one more each time.
pub const VERSION: u32 = 1;

/// The processor, as images name it (ESP-IDF, `esp_chip_id_t`).
const CHIP: u16 = if cfg!(feature = "esp32") { 0 } else { 5 };
/// Which image is selected, and both images' places; `partitions.csv` says the same.
const OTADATA: u32 = 0xD000;
const IMAGES: [Range<u32>; 2] = [0x1_0000..0x18_0000, 0x18_0000..0x2F_0000];
/// When a piece that did not come is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

type Chip = &'static RefCell<FlashStorage<'static>>;

/// Whether the meter must start anew now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Then {
    /// It goes on.
    GoesOn,
    /// Another image is selected.
    Restarts,
}

/// What runs, as the bootloader started it.
#[derive(Clone, Copy, Debug)]
pub struct Booted {
    slot: Slot,
    /// The table has both images and their selection where this firmware expects them.
    has_both: bool,
    /// It must reach its gateway by then.
    trial_until: Option<Instant>,
}

/// The first thing after the store is open: counts a start of an image on trial.
pub fn start(flash: Chip, store: &mut Store<Flash>) -> (Booted, Then) {
    let (slot, has_both) = booted(flash);
    let mut booted = Booted { slot, has_both, trial_until: None };
    if !has_both {
        log::warn!("update: the partition table has no second image; no firmware is taken");
        return (booted, Then::GoesOn);
    }
    match trial::start(store, &mut Blocking::new(flash), OTADATA, slot) {
        Ok(Start::Settled) => {}
        Ok(Start::OnTrial) => {
            log::info!("update: version {VERSION} is on trial");
            booted.trial_until = Some(Instant::now() + Duration::from_millis(TRIAL_MS));
        }
        Ok(Start::Again) => return (booted, Then::Restarts),
        Err(error) => log::error!("{error}"),
    }
    (booted, Then::GoesOn)
}

/// The slot that runs, and whether updates are possible at all.
fn booted(flash: Chip) -> (Slot, bool) {
    let mut bytes = [0; PARTITION_TABLE_MAX_LEN];
    let mut flash = flash.borrow_mut();
    let Ok(table) = read_partition_table(&mut flash, &mut bytes) else { return (Slot::First, false) };
    let stands = |kind, at| {
        table.find_partition(kind).ok().flatten().is_some_and(|partition| partition.offset() == at)
    };
    let has_both = stands(PartitionType::Data(DataPartitionSubType::Ota), OTADATA)
        && stands(PartitionType::App(AppPartitionSubType::Ota0), IMAGES[0].start)
        && stands(PartitionType::App(AppPartitionSubType::Ota1), IMAGES[1].start);
    let runs = table.booted_partition().ok().flatten().map(|partition| partition.offset());
    let slot = if runs == Some(IMAGES[1].start) { Slot::Second } else { Slot::First };
    (slot, has_both)
}

/// The first 8 bytes of SHA-256 of the whole running image, as its release names it;
/// zeroes when it has no end that can be found.
pub fn firmware(flash: Chip, booted: &Booted) -> [u8; 8] {
    let start = match booted.slot {
        Slot::First => IMAGES[0].start,
        Slot::Second => IMAGES[1].start,
    };
    let mut flash = Blocking::new(flash);
    let read = |offset: u32, into: &mut [u8]| {
        embedded_storage::nor_flash::ReadNorFlash::read(&mut flash, start.checked_add(offset)?, into).ok()
    };
    let length = image::about(read).map(|about| about.length);
    let hash = length.and_then(|length| hash(&mut flash, start, length).ok());
    let mut first = [0; 8];
    if let Some(hash) = hash {
        first.copy_from_slice(&hash[..8]);
    }
    first
}

/// What is fetched, and what is on trial.
pub struct Updates {
    flash: Chip,
    running: Running,
    booted: Booted,
    update: Option<Update>,
    asked: Option<Instant>,
}

impl Updates {
    /// Goes on with what was fetched when power went. Only images of `maker` are taken.
    pub fn new(flash: Chip, store: &mut Store<Flash>, booted: Booted, maker: PublicKey) -> Self {
        let running = Running { version: VERSION, chip: CHIP, maker, slots: IMAGES, slot: booted.slot };
        let resumed = if booted.has_both { Update::resumed(store, &running) } else { Ok(None) };
        let update = resumed.unwrap_or_else(|error| {
            log::error!("{error}");
            None
        });
        Self { flash, running, booted, update, asked: None }
    }

    /// Takes an announcement.
    pub fn announced(&mut self, store: &mut Store<Flash>, signed: SignedRelease) -> Result<(), UpdateError> {
        if !self.booted.has_both {
            return Err(UpdateError::TooLarge);
        }
        let update = Update::announced(store, &self.running, signed)?;
        log::info!("update: version {} is fetched", update.release().version);
        (self.update, self.asked) = (Some(update), None);
        Ok(())
    }

    /// The question to send now.
    pub fn want(&mut self) -> Option<Buffer<WANT_MAX>> {
        if self.asked.is_some_and(|asked| asked.elapsed() < ASK_AGAIN) {
            return None;
        }
        let question = self.update.as_ref()?.want()?.encode().ok()?;
        self.asked = Some(Instant::now());
        Some(question)
    }

    /// Takes a piece.
    pub fn piece(&mut self, store: &mut Store<Flash>, bytes: &[u8]) {
        let Some(update) = &mut self.update else { return };
        match update.take(store, &mut Blocking::new(self.flash), bytes) {
            Ok(_) => self.asked = None,
            Err(error) => log::error!("{error}"),
        }
    }

    /// The gateway acknowledged something: this image stays.
    pub fn confirm(&mut self, store: &mut Store<Flash>) {
        if self.booted.trial_until.is_none() {
            return;
        }
        match trial::confirm(store, &mut Blocking::new(self.flash), OTADATA, self.booted.slot) {
            Ok(()) => {
                log::info!("update: version {VERSION} stays");
                self.booted.trial_until = None;
            }
            Err(error) => log::error!("{error}"),
        }
    }

    /// Twice a second: checks and selects an image that is all there, and goes back when a
    /// trial's time is over.
    pub fn look(&mut self, store: &mut Store<Flash>) -> Then {
        let mut flash = Blocking::new(self.flash);
        if let Some(update) = self.update.take_if(|update| update.want().is_none()) {
            match trial::begin(store, &mut flash, OTADATA, (&update, &self.running)) {
                Ok(()) => return Then::Restarts,
                Err(error) => log::error!("{error}"),
            }
        }
        if self.booted.trial_until.is_none_or(|until| Instant::now() < until) {
            return Then::GoesOn;
        }
        log::warn!("update: version {VERSION} did not reach its gateway; the one before comes back");
        self.booted.trial_until = None;
        match trial::give_up(store, &mut flash, OTADATA, self.booted.slot) {
            Ok(Start::Again) => Then::Restarts,
            Ok(_) => Then::GoesOn,
            Err(error) => {
                log::error!("{error}");
                Then::GoesOn
            }
        }
    }
}
