//! Base58 of long data. A node shows what instructions were told in base58, whose cost
//! grows with the square of the length: working on 32-bit words and five digits at a
//! time makes that square twenty times smaller. An attestation's event is a kilobyte.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Digits read at a time; as many fit into a word.
const DIGITS: usize = 5;
/// No data of a transaction is longer: a transaction has 4,096 bytes, what a program
/// tells another 10,240, and a byte is at most 1.37 digits.
const LONGEST: usize = 14_100;

/// The bytes that `text` writes; none for what is not base58 or too long.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.as_bytes();
    let zeroes = text.iter().take_while(|digit| **digit == ALPHABET[0]).count();
    // Little-endian words.
    let mut words: Vec<u32> = Vec::with_capacity(text.len() * 733 / 4_000 + 1);
    for piece in text.get(zeroes..)?.chunks(DIGITS) {
        let (mut scale, mut carry) = (1_u64, 0_u64);
        for digit in piece {
            scale *= 58;
            carry = carry * 58 + u64::from(value(*digit)?);
        }
        for word in &mut words {
            carry += u64::from(*word) * scale;
            #[expect(clippy::cast_possible_truncation, reason = "the upper half is carried")]
            let low = carry as u32;
            *word = low;
            carry >>= 32;
        }
        if carry > 0 {
            words.push(u32::try_from(carry).ok()?);
        }
    }
    let mut bytes = vec![0; zeroes];
    let significant = words.iter().rev().flat_map(|word| word.to_be_bytes()).skip_while(|byte| *byte == 0);
    bytes.extend(significant);
    Some(bytes)
}

/// What a digit is worth.
fn value(digit: u8) -> Option<u8> {
    let value = match digit {
        b'1'..=b'9' => digit - b'1',
        b'A'..=b'H' => digit - b'A' + 9,
        b'J'..=b'N' => digit - b'J' + 17,
        b'P'..=b'Z' => digit - b'P' + 22,
        b'a'..=b'k' => digit - b'a' + 33,
        b'm'..=b'z' => digit - b'm' + 44,
        _ => return None,
    };
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(bytes in prop::collection::vec(any::<u8>(), 0..1_300), zeroes in 0_usize..4) {
            let bytes = [vec![0; zeroes], bytes].concat();
            prop_assert_eq!(decode(&bs58::encode(&bytes).into_string()), Some(bytes));
        }

        #[test]
        fn any_text_is_read_as_the_library_reads_it(text in "[1-9A-Za-z0OIl ]{0,60}") {
            prop_assert_eq!(decode(&text), bs58::decode(&text).into_vec().ok());
        }
    }

    #[test]
    fn every_digit_has_its_value() {
        for (place, digit) in ALPHABET.iter().enumerate() {
            assert_eq!(value(*digit).map(usize::from), Some(place));
        }
    }

    #[test]
    fn what_no_transaction_can_hold_is_not_read() {
        assert_eq!(decode(&"z".repeat(LONGEST + 1)), None);
    }
}
