//! Foreign devices and the bridge that hears them.
//!
//! | client | user and client id | publishes | subscribes |
//! |---|---|---|---|
//! | a device | `device-<id>` | `devices/<id>/...` | `devices/<id>/...` |
//! | the bridge | `bridge`; its client ids begin with it and `-` | nothing | `devices/#`, `devices/<id>/...` |
//!
//! The readings that the bridge signs go out under each meter's own name.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// User name of the bridge. Its client ids are this, or begin with this and `-`.
pub const BRIDGE: &str = "bridge";
/// What a device's user name and client id begin with.
const DEVICE: &str = "device-";
/// What devices' topics begin with.
const DEVICES: &str = "devices/";
/// Longest id of a device.
const ID_MAX: usize = 40;
/// Topics that one device may have retained.
pub(crate) const RETAINED_MAX: usize = 64;

/// The bridge's MQTT password under the deployment's secret.
pub fn bridge_password(secret: &[u8; 32]) -> String {
    password(secret, b"jirani/mqtt-bridge/1", b"")
}

/// The MQTT password of a device under the deployment's secret.
pub fn device_password(secret: &[u8; 32], device: &str) -> String {
    password(secret, b"jirani/mqtt-device/1", device.as_bytes())
}

pub(crate) fn password(secret: &[u8; 32], purpose: &[u8], name: &[u8]) -> String {
    // INVARIANT: HMAC takes a key of any length.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(purpose);
    mac.update(name);
    hex::encode(mac.finalize().into_bytes())
}

/// A device's id: at most 40 of `a-z`, `0-9`, `-` and `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeviceId {
    bytes: [u8; ID_MAX],
    length: usize,
}

impl DeviceId {
    /// The device that has this user name.
    pub(crate) fn of_user(name: &str) -> Option<Self> {
        let id = name.strip_prefix(DEVICE)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if !(1..=ID_MAX).contains(&id.len()) || !id.bytes().all(plain) {
            return None;
        }
        let mut bytes = [0; ID_MAX];
        bytes[..id.len()].copy_from_slice(id.as_bytes());
        Some(Self { bytes, length: id.len() })
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII was taken.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    /// Whether a topic, or a filter, stays under its own prefix.
    pub(crate) fn owns(&self, topic: &str) -> bool {
        let rest = topic.strip_prefix(DEVICES).and_then(|rest| rest.strip_prefix(self.as_str()));
        rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
    }

    /// The name of its message budget, which no meter has: meters' names are hashes of keys.
    pub(crate) fn budget(&self) -> [u8; 16] {
        let mut name = [0; 16];
        let digest = Sha256::new().chain_update(b"jirani/device/1").chain_update(self.as_str()).finalize();
        name.copy_from_slice(&digest[..16]);
        name
    }
}

/// Whether the bridge may listen to this.
pub(crate) fn is_devices(filter: &str) -> bool {
    let Some(rest) = filter.strip_prefix(DEVICES) else { return false };
    rest == "#"
        || rest.split_once('/').is_some_and(|(id, _)| DeviceId::of_user(&format!("{DEVICE}{id}")).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_stays_under_its_own_prefix() {
        let device = DeviceId::of_user("device-shelly-1").unwrap();
        for own in ["devices/shelly-1/status/em:0", "devices/shelly-1/#", "devices/shelly-1/online"] {
            assert!(device.owns(own), "{own}");
        }
        for foreign in [
            "devices/shelly-1",
            "devices/shelly-1/",
            "devices/shelly-10/x",
            "devices/+/x",
            "devices/#",
            "v1/x/up",
            "#",
            "",
        ] {
            assert!(!device.owns(foreign), "{foreign}");
        }
        for nobody in ["device-", "device-A", "device-a/b", "device-#", "shelly-1", "device-aé"] {
            assert_eq!(DeviceId::of_user(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn the_bridge_hears_devices_and_nobody_else() {
        for filter in ["devices/#", "devices/a/b", "devices/a/#"] {
            assert!(is_devices(filter), "{filter}");
        }
        for filter in ["#", "v1/#", "v1/+/up", "devices", "$SYS/#", "$share/g/devices/#"] {
            assert!(!is_devices(filter), "{filter}");
        }
    }

    #[test]
    fn passwords_differ_by_who_and_by_secret() {
        assert_ne!(device_password(&[0; 32], "a"), device_password(&[0; 32], "b"));
        assert_ne!(device_password(&[0; 32], "a"), device_password(&[1; 32], "a"));
        assert_ne!(device_password(&[0; 32], ""), bridge_password(&[0; 32]));
    }
}
