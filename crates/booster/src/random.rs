//! Chance that follows from a seed: SplitMix64 (Steele, Lea and Flood, 2014), the
//! same on every machine and in every version of every other library.

/// A stream of numbers.
pub struct Random(u64);

impl Random {
    /// The stream of `seed`, and of the stream's own `name`.
    pub const fn new(seed: u64, name: u64) -> Self {
        Self(seed ^ name.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next number, even over all 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True `percent` times in a hundred.
    pub const fn hits(&mut self, percent: u8) -> bool {
        (self.next() >> 32) * 100 < (percent as u64) << 32
    }
}
