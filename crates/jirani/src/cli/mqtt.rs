//! `jirani mqtt ...`

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `jirani mqtt ...`
#[derive(Subcommand)]
pub enum MqttCommand {
    /// Writes the users, password hashes and access rules of all enrolled meters for a broker
    /// of your own.
    ///
    /// Run it again after every enrolment and tell the broker to read its files anew.
    /// docs/brokers.md walks through it.
    Acl(AclArguments),
}

/// For which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BrokerFormat {
    /// Mosquitto 2: `acl` and `passwords`.
    Mosquitto,
}

/// `jirani mqtt acl`
#[derive(Args)]
pub struct AclArguments {
    /// For which broker.
    #[arg(long)]
    pub format: BrokerFormat,
    /// Folder of the files `acl` and `passwords`.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Also write every meter's password in the clear into `meters.csv`, for provisioning.
    #[arg(long)]
    pub with_passwords: bool,
}
