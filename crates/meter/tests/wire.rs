//! What goes over the wire: sizes, the one encoding, and bytes from strangers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{
    ACK_MAX, Ack, Ed25519Signer, Flags, Instantaneous, MESSAGE_READINGS_MAX, PublicKey, READING_CONTEXT,
    READING_MAX, Reading, Registers, Signer as _, TimeQuality, WireError, message,
};
use proptest::prelude::*;

fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[7; 32])
}

fn public_key() -> PublicKey {
    PublicKey::from_bytes(&signer().public_key()).unwrap()
}

fn widest() -> Reading {
    Reading {
        meter: [0xff; 16],
        epoch: u32::MAX,
        seq: u64::MAX,
        time_us: i64::MAX.cast_unsigned(),
        time_quality: TimeQuality::Synchronised,
        uptime_s: u32::MAX,
        interval_s: u32::MAX,
        registers: Registers { import_wh: u64::MAX, export_wh: u64::MAX, generation_wh: u64::MAX },
        instantaneous: Instantaneous {
            voltage_mv: u32::MAX,
            current_ma: u32::MAX,
            power_w: i32::MIN,
            frequency_millihertz: u16::MAX,
            power_factor_thousandths: -1_000,
        },
        flags: Flags(u32::MAX),
        firmware: [0xff; 8],
        previous: [0xff; 8],
    }
}

fn a_reading() -> Reading {
    Reading { meter: signer().name(), seq: 1, time_us: 1, ..Reading::default() }
}

#[test]
fn the_widest_reading_fits_and_survives() {
    let signed = widest().sign(&signer()).unwrap();
    let bytes = signed.bytes.as_slice();
    assert!(bytes.len() <= READING_MAX, "{} bytes", bytes.len());
    assert_eq!(bytes.len(), 199);
    let (read, cose) = Reading::decode(bytes).unwrap();
    assert_eq!(read, widest());
    cose.verify(&public_key(), READING_CONTEXT).unwrap();
}

#[test]
fn the_widest_acknowledgement_fits_and_survives() {
    let ack = Ack { meter: [0xff; 16], epoch: u32::MAX, first_seq: u64::MAX, seq: u64::MAX };
    let bytes = ack.sign(&signer()).unwrap();
    assert!(bytes.as_slice().len() <= ACK_MAX);
    assert_eq!(Ack::open(bytes.as_slice(), &public_key()).unwrap(), ack);
}

#[test]
fn an_acknowledgement_never_passes_for_a_reading_nor_a_reading_for_an_acknowledgement() {
    let signed = a_reading().sign(&signer()).unwrap();
    let (_, cose) = Reading::decode(signed.bytes.as_slice()).unwrap();
    assert_eq!(cose.verify(&public_key(), jirani_meter::ACK_CONTEXT), Err(WireError::BadSignature));
    let ack = Ack { meter: signer().name(), epoch: 0, first_seq: 1, seq: 1 }.sign(&signer()).unwrap();
    assert!(Reading::decode(ack.as_slice()).is_err());
    assert!(Ack::open(signed.bytes.as_slice(), &public_key()).is_err());
}

#[test]
fn another_algorithm_is_read_but_not_trusted() {
    let signed = a_reading().sign(&signer()).unwrap();
    let mut bytes = signed.bytes.as_slice().to_vec();
    assert_eq!(&bytes[2..6], [0x43, 0xa1, 0x01, 0x27]);
    bytes[5] = 0x26;
    let (_, cose) = Reading::decode(&bytes).unwrap();
    assert_eq!(cose.verify(&public_key(), READING_CONTEXT), Err(WireError::UnsupportedAlgorithm(-7)));
    bytes[5] = 0x24;
    assert_eq!(Reading::decode(&bytes).unwrap_err(), WireError::UnsupportedAlgorithm(-5));
}

#[test]
fn a_longer_encoding_of_the_same_reading_is_refused() {
    let bytes = a_reading().sign(&signer()).unwrap().bytes.as_slice().to_vec();
    // The tag 18 in two bytes instead of one.
    let mut wide_tag = vec![0xd8, 0x12];
    wide_tag.extend_from_slice(&bytes[1..]);
    assert_eq!(Reading::decode(&wide_tag).unwrap_err(), WireError::NotCanonical);
    // The payload's version in two bytes instead of one.
    let payload = a_reading().encode().unwrap();
    assert_eq!(payload.as_slice()[1], 1);
    let mut wide_version = vec![payload.as_slice()[0], 0x18, 0x01];
    wide_version.extend_from_slice(&payload.as_slice()[2..]);
    assert_eq!(Reading::decode_payload(&wide_version).unwrap_err(), WireError::NotCanonical);
    // Something after the end.
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(Reading::decode(&longer).unwrap_err().code(), "reading.malformed");
}

#[test]
fn a_message_beyond_its_bounds_is_refused() {
    let one = a_reading().sign(&signer()).unwrap();
    let too_many = u8::try_from(MESSAGE_READINGS_MAX).unwrap() + 1;
    let mut many = vec![0x98, too_many];
    for _ in 0..too_many {
        many.extend_from_slice(one.bytes.as_slice());
    }
    assert_eq!(message::split(&many).unwrap_err().code(), "reading.too_large");
    assert_eq!(message::split(&vec![0x80; 20_000]).unwrap_err().code(), "reading.too_large");
    assert_eq!(message::split(&[0x80]).unwrap_err().code(), "reading.malformed");
    assert_eq!(message::split(&[0x98, 0x01]).unwrap_err(), WireError::NotCanonical);
}

