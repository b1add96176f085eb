//! The project's chores: set up, run, test, rebuild the program, measure.
//!
//! Promises: says what it does, installs what is missing when it may (else prints
//! the one line to run), and fails with one clear line.

mod bench;
mod firmware;
mod fuzz;
mod mutate;
mod packages;
mod program;
mod step;
mod test;
mod up;
mod web;
mod wokwi;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Chores of the Jirani project.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Sets everything up, builds, and runs the village with the dashboard.
    Up {
        /// Passed on to `jirani up`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Sets everything up and runs every test.
    Test,
    /// Rebuilds the on-chain program's ELF in place, with its record.
    Program,
    /// Takes out every guard of the on-chain program, one at a time: does a test notice?
    Mutate {
        /// What to mutate: `program`.
        #[arg(value_parser = ["program"])]
        name: String,
        /// Only guards whose `file:line` contains this.
        #[arg(default_value = "")]
        only: String,
    },
    /// Measures; see docs/benchmarks.md. Prints a table, or one line of JSON last.
    Bench {
        /// What to measure: `chain`, `forecast`, `gateway`, `ledger`, `market`, `mpesa`, `pipeline`, `program`, `web`.
        name: String,
        /// Write the measured table into the documentation that holds it.
        #[arg(long)]
        update: bool,
        /// Print the figures as one line of JSON, last.
        #[arg(long)]
        json: bool,
        /// Of `chain`: first kill a sending process three hundred times; of `gateway`: first
        /// kill gateway and broker two hundred times.
        #[arg(long)]
        crash: bool,
        /// Of `mpesa`: first the storm of 10,000 trades and 5,000 payouts in full.
        #[arg(long)]
        storm: bool,
    },
    /// Builds the meter's firmware, tries its core under an emulator, weighs it.
    Firmware {
        /// Print the figures as one line of JSON, last.
        #[arg(long)]
        json: bool,
    },
    /// Builds the meter for the Wokwi simulator, tests its energy ICs, checks its diagram.
    Wokwi {
        /// Print the figures as one line of JSON, last.
        #[arg(long)]
        json: bool,
    },
    /// Lets everybody do everything, in any order, and checks what was promised.
    Fuzz {
        /// What to fuzz: `program`.
        name: String,
        /// How long.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// Where to begin; a failure prints the seed that leads to it.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() {
    let arguments = Arguments::parse();
    let outcome = root().and_then(|root| match arguments.chore {
        Chore::Up { arguments } => up::run(&root, &arguments),
        Chore::Test => test::run(&root),
        Chore::Program => program::build(&root),
        Chore::Mutate { only, .. } => mutate::run(&root, &only),
        Chore::Bench { name, update, json, crash, storm } => {
            bench::run(&root, &name, json, update, bench::First { crash, storm })
        }
        Chore::Firmware { json } => firmware::run(&root, json),
        Chore::Wokwi { json } => wokwi::run(&root, json),
        Chore::Fuzz { name, minutes, seed } => fuzz::run(&root, &name, minutes, seed),
    });
    if let Err(error) = outcome {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

/// The checkout: the folder above this crate's.
fn root() -> anyhow::Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("the xtask crate stands in no workspace")?;
    Ok(root.to_owned())
}
