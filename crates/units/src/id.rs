//! Identities. Numbers are handed out by the store in the commit that creates
//! the thing, so that a run from one seed names everything alike.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

numbered!(
    /// A record that owns one settlement meter: a household, or one of the
    /// operator's records (generator, battery, loss).
    HouseholdId, u32
);
numbered!(
    /// An offer; also the nonce of its address on chain.
    OfferId, u64
);
numbered!(
    /// An order; also the nonce of its address on chain.
    OrderId, u64
);
numbered!(
    /// A payout.
    PayoutId, u64
);

/// A meter: the first 16 bytes of SHA-256 of its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterId(pub [u8; 16]);

impl fmt::Display for MeterId {
    /// 32 lower-case hexadecimal digits, as in MQTT topics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MeterId({self})")
    }
}

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a meter id is 32 lower-case hexadecimal digits")]
pub struct InvalidMeterId;

impl std::str::FromStr for MeterId {
    type Err = InvalidMeterId;

    fn from_str(text: &str) -> Result<Self, InvalidMeterId> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(InvalidMeterId);
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidMeterId)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidMeterId)?;
        }
        Ok(Self(id))
    }
}

impl Serialize for MeterId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MeterId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
