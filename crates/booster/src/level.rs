//! Which quantile.

use crate::error::BoosterError;

/// A probability in per mille, 1 to 999: exact, so that levels compare and sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Level(u16);

impl Level {
    /// The middle.
    pub const MEDIAN: Self = Self(500);

    /// From per mille.
    pub fn from_permille(permille: u16) -> Result<Self, BoosterError> {
        if (1..=999).contains(&permille) { Ok(Self(permille)) } else { Err(BoosterError::Level) }
    }

    /// In per mille.
    pub const fn permille(self) -> u16 {
        self.0
    }

    /// Between 0 and 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl TryFrom<u16> for Level {
    type Error = BoosterError;

    fn try_from(permille: u16) -> Result<Self, BoosterError> {
        Self::from_permille(permille)
    }
}

impl From<Level> for u16 {
    fn from(level: Level) -> Self {
        level.0
    }
}
