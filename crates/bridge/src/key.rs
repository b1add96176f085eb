//! The keys that the site signs with for its devices: one per device, from one secret.

use hmac::{Hmac, Mac as _};
use jirani_meter::Ed25519Signer;
use jirani_units::MeterId;
use sha2::Sha256;

/// The Ed25519 seed of a device's meter: HMAC-SHA256 of its id under the site's bridge key.
pub fn device_key(site: &[u8; 32], device: &str) -> [u8; 32] {
    // INVARIANT: HMAC takes a key of any length.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(site).expect("HMAC takes a key of any length");
    mac.update(b"jirani/bridged-meter/1");
    mac.update(device.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The meter that the site is for a device.
pub fn device_meter(site: &[u8; 32], device: &str) -> MeterId {
    MeterId(Ed25519Signer::from_seed(&device_key(site, device)).name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_of_every_site_is_another_meter() {
        assert_eq!(device_meter(&[1; 32], "a"), device_meter(&[1; 32], "a"));
        assert_ne!(device_meter(&[1; 32], "a"), device_meter(&[1; 32], "b"));
        assert_ne!(device_meter(&[1; 32], "a"), device_meter(&[2; 32], "a"));
    }
}
