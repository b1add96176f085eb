//! A tree over bins.

/// Where a row goes on: to another fork, or to a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "i16", into = "i16")]
pub enum Next {
    /// The fork with this number.
    Fork(u8),
    /// The leaf with this number.
    Leaf(u8),
}

impl From<i16> for Next {
    fn from(code: i16) -> Self {
        let number = |code: i16| u8::try_from(code).unwrap_or(u8::MAX);
        if code >= 0 { Self::Fork(number(code)) } else { Self::Leaf(number(-1 - code.max(-256))) }
    }
}

impl From<Next> for i16 {
    fn from(next: Next) -> Self {
        match next {
            Next::Fork(number) => Self::from(number),
            Next::Leaf(number) => -1 - Self::from(number),
        }
    }
}

/// Where the rows that have no value go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// With the smaller values.
    Left,
    /// With the greater values.
    Right,
}

/// One question: is the column's bin at most this?
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fork {
    pub column: u8,
    pub bin: u8,
    pub missing: Side,
    pub left: Next,
    pub right: Next,
}

impl Fork {
    /// On which side a row goes on.
    #[inline]
    pub fn side(self, row: &[u8]) -> Side {
        match row[usize::from(self.column)] {
            0 => self.missing,
            bin if bin <= self.bin => Side::Left,
            _ => Side::Right,
        }
    }
}

/// Forks, the first of them the root, and what each leaf answers.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tree {
    pub forks: Vec<Fork>,
    /// What a leaf adds.
    pub leaves: Vec<f32>,
    /// What a row at a fork may expect, before the fork is asked: for explanations.
    pub expected: Vec<f32>,
}

impl Tree {
    /// What the tree adds for a row.
    #[inline]
    pub fn answer(&self, row: &[u8]) -> f32 {
        self.leaves[self.leaf(row)]
    }

    /// The leaf that a row ends in.
    #[inline]
    pub fn leaf(&self, row: &[u8]) -> usize {
        if self.forks.is_empty() {
            return 0;
        }
        let mut at = 0;
        loop {
            let fork = self.forks[at];
            let next = match fork.side(row) {
                Side::Left => fork.left,
                Side::Right => fork.right,
            };
            match next {
                Next::Fork(number) => at = usize::from(number),
                Next::Leaf(number) => return usize::from(number),
            }
        }
    }

    /// Whether every way from the root ends in a leaf, and no number is absurd.
    pub fn holds_together(&self, columns: usize) -> bool {
        let ahead = |from: usize, next: Next| match next {
            // Only forwards, so that no way is endless.
            Next::Fork(number) => usize::from(number) > from && usize::from(number) < self.forks.len(),
            Next::Leaf(number) => usize::from(number) < self.leaves.len(),
        };
        let ways = self.forks.iter().enumerate().all(|(number, fork)| {
            usize::from(fork.column) < columns
                // Nothing but what is missing stands in bin 0.
                && fork.bin > 0
                && ahead(number, fork.left)
                && ahead(number, fork.right)
        });
        ways && !self.leaves.is_empty()
            && self.expected.len() == self.forks.len()
            && self.leaves.iter().chain(&self.expected).all(|value| value.is_finite())
    }
}
