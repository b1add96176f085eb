//! `cargo xtask fuzz program`: sequences of everything that everybody may do to the
//! program, for as long as asked. Its test binary prints progress, and a story with its
//! seed when a promise breaks.

use crate::step;
use anyhow::bail;
use std::path::Path;
use std::process::Command;

/// The variable that says how long the sequences go on.
pub const MINUTES: &str = "JIRANI_FUZZ_MINUTES";
const SEED: &str = "JIRANI_FUZZ_SEED";

/// Fuzzes what is called `name`, for `minutes`, from `seed` on.
pub fn run(root: &Path, name: &str, minutes: u64, seed: u64) -> anyhow::Result<()> {
    if name != "program" {
        bail!("there is nothing called {name} to fuzz; there is: program");
    }
    let test = |cargo: &mut Command| {
        cargo.current_dir(root).args([
            "test",
            "--release",
            "--locked",
            "-p",
            "jirani-energy-tests",
            "--test",
            "fuzz",
        ]);
    };
    let mut build = step::cargo();
    test(&mut build);
    step::run("build the sequences", build.arg("--no-run"))?;
    let mut fuzz = step::cargo();
    test(&mut fuzz);
    fuzz.args(["--quiet", "--", "--nocapture"])
        .env(MINUTES, minutes.to_string())
        .env(SEED, seed.to_string())
        .env("RUST_BACKTRACE", "0");
    step::run(&format!("{minutes} minutes of sequences from seed {seed}"), &mut fuzz)
}
