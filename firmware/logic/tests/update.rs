//! A new firmware comes whole or not at all, whatever happens to the power, the network
//! and the image.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

mod common;

use common::{Chip, PAGE};
use embedded_storage::nor_flash::NorFlash as _;
use jirani_firmware_logic::flash::{Blocking, Shared};
use jirani_firmware_logic::otadata::{self, Slot, Standing};
use jirani_firmware_logic::store::Store;
use jirani_firmware_logic::trial::{self, STARTS, Start};
use jirani_firmware_logic::update::{Running, Taken, Update, UpdateError};
use jirani_meter::fetch::{Piece, Want};
use jirani_meter::{Ed25519Signer, PublicKey, Release, SignedRelease, Signer as _};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::ops::Range;

const STORE: Range<u32> = 0..0x4000;
const OTADATA: u32 = 0x4000;
const SLOTS: [Range<u32>; 2] = [0x6000..0xA000, 0xA000..0xE000];
const PAGES: usize = 14;
const ESP32_C3: u16 = 5;

fn maker() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[9; 32])
}

/// An image as ESP-IDF's bootloader knows them: one segment of `content` bytes.
fn image(version: u32, chip: u16, content: u32) -> Vec<u8> {
    let mut image = vec![0xE9, 1, 2, 0x2F, 0, 0, 0, 0, 0xEE, 0, 0, 0];
    image.extend(chip.to_le_bytes());
    image.resize(23, 0);
    image.push(1);
    image.extend([0_u32, content].iter().flat_map(|word| word.to_le_bytes()));
    image.extend([0xABCD_5432, version].iter().flat_map(|word| word.to_le_bytes()));
    image.extend((8..content).map(|place| u8::try_from((place * 31 + version) % 251).unwrap()));
    image.resize((image.len() + 1).next_multiple_of(16), 0xEF);
    let digest = Sha256::digest(&image);
    image.extend(digest);
    image
}

fn release(version: u32, image: &[u8]) -> SignedRelease {
    let size = u32::try_from(image.len()).unwrap();
    Release { version, size, sha256: Sha256::digest(image).into() }.sign(&maker()).unwrap()
}

fn piece(image: &[u8], want: Want) -> Vec<u8> {
    let from = want.offset as usize;
    let bytes = &image[from..from + usize::from(want.length)];
    Piece { image: want.image, offset: want.offset, bytes }.encode().unwrap().as_slice().to_vec()
}

/// A chip with version 1 in the first slot.
fn chip() -> RefCell<Chip> {
    let mut chip = Chip::new(PAGES);
    let first = image(1, ESP32_C3, 900);
    let start = SLOTS[0].start as usize;
    chip.bytes[start..start + first.len()].copy_from_slice(&first);
    RefCell::new(chip)
}

/// What the bootloader would start: written anew here, from its documentation.
fn bootloader(chip: &Chip) -> Slot {
    let entry = |page: usize| {
        let at = OTADATA as usize + page * PAGE;
        let number = u32::from_le_bytes(chip.bytes[at..at + 4].try_into().unwrap());
        let sum = u32::from_le_bytes(chip.bytes[at + 28..at + 32].try_into().unwrap());
        // esp_rom_crc32_le(UINT32_MAX, ..) by its definition: invert, table-free, invert.
        let mut register = !u32::MAX;
        for bit in 0..32 {
            let low = (register ^ number >> bit) & 1;
            register = register >> 1 ^ if low == 1 { 0xEDB8_8320 } else { 0 };
        }
        (number != u32::MAX && sum == !register).then_some(number)
    };
    match entry(0).max(entry(1)) {
        Some(number) if number % 2 == 0 => Slot::Second,
        _ => Slot::First,
    }
}

/// The version that stands whole in the slot the bootloader starts; none if it would
/// start rubbish.
fn started(chip: &RefCell<Chip>) -> Option<(Slot, u32)> {
    let chip = chip.borrow();
    let slot = bootloader(&chip);
    let range = if slot == Slot::First { &SLOTS[0] } else { &SLOTS[1] };
    let stands = &chip.bytes[range.start as usize..range.end as usize];
    let version = u32::from_le_bytes(stands[36..40].try_into().unwrap());
    let whole = if version == 1 { image(1, ESP32_C3, 900) } else { image(version, ESP32_C3, 9_000) };
    stands.starts_with(&whole).then_some((slot, version))
}

fn running(slot: Slot, version: u32) -> Running {
    let maker = PublicKey::from_bytes(&maker().public_key()).unwrap();
    Running { version, chip: ESP32_C3, maker, slots: SLOTS, slot }
}

