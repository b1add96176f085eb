//! `jirani chain ...`: the operator's tools for any cluster, one file per concern.

mod accounts;
mod carry_out;
mod configure;
mod desk;
mod household;
mod init;
mod keys;
mod offline;
mod rebuild;
mod status;
mod sweep;

use crate::cli::chain::{Access, ChainArguments, ChainCommand, KeysCommand};
use crate::config::Config;
use crate::failure::Failure;
use desk::Desk;
use jirani_chain::admin::{AdminError, FeederAfter, Planned};
use serde::Serialize;

/// Runs what was asked for.
pub async fn run(config: Config, arguments: ChainArguments) -> Result<(), Failure> {
    let ChainArguments { access, command } = arguments;
    match &command {
        ChainCommand::Rebuild => return Box::pin(rebuild::run(config)).await,
        ChainCommand::Keys(KeysCommand::Generate { roles, all, folder }) => {
            return keys::generate(&config, roles, *all, folder.as_deref(), access.json);
        }
        _ => {}
    }
    let desk = open(config, access)?;
    match &command {
        ChainCommand::Status => status::run(&desk).await,
        ChainCommand::Accounts(wanted) => accounts::run(&desk, wanted).await,
        ChainCommand::Keys(_) => keys::show(&desk),
        ChainCommand::Airdrop { lamports } => keys::airdrop(&desk, *lamports).await,
        ChainCommand::Sign { file } => offline::sign(&desk, file),
        ChainCommand::Submit { files } => offline::submit(&desk, files).await,
        command => {
            desk.check().await?;
            let planned = plan(&desk, command).await.map_err(failure)?;
            carry_out::run(&desk, planned).await
        }
    }
}

fn open(config: Config, access: Access) -> Result<Desk, Failure> {
    Desk::open(config, access).map_err(Failure::Start)
}

/// What a command that changes something will do.
async fn plan(desk: &Desk, command: &ChainCommand) -> Result<Vec<Planned>, AdminError> {
    use ChainCommand as C;
    Ok(match command {
        C::CloseMarkers => return sweep::close_markers(desk).await,
        C::ExpireOffers => return sweep::expire_offers(desk).await,
        C::ReleaseOrder { buyer, order, reason } => {
            vec![sweep::release_order(desk, *buyer, *order, *reason).await?]
        }
        C::Init(arguments) => vec![init::plan(desk, arguments).await?],
        C::ReplaceMeter(flags) => vec![household::replace_meter(desk, flags).await?],
        C::ProposeAuthority { household, authority } => {
            vec![household::propose_authority(desk, *household, authority.0).await?]
        }
        C::CancelAuthority { household } => vec![household::cancel_authority(desk, *household).await?],
        C::AcceptAuthority { household } => vec![household::accept_authority(desk, *household).await?],
        C::CloseHousehold { household, feeder_ended } => {
            let feeder = if *feeder_ended { FeederAfter::Ended } else { FeederAfter::GoesOn };
            vec![household::close(desk, *household, feeder).await?]
        }
        C::Adjust(flags) => vec![household::adjust(desk, flags).await?],
        command => vec![configure::plan(desk, command).await?],
    })
}

/// How a command ends: before anything was sent it could not start, else it ran.
fn failure(error: AdminError) -> Failure {
    match error {
        AdminError::Refused { .. } | AdminError::Expired { .. } | AdminError::Unknown { .. } => {
            Failure::run(error)
        }
        _ => Failure::start(error),
    }
}

/// One JSON value on one line.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string(value).map_err(Failure::run)?);
    Ok(())
}
