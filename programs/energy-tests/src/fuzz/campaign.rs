//! Case after case, each from its own seed; the first that goes wrong is cut down to the
//! shortest story that still goes wrong, and told.

use super::base::Base;
use super::case::{Case, Counts, Failure};
use super::step::{Step, step};
use core::fmt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Steps of the longest case.
const STEPS_MAX: usize = 400;
/// Runs that cutting down a story may take.
const CUTS_MAX: usize = 4000;

/// A story that breaks a promise.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The seed that leads to it.
    pub seed: u64,
    /// What broke.
    pub what: String,
    /// What happened before, line by line.
    pub lines: Vec<String>,
    /// How many steps it had before it was cut down.
    pub steps_before: usize,
    /// What had been done until then.
    pub counts: Counts,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        writeln!(f, "This is what happened, {} steps cut down to what matters:", self.steps_before)?;
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        write!(f, "Once more: cargo xtask fuzz program --seed {}", self.seed)
    }
}

type Tree = Box<dyn ValueTree<Value = Step>>;

/// Runs cases from `seed` on, while `go_on` wants more; it sees what was done so far.
pub fn run(seed: u64, mut go_on: impl FnMut(u64, &Counts) -> bool) -> Result<Counts, Box<Counterexample>> {
    let mut base = Base::new();
    let mut counts = Counts::default();
    let steps = step().boxed();
    for seed in seed.. {
        if !go_on(seed, &counts) {
            break;
        }
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config { failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let balanced = prop::bool::weighted(0.25).new_tree(&mut runner).expect("a coin").current();
        let length = (40..=STEPS_MAX).new_tree(&mut runner).expect("a length").current();
        let trees: Vec<Tree> =
            (0..length).map(|_| steps.new_tree(&mut runner).expect("a step can be made")).collect();
        let chosen: Vec<Step> = trees.iter().map(ValueTree::current).collect();
        let mut case = Case::new(&base, balanced, false);
        if let Err(failure) = case.run(&chosen, &mut counts) {
            let (steps, failure) = cut(&base, balanced, trees, failure);
            let mut told = Case::new(&base, balanced, true);
            let what = match told.run(&steps, &mut Counts::default()) {
                Err(failure) => failure.what,
                Ok(()) => failure.what,
            };
            let lines = told.lines();
            return Err(Box::new(Counterexample { seed, what, lines, steps_before: length, counts }));
        }
        base.memory.atlas = case.into_atlas();
    }
    Ok(counts)
}

/// Leaves out what does not matter, then makes smaller what is left.
fn cut(base: &Base, balanced: bool, mut trees: Vec<Tree>, mut failure: Failure) -> (Vec<Step>, Failure) {
    let mut left = CUTS_MAX;
    let mut fails = |trees: &[Tree]| {
        if left == 0 {
            return None;
        }
        left -= 1;
        let steps: Vec<Step> = trees.iter().map(ValueTree::current).collect();
        Case::new(base, balanced, false).run(&steps, &mut Counts::default()).err()
    };
    trees.truncate(failure.step + 1);
    let mut size = trees.len().div_ceil(2);
    while size > 0 {
        let before = trees.len();
        let mut at = 0;
        while at < trees.len() {
            let end = (at + size).min(trees.len());
            let removed: Vec<Tree> = trees.drain(at..end).collect();
            if let Some(found) = fails(&trees) {
                trees.truncate(found.step + 1);
                failure = found;
            } else {
                trees.splice(at..at, removed);
                at += size;
            }
        }
        // What one step hid another may have given free: single steps until none can go.
        if size > 1 || trees.len() == before {
            size /= 2;
        }
    }
    let mut best: Vec<Step> = trees.iter().map(ValueTree::current).collect();
    for at in 0..trees.len() {
        let mut smaller = trees[at].simplify();
        while smaller {
            smaller = if let Some(found) = fails(&trees) {
                best = trees.iter().map(ValueTree::current).collect();
                failure = found;
                trees[at].simplify()
            } else {
                trees[at].complicate()
            };
        }
        // Where it ends it need not fail: the step stays as it last failed.
        trees[at] = Box::new(Fixed(best[at].clone()));
    }
    (best, failure)
}

/// A step that is not made smaller any more.
#[derive(Debug)]
struct Fixed(Step);

impl ValueTree for Fixed {
    type Value = Step;

    fn current(&self) -> Step {
        self.0.clone()
    }

    fn simplify(&mut self) -> bool {
        false
    }

    fn complicate(&mut self) -> bool {
        false
    }
}
