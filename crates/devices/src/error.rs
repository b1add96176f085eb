//! Why a definition, a device of a site, or a message is refused.

/// The text begins with the stable code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The file is not YAML, or not within its bounds.
    #[error("device.definition: {0}")]
    Definition(String),
    /// A key that no definition has.
    #[error("device.unknown_key: there is no key {key} in {place}{hint}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        place: String,
        /// `; did you mean unit?`, or nothing.
        hint: String,
    },
    /// A site's device that cannot be.
    #[error("device.site: {0}")]
    Site(String),
    /// A definition that nobody has.
    #[error("device.unknown_definition: there is no definition {name}{hint}")]
    UnknownDefinition {
        /// Its name.
        name: String,
        /// `; did you mean tasmota?`, or nothing.
        hint: String,
    },
    /// Longer than any such message.
    #[error("device.too_large: {bytes} bytes are more than the {limit} that are read")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Not what the definition says it is.
    #[error("device.malformed: {0}")]
    Malformed(String),
    /// A number that is none: NaN, text, or too long.
    #[error("device.not_a_number: {0} is no number")]
    NotANumber(String),
    /// A counter below zero.
    #[error("device.negative: {0} is negative, and a counter never is")]
    Negative(String),
    /// Beyond 2^53 - 1 Wh, or beyond what the value can be.
    #[error("device.out_of_range: {0} is beyond what can be")]
    OutOfRange(String),
    /// At or beyond the modulus that the definition declares.
    #[error("device.beyond_modulus: {0} reached the modulus at which the definition says it begins anew")]
    BeyondModulus(String),
    /// It fell, and neither a roll-over nor a reset explains it.
    #[error(
        "device.fell: {0} fell, and neither a roll-over nor a reset explains it; give the device a new generation if it was replaced"
    )]
    Fell(String),
    /// More energy than the connection can have carried.
    #[error("device.implausible: {value} grew {grew_wh} Wh where {most_wh} Wh are possible")]
    Implausible {
        /// Which value.
        value: String,
        /// By how much it grew.
        grew_wh: u64,
        /// What the rating allows.
        most_wh: u64,
    },
    /// A message the broker had kept: when it was measured is unknown.
    #[error("device.retained: the broker had kept this message, and it does not say when it was measured")]
    Retained,
    /// Not later than what was taken before.
    #[error("device.not_later: not measured later than what was taken before")]
    NotLater,
    /// A first value that is not of the present.
    #[error("device.old_baseline: measured {0} s ago; counting begins with a value of the present")]
    OldBaseline(i64),
    /// A time beyond the clock's.
    #[error("device.future: measured {0} s in the future; the device's clock is wrong")]
    Future(i64),
    /// An OCMF record in a form that is not spoken here.
    #[error("ocmf.malformed: {0}")]
    Ocmf(String),
    /// The signature is not the meter's.
    #[error("ocmf.bad_signature: the signature does not match the meter's key")]
    BadSignature,
    /// An algorithm that is not verified here.
    #[error("ocmf.algorithm: {0} is not verified here, use ECDSA-secp256r1-SHA256")]
    Algorithm(String),
    /// Another meter's record.
    #[error("ocmf.foreign_meter: the record is of meter {0}")]
    ForeignMeter(String),
    /// A page that was taken before, or lies before it.
    #[error("ocmf.old_page: page {0} is not after the last one taken")]
    OldPage(String),
    /// The meter itself says that the value cannot be relied on.
    #[error("ocmf.status: the meter gives status {0}: {1}")]
    Status(char, &'static str),
    /// The meter says that energy or time is wrong.
    #[error("ocmf.error_flag: the meter says that its {0} is wrong")]
    ErrorFlag(&'static str),
}

impl DeviceError {
    /// The stable code, without the sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Definition(_) => "device.definition",
            Self::UnknownKey { .. } => "device.unknown_key",
            Self::Site(_) => "device.site",
            Self::UnknownDefinition { .. } => "device.unknown_definition",
            Self::TooLarge { .. } => "device.too_large",
            Self::Malformed(_) => "device.malformed",
            Self::NotANumber(_) => "device.not_a_number",
            Self::Negative(_) => "device.negative",
            Self::OutOfRange(_) => "device.out_of_range",
            Self::BeyondModulus(_) => "device.beyond_modulus",
            Self::Fell(_) => "device.fell",
            Self::Implausible { .. } => "device.implausible",
            Self::Retained => "device.retained",
            Self::NotLater => "device.not_later",
            Self::OldBaseline(_) => "device.old_baseline",
            Self::Future(_) => "device.future",
            Self::Ocmf(_) => "ocmf.malformed",
            Self::BadSignature => "ocmf.bad_signature",
            Self::Algorithm(_) => "ocmf.algorithm",
            Self::ForeignMeter(_) => "ocmf.foreign_meter",
            Self::OldPage(_) => "ocmf.old_page",
            Self::Status(..) => "ocmf.status",
            Self::ErrorFlag(_) => "ocmf.error_flag",
        }
    }
}
