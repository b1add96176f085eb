//! `jirani meter ...`

use clap::{Args, Subcommand};
use jirani_units::{MeterId, Timestamp};
use std::path::PathBuf;

/// `jirani meter ...`
#[derive(Subcommand)]
pub enum MeterCommand {
    /// Writes a file that proves what was attested of a meter for a slot.
    ///
    /// Its signed readings, their way to the slot's root, and the transaction the root stands
    /// in. Reads the data folder, also while the system runs. docs/proofs.md describes it.
    Prove(ProveArguments),
    /// Checks such a file: signatures, registers and path alone, and root and row on chain.
    ///
    /// Needs nothing of ours but the file: any node of the cluster will do. Exits 1 when
    /// something is not so.
    Verify(VerifyArguments),
}

/// `jirani meter prove`
#[derive(Args)]
pub struct ProveArguments {
    /// The meter: 32 hexadecimal digits.
    #[arg(long, value_name = "ID")]
    pub meter: MeterId,
    /// Beginning of the slot, UTC.
    #[arg(long, value_name = "2026-10-15T09:45:00Z")]
    pub slot: Timestamp,
    /// Where to write it; standard output without it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `jirani meter verify`
#[derive(Args)]
pub struct VerifyArguments {
    /// The file.
    #[arg(value_name = "FILE")]
    pub proof: PathBuf,
    /// Any node of the cluster: `https://...`
    #[arg(long, value_name = "URL")]
    pub rpc: String,
    /// The energy program you know; without it the file's own is asked, and printed.
    #[arg(long, value_name = "ADDRESS")]
    pub program: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    pub json: bool,
}
