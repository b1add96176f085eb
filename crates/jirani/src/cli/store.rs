//! `jirani store ...`

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `jirani store ...`
#[derive(Args)]
pub struct StoreArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What can be done with a store as a whole.
#[derive(Subcommand)]
pub enum StoreCommand {
    /// Copies one store into another, empty one, and proves that both are equal.
    ///
    /// The journal is posted again transfer by transfer, so that sequence, hashes and balances
    /// are made anew; then every table is read on both sides and compared byte by byte. Stop
    /// the system first. Passwords come from JIRANI__STORE__PASSWORD or store.password_file.
    Copy(CopyArguments),
    /// Writes the whole store into one file, while the system runs if it does.
    ///
    /// The file is of one moment, fits either database, and is refused later if a byte of it
    /// was altered. It holds names and phone numbers: keep it as you keep the database. The
    /// data folder's keys are not in it.
    Backup {
        /// Where to write it; must not exist.
        file: PathBuf,
    },
    /// Fills the empty store of the settings from a backup, and proves that both are equal.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Reads the whole journal and recounts it; names the first row that does not hold.
    Verify {
        /// The result as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `jirani store copy`
#[derive(Args)]
pub struct CopyArguments {
    /// `sqlite:FILE` or `postgres://user@host:port/name`; the settings' store without it.
    #[arg(long, value_name = "STORE")]
    pub from: Option<String>,
    /// `sqlite:FILE` or `postgres://user@host:port/name`.
    #[arg(long, value_name = "STORE")]
    pub to: String,
}
