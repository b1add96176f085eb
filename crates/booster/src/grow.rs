//! Grows one tree, leaf by leaf: always the leaf whose split gains most.

use crate::bins::{Binned, Bins};
use crate::histogram::{Counts, Histogram};
use crate::settings::Settings;
use crate::tree::{Fork, Next, Side, Tree};

/// The table, ready to grow trees on.
pub struct Grower<'a> {
    pub bins: &'a Bins,
    pub binned: &'a Binned,
    pub settings: &'a Settings,
    /// The level, between 0 and 1.
    pub share: f64,
    /// Histograms to be used again: they are most of what a tree needs.
    pool: Vec<Histogram>,
}

/// A tree whose leaves have no answers yet, with the rows of each leaf.
pub struct Grown {
    pub tree: Tree,
    /// Ranges of the rows given, which growing puts in order of leaves.
    pub ranges: Vec<std::ops::Range<usize>>,
}

/// A leaf that may still be split.
struct Open {
    range: std::ops::Range<usize>,
    counts: Counts,
    histogram: Histogram,
    best: Option<Split>,
    /// The fork above, and on which side of it.
    above: Option<(usize, Side)>,
}

impl Open {
    fn misses_nothing(&self, column: usize) -> bool {
        self.histogram.columns().nth(column).is_none_or(|bins| bins[0].rows() == 0)
    }
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    column: usize,
    bin: u8,
    missing: Side,
    left: Counts,
}

impl<'a> Grower<'a> {
    pub const fn new(bins: &'a Bins, binned: &'a Binned, settings: &'a Settings, share: f64) -> Self {
        Self { bins, binned, settings, share, pool: Vec::new() }
    }

    /// A tree for `rows` (not empty), whose counts are `each`, over the columns that
    /// `seen` says.
    pub fn grow(&mut self, rows: &mut [u32], each: &[Counts], seen: &[bool]) -> Grown {
        let mut histogram = self.histogram();
        histogram.count(self.binned, rows, each);
        let counts = rows.iter().fold(Counts::default(), |sum, &row| sum.add(each[row as usize]));
        let best = self.best(&histogram, counts, seen);
        let mut open = vec![Open { range: 0..rows.len(), counts, histogram, best, above: None }];
        let mut forks: Vec<Fork> = Vec::new();
        let mut spare: Vec<u32> = Vec::new();
        while open.len() < usize::from(self.settings.leaves) {
            let Some((place, split)) = next(&open) else { break };
            let leaf = open.swap_remove(place);
            let number = forks.len();
            attach(&mut forks, leaf.above, Next::Fork(u8::try_from(number).unwrap_or(u8::MAX)));
            let mut fork = Fork {
                column: u8::try_from(split.column).unwrap_or(u8::MAX),
                bin: split.bin,
                missing: split.missing,
                left: Next::Leaf(0),
                right: Next::Leaf(0),
            };
            // Where nothing was missing, what is missing later goes with the most.
            if split.left.rows() * 2 > leaf.counts.rows() && leaf.misses_nothing(split.column) {
                fork.missing = Side::Left;
            }
            let middle = leaf.range.start
                + partition(&mut rows[leaf.range.clone()], &mut spare, |row| {
                    fork.side(self.binned.row(row as usize))
                });
            forks.push(fork);
            let ranges = (leaf.range.start..middle, middle..leaf.range.end);
            let counts = (split.left, leaf.counts.less(split.left));
            // Only the smaller half is counted; the other is what is left.
            let mut small = self.histogram();
            let mut large = leaf.histogram;
            let left_is_small = ranges.0.len() < ranges.1.len();
            let counted = if left_is_small { ranges.0.clone() } else { ranges.1.clone() };
            small.count(self.binned, &rows[counted], each);
            large.take_away(&small);
            let (left, right) = if left_is_small { (small, large) } else { (large, small) };
            for (range, counts, histogram, side) in
                [(ranges.0, counts.0, left, Side::Left), (ranges.1, counts.1, right, Side::Right)]
            {
                let best = self.best(&histogram, counts, seen);
                open.push(Open { range, counts, histogram, best, above: Some((number, side)) });
            }
        }
        let mut ranges = Vec::with_capacity(open.len());
        for (number, leaf) in open.into_iter().enumerate() {
            attach(&mut forks, leaf.above, Next::Leaf(u8::try_from(number).unwrap_or(u8::MAX)));
            ranges.push(leaf.range);
            self.pool.push(leaf.histogram);
        }
        let leaves = vec![0.0; ranges.len()];
        let expected = vec![0.0; forks.len()];
        Grown { tree: Tree { forks, leaves, expected }, ranges }
    }

