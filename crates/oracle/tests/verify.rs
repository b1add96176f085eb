//! A signature's answer never depends on what it is checked together with.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use jirani_meter::{Ed25519Signer, PublicKey, Signer as _};
use jirani_oracle::{Check, verify_all};
use proptest::prelude::*;
use sha2::{Digest as _, Sha512};

fn honest(seed: u8, message: &[u8]) -> Check {
    let signer = Ed25519Signer::from_seed(&[seed; 32]);
    Check {
        key: PublicKey::from_bytes(&signer.public_key()).unwrap(),
        message: message.to_vec(),
        signature: signer.sign(message).unwrap(),
    }
}

fn forged(seed: u8, message: &[u8]) -> Check {
    let mut check = honest(seed, message);
    check.signature[7] ^= 1;
    check
}

/// A signature that only the holder of the key can make: its R has a torsion part,
/// so it passes with the cofactor and fails without.
fn with_torsion(secret: u64, torsion: usize, message: &[u8]) -> Check {
    let secret = Scalar::from(secret);
    let key = (ED25519_BASEPOINT_POINT * secret).compress();
    let nonce = Scalar::from(123_456_789_u64);
    let r = (ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[torsion]).compress();
    let hash = Sha512::new().chain_update(r.0).chain_update(key.0).chain_update(message);
    let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r.0);
    signature[32..].copy_from_slice(&s.to_bytes());
    Check { key: PublicKey::from_bytes(&key.0).unwrap(), message: message.to_vec(), signature }
}

#[test]
fn torsion_never_decides() {
    for torsion in 0..8 {
        for companions in 0..12 {
            let mut checks: Vec<_> = (0..companions).map(|seed| honest(seed, b"honest")).collect();
            checks.push(with_torsion(77, torsion, b"crafted"));
            assert!(verify_all(&checks).into_iter().all(|holds| holds), "{torsion} {companions}");
        }
    }
}

#[test]
fn a_second_form_of_the_same_scalar_is_refused() {
    // s + L, little endian.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut check = honest(1, b"message");
    let mut carry = 0;
    for (byte, order) in check.signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(verify_all(std::slice::from_ref(&check)), [false]);
    assert_eq!(verify_all(&[honest(2, b"other"), check]), [true, false]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_answer_is_the_one_given_alone(kinds in prop::collection::vec(0..4u8, 0..40)) {
        let checks: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(place, kind)| {
                let seed = u8::try_from(place).unwrap();
                match kind {
                    0 | 1 => honest(seed, b"reading"),
                    2 => with_torsion(1_000 + u64::from(seed), place % 8, b"reading"),
                    _ => forged(seed, b"reading"),
                }
            })
            .collect();
        let alone: Vec<_> =
            checks.iter().map(|check| check.key.verify(&check.message, &check.signature).is_ok()).collect();
        let expected: Vec<_> = kinds.iter().map(|kind| *kind < 3).collect();
        prop_assert_eq!(&alone, &expected);
        prop_assert_eq!(verify_all(&checks), expected);
    }
}

#[test]
fn every_answer_stands_in_its_place_whoever_checked_it() {
    let mut checks: Vec<_> = std::iter::repeat_n(honest(3, b"honest"), 1_500).collect();
    let bad = [0, 127, 128, 749, 750, 751, 767, 768, 1_499];
    for place in bad {
        checks[place] = forged(4, b"forged");
    }
    let wrong: Vec<usize> = verify_all(&checks)
        .iter()
        .enumerate()
        .filter(|(_, holds)| !**holds)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(wrong, bad);
}
