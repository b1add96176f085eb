//! `jirani daraja-sandbox`: the M-Pesa emulator alone.

use clap::{Args, ValueEnum};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// `jirani daraja-sandbox`
#[derive(Args)]
#[command(
    after_help = "Start here:\n  jirani daraja-sandbox --port 8090        then open http://127.0.0.1:8090/phones\n  jirani daraja-sandbox --scenario rainy-day.toml\n\nThe emulator's README has a first push with curl, and every fault that can be ordered."
)]
pub struct DarajaSandboxArguments {
    /// Port to listen on, at 127.0.0.1.
    #[arg(long, default_value_t = 8090, value_name = "PORT")]
    pub port: u16,
    /// Address to listen on, instead of 127.0.0.1 and the port.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "port")]
    pub listen: Option<SocketAddr>,
    /// Lets other machines in, where --listen names an address that they reach. It holds
    /// fake money and asks nobody for a password.
    #[arg(long)]
    pub any_machine: bool,
    /// Keeps its accounts here; without it they are gone at the end.
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Who answers the phones.
    #[arg(long, default_value = "by-hand")]
    pub phones: Phones,
    /// Decides all ids, delays and chances: one seed, one run.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Phones, faults and steps to play from the start: a TOML or JSON file.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Whether C2B addresses can be registered again.
    #[arg(long, default_value = "once")]
    pub c2b_urls: C2bUrls,
    /// Who bears the charge of a payment to the PayBill.
    #[arg(long, default_value = "free")]
    pub bouquet: BouquetName,
    /// STK queries allowed per minute (Daraja's sandbox: 5); no limit without it.
    #[arg(long, value_name = "NUMBER")]
    pub queries_per_minute: Option<u32>,
}

impl DarajaSandboxArguments {
    /// Where to listen.
    pub fn address(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port))
    }
}

/// Who answers virtual phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Phones {
    /// A person, on the phones' pages.
    ByHand,
    /// Each phone by itself, after some seconds.
    Automatic,
}

/// Whether C2B addresses can be registered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum C2bUrls {
    /// Once, as in production.
    Once,
    /// Again and again, as in Daraja's sandbox.
    Again,
}

/// Who bears the charge of a payment to a PayBill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BouquetName {
    /// Nobody.
    Free,
    /// Customer and business, each a share.
    Shared,
    /// The customer.
    Customer,
    /// The business.
    Business,
}