fn open(chip: &RefCell<Chip>) -> Store<Shared<'_, Chip>> {
    Store::open(Shared::new(chip), STORE).unwrap()
}

/// Fetches all of it; how many pieces that took.
fn fetch(chip: &RefCell<Chip>, update: &mut Update, image: &[u8]) -> Result<usize, UpdateError> {
    let mut pieces = 0;
    while let Some(want) = update.want() {
        let mut store = open(chip);
        let bytes = piece(image, want);
        let taken = update.take(&mut store, &mut Blocking::new(chip), &bytes)?;
        assert_eq!(taken, Taken::Written);
        pieces += 1;
    }
    Ok(pieces)
}

/// One life of the meter, from power on until everything is done or power goes: what
/// `firmware/meter` does, in its order.
fn live(chip: &RefCell<Chip>, announced: Option<SignedRelease>, image: &[u8]) -> Result<(), UpdateError> {
    // Every restart is another turn; a meter that never settles fails.
    for _ in 0..20 {
        let (slot, version) = started(chip).expect("the bootloader starts a whole image");
        let (mut store, mut flash) = (open(chip), Blocking::new(chip));
        let running = running(slot, version);
        match trial::start(&mut store, &mut flash, OTADATA, slot)? {
            Start::Again => continue,
            // It reaches its gateway.
            Start::OnTrial => trial::confirm(&mut store, &mut flash, OTADATA, slot)?,
            Start::Settled => {}
        }
        let mut update = Update::resumed(&mut store, &running)?;
        if let (None, Some(signed)) = (&update, announced.filter(|new| new.release.version > version)) {
            update = Some(Update::announced(&mut store, &running, signed)?);
        }
        let Some(mut update) = update else { return Ok(()) };
        fetch(chip, &mut update, image)?;
        trial::begin(&mut store, &mut flash, OTADATA, (&update, &running))?;
    }
    panic!("the meter starts for ever");
}

#[test]
fn a_new_firmware_is_fetched_checked_started_and_stays() {
    let (chip, image) = (chip(), image(2, ESP32_C3, 9_000));
    assert_eq!(started(&chip), Some((Slot::First, 1)));
    live(&chip, Some(release(2, &image)), &image).unwrap();
    assert_eq!(started(&chip), Some((Slot::Second, 2)));
    // The next one goes back into the first slot.
    let next = self::image(3, ESP32_C3, 9_000);
    live(&chip, Some(release(3, &next)), &next).unwrap();
    assert_eq!(started(&chip), Some((Slot::First, 3)));
}

#[test]
fn power_may_go_at_any_written_word() {
    let image = image(2, ESP32_C3, 9_000);
    let signed = release(2, &image);
    let mut words = 0;
    loop {
        let chip = chip();
        chip.borrow_mut().words_left = Some(words);
        let whole = live(&chip, Some(signed), &image).is_ok();
        assert!(started(&chip).is_some(), "after {words} words the bootloader starts rubbish");
        chip.borrow_mut().words_left = None;
        live(&chip, Some(signed), &image).unwrap();
        assert_eq!(started(&chip), Some((Slot::Second, 2)), "after {words} words");
        let mut store = open(&chip);
        let settled = trial::start(&mut store, &mut Blocking::new(&chip), OTADATA, Slot::Second);
        assert_eq!(settled, Ok(Start::Settled));
        if whole {
            break;
        }
        words += 1;
    }
    assert!(words > 9_000 / 4, "the power went {words} times");
}

#[test]
fn a_power_cut_costs_one_page_at_most() {
    let (chip, image) = (chip(), image(2, ESP32_C3, 9_000));
    let signed = release(2, &image);
    let running = running(Slot::First, 1);
    let mut update = Update::announced(&mut open(&chip), &running, signed).unwrap();
    for _ in 0..6 {
        let bytes = piece(&image, update.want().unwrap());
        assert_eq!(update.take(&mut open(&chip), &mut Blocking::new(&chip), &bytes), Ok(Taken::Written));
    }
    assert_eq!(update.want().unwrap().offset, 6 * 1_024);
    let resumed = Update::resumed(&mut open(&chip), &running).unwrap().unwrap();
    assert_eq!(resumed.want().unwrap().offset, 4 * 1_024);
    // The same announcement again goes on; another begins anew.
    let again = Update::announced(&mut open(&chip), &running, signed).unwrap();
    assert_eq!(again.want(), resumed.want());
    let other = self::image(3, ESP32_C3, 9_000);
    let other = Update::announced(&mut open(&chip), &running, release(3, &other)).unwrap();
    assert_eq!(other.want().unwrap().offset, 0);
}