#[test]
fn what_follows_an_unreadable_reading_is_not_guessed_at() {
    let one = a_reading().sign(&signer()).unwrap();
    let mut bytes = vec![0x83];
    bytes.extend_from_slice(one.bytes.as_slice());
    bytes.push(0xf6);
    bytes.extend_from_slice(one.bytes.as_slice());
    let read: Vec<_> = message::split(&bytes).unwrap().collect();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].unwrap().bytes, one.bytes.as_slice());
    assert_eq!(read[1].unwrap_err().code(), "reading.malformed");
}

#[test]
fn keys_that_prove_nothing_are_refused() {
    // The eight points of small order, in their canonical encodings, and no point at all.
    let small_order = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ];
    for key in small_order {
        let key: [u8; 32] = hex::decode(key).unwrap().try_into().unwrap();
        assert_eq!(PublicKey::from_bytes(&key).unwrap_err(), WireError::WeakKey, "{key:02x?}");
    }
}

/// A point has one encoding by RFC 8032. The library reads others: y from p to p + 18, which
/// is y - p, and a sign of an x that is zero.
#[test]
fn a_key_has_one_encoding() {
    let beyond = |y: u8, sign: u8| {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (0xed + y, 0x7f | sign);
        key
    };
    let mut others: Vec<[u8; 32]> = (0..19).flat_map(|y| [0, 0x80].map(|sign| beyond(y, sign))).collect();
    for y in [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        others.push(hex::decode(y).unwrap().try_into().unwrap());
    }
    let read = |key: &&[u8; 32]| ed25519_dalek::VerifyingKey::from_bytes(key).is_ok_and(|key| !key.is_weak());
    assert_eq!(others.iter().filter(read).count(), 20, "what the library reads and finds strong");
    for key in others {
        assert_eq!(PublicKey::from_bytes(&key).unwrap_err(), WireError::WeakKey, "{key:02x?}");
    }
}

prop_compose! {
    fn any_reading()(
        ids in any::<([u8; 16], [u8; 8], [u8; 8])>(),
        numbers in (any::<u32>(), 1..=u64::MAX, 0..=i64::MAX.cast_unsigned(), any::<u32>(), any::<u32>()),
        registers in any::<(u64, u64, u64)>(),
        now in (any::<u32>(), any::<u32>(), any::<i32>(), any::<u16>(), -1_000i16..=1_000),
        flags in any::<u32>(),
        quality in 0..3u8,
    ) -> Reading {
        Reading {
            meter: ids.0,
            epoch: numbers.0,
            seq: numbers.1,
            time_us: numbers.2,
            time_quality: match quality {
                0 => TimeQuality::Unset,
                1 => TimeQuality::HeldOver,
                _ => TimeQuality::Synchronised,
            },
            uptime_s: numbers.3,
            interval_s: numbers.4,
            registers: Registers { import_wh: registers.0, export_wh: registers.1, generation_wh: registers.2 },
            instantaneous: Instantaneous {
                voltage_mv: now.0,
                current_ma: now.1,
                power_w: now.2,
                frequency_millihertz: now.3,
                power_factor_thousandths: now.4,
            },
            flags: Flags(flags),
            firmware: ids.1,
            previous: ids.2,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_reading_survives_and_fits(reading in any_reading()) {
        let signed = reading.sign(&signer()).unwrap();
        prop_assert!(signed.bytes.as_slice().len() <= READING_MAX);
        let (read, cose) = Reading::decode(signed.bytes.as_slice()).unwrap();
        prop_assert_eq!(read, reading);
        cose.verify(&public_key(), READING_CONTEXT).unwrap();
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Reading::decode(&bytes).is_err());
        prop_assert!(Ack::open(&bytes, &public_key()).is_err());
        let _ = Reading::decode_payload(&bytes);
        if let Ok(readings) = message::split(&bytes) {
            prop_assert!(readings.count() <= MESSAGE_READINGS_MAX + 1);
        }
    }

    #[test]
    fn what_is_read_after_damage_is_canonical_and_never_verifies(
        reading in any_reading(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let signed = reading.sign(&signer()).unwrap();
        let mut bytes = signed.bytes.as_slice().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok((read, cose)) = Reading::decode(&bytes) {
            let again = read.encode().unwrap();
            prop_assert_eq!(again.as_slice(), cose.payload);
            prop_assert!(cose.verify(&public_key(), READING_CONTEXT).is_err());
        }
    }

    #[test]
    fn damaged_messages_never_yield_more_than_was_sent(
        cut in any::<prop::sample::Index>(),
        count in 1..5usize,
    ) {
        let one = a_reading().sign(&signer()).unwrap();
        let mut bytes = vec![0x80 | u8::try_from(count).unwrap()];
        for _ in 0..count {
            bytes.extend_from_slice(one.bytes.as_slice());
        }
        let whole = message::split(&bytes).unwrap().flatten().count();
        prop_assert_eq!(whole, count);
        bytes.truncate(cut.index(bytes.len()));
        if let Ok(readings) = message::split(&bytes) {
            let read: Vec<_> = readings.collect();
            prop_assert!(read.iter().filter(|r| r.is_ok()).count() < count);
            prop_assert!(read.last().unwrap().is_err());
        }
    }
}
