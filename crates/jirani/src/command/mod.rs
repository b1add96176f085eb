//! One file per command.

mod audit;
mod audit_export;
mod chain;
mod check_config;
mod daraja_sandbox;
mod desk;
mod device;
mod enrolment;
mod export;
mod forecast;
mod ledger;
mod localnet;
mod meter;
mod meter_order;
mod mqtt;
mod operator;
mod records;
mod segments;
mod serve;
mod statement;
mod store;
mod up;
mod village;
mod witness;

use crate::cli::{Cli, Command, VillageCommand};
use crate::config::Config;
use crate::failure::Failure;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs what was asked for.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let config = || Config::load(cli.config.as_deref()).map_err(Failure::start);
    // Each is kept on the heap: together they would fill the stack that starts them.
    match cli.command {
        Command::Up(arguments) => Box::pin(up::run(config()?, &arguments)).await,
        Command::Village(VillageCommand::Run(arguments)) => {
            Box::pin(village::run(config()?, &arguments)).await
        }
        Command::Audit(arguments) => match (&arguments.rpc, &arguments.export) {
            // A regulator has no settings of ours.
            (Some(rpc), Some(export)) => {
                audit::tell(&Box::pin(audit_export::run(rpc, export, &arguments)).await?, &arguments)
            }
            _ => Box::pin(audit::run(config()?, &arguments)).await,
        },
        Command::Export(arguments) => Box::pin(export::run(config()?, &arguments)).await,
        Command::Store(arguments) => Box::pin(store::run(config()?, arguments)).await,
        Command::Statement(arguments) => Box::pin(statement::run(config()?, &arguments)).await,
        Command::Ledger(command) => Box::pin(ledger::run(config()?, command)).await,
        Command::Device(command) => device::run(config, command),
        Command::Forecast(command) => forecast::run(&command),
        Command::Meter(command) => Box::pin(meter::run(config, command)).await,
        Command::Mqtt(command) => Box::pin(mqtt::run(&config()?, &command)).await,
        Command::Reconcile(arguments) => Box::pin(desk::reconcile(&config()?, &arguments)).await,
        Command::Float(arguments) => Box::pin(desk::float(&config()?, &arguments)).await,
        Command::Tariff(arguments) => Box::pin(desk::tariff(&config()?, &arguments)).await,
        Command::Review(arguments) => Box::pin(desk::review(&config()?, &arguments)).await,
        Command::Operator(arguments) => Box::pin(operator::run(&config()?, arguments)).await,
        Command::CheckConfig => check_config::run(&config()?),
        Command::Chain(arguments) => Box::pin(chain::run(config()?, arguments)).await,
        Command::Serve(arguments) => Box::pin(serve::run(&config()?, &arguments)).await,
        Command::Localnet(arguments) => Box::pin(localnet::run(&arguments)).await,
        Command::Witness => Box::pin(witness::run(&config()?)).await,
        Command::DarajaSandbox(arguments) => Box::pin(daraja_sandbox::run(&arguments)).await,
    }
}

/// Linux's signal to a process that writes beyond the largest file it may have; tokio has
/// no name for it.
const FILE_TOO_LARGE: i32 = 25;

/// Has writes beyond a limit of the file's size fail, as those on a full disk do, instead of
/// ending the process: whoever writes knows what to do about a failure.
fn outlive_limits() -> Result<(), Failure> {
    // The handler stays when what listens to it is gone.
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop).map_err(Failure::start)
}

/// A token that Ctrl-C or SIGTERM cancels; a second one ends the process at once.
fn interrupted() -> Result<CancellationToken, Failure> {
    outlive_limits()?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::start)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::start)?;
    let cancel = CancellationToken::new();
    let told = cancel.clone();
    tokio::spawn(async move {
        let mut times = 0;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            times += 1;
            if times == 1 {
                eprintln!("stopping; everything is on disk (press Ctrl-C again to end at once)");
                told.cancel();
            } else {
                std::process::exit(130);
            }
        }
    });
    Ok(cancel)
}
