//! What can be wrong with bytes from outside.

/// Bytes that are not what they should be. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not the CBOR that belongs here.
    #[error("reading.malformed: {0}")]
    Malformed(&'static str),
    /// Right content, but not in its one encoding.
    #[error("reading.not_canonical: integers, lengths and order must have their one deterministic encoding")]
    NotCanonical,
    /// Longer than allowed.
    #[error("reading.too_large: {what} is longer than {limit}")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// How long it may be, in bytes or entries.
        limit: usize,
    },
    /// Made for another version of the fields.
    #[error("reading.unknown_version: version {0} is not spoken here")]
    UnknownVersion(u8),
    /// The algorithm is not one that is verified here.
    #[error("reading.unsupported_algorithm: COSE algorithm {0} is not verified here, use EdDSA (-8)")]
    UnsupportedAlgorithm(i8),
    /// The signature is not the key's.
    #[error("reading.bad_signature: the signature does not match the meter's key")]
    BadSignature,
    /// The key is not a point of the curve, or of small order, and proves nothing.
    #[error(
        "reading.weak_key: the public key is no Ed25519 key, is one of small order, or is not in its one encoding"
    )]
    WeakKey,
    /// The signer failed.
    #[error("reading.not_signed: the key could not sign")]
    NotSigned,
}

impl WireError {
    /// The stable code, without the sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "reading.malformed",
            Self::NotCanonical => "reading.not_canonical",
            Self::TooLarge { .. } => "reading.too_large",
            Self::UnknownVersion(_) => "reading.unknown_version",
            Self::UnsupportedAlgorithm(_) => "reading.unsupported_algorithm",
            Self::BadSignature => "reading.bad_signature",
            Self::WeakKey => "reading.weak_key",
            Self::NotSigned => "reading.not_signed",
        }
    }
}

impl From<minicbor::decode::Error> for WireError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed("a field is missing, of another type, or out of its range")
    }
}
