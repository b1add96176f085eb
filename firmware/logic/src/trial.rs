//! A new image on trial: it has a few starts and some minutes to reach its gateway, then
//! the one before it comes back.
//!
//! The trial is noted before the image is selected, so whatever happens from then on is
//! counted: a start that hangs, one that panics, one whose power goes. An image that is
//! broken before it comes here is the bootloader's: one that can roll back does so by the
//! state [`crate::otadata`] writes; the one `espflash` brings cannot.

use crate::otadata::{self, Slot, Standing};
use crate::store::{Name, Store, StoreError, VALUE_MAX};
use crate::update::{self, Running, Update, UpdateError};
use embedded_storage::nor_flash::NorFlash;
use embedded_storage_async::nor_flash::NorFlash as StoreFlash;

/// How often a new image is started before it counts as broken.
pub const STARTS: u8 = 3;
/// How long one start may take to reach the gateway, milliseconds.
pub const TRIAL_MS: u64 = 10 * 60 * 1_000;

/// How a start goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing is on trial.
    Settled,
    /// This image must reach its gateway within [`TRIAL_MS`].
    OnTrial,
    /// Another image is selected now: start anew.
    Again,
}

/// What is noted of a trial.
#[derive(Clone, Copy)]
struct Noted {
    slot: Slot,
    starts_left: u8,
}

/// The first thing at every start, before anything else may fail.
pub fn start<S: StoreFlash, F: NorFlash>(
    store: &mut Store<S>,
    flash: &mut F,
    otadata: u32,
    booted: Slot,
) -> Result<Start, UpdateError> {
    let Some(noted) = noted(store)? else { return Ok(Start::Settled) };
    let standing = otadata::standing(flash, otadata, noted.slot).map_err(|_| UpdateError::Flash)?;
    if standing == Some(Standing::Valid) {
        // Power went while the confirmation was written.
        end(store)?;
        return Ok(Start::Settled);
    }
    let Some(starts_left) = noted.starts_left.checked_sub(1) else {
        return give_up(store, flash, otadata, booted);
    };
    note(store, Noted { starts_left, ..noted })?;
    if booted == noted.slot {
        return Ok(Start::OnTrial);
    }
    // Power went before it was selected, or the bootloader did not start it.
    select(flash, otadata, noted.slot, Standing::New)?;
    Ok(Start::Again)
}

/// Whether an image is on trial: until it is confirmed or given up, the other slot holds the
/// one that comes back.
pub fn is_under_way<S: StoreFlash>(store: &mut Store<S>) -> Result<bool, StoreError> {
    Ok(noted(store)?.is_some())
}

/// Lets a fetched image run at the next start, after all of it was checked; drops one
/// that is not what was announced.
pub fn begin<S: StoreFlash, F: NorFlash>(
    store: &mut Store<S>,
    flash: &mut F,
    otadata: u32,
    (update, running): (&Update, &Running),
) -> Result<(), UpdateError> {
    if let Err(error) = update.check(flash, running) {
        if error != UpdateError::Flash {
            update::forget(store)?;
        }
        return Err(error);
    }
    let slot = running.slot.other();
    note(store, Noted { slot, starts_left: STARTS })?;
    select(flash, otadata, slot, Standing::New)
}

/// The gateway acknowledged a reading of this image: it stays.
pub fn confirm<S: StoreFlash, F: NorFlash>(
    store: &mut Store<S>,
    flash: &mut F,
    otadata: u32,
    booted: Slot,
) -> Result<(), UpdateError> {
    select(flash, otadata, booted, Standing::Valid)?;
    end(store)
}

/// This image did not reach its gateway: the one before it is selected again.
pub fn give_up<S: StoreFlash, F: NorFlash>(
    store: &mut Store<S>,
    flash: &mut F,
    otadata: u32,
    booted: Slot,
) -> Result<Start, UpdateError> {
    let Some(noted) = noted(store)? else { return Ok(Start::Settled) };
    // First, so that it stays given up when power goes now.
    note(store, Noted { starts_left: 0, ..noted })?;
    select(flash, otadata, noted.slot.other(), Standing::Valid)?;
    end(store)?;
    Ok(if booted == noted.slot { Start::Again } else { Start::Settled })
}

/// Forgets image and trial, the trial last: it says which image is to be selected.
fn end<S: StoreFlash>(store: &mut Store<S>) -> Result<(), UpdateError> {
    update::forget(store)?;
    Ok(store.put(Name::Trial, &[])?)
}

fn select<F: NorFlash>(
    flash: &mut F,
    otadata: u32,
    slot: Slot,
    standing: Standing,
) -> Result<(), UpdateError> {
    otadata::select(flash, otadata, slot, standing).map_err(|_| UpdateError::Flash)
}

fn noted<S: StoreFlash>(store: &mut Store<S>) -> Result<Option<Noted>, StoreError> {
    let mut value = [0; VALUE_MAX];
    Ok(match store.get(Name::Trial, &mut value)? {
        Some([0, starts_left]) => Some(Noted { slot: Slot::First, starts_left: *starts_left }),
        Some([1, starts_left]) => Some(Noted { slot: Slot::Second, starts_left: *starts_left }),
        _ => None,
    })
}

fn note<S: StoreFlash>(store: &mut Store<S>, noted: Noted) -> Result<(), StoreError> {
    let slot = match noted.slot {
        Slot::First => 0,
        Slot::Second => 1,
    };
    store.put(Name::Trial, &[slot, noted.starts_left])
}
