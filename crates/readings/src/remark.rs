//! What is remarkable about a reading that is accepted all the same.

/// Something an operator should know. None of them changes what a reading counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Remark {
    /// Readings before it are missing. Their energy is in the registers; only how it
    /// spread over the gap is estimated.
    Gap,
    /// It does not carry the hash of the reading before it.
    ChainBroken,
    /// Its clock is more than two minutes off, and less than a slot ahead.
    ClockSkew,
    /// Its firmware's hash is not on the list of those allowed.
    UnknownFirmware,
    /// A register passed its declared end and began again at zero.
    RolledOver,
    /// Its registers began anew, and it proved what they were before.
    NewEpoch,
}

impl Remark {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Gap,
        Self::ChainBroken,
        Self::ClockSkew,
        Self::UnknownFirmware,
        Self::RolledOver,
        Self::NewEpoch,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gap => "reading.gap",
            Self::ChainBroken => "reading.chain_broken",
            Self::ClockSkew => "reading.clock_skew",
            Self::UnknownFirmware => "reading.unknown_firmware",
            Self::RolledOver => "reading.rolled_over",
            Self::NewEpoch => "reading.new_epoch",
        }
    }

    /// For people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Gap => "readings are missing before it; the total is kept, its spread is estimated",
            Self::ChainBroken => "it does not follow the reading that was stored before it",
            Self::ClockSkew => "the meter's clock is more than 120 s off",
            Self::UnknownFirmware => "the meter runs firmware that is not on the list",
            Self::RolledOver => "a register passed its end and began again at zero",
            Self::NewEpoch => "the registers began anew, and the meter proved what they were before",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of remarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks(u8);

impl Remarks {
    /// Adds one.
    pub const fn add(&mut self, remark: Remark) {
        self.0 |= remark.bit();
    }

    /// Whether one is among them.
    pub const fn has(self, remark: Remark) -> bool {
        self.0 & remark.bit() != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Remark> {
        Remark::ALL.into_iter().filter(move |remark| self.has(*remark))
    }
}

impl FromIterator<Remark> for Remarks {
    fn from_iter<T: IntoIterator<Item = Remark>>(remarks: T) -> Self {
        let mut set = Self::default();
        for remark in remarks {
            set.add(remark);
        }
        set
    }
}
