//! `jirani chain ...`: one file per command.

mod rebuild;

use crate::cli::ChainCommand;
use crate::config::Config;
use crate::failure::Failure;

/// Runs what was asked for.
pub async fn run(config: Config, command: &ChainCommand) -> Result<(), Failure> {
    match command {
        ChainCommand::Rebuild => rebuild::run(config).await,
    }
}
