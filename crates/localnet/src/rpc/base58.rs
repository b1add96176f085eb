//! Base58 of long data and of many signatures. Instruction data of a kilobyte and more is shown in base58,
//! whose cost grows with the square of the length: working on 32-bit words and five
//! digits at a time makes that square twenty times smaller.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Digits in a limb, and how many numbers they can write: just under 2^30.
const DIGITS: usize = 5;
const LIMB: u64 = 58_u64.pow(5);

/// Writes bytes in base58.
pub fn encode(bytes: &[u8]) -> String {
    let zeroes = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeroes..).unwrap_or_default();
    // Little-endian limbs; the first word is the odd bytes at the front.
    let mut limbs: Vec<u64> = Vec::with_capacity(bytes.len() * 138 / 100 / DIGITS + 1);
    let (front, words) = bytes.split_at(bytes.len() % 4);
    let shift = |limbs: &mut Vec<u64>, word: u64, bits: usize| {
        let mut carry = word;
        for limb in limbs.iter_mut() {
            carry += *limb << bits;
            *limb = carry % LIMB;
            carry /= LIMB;
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
    };
    for byte in front {
        shift(&mut limbs, u64::from(*byte), 8);
    }
    for word in words.chunks_exact(4) {
        let word = word.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        shift(&mut limbs, word, 32);
    }
    let mut text = vec![ALPHABET[0]; zeroes];
    for (place, limb) in limbs.iter().rev().enumerate() {
        let mut digits = [0; DIGITS];
        let mut rest = *limb;
        for digit in digits.iter_mut().rev() {
            // A remainder of 58 fits whatever it is put in.
            *digit = ALPHABET[usize::try_from(rest % 58).unwrap_or(0)];
            rest /= 58;
        }
        // Only the first limb has leading zeroes to leave out.
        let skip =
            if place == 0 { digits.iter().take_while(|digit| **digit == ALPHABET[0]).count() } else { 0 };
        text.extend_from_slice(&digits[skip..]);
    }
    // Its alphabet is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::encode;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_writes_what_the_library_writes(zeroes in 0_usize..5, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let bytes: Vec<u8> = std::iter::repeat_n(0, zeroes).chain(bytes).collect();
            prop_assert_eq!(encode(&bytes), bs58::encode(&bytes).into_string());
        }
    }
}
