//! What the device knows of the time and of itself.

use jirani_firmware_logic::image;
use jirani_meter::{Clock, TimeQuality};
use proptest::prelude::*;

const DAY_US: u64 = 86_400_000_000;

#[test]
fn a_clock_that_was_never_set_says_so_and_does_not_stand_still() {
    let clock = Clock::new(1_000);
    assert_eq!(clock.time(5), (1_005, TimeQuality::Unset));
}

#[test]
fn the_networks_time_is_trusted_for_a_day() {
    let mut clock = Clock::new(0);
    clock.set(1_763_823_600_000_000, 10);
    assert_eq!(clock.time(25), (1_763_823_600_000_015, TimeQuality::Synchronised));
    assert_eq!(clock.time(10 + DAY_US), (1_763_823_600_000_000 + DAY_US, TimeQuality::HeldOver));
}

#[test]
fn the_operators_time_is_run_on_but_never_trusted_as_the_networks() {
    let mut clock = Clock::new(0);
    clock.set(1_000, 0);
    clock.take(5_000, 10);
    assert_eq!(clock.time(15), (5_005, TimeQuality::HeldOver));
    clock.set(9_000, 20);
    assert_eq!(clock.time(20), (9_000, TimeQuality::Synchronised));
}

/// An image of two segments, 20 and 7 bytes long, with its digest.
fn image() -> Vec<u8> {
    let mut image = vec![0; 24];
    (image[0], image[1], image[23]) = (0xE9, 2, 1);
    for length in [20_u8, 7] {
        image.extend([0, 0, 0, 0x42, length, 0, 0, 0]);
        image.extend(vec![0xAA; usize::from(length)]);
    }
    image.resize((image.len() + 1).next_multiple_of(16), 0);
    image.extend(0..32);
    image
}

fn digest(image: &[u8]) -> Option<[u8; 8]> {
    image::digest(|offset, into| {
        let offset = usize::try_from(offset).ok()?;
        into.copy_from_slice(image.get(offset..offset.checked_add(into.len())?)?);
        Some(())
    })
}

#[test]
fn the_digest_stands_after_the_padded_checksum() {
    assert_eq!(digest(&image()), Some([0, 1, 2, 3, 4, 5, 6, 7]));
    let mut without = image();
    without[23] = 0;
    assert_eq!(digest(&without), None);
    assert_eq!(digest(&[0xff; 64]), None, "erased flash is no image");
}

proptest! {
    #[test]
    fn no_image_makes_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(first) = bytes.first_mut() {
            *first = 0xE9;
        }
        let _ = digest(&bytes);
    }
}
