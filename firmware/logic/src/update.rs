//! A new firmware: from the announcement to the whole image in the slot that does not run.
//!
//! Memory is bounded by one piece. Each page of flash is erased, filled piece by piece
//! and then noted, so a power cut costs one page at most. What was fetched is believed
//! only when it was read back from flash whole: its SHA-256 is the announced one, the
//! announcement is signed by the firmware's maker, and the image itself says that it is
//! for this processor and of the announced version. Older ones are refused before a byte
//! is fetched.

use crate::otadata::Slot;
use crate::state::{decode_announced, encode_announced};
use crate::store::{Name, Store, StoreError, VALUE_MAX};
use crate::{PAGE, image, trial};
use core::ops::Range;
use embedded_storage::nor_flash::NorFlash;
use embedded_storage_async::nor_flash::NorFlash as StoreFlash;
use jirani_meter::fetch::{ImageName, PIECE_BYTES, Piece, Want};
use jirani_meter::{PublicKey, Release, SignedRelease};
use sha2::{Digest as _, Sha256};

/// Bytes of a flash word: what is written at once.
const WORD: usize = 4;

/// What runs, and what may replace it.
#[derive(Clone, Debug)]
pub struct Running {
    /// The running image's version; only later ones are taken.
    pub version: u32,
    /// The processor, as images name it (ESP32-C3: 5).
    pub chip: u16,
    /// Whose images are taken.
    pub maker: PublicKey,
    /// Where images stand in flash.
    pub slots: [Range<u32>; 2],
    /// The slot that runs.
    pub slot: Slot,
}

impl Running {
    /// Where an image of this slot stands.
    pub fn range(&self, slot: Slot) -> Range<u32> {
        match slot {
            Slot::First => self.slots[0].clone(),
            Slot::Second => self.slots[1].clone(),
        }
    }
}

/// Why an image is not taken. The running one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// Not later than the running one.
    #[error("update.too_old: the announced firmware is not later than the running one")]
    TooOld,
    /// The running one is on trial.
    #[error(
        "update.on_trial: the running firmware is on trial, and the one before it is the way back; announce again once it stays"
    )]
    OnTrial,
    /// It does not fit its slot.
    #[error("update.too_large: the announced firmware is longer than its place in flash")]
    TooLarge,
    /// Not the maker's.
    #[error("update.not_signed: the announced firmware is not signed by the maker this meter trusts")]
    NotSigned,
    /// What was fetched is something else.
    #[error("update.wrong_hash: what stands in flash is not the announced firmware; it is dropped")]
    WrongHash,
    /// Not an image for this processor.
    #[error("update.not_an_image: the fetched firmware is no image for this processor; it is dropped")]
    NotAnImage,
    /// The image says another version than its announcement.
    #[error("update.other_version: the fetched firmware has another version inside; it is dropped")]
    OtherVersion,
    /// The flash failed.
    #[error("update.flash: the flash did not take the new firmware; it is tried again")]
    Flash,
    /// What must be remembered could not be.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in flash; the next one is wanted.
    Written,
    /// It is not the one that is wanted. Nothing happened.
    Ignored,
}

/// An image under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    signed: SignedRelease,
    place: Range<u32>,
    /// Bytes that are in flash.
    done: u32,
}

impl Update {
    /// Takes an announcement and remembers it; one that is under way goes on. None is taken
    /// while the running image is on trial.
    pub fn announced<F: StoreFlash>(
        store: &mut Store<F>,
        running: &Running,
        signed: SignedRelease,
    ) -> Result<Self, UpdateError> {
        let release = signed.release;
        let place = running.range(running.slot.other());
        if release.version <= running.version {
            return Err(UpdateError::TooOld);
        }
        if u32::try_from(place.len()).is_ok_and(|room| release.size > room) {
            return Err(UpdateError::TooLarge);
        }
        signed.verify(&running.maker).map_err(|_| UpdateError::NotSigned)?;
        // The slot that does not run holds the image that comes back when the trial fails.
        if trial::is_under_way(store)? {
            return Err(UpdateError::OnTrial);
        }
        if let Some(same) = Self::resumed(store, running)?.filter(|kept| kept.signed == signed) {
            return Ok(same);
        }
        // The announcement last: with it all of it counts.
        forget(store)?;
        store.put(Name::AnnouncedSignature, &signed.signature)?;
        store.put(Name::Announced, &encode_announced(&release))?;
        Ok(Self { signed, place, done: 0 })
    }

