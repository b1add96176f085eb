//! Session tokens: 256 random bits, of which only the hash is kept.

use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Where tokens come from. The seed is the secret of them all: the binary draws
/// it from the system for every start, a simulated village from its own seed.
#[derive(Clone)]
pub struct TokenSource(Arc<Mutex<ChaCha20Rng>>);

impl TokenSource {
    /// Draws from this seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed))))
    }

    /// A new token.
    pub fn draw(&self) -> Token {
        let mut bytes = [0; 32];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        Token(hex::encode(bytes))
    }
}

impl TokenSource {
    /// 16 random bytes: a salt, or a name that nobody guesses.
    pub fn salt(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    /// Six decimal digits, each as likely as any other.
    pub fn digits(&self) -> String {
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number =
            (0..16).fold(0, |number: u64, _| (number << 8 | u64::from(source.next_u32() & 0xff)) % 1_000_000);
        format!("{number:06}")
    }
}

/// A session token: 64 lower-case hexadecimal digits. Never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token as it was sent; `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        ours.then(|| Self(text.to_owned()))
    }

    /// The text, for the one it belongs to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it. The token has 256 random bits: no salt is needed, and
    /// the hash is found by equality without telling anything by its timing.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_never_print() {
        let source = TokenSource::from_seed([7; 32]);
        let (first, second) = (source.draw(), source.draw());
        assert_ne!(first.hash(), second.hash());
        assert_eq!(Token::parse(first.as_str()), Some(first.clone()));
        assert_eq!(format!("{first:?}"), "Token(..)");
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for text in ["", "abc", &"G".repeat(64), &"A".repeat(64), &"a".repeat(65)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}