    fn histogram(&mut self) -> Histogram {
        self.pool.pop().unwrap_or_else(|| Histogram::new(self.binned.columns))
    }

    /// The split that gains most, if any gains.
    fn best(&self, histogram: &Histogram, all: Counts, seen: &[bool]) -> Option<Split> {
        if all.rows() < self.settings.leaf_rows_min.saturating_mul(2) {
            return None;
        }
        let mut best: Option<Split> = None;
        let before = gain(all, self.share);
        // What both halves must gain together, kept as it is so that no split that gains less
        // costs a division.
        let mut mark = before + GAIN_MIN;
        for (column, bins) in histogram.columns().enumerate() {
            if !seen.get(column).copied().unwrap_or(true) {
                continue;
            }
            let missing = bins[0];
            let sides: &[Side] =
                if missing.rows() == 0 { &[Side::Right] } else { &[Side::Right, Side::Left] };
            for &side in sides {
                let mut left = if side == Side::Left { missing } else { Counts::default() };
                let last = self.bins.count(column).saturating_sub(1);
                for (bin, counts) in bins.iter().enumerate().take(last).skip(1) {
                    if counts.rows() == 0 {
                        continue;
                    }
                    left = left.add(*counts);
                    if left.rows() < self.settings.leaf_rows_min {
                        continue;
                    }
                    let right = all.less(left);
                    if right.rows() < self.settings.leaf_rows_min {
                        break;
                    }
                    let (slope, other) = (left.slope(self.share), right.slope(self.share));
                    let (rows, others) = (f64::from(left.rows()), f64::from(right.rows()));
                    let together = slope * slope * others + other * other * rows;
                    if together > mark * (rows * others) {
                        mark = together / (rows * others);
                        let bin = u8::try_from(bin).unwrap_or(u8::MAX);
                        best = Some(Split { gain: mark - before, column, bin, missing: side, left });
                    }
                }
            }
        }
        best
    }
}

/// A split that gains less is noise of rounding.
const GAIN_MIN: f64 = 1e-9;

/// How much a leaf of these rows can lower the loss, to second order.
fn gain(counts: Counts, share: f64) -> f64 {
    let slope = counts.slope(share);
    slope * slope / f64::from(counts.rows()).max(1.0)
}

/// The open leaf to split next; among equals the first.
fn next(open: &[Open]) -> Option<(usize, Split)> {
    let mut found: Option<(usize, Split)> = None;
    for (place, leaf) in open.iter().enumerate() {
        if let Some(split) = leaf.best
            && found.is_none_or(|(_, best)| split.gain > best.gain)
        {
            found = Some((place, split));
        }
    }
    found
}

fn attach(forks: &mut [Fork], above: Option<(usize, Side)>, next: Next) {
    if let Some((number, side)) = above
        && let Some(fork) = forks.get_mut(number)
    {
        match side {
            Side::Left => fork.left = next,
            Side::Right => fork.right = next,
        }
    }
}

/// Puts the rows of the left side first, in their order; how many they are.
fn partition(rows: &mut [u32], spare: &mut Vec<u32>, side: impl Fn(u32) -> Side) -> usize {
    spare.clear();
    let mut kept = 0;
    for place in 0..rows.len() {
        let row = rows[place];
        if side(row) == Side::Left {
            rows[kept] = row;
            kept += 1;
        } else {
            spare.push(row);
        }
    }
    rows[kept..].copy_from_slice(spare);
    kept
}
