//! The command line, written to teach.

pub mod chain;
pub mod daraja_sandbox;
pub mod desk;
pub mod device;
pub mod forecast;
pub mod ledger;
pub mod localnet;
pub mod meter;
pub mod mqtt;
pub mod operator;
pub mod serve;
pub mod store;

use clap::{Args, Parser, Subcommand};
use jirani_forecast::Place;
use std::path::PathBuf;

/// Households on a mini-grid sell each other surplus solar electricity.
///
/// Meters sign readings, a gateway verifies them, a Solana program mints and burns
/// eKWh (1 token = 1 kWh), M-Pesa moves the shillings, the dashboard shows it all.
#[derive(Parser)]
#[command(
    name = "jirani",
    version,
    after_help = "Start here:\n  jirani up                        a village of 12 homes in your browser\n  jirani village run --days 2      the same, headless, as fast as it goes, with a report\n  jirani audit                     does every shilling and every Wh add up?\n\nSettings: jirani.toml (see jirani.example.toml) and JIRANI__SECTION__KEY in the environment."
)]
pub struct Cli {
    /// Settings file; jirani.toml is read if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary does.
#[derive(Subcommand)]
pub enum Command {
    /// Runs everything on this machine and prints the addresses to open.
    ///
    /// Continues from the data folder's stored state and time. Ctrl-C stops all in order.
    Up(UpArguments),
    /// The simulated village.
    #[command(subcommand)]
    Village(VillageCommand),
    /// Recomputes every invariant from journal, readings and chain.
    ///
    /// Lists each as holds, violated or not checked (and why); exits 1 with the first
    /// difference. Asks the running system if there is one, else opens the data folder.
    ///
    /// With --rpc and --export it audits as a regulator would: from any node of the chain and
    /// a signed bundle, without the operator's server or settings.
    Audit(AuditArguments),
    /// Writes what a regulator needs beside the chain into one signed file.
    ///
    /// Readings as the meters signed them, the ledger, trades and daily balances: no names, no
    /// phone numbers, receipts only as keyed hashes. docs/export.md describes every byte.
    Export(ExportArguments),
    /// Writes a household's statement: opening + lines = closing, or none at all.
    ///
    /// PDF or CSV, in English or Kiswahili. Reads the data folder, also while the system runs.
    /// docs/statements.md describes the files.
    Statement(ledger::StatementArguments),
    /// The shilling ledger: verify it, show its accounts, list sales for the tax invoice system.
    ///
    /// docs/ledger.md has the chart of accounts and every posting.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// What is told to a meter; proofs of what was attested of it, and their verification.
    #[command(subcommand)]
    Meter(meter::MeterCommand),
    /// Foreign devices: what is listed, and whether a definition is right.
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// How good forecasts of a file's homes would have been, and what moved one of them.
    #[command(subcommand)]
    Forecast(forecast::ForecastCommand),
    /// What a broker of your own must know of meters and gateways.
    #[command(subcommand)]
    Mqtt(mqtt::MqttCommand),
    /// Compares M-Pesa's books with the ledger, through the running system.
    ///
    /// Payments and reversals that only M-Pesa has are booked; what stands apart is listed, and
    /// exits 1.
    Reconcile(desk::ReconcileArguments),
    /// The operator's float: moves from the PayBill to the payout shortcode, through the running
    /// system.
    Float(desk::FloatArguments),
    /// Dated tariffs: what was announced and is in force, through the running system.
    Tariff(desk::TariffArguments),
    /// The review desk: one operator proposes, another approves, through the running system.
    Review(desk::ReviewArguments),
    /// People at the desk: invite, list, reset, retire them; and what they did.
    ///
    /// docs/accounts.md has the roles.
    Operator(operator::OperatorArguments),
    /// The store as a whole: copy it to another database, back it up, restore it, verify it.
    Store(store::StoreArguments),
    /// Reads the settings and says what is wrong with them, or prints them.
    CheckConfig,
    /// The operator's tools for the energy program, on any cluster.
    ///
    /// Start with `jirani chain status`. Every command that changes something says what it
    /// will do, can be rehearsed with --dry-run, and asks nothing.
    Chain(chain::ChainArguments),
    /// Runs a witness: a second oracle that signs only what it finds true itself.
    ///
    /// On a machine of its own, with its own oracle key and its own node. It prints its key,
    /// which the admin adds by `jirani chain rotate-oracle`; the server asks it as [witness]
    /// says. docs/chain.md walks through it.
    Witness,
    /// Runs one role in a process of its own.
    ///
    /// `--role inbox` is for a public host in front of a site behind a carrier's NAT; docs/inbox.md.
    Serve(serve::ServeArguments),
    /// Runs the embedded Solana chain alone.
    Localnet(LocalnetArguments),
    /// Runs the M-Pesa emulator with its virtual phones alone.
    DarajaSandbox(daraja_sandbox::DarajaSandboxArguments),
}

/// `jirani up`
#[derive(Args)]
pub struct UpArguments {
    /// Village seconds per second; 1x while a person's payment prompt is open.
    #[arg(long, value_name = "K")]
    pub speed: Option<u32>,
    /// The village keeps the time of the world, as a real meter in it needs. For a data
    /// folder's whole life.
    #[arg(long, conflicts_with = "speed")]
    pub real_time: bool,
    /// Homes in the village of a new data folder.
    #[arg(long, value_name = "N")]
    pub households: Option<u32>,
}

impl Command {
    /// Whether its work is one chain of small steps that wait for each other: a second
    /// worker would cost a change of thread for each and have nothing to do.
    pub const fn is_step_by_step(&self) -> bool {
        matches!(self, Self::Village(VillageCommand::Run(VillageRunArguments { speed: Speed::Max, .. })))
    }
}

/// `jirani village ...`
#[derive(Subcommand)]
pub enum VillageCommand {
    /// Runs the whole pipeline headless, over real MQTT, HTTP and JSON-RPC on loopback.
    ///
    /// Uses empty temporary state and free ports unless --data-dir is given. Ends when the last
    /// slot is attested and every payment is final; prints a table; exits 1 when an
    /// invariant is violated. The same seed gives the same energy, trades and money.
    Run(VillageRunArguments),
}

/// `jirani village run`
#[derive(Args)]
pub struct VillageRunArguments {
    /// Homes, besides the operator's generator, battery and losses.
    #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub households: u32,
    /// Days to simulate.
    #[arg(long, default_value_t = 1, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// CSV with timestamp_utc,household,pv_kwh,load_kwh; built-in profiles without.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Where the file's homes stand; without it nothing the file says is held against a home.
    #[arg(long, value_name = "LAT,LON", requires = "data", allow_hyphen_values = true)]
    pub place: Option<Place>,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Of a thousand homes, so many let the market trade for them by rules.
    #[arg(long, default_value_t = crate::config::Demo::RULES_PERMILLE, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub rules_permille: u32,
    /// What a home may owe, in cents, before its power is cut; nobody is cut without.
    #[arg(long, value_name = "CENTS", value_parser = clap::value_parser!(i64).range(0..))]
    pub limit_cents: Option<i64>,
    /// `max`, or village seconds per second.
    #[arg(long, default_value = "max", value_name = "max|K")]
    pub speed: Speed,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Prints the report as JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Keeps the state here, and continues from it.
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

/// How fast a village runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// As fast as every part is idle.
    Max,
    /// Village seconds per second.
    Times(u32),
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.trim_end_matches('x').parse() {
            Ok(times @ 1..=crate::config::Demo::SPEED_MAX) => Ok(Self::Times(times)),
            _ => Err(format!("speed is max, or 1 to {}", crate::config::Demo::SPEED_MAX)),
        }
    }
}

