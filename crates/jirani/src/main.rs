//! The one binary: wires every part together and nothing else.
//!
//! Only here is the system's clock read, randomness drawn and the environment
//! looked at; everything below is handed them. Exit codes: 0 done, 1 an invariant
//! is violated or a run failed, 2 it could not start (one line says why and how to
//! mend it).

mod audit;
mod bundle;
mod cli;
mod command;
mod config;
mod failure;
mod regulator;
mod report;
mod system;
mod wiring;

use clap::Parser as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Small pieces of JSON and rows come and go in every part: a tenth of a village's time went
/// into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("JIRANI_LOG").unwrap_or_else(|_| EnvFilter::new("warn,jirani=info")),
        )
        .with_writer(std::io::stderr)
        // A log on a full disk loses lines. To say so on the same disk would end whoever logs.
        .log_internal_errors(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
    jirani_oracle::choose_cryptography();
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    if cli.command.is_step_by_step() {
        threads.worker_threads(1);
    }
    let runtime = match threads.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: system.no_threads: cannot start worker threads: {error}");
            return ExitCode::from(2);
        }
    };
    let outcome = runtime.block_on(command::run(cli));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
