//! A meter's identity as it prints it: the text of its QR code, or its serial line.

use super::EnrolmentError;
use jirani_meter::PublicKey;
use jirani_units::MeterId;

/// Digits of a key and of a name.
const KEY_DIGITS: usize = 64;
const NAME_DIGITS: usize = 32;

/// Reads a key, and checks that a name beside it is the key's. Takes the QR code's text (64
/// digits) as well as the lines `meter ...` and `key ...`.
pub fn identity(text: &str) -> Result<(MeterId, [u8; 32]), EnrolmentError> {
    let words: Vec<&str> = text.split(|letter: char| !letter.is_ascii_hexdigit()).collect();
    let mut keys = words.iter().filter(|word| word.len() == KEY_DIGITS);
    let (Some(digits), None) = (keys.next(), keys.next()) else { return Err(EnrolmentError::BadIdentity) };
    let mut key = [0; 32];
    hex::decode_to_slice(digits, &mut key).map_err(|_| EnrolmentError::BadIdentity)?;
    let name = PublicKey::from_bytes(&key).map_err(|_| EnrolmentError::BadIdentity)?.name();
    let name_is_its = |word: &&&str| word.eq_ignore_ascii_case(&hex::encode(name));
    if words.iter().filter(|word| word.len() == NAME_DIGITS).any(|word| !name_is_its(&word)) {
        return Err(EnrolmentError::IdentityMismatch);
    }
    Ok((MeterId(name), key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_meter::{Ed25519Signer, Signer as _};

    #[test]
    fn the_qr_code_and_the_serial_lines_say_the_same_and_a_foreign_name_is_noticed() {
        let signer = Ed25519Signer::from_seed(&[7; 32]);
        let (name, key) = (hex::encode(signer.name()), hex::encode(signer.public_key()));
        let expected = (MeterId(signer.name()), signer.public_key());
        for text in [
            key.clone(),
            key.to_ascii_uppercase(),
            format!("meter {name}\r\nkey {key}\r\n"),
            format!("JIRANI:{}:{key}", name.to_ascii_uppercase()),
        ] {
            assert_eq!(identity(&text).unwrap(), expected, "{text}");
        }
        let foreign = hex::encode(Ed25519Signer::from_seed(&[8; 32]).name());
        for (text, code) in [
            (String::new(), "meter.bad_identity"),
            (name.clone(), "meter.bad_identity"),
            (format!("{key}0"), "meter.bad_identity"),
            (format!("{key} {key}"), "meter.bad_identity"),
            ("0".repeat(64), "meter.bad_identity"),
            (format!("meter {foreign} key {key}"), "meter.identity_mismatch"),
        ] {
            assert_eq!(identity(&text).unwrap_err().code(), code, "{text}");
        }
    }
}