#[test]
fn what_is_announced_is_refused_before_a_byte_is_fetched() {
    let (chip, image) = (chip(), image(2, ESP32_C3, 9_000));
    let running = running(Slot::First, 1);
    let announced = |signed| Update::announced(&mut open(&chip), &running, signed).err();
    let good = release(2, &image);
    assert_eq!(announced(release(1, &image)), Some(UpdateError::TooOld), "no way back");
    let room = u32::try_from(SLOTS[1].len()).unwrap();
    let large = Release { size: room + 1, ..good.release }.sign(&maker()).unwrap();
    assert_eq!(announced(large), Some(UpdateError::TooLarge));
    let stranger = Ed25519Signer::from_seed(&[8; 32]);
    assert_eq!(announced(good.release.sign(&stranger).unwrap()), Some(UpdateError::NotSigned));
    let changed = SignedRelease { release: Release { version: 3, ..good.release }, ..good };
    assert_eq!(announced(changed), Some(UpdateError::NotSigned));
    assert_eq!(Update::resumed(&mut open(&chip), &running), Ok(None), "nothing was remembered");
}

/// Fetches `image` as `signed` says and lets it run: what comes of it.
fn offered(signed: SignedRelease, image: &[u8]) -> Result<(), UpdateError> {
    let chip = chip();
    let running = running(Slot::First, 1);
    let mut update = Update::announced(&mut open(&chip), &running, signed)?;
    fetch(&chip, &mut update, image)?;
    let begun = trial::begin(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, (&update, &running));
    assert_eq!(started(&chip), begun.map_or(Some((Slot::First, 1)), |()| Some((Slot::Second, 2))));
    if begun.is_err() {
        assert_eq!(Update::resumed(&mut open(&chip), &running), Ok(None), "it is dropped");
    }
    begun
}

#[test]
fn what_was_fetched_counts_only_when_all_of_it_is_what_was_announced() {
    let good = image(2, ESP32_C3, 9_000);
    assert_eq!(offered(release(2, &good), &good), Ok(()));
    for place in [0, 1, 24, 4_095, 4_096, good.len() - 1] {
        let mut damaged = good.clone();
        damaged[place] ^= 1;
        assert_eq!(offered(release(2, &good), &damaged), Err(UpdateError::WrongHash), "byte {place}");
    }
    let esp32 = image(2, 0, 9_000);
    assert_eq!(offered(release(2, &esp32), &esp32), Err(UpdateError::NotAnImage));
    let text = vec![b'x'; 9_000];
    assert_eq!(offered(release(2, &text), &text), Err(UpdateError::NotAnImage));
    let cut = &good[..good.len() - 32];
    assert_eq!(offered(release(2, cut), cut), Err(UpdateError::NotAnImage));
    assert_eq!(offered(release(3, &good), &good), Err(UpdateError::OtherVersion));
}

#[test]
fn pieces_that_nobody_asked_for_change_nothing() {
    let (chip, image) = (chip(), image(2, ESP32_C3, 9_000));
    let running = running(Slot::First, 1);
    let mut update = Update::announced(&mut open(&chip), &running, release(2, &image)).unwrap();
    let want = update.want().unwrap();
    let before = chip.borrow().bytes.clone();
    for strange in [
        piece(&image, Want { offset: 1_024, ..want }),
        piece(&image, Want { length: 1_023, ..want }),
        piece(&image, Want { image: [7; 8], ..want }),
        b"noise".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(update.take(&mut open(&chip), &mut Blocking::new(&chip), &strange), Ok(Taken::Ignored));
    }
    assert!(chip.borrow().bytes == before && update.want() == Some(want));
}

/// A new image that never reaches its gateway, started again and again.
#[test]
fn an_image_that_does_not_reach_its_gateway_goes_back() {
    for cut in [false, true] {
        let (chip, image) = (chip(), image(2, ESP32_C3, 9_000));
        let running = running(Slot::First, 1);
        let mut update = Update::announced(&mut open(&chip), &running, release(2, &image)).unwrap();
        fetch(&chip, &mut update, &image).unwrap();
        trial::begin(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, (&update, &running)).unwrap();
        for _ in 0..STARTS {
            assert_eq!(started(&chip), Some((Slot::Second, 2)));
            let start = trial::start(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::Second);
            assert_eq!(start, Ok(Start::OnTrial));
            // It panics, hangs, or its ten minutes pass.
            if cut {
                let over = trial::give_up(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::Second);
                assert_eq!(over, Ok(Start::Again));
                break;
            }
        }
        if !cut {
            let start = trial::start(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::Second);
            assert_eq!(start, Ok(Start::Again));
        }
        assert_eq!(started(&chip), Some((Slot::First, 1)));
        let start = trial::start(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::First);
        assert_eq!(start, Ok(Start::Settled));
        assert_eq!(Update::resumed(&mut open(&chip), &running), Ok(None), "it is not fetched again");
    }
}

