//! Client ids of the site's own clients: gateways, the firmware's server, the bridge.
//!
//! Whoever connects under a client id ends the connection that had it, and most brokers let
//! any user choose any id. So ours end in what nobody can guess.

use crate::device::password;

/// Hexadecimal digits of the part that is secret.
const DIGITS: usize = 16;

/// The client id of one of our own clients: its name, and digits that only whoever has the
/// deployment's `secret` knows. The same after a restart, so that its session goes on.
pub fn own_client_id(secret: &[u8; 32], name: &str) -> String {
    let mut digits = password(secret, b"jirani/mqtt-client-id/1", name.as_bytes());
    digits.truncate(DIGITS);
    format!("{name}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_again_and_another_for_another_name_or_secret() {
        let id = own_client_id(&[1; 32], "gateway-2");
        assert_eq!(id, own_client_id(&[1; 32], "gateway-2"));
        assert!(id.starts_with("gateway-2-") && id.len() == 10 + DIGITS, "{id}");
        assert_ne!(id[10..], own_client_id(&[1; 32], "gateway-3")[10..]);
        assert_ne!(id, own_client_id(&[2; 32], "gateway-2"));
    }
}
