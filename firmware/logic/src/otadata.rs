//! Which of two images the bootloader starts, as ESP-IDF's bootloader reads it.
//!
//! Two pages hold an entry of 32 bytes each: a sequence number, 20 bytes of label, a
//! state, and the CRC-32 of the sequence number; the valid entry with the higher number
//! counts, and its number says which image ((number - 1) modulo two). Source: ESP-IDF,
//! `bootloader_common.c` and `esp_flash_partitions.h` (`esp_ota_select_entry_t`).
//!
//! What is selected changes in one step, whenever power goes: the new entry is written
//! over the one that does not count, and counts only when it is whole. `esp-bootloader-esp-idf`
//! refuses to read a half-written entry, so after such a cut it could never select again;
//! hence this module.

use crate::PAGE;
use embedded_storage::nor_flash::NorFlash;

const ENTRY: usize = 32;
/// Monitor the first start; a bootloader that can roll back does so by itself.
const NEW: u32 = 0;
/// Works.
const VALID: u32 = 2;
/// The bootloader has given up on it.
const INVALID: u32 = 3;
/// The same, by itself.
const ABORTED: u32 = 4;

/// One of two places for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// `ota_0`, where the first image is flashed.
    First,
    /// `ota_1`.
    Second,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn of(number: u32) -> Self {
        if number % 2 == 1 { Self::First } else { Self::Second }
    }
}

/// What is said of the image that is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was never confirmed.
    New,
    /// It reached its gateway.
    Valid,
}

/// An entry that counts: its number and state.
type Entry = (u32, u32);

/// The image that is selected; the first when nothing was ever written.
pub fn selected<F: NorFlash>(flash: &mut F, otadata: u32) -> Result<Slot, F::Error> {
    Ok(current(flash, otadata)?.map_or(Slot::First, |(_, (number, _))| Slot::of(number)))
}

/// What is known of the image that is selected, when it is `slot`.
pub fn standing<F: NorFlash>(flash: &mut F, otadata: u32, slot: Slot) -> Result<Option<Standing>, F::Error> {
    let current = current(flash, otadata)?.filter(|(_, (number, _))| Slot::of(*number) == slot);
    Ok(current.map(|(_, (_, state))| if state == VALID { Standing::Valid } else { Standing::New }))
}

/// Selects an image and says what is known of it. Nothing is written when it is so.
pub fn select<F: NorFlash>(
    flash: &mut F,
    otadata: u32,
    slot: Slot,
    standing: Standing,
) -> Result<(), F::Error> {
    let state = match standing {
        Standing::New => NEW,
        Standing::Valid => VALID,
    };
    let current = current(flash, otadata)?;
    let (page, last) = current.map_or((1, 0), |(page, (number, _))| (page, number));
    if current.is_some_and(|(_, (number, known))| Slot::of(number) == slot && known == state) {
        return Ok(());
    }
    let next = if Slot::of(last.wrapping_add(1)) == slot { 1 } else { 2 };
    let number = last.saturating_add(next);
    let mut entry = [0xFF; ENTRY];
    entry[..4].copy_from_slice(&number.to_le_bytes());
    entry[24..28].copy_from_slice(&state.to_le_bytes());
    entry[28..].copy_from_slice(&checksum(number).to_le_bytes());
    let place = otadata + (1 - page) * PAGE;
    flash.erase(place, place + PAGE)?;
    flash.write(place, &entry)
}

/// The entry that counts, with its page.
fn current<F: NorFlash>(flash: &mut F, otadata: u32) -> Result<Option<(u32, Entry)>, F::Error> {
    let mut best: Option<(u32, Entry)> = None;
    for page in 0..2 {
        let mut bytes = [0; ENTRY];
        flash.read(otadata + page * PAGE, &mut bytes)?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (number, state) = (word(0), word(24));
        let counts = !matches!(number, 0 | u32::MAX)
            && !matches!(state, INVALID | ABORTED)
            && word(28) == checksum(number);
        if counts && best.is_none_or(|(_, (best, _))| number > best) {
            best = Some((page, (number, state)));
        }
    }
    Ok(best)
}

/// CRC-32 (reflected, 0xEDB88320) of the number's bytes, begun with zero, inverted last:
/// what the chip's ROM gives for `esp_rom_crc32_le(UINT32_MAX, ..)`.
fn checksum(number: u32) -> u32 {
    let mut sum = 0_u32;
    for byte in number.to_le_bytes() {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    !sum
}
