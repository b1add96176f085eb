//! Sequences of everything that everybody may do, against a plain model.
//!
//! Some twenty seconds of them, or as long as `JIRANI_FUZZ_MINUTES` says, from the seed
//! in `JIRANI_FUZZ_SEED`.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use jirani_energy_tests::fuzz::{Counts, run};
use std::time::{Duration, Instant};

/// Cases of a plain test run.
const CASES: u64 = 600;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn progress(seed: u64, counts: &Counts, begin: Instant) {
    let (seconds, cases, all) = (begin.elapsed().as_secs().max(1), counts.cases, counts.instructions);
    eprintln!(
        "{seconds:>6} s {all:>10} instructions {:>7} a second, {cases} cases, next seed {seed}",
        all / seconds
    );
}

#[test]
fn whatever_they_do_in_whatever_order_the_promises_hold() {
    let minutes = number("JIRANI_FUZZ_MINUTES");
    let begin = Instant::now();
    let mut said = begin;
    let mut next = number("JIRANI_FUZZ_SEED").unwrap_or(1);
    let result = run(next, |seed, counts| {
        next = seed;
        if said.elapsed() > Duration::from_secs(10) {
            said = Instant::now();
            progress(seed, counts, begin);
        }
        match minutes {
            Some(minutes) => begin.elapsed() < Duration::from_secs(60 * minutes),
            None => counts.cases < CASES,
        }
    });
    match result {
        Ok(counts) => {
            progress(next, &counts, begin);
            eprintln!("{counts:#?}");
            assert!(counts.landed > 0 && counts.refused > 0 && counts.balanced > 0, "{counts:?}");
        }
        Err(story) => panic!("after {} instructions: {story}", story.counts.instructions),
    }
}