    /// What was under way when power went; nothing when it is no longer later than what
    /// runs, or not its maker's.
    pub fn resumed<F: StoreFlash>(
        store: &mut Store<F>,
        running: &Running,
    ) -> Result<Option<Self>, UpdateError> {
        let Some(signed) = kept(store)? else { return Ok(None) };
        let name = name(&signed.release);
        let mut value = [0; VALUE_MAX];
        let done = match store.get(Name::Fetched, &mut value)? {
            Some([image @ .., a, b, c, d]) if *image == name => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        let place = running.range(running.slot.other());
        let room = u32::try_from(place.len()).unwrap_or(u32::MAX);
        let Release { version, size, .. } = signed.release;
        let is_good = version > running.version && size <= room && done <= size;
        let is_good = is_good && signed.verify(&running.maker).is_ok();
        Ok(is_good.then_some(Self { signed, place, done }))
    }

    /// Which image.
    pub fn release(&self) -> Release {
        self.signed.release
    }

    /// What to ask for now; nothing when all is there.
    pub fn want(&self) -> Option<Want> {
        let left = self.signed.release.size.checked_sub(self.done).filter(|left| *left > 0)?;
        let length = u16::try_from(left).unwrap_or(u16::MAX).min(PIECE_U16);
        Some(Want { image: name(&self.signed.release), offset: self.done, length })
    }

    /// Writes a piece that came.
    pub fn take<S: StoreFlash, F: NorFlash>(
        &mut self,
        store: &mut Store<S>,
        flash: &mut F,
        bytes: &[u8],
    ) -> Result<Taken, UpdateError> {
        let Ok(piece) = Piece::decode(bytes) else { return Ok(Taken::Ignored) };
        let wanted = self.want().is_some_and(|want| {
            (want.image, want.offset) == (piece.image, piece.offset)
                && usize::from(want.length) == piece.bytes.len()
        });
        if !wanted {
            return Ok(Taken::Ignored);
        }
        let at = self.place.start + self.done;
        if self.done.is_multiple_of(PAGE) {
            flash.erase(at, at + PAGE).map_err(|_| UpdateError::Flash)?;
        }
        let mut words = [0xFF; PIECE_BYTES];
        words[..piece.bytes.len()].copy_from_slice(piece.bytes);
        let whole = piece.bytes.len().next_multiple_of(WORD);
        if flash.write(at, &words[..whole]).is_err() {
            // A page that was half written cannot be written again before it is erased.
            self.done -= self.done % PAGE;
            return Err(UpdateError::Flash);
        }
        // INVARIANT: a piece has at most 1,024 bytes and ends within the image.
        self.done += u32::try_from(piece.bytes.len()).unwrap_or_default();
        if self.done.is_multiple_of(PAGE) || self.want().is_none() {
            let mut noted = [0; 12];
            noted[..8].copy_from_slice(&piece.image);
            noted[8..].copy_from_slice(&self.done.to_le_bytes());
            store.put(Name::Fetched, &noted)?;
        }
        Ok(Taken::Written)
    }

    /// Whether what stands in flash is what was announced; all of it is read back.
    pub fn check<F: NorFlash>(&self, flash: &mut F, running: &Running) -> Result<(), UpdateError> {
        let Release { version, size, sha256 } = self.signed.release;
        self.signed.verify(&running.maker).map_err(|_| UpdateError::NotSigned)?;
        if version <= running.version {
            return Err(UpdateError::TooOld);
        }
        let hash = hash(flash, self.place.start, size).map_err(|_| UpdateError::Flash)?;
        if hash != sha256 {
            return Err(UpdateError::WrongHash);
        }
        let read =
            |offset: u32, into: &mut [u8]| flash.read(self.place.start.checked_add(offset)?, into).ok();
        let about = image::about(read).ok_or(UpdateError::NotAnImage)?;
        if about.chip != running.chip || about.length != size {
            return Err(UpdateError::NotAnImage);
        }
        if about.version != version {
            return Err(UpdateError::OtherVersion);
        }
        Ok(())
    }
}

const PIECE_U16: u16 = 1_024;

/// Forgets what was announced.
pub fn forget<F: StoreFlash>(store: &mut Store<F>) -> Result<(), StoreError> {
    let mut value = [0; VALUE_MAX];
    if store.get(Name::Announced, &mut value)?.is_none_or(<[u8]>::is_empty) {
        return Ok(());
    }
    store.put(Name::Announced, &[])
}

/// What an image is called while it is fetched.
fn name(release: &Release) -> ImageName {
    let mut name = ImageName::default();
    name.copy_from_slice(&release.sha256[..8]);
    name
}

fn kept<F: StoreFlash>(store: &mut Store<F>) -> Result<Option<SignedRelease>, StoreError> {
    let mut value = [0; VALUE_MAX];
    let Some(release) = store.get(Name::Announced, &mut value)?.and_then(decode_announced) else {
        return Ok(None);
    };
    let signature = store.get(Name::AnnouncedSignature, &mut value)?;
    let signature = signature.and_then(|bytes| bytes.try_into().ok());
    Ok(signature.map(|signature| SignedRelease { release, signature }))
}

/// SHA-256 of `size` bytes of flash from `start` on.
pub fn hash<F: NorFlash>(flash: &mut F, start: u32, size: u32) -> Result<[u8; 32], F::Error> {
    let mut hash = Sha256::new();
    let mut done = 0;
    while done < size {
        let mut bytes = [0; PIECE_BYTES];
        let length = usize::try_from(size - done).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        flash.read(start + done, &mut bytes[..length.next_multiple_of(WORD)])?;
        hash.update(&bytes[..length]);
        // INVARIANT: at most 1,024.
        done += u32::try_from(length).unwrap_or(1);
    }
    Ok(hash.finalize().into())
}
