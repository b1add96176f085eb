//! Who people are: households by a code sent to their phone, operators by password and a code
//! of an authenticator.
//!
//! Promises: no answer and no work tells whether a number is known; a code is counted before it
//! is compared, good once and for minutes; wrong tries spend a code or make the one who tries
//! wait, and never lock anybody else out; what is kept of a secret is a slow salted hash under a
//! key that is not in the database. Stands beside [`crate::auth`], which knows sessions only.

pub mod acts;
pub mod backoff;
pub mod codes;
pub mod config;
pub mod people;
pub mod pin;
pub mod recent;
pub mod totp;
pub mod words;

use crate::config::ApiConfig;
use crate::ussd::pin::Hasher;
use acts::Acts;
use backoff::Backoff;
use codes::Codes;
use recent::Recent;
use std::net::{IpAddr, Ipv6Addr};

pub use config::{AccountsConfig, PinForMoney};

/// Codes sent at the wish of one address in an hour: a carrier puts many phones behind one.
const CODES_OF_ADDRESS: usize = 60;

/// What accounts remember and share.
pub struct Accounts {
    /// Settings.
    pub config: AccountsConfig,
    /// One-time codes under way.
    pub codes: Codes,
    /// Hashes of PINs and one-time codes.
    pub pins: Hasher,
    /// Hashes of operators' passwords.
    pub passwords: Hasher,
    /// Who guessed at an operator's account.
    pub backoff: Backoff,
    /// What people with special rights did.
    pub acts: Acts,
    /// Codes that an address asked for; None for no limit.
    pub asked_by: Option<Recent<IpAddr>>,
}

impl Accounts {
    /// Nothing is remembered yet.
    pub fn new(config: &ApiConfig) -> Self {
        let settings = config.accounts.clone();
        let hour = i64::from(settings.service_s(3_600));
        // A village's homes all come from one address.
        let limited = config.limits.sessions_per_minute.is_some();
        Self {
            codes: Codes::new(&settings),
            pins: Hasher::new(settings.pin_pepper),
            passwords: Hasher::new(settings.password_pepper),
            backoff: Backoff::default(),
            acts: Acts::new(settings.acts_key),
            asked_by: limited.then(|| Recent::new(CODES_OF_ADDRESS, hour, 0)),
            config: settings,
        }
    }
}

/// Who one address is: the network of an IPv6 address, of which anybody has as many as they like.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_network_are_one() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(of("10.0.0.1"), "10.0.0.1");
    }
}