/// The image before it is the way back until the new one stays, so nothing is fetched over it.
#[test]
fn no_firmware_is_taken_while_another_is_on_trial() {
    let (chip, second) = (chip(), image(2, ESP32_C3, 9_000));
    let before = running(Slot::First, 1);
    let mut update = Update::announced(&mut open(&chip), &before, release(2, &second)).unwrap();
    fetch(&chip, &mut update, &second).unwrap();
    trial::begin(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, (&update, &before)).unwrap();
    let start = trial::start(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::Second);
    assert_eq!(start, Ok(Start::OnTrial));

    let (third, now) = (image(3, ESP32_C3, 9_000), running(Slot::Second, 2));
    let announced = || Update::announced(&mut open(&chip), &now, release(3, &third));
    assert_eq!(announced(), Err(UpdateError::OnTrial));
    assert_eq!(Update::resumed(&mut open(&chip), &now), Ok(None), "nor is it remembered");

    trial::confirm(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::Second).unwrap();
    let mut update = announced().unwrap();
    fetch(&chip, &mut update, &third).unwrap();
    assert_eq!(update.check(&mut Blocking::new(&chip), &now), Ok(()));
}

/// A bootloader that does not start the new image is asked a few times, then left alone.
#[test]
fn an_image_that_the_bootloader_does_not_start_is_given_up() {
    let (chip, image) = (chip(), image(2, ESP32_C3, 9_000));
    let running = running(Slot::First, 1);
    let mut update = Update::announced(&mut open(&chip), &running, release(2, &image)).unwrap();
    fetch(&chip, &mut update, &image).unwrap();
    trial::begin(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, (&update, &running)).unwrap();
    for _ in 0..STARTS {
        let start = trial::start(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::First);
        assert_eq!(start, Ok(Start::Again));
    }
    let start = trial::start(&mut open(&chip), &mut Blocking::new(&chip), OTADATA, Slot::First);
    assert_eq!(start, Ok(Start::Settled));
    assert_eq!(started(&chip), Some((Slot::First, 1)));
}

#[test]
fn the_selection_is_the_bootloader_s() {
    let chip = chip();
    let mut flash = Blocking::new(&chip);
    assert_eq!(otadata::selected(&mut flash, OTADATA).unwrap(), Slot::First);
    otadata::select(&mut flash, OTADATA, Slot::First, Standing::Valid).unwrap();
    // An entry of number 1 and state 2, as esp-bootloader-esp-idf's tests have it.
    let mut entry = [0xFF; 32];
    entry[..4].copy_from_slice(&[1, 0, 0, 0]);
    entry[24..].copy_from_slice(&[2, 0, 0, 0, 154, 152, 67, 71]);
    assert_eq!(chip.borrow().bytes[OTADATA as usize..OTADATA as usize + 32], entry);
    otadata::select(&mut flash, OTADATA, Slot::Second, Standing::New).unwrap();
    entry[0] = 2;
    entry[24..].copy_from_slice(&[0, 0, 0, 0, 116, 55, 246, 85]);
    let second = OTADATA as usize + PAGE;
    assert_eq!(chip.borrow().bytes[second..second + 32], entry);
    // What the bootloader gave up does not count.
    flash.write(OTADATA + 0x1018, &[4, 0, 0, 0]).unwrap();
    let aborted = otadata::selected(&mut flash, OTADATA).unwrap();
    assert_eq!(aborted, Slot::Second, "bits are only cleared: 0 cannot become 4");
    let mut page = chip.borrow().bytes[second..second + 32].to_vec();
    page[24] = 4;
    flash.erase(OTADATA + 0x1000, OTADATA + 0x2000).unwrap();
    flash.write(OTADATA + 0x1000, &page).unwrap();
    assert_eq!(otadata::selected(&mut flash, OTADATA).unwrap(), Slot::First);
    assert_eq!(otadata::standing(&mut flash, OTADATA, Slot::First).unwrap(), Some(Standing::Valid));
    assert_eq!(otadata::standing(&mut flash, OTADATA, Slot::Second).unwrap(), None);
}
