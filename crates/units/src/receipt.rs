//! The two texts that tie M-Pesa money to our records.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An M-Pesa receipt number: trimmed, upper case, 6 to 20 letters and digits.
/// The only proof that M-Pesa money moved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Receipt(String);

/// Not a receipt number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an M-Pesa receipt number has 6 to 20 letters and digits")]
pub struct InvalidReceipt;

impl Receipt {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Receipt {
    type Err = InvalidReceipt;

    fn from_str(text: &str) -> Result<Self, InvalidReceipt> {
        let text = text.trim();
        if !(6..=20).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(InvalidReceipt);
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

impl TryFrom<String> for Receipt {
    type Error = InvalidReceipt;

    fn try_from(text: String) -> Result<Self, InvalidReceipt> {
        text.parse()
    }
}

impl From<Receipt> for String {
    fn from(receipt: Receipt) -> Self {
        receipt.0
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Our own 12-character account reference of a collection: upper-case letters
/// and digits without 0, 1, I and O, printed on the payer's prompt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// Not one of our references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payment reference has 12 letters and digits")]
pub struct InvalidReference;

const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

impl Reference {
    /// Draws a reference from 60 bits of `entropy`.
    pub fn from_entropy(entropy: u64) -> Self {
        let letter =
            |place: u32| char::from(ALPHABET[usize::from((entropy >> (5 * place)).to_le_bytes()[0] & 31)]);
        Self((0..12).map(letter).collect())
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Reference {
    type Err = InvalidReference;

    /// A person may have typed it: spaces and lower case are forgiven.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let text: String =
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).take(13).collect();
        if text.len() != 12 || !text.bytes().all(|b| ALPHABET.contains(&b)) {
            return Err(InvalidReference);
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Receipt, Reference};

    #[test]
    fn case_and_space_do_not_make_another_receipt() {
        let receipt: Receipt = " uj32abcdef ".parse().unwrap();
        assert_eq!(receipt.as_str(), "UJ32ABCDEF");
        assert!("UJ3 2ABCDEF".parse::<Receipt>().is_err());
    }

    #[test]
    fn references_survive_being_typed_by_hand() {
        let reference = Reference::from_entropy(0x0123_4567_89ab_cdef);
        let typed = format!(" {} ", reference.as_str().to_lowercase());
        assert_eq!(typed.parse::<Reference>().unwrap(), reference);
        assert!("ORDER-000001".parse::<Reference>().is_err());
    }
}