/// `jirani audit`
#[derive(Args)]
pub struct AuditArguments {
    /// The result as JSON.
    #[arg(long)]
    pub json: bool,
    /// A node of the chain, to audit a bundle against.
    #[arg(long, value_name = "URL", requires = "export")]
    pub rpc: Option<String>,
    /// The bundle, as written by `jirani export`.
    #[arg(long, value_name = "FILE", requires = "rpc")]
    pub export: Option<PathBuf>,
    /// The operator's export key, 64 hexadecimal digits: whose signature the bundle must bear.
    #[arg(long, value_name = "OPERATOR_PUBLIC_KEY", requires = "export")]
    pub key: Option<String>,
    /// The energy program's address, if the bundle is not to be trusted to name it.
    #[arg(long, value_name = "ADDRESS", requires = "export")]
    pub program: Option<String>,
}

/// `jirani export`
#[derive(Args)]
pub struct ExportArguments {
    /// Where to write the bundle.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `jirani localnet`
#[derive(Args)]
pub struct LocalnetArguments {
    /// The chain.
    #[command(flatten)]
    pub options: localnet::ChainOptions,
    /// Keeps the chain here; without it the chain is gone at the end.
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Who may upgrade and initialise the energy program, as on a public cluster; a key
    /// of the data folder's own without it.
    #[arg(long, value_name = "ADDRESS")]
    pub upgrade_authority: Option<jirani_chain::Address>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn places_and_speeds_are_parsed_once() {
        let place: Place = "-1.9,37.6".parse().unwrap();
        assert_eq!((place.latitude_microdegrees, place.longitude_microdegrees), (-1_900_000, 37_600_000));
        for wrong in ["", "1", "91,0", "0,181", "a,b", "NaN,0"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
        assert_eq!("max".parse::<Speed>().unwrap(), Speed::Max);
        assert_eq!("60x".parse::<Speed>().unwrap(), Speed::Times(60));
        assert!("0".parse::<Speed>().is_err());
    }
}
