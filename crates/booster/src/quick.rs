//! A tree asked without branches, for many rows at once.
//!
//! Leaves are numbered from left to right, one bit each. A fork that sends a row to its
//! right takes the bits of its left side from the row's mask; when every fork was asked, in
//! any order, the lowest bit left is the leaf that a walk would have ended in (Lucchese et
//! al., "QuickScorer", 2015). No row waits for another's branch, so the compiler asks
//! many rows in one instruction, and in twice as wide ones where the processor has them:
//! the same sums in the same order, so the same answers everywhere.

use crate::tree::{Next, Side, Tree};
use multiversion::multiversion;

/// Rows that are asked together.
pub const BLOCK: usize = 64;
/// The most leaves, one bit each.
const LEAVES_MAX: usize = 32;

/// A tree made ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Quick {
    forks: Vec<Ask>,
    /// What each leaf adds, from left to right.
    leaves: [f32; LEAVES_MAX],
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Ask {
    column: u8,
    /// The greatest bin that goes left, after `shift`.
    most: u8,
    /// 1 where the missing go right: taken from its bin 0, it stands above all others.
    shift: u8,
    /// The leaves that a row keeps when it goes right.
    keep: u32,
}

impl Quick {
    /// From a tree that holds together; `None` for one with too many leaves, or whose
    /// ways meet again, as no tree that was grown here does.
    pub fn of(tree: &Tree) -> Option<Self> {
        if tree.leaves.len() > LEAVES_MAX || tree.leaves.len() != tree.forks.len() + 1 {
            return None;
        }
        let mut quick = Self { forks: Vec::with_capacity(tree.forks.len()), leaves: [0.0; LEAVES_MAX] };
        let mut found = 0;
        let root = if tree.forks.is_empty() { Next::Leaf(0) } else { Next::Fork(0) };
        quick.gather(tree, root, &mut found)?;
        (found == tree.leaves.len() && quick.forks.len() == tree.forks.len()).then(|| {
            quick.forks.sort_by_key(|ask| ask.column);
            quick
        })
    }

    /// Numbers the leaves below `next`; `None` as soon as there are more than the tree has.
    fn gather(&mut self, tree: &Tree, next: Next, found: &mut usize) -> Option<()> {
        match next {
            Next::Leaf(number) => {
                *self.leaves.get_mut(*found)? = *tree.leaves.get(usize::from(number))?;
                *found += 1;
            }
            Next::Fork(number) => {
                if self.forks.len() >= tree.forks.len() {
                    return None;
                }
                let fork = tree.forks.get(usize::from(number))?;
                let shift = u8::from(fork.missing == Side::Right);
                let most = fork.bin.checked_sub(shift)?;
                let place = self.forks.len();
                self.forks.push(Ask { column: fork.column, most, shift, keep: 0 });
                let from = *found;
                self.gather(tree, fork.left, found)?;
                self.forks[place].keep = !(below(*found) & !below(from));
                self.gather(tree, fork.right, found)?;
            }
        }
        Some(())
    }

    /// Adds what the tree says of each row to `sums`; `columns` are the bins of a block.
    pub fn add(&self, columns: &[[u8; BLOCK]], sums: &mut [f32; BLOCK]) {
        add(&self.forks, &self.leaves, columns, sums);
    }
}

#[multiversion(targets("x86_64+avx2+bmi1"))]
fn add(forks: &[Ask], leaves: &[f32; LEAVES_MAX], columns: &[[u8; BLOCK]], sums: &mut [f32; BLOCK]) {
    let mut masks = [u32::MAX; BLOCK];
    for &Ask { column, most, shift, keep } in forks {
        let bins = &columns[usize::from(column)];
        for (mask, bin) in masks.iter_mut().zip(bins) {
            let right = bin.wrapping_sub(shift) > most;
            // Without a branch: all bits where the row goes left.
            *mask &= keep | u32::from(right).wrapping_sub(1);
        }
    }
    for (sum, mask) in sums.iter_mut().zip(&masks) {
        *sum += leaves[mask.trailing_zeros() as usize % LEAVES_MAX];
    }
}

/// The bits below this one.
fn below(bit: usize) -> u32 {
    u32::try_from((1_u64 << bit.min(LEAVES_MAX)) - 1).unwrap_or(u32::MAX)
}
