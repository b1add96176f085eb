//! Codes of an authenticator: RFC 6238 with its defaults (SHA-1, 30 seconds, six digits), which
//! every authenticator knows. Each step of time is taken once.

use hmac::{Hmac, Mac as _};
use jirani_units::Timestamp;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Seconds of a step.
const STEP_S: i64 = 30;
/// Steps that a clock may be off, either way.
const DRIFT: u64 = 1;
/// RFC 4648.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an authenticator and we share: 160 bits, as RFC 4226 recommends.
pub struct TotpSecret([u8; 20]);

impl TotpSecret {
    /// Made from a key that is not in the database and a salt that is.
    pub fn of(key: &[u8; 32], salt: &[u8; 16]) -> Self {
        let mut secret = [0; 20];
        // HMAC takes a key of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
            mac.update(b"jirani totp");
            mac.update(salt);
            secret.copy_from_slice(&mac.finalize().into_bytes()[..20]);
        }
        Self(secret)
    }

    /// As a person types it.
    pub fn base32(&self) -> String {
        let bits = |at: usize| {
            let (byte, shift) = (at * 5 / 8, at * 5 % 8);
            let pair = u16::from(self.0[byte]) << 8 | u16::from(*self.0.get(byte + 1).unwrap_or(&0));
            usize::from(pair >> (11 - shift) & 31)
        };
        (0..32).map(|at| char::from(BASE32[bits(at)])).collect()
    }

    /// As an authenticator reads it from a picture.
    pub fn uri(&self, site: &str, name: &str) -> String {
        let encode = |text: &str| {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
        };
        let (issuer, name) = (encode(&format!("Jirani {site}")), encode(name));
        format!("otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}", self.base32())
    }

    /// The step of time that `code` is of, if it is of one near `now` and after `last`.
    pub fn step_of(&self, code: &str, now: Timestamp, last: Option<u64>) -> Option<u64> {
        let current = step_at(now);
        let steps = current.saturating_sub(DRIFT)..=current + DRIFT;
        steps.filter(|step| last.is_none_or(|last| *step > last)).find(|step| {
            let right = format!("{:06}", truncated(&self.0, *step) % 1_000_000);
            right.as_bytes().ct_eq(code.as_bytes()).into()
        })
    }

    /// The code of a moment: what an authenticator shows.
    pub fn code_at(&self, now: Timestamp) -> String {
        format!("{:06}", truncated(&self.0, step_at(now)) % 1_000_000)
    }
}

fn step_at(now: Timestamp) -> u64 {
    u64::try_from(now.0.div_euclid(STEP_S * 1_000_000)).unwrap_or(0)
}

/// RFC 4226, section 5.3.
fn truncated(secret: &[u8], step: u64) -> u32 {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return 0 };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8; 20] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let step = step_at(Timestamp::from_seconds(seconds));
            assert_eq!(truncated(RFC, step) % 100_000_000, code, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_near_its_time() {
        let secret = TotpSecret(*RFC);
        let at = |seconds| Timestamp::from_seconds(seconds);
        let code = secret.code_at(at(300));
        assert_eq!(secret.step_of(&code, at(300), None), Some(10));
        assert_eq!(secret.step_of(&code, at(330), Some(9)), Some(10), "a clock that is half a minute off");
        assert_eq!(secret.step_of(&code, at(300), Some(10)), None, "taken before");
        assert_eq!(secret.step_of(&code, at(360), None), None);
        assert_eq!(secret.step_of("", at(300), None), None);
    }

    #[test]
    fn a_secret_is_written_as_rfc_4648_says() {
        assert_eq!(TotpSecret(*RFC).base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = TotpSecret(*RFC).uri("Kisiwa grid", "Amina W.");
        assert_eq!(
            uri,
            "otpauth://totp/Jirani%20Kisiwa%20grid:Amina%20W.?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Jirani%20Kisiwa%20grid"
        );
        assert_ne!(TotpSecret::of(&[1; 32], &[2; 16]).0, TotpSecret::of(&[1; 32], &[3; 16]).0);
        assert_ne!(TotpSecret::of(&[1; 32], &[2; 16]).0, TotpSecret::of(&[2; 32], &[2; 16]).0);
    }
}
