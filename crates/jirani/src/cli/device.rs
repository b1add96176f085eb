//! `jirani device ...`

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `jirani device ...`
#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Lists the site's devices with their meters, and the definitions there are.
    List(ListArguments),
    /// Reads a definition and says what is wrong with it, or what it hears.
    ///
    /// With --sample also what a payload of such a device says, as it would be counted.
    /// docs/devices.md walks through a definition. Exits 2 when something is wrong.
    Check(CheckArguments),
}

/// `jirani device list`
#[derive(Args)]
pub struct ListArguments {
    /// Also the devices' passwords at the embedded broker.
    #[arg(long)]
    pub passwords: bool,
}

/// `jirani device check`
#[derive(Args)]
pub struct CheckArguments {
    /// The definition, or the name of a built-in one.
    #[arg(value_name = "FILE")]
    pub definition: PathBuf,
    /// A file with one payload.
    #[arg(long, value_name = "FILE")]
    pub sample: Option<PathBuf>,
    /// The topic that it came on; without it the first one on which it says something.
    #[arg(long, value_name = "TOPIC", requires = "sample")]
    pub topic: Option<String>,
    /// A parameter of the definition.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
}
