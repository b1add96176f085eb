//! The meter's core on RV32IMC, without an operating system: every golden vector is made
//! and checked by the code that runs in the meter, and what it costs is counted.
//!
//! Runs under `qemu-system-riscv32 -M virt -bios none -icount shift=0`. Prints one line
//! of JSON last; ends with a failure when a vector differs, naming it.

#![no_std]
#![no_main]

mod checks;
mod costs;
mod machine;
mod vectors;

use core::fmt::Write as _;
use jirani_meter::Ed25519Signer;
use machine::{Console, End};

/// Called by the machine's first instructions.
extern "C" fn main() -> ! {
    let (meter, gateway) =
        (Ed25519Signer::from_seed(&vectors::METER.seed), Ed25519Signer::from_seed(&vectors::GATEWAY.seed));
    let costs = match costs::measure(&gateway) {
        Ok(costs) => costs,
        Err(what) => fail(&what),
    };
    // Before the checks, which need more stack than a meter does.
    let stack = machine::stack_used();
    let tally = match checks::all(&meter, &gateway) {
        Ok(tally) => tally,
        Err(error) => fail(&error),
    };
    let _ = writeln!(
        Console,
        "{{\"vectors\":{},\"differences\":{},\"key_instructions\":{},\"sign_instructions\":{},\
         \"reading_instructions\":{},\"acknowledgement_instructions\":{},\"command_instructions\":{},\
         \"core_stack_bytes\":{stack}}}",
        tally.vectors,
        tally.differences,
        costs.key,
        costs.sign,
        costs.reading,
        costs.acknowledgement,
        costs.command,
    );
    machine::exit(if tally.differences == 0 { End::Pass } else { End::Fail })
}

fn fail(what: &dyn core::fmt::Display) -> ! {
    let _ = writeln!(Console, "error: {what}");
    machine::exit(End::Fail)
}
