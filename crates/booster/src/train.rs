//! From rows and targets to a model: for each level, trees that each mend what those
//! before them left wrong.

use crate::bins::{Binned, Bins};
use crate::error::BoosterError;
use crate::grow::Grower;
use crate::histogram::Counts;
use crate::level::Level;
use crate::matrix::Matrix;
use crate::model::{Model, Series};
use crate::quantile::quantile;
use crate::random::Random;
use crate::settings::Settings;
use crate::table::Table;
use crate::tree::{Next, Tree};

/// The most levels of one model.
pub const LEVELS_MAX: usize = 99;

/// Learns the `levels` (rising) of `targets` given the rows of `matrix`.
pub fn train(
    matrix: &Matrix,
    targets: &[f32],
    levels: &[Level],
    settings: &Settings,
) -> Result<Model, BoosterError> {
    Table::of(matrix)?.learn(levels, |_| targets.into(), settings)
}

/// One level's trees.
pub fn learn(bins: &Bins, binned: &Binned, targets: &[f32], level: Level, settings: &Settings) -> Series {
    let share = level.share();
    let mut buffer = targets.to_vec();
    let base = quantile(&mut buffer, share);
    let mut said = vec![base; targets.len()];
    let mut each = vec![Counts::default(); targets.len()];
    let mut grower = Grower::new(bins, binned, settings, share);
    let mut trees = Vec::with_capacity(usize::from(settings.rounds));
    for round in 0..settings.rounds {
        let mut random = Random::new(settings.seed, u64::from(level.permille()) << 32 | u64::from(round));
        let (mut rows, unseen) = sample(targets.len(), settings.row_percent, &mut random);
        let seen = columns(binned.columns, settings.column_percent, &mut random);
        for ((one, &target), &said) in each.iter_mut().zip(targets).zip(&said) {
            *one = Counts::one(target <= said);
        }
        let grown = grower.grow(&mut rows, &each, &seen);
        let mut tree = grown.tree;
        for (leaf, range) in tree.leaves.iter_mut().zip(&grown.ranges) {
            let held = &rows[range.clone()];
            buffer.clear();
            buffer.extend(held.iter().map(|&row| targets[row as usize] - said[row as usize]));
            *leaf = settings.learning_rate * quantile(&mut buffer, share);
            for &row in held {
                said[row as usize] += *leaf;
            }
        }
        for &row in &unseen {
            said[row as usize] += tree.answer(binned.row(row as usize));
        }
        let sizes: Vec<usize> = grown.ranges.iter().map(ExactSizeIterator::len).collect();
        expect(&mut tree, &sizes);
        let still = tree.forks.is_empty() && tree.leaves.iter().all(|leaf| leaf.abs() < f32::EPSILON);
        trees.push(tree);
        if still && settings.row_percent == 100 && settings.column_percent == 100 {
            // Nothing is left to mend, and no other rows or columns will come.
            break;
        }
    }
    Series { level, base, trees }
}

/// The rows that a tree sees, never none, and the others.
fn sample(rows: usize, percent: u8, random: &mut Random) -> (Vec<u32>, Vec<u32>) {
    let all = 0..u32::try_from(rows).unwrap_or(u32::MAX);
    if percent == 100 {
        return (all.collect(), Vec::new());
    }
    let (seen, unseen): (Vec<u32>, Vec<u32>) = all.clone().partition(|_| random.hits(percent));
    if seen.is_empty() { (all.collect(), Vec::new()) } else { (seen, unseen) }
}

/// Which columns a tree sees, never none.
fn columns(count: usize, percent: u8, random: &mut Random) -> Vec<bool> {
    let seen: Vec<bool> = (0..count).map(|_| percent == 100 || random.hits(percent)).collect();
    if seen.contains(&true) { seen } else { vec![true; count] }
}

/// What a row may expect at each fork: the mean of what is below it. Forks point only
/// forwards, so the last is known first.
fn expect(tree: &mut Tree, sizes: &[usize]) {
    #[expect(clippy::cast_precision_loss, reason = "at most ROWS_MAX rows")]
    let weight = |size: usize| size as f32;
    let mut below = vec![(0.0_f32, 0.0_f32); tree.forks.len()];
    for (number, fork) in tree.forks.iter().enumerate().rev() {
        let part = |next: Next| match next {
            Next::Fork(fork) => below[usize::from(fork)],
            Next::Leaf(leaf) => (tree.leaves[usize::from(leaf)], weight(sizes[usize::from(leaf)])),
        };
        let (left, right) = (part(fork.left), part(fork.right));
        let all = (left.1 + right.1).max(1.0);
        let share = left.1 / all;
        below[number] = (left.0 * share + right.0 * (1.0 - share), all);
    }
    tree.expected = below.into_iter().map(|(mean, _)| mean).collect();
}
