//! `jirani store ...`: a store as a whole.

mod backup;
mod copy;
mod verify;

use crate::cli::store::{StoreArguments, StoreCommand};
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::Database;
use anyhow::{Context as _, bail};
use jirani_store::archive::{CopyError, Fingerprint};

/// Runs what was asked for.
pub async fn run(config: Config, arguments: StoreArguments) -> Result<(), Failure> {
    match arguments.command {
        StoreCommand::Copy(arguments) => copy::run(&config, &arguments).await,
        StoreCommand::Backup { file } => backup::write(&config, &file).await,
        StoreCommand::Restore { file } => backup::restore(&config, &file).await,
        StoreCommand::Verify { json } => verify::run(&config, json).await,
    }
}

/// The store that a person named, or the settings' own.
fn database(config: &Config, named: Option<&str>) -> anyhow::Result<Database> {
    match named {
        None => Database::of(config, &config.data_dir),
        Some(name) => {
            if let Some(file) = name.strip_prefix("sqlite:") {
                return Ok(Database::Sqlite(file.into()));
            }
            if crate::config::has_password(name) {
                bail!("store.password_shown: leave the password out; set JIRANI__STORE__PASSWORD");
            }
            if name.starts_with("postgres://") || name.starts_with("postgresql://") {
                return Database::postgres(name, &config.store);
            }
            bail!("store.unknown: a store is sqlite:FILE or postgres://user@host:port/name")
        }
    }
}

/// The data folder must exist before a file in it can be made.
fn make_folder_of(database: &Database) -> anyhow::Result<()> {
    if let Database::Sqlite(path) = database
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("data.unusable: cannot create {}", folder.display()))?;
    }
    Ok(())
}

/// A line per table.
fn tell(print: &Fingerprint) {
    eprintln!("{:>9} rows  {:<20} {}", print.rows, print.table, hex::encode(&print.hash[..8]));
}

/// What went wrong with a copy: before anything was changed, or after.
fn failure(error: CopyError) -> Failure {
    match error {
        CopyError::NotEmpty { .. } | CopyError::OtherSchema { .. } => Failure::start(error),
        error => Failure::run(error),
    }
}
