//! What `jirani localnet` can be told about the chain.

use clap::{Args, ValueEnum};
use jirani_localnet::{FaultPlan, Finality, LocalnetConfig};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// JSON-RPC's port on every Solana node.
const PORT: u16 = 8899;

/// Where the chain listens, when it is final, what it keeps, what goes wrong.
#[derive(Args)]
pub struct ChainOptions {
    /// Port of JSON-RPC; WebSocket is one above. 0 takes any two free neighbours. [default: 8899]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Address to listen on, alone or with a port. Only this machine can reach the default.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub listen: Listen,
    /// When a transaction is final.
    #[arg(long, default_value = "instant")]
    pub finality: FinalityOption,
    /// How many transactions history keeps, the newest.
    #[arg(long, default_value_t = 1_000_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub history: u32,
    /// How many days history keeps a transaction; for ever without.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub history_days: Option<u32>,
    /// What goes wrong on purpose.
    #[command(flatten)]
    pub faults: FaultOptions,
}

/// What goes wrong on purpose, for testing clients.
#[derive(Args)]
#[command(next_help_heading = "Faults, for testing clients")]
pub struct FaultOptions {
    /// Of 100 sent transactions, how many are lost; sent again, they may land.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = percent())]
    pub drop_percent: u16,
    /// How many arrive twice.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = percent())]
    pub duplicate_percent: u16,
    /// How many never land, however often they are sent.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = percent())]
    pub expire_percent: u16,
    /// How many land late.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = percent())]
    pub delay_percent: u16,
    /// How late they land.
    #[arg(long, default_value_t = 2_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub delay_ms: u64,
    /// Of 100 requests, how many are answered late.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = percent())]
    pub late_percent: u16,
    /// How late they are answered.
    #[arg(long, default_value_t = 2_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub late_ms: u64,
    /// How many requests are carried out and never answered, their connection broken.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = percent())]
    pub disconnect_percent: u16,
    /// The same seed gives the same faults to the same requests.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub fault_seed: u64,
}

fn percent() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(0..=100)
}

/// When a transaction is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FinalityOption {
    /// As soon as it is executed and on disk.
    Instant,
    /// As on a cluster: confirmed one slot later, final after 32 slots, about 13 seconds.
    Realistic,
}

/// An address, with a port or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    ip: IpAddr,
    port: Option<u16>,
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse() {
            return Ok(Self { ip, port: None });
        }
        let address: SocketAddr =
            text.parse().map_err(|_| "not an address like 127.0.0.1, or 127.0.0.1:8899 with a port")?;
        Ok(Self { ip: address.ip(), port: Some(address.port()) })
    }
}

impl ChainOptions {
    /// Where to listen: `--port` wins over a port in `--listen`.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.listen.ip, self.port.or(self.listen.port).unwrap_or(PORT))
    }

    /// A chain as it was asked for.
    pub fn apply(&self, config: LocalnetConfig) -> LocalnetConfig {
        let faults = &self.faults;
        LocalnetConfig {
            listen: self.address(),
            finality: match self.finality {
                FinalityOption::Instant => Finality::Instant,
                FinalityOption::Realistic => Finality::Realistic,
            },
            history_limit: self.history,
            history_age: self.history_days.map(|days| Duration::from_hours(24) * days),
            faults: FaultPlan {
                seed: faults.fault_seed,
                drop: faults.drop_percent * 10,
                duplicate: faults.duplicate_percent * 10,
                expire: faults.expire_percent * 10,
                delay: faults.delay_percent * 10,
                delay_by: Duration::from_millis(faults.delay_ms),
                late: faults.late_percent * 10,
                late_by: Duration::from_millis(faults.late_ms),
                disconnect: faults.disconnect_percent * 10,
            },
            ..config
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: ChainOptions,
    }

    fn parsed(line: &[&str]) -> LocalnetConfig {
        let line = Line::try_parse_from(std::iter::once(&"localnet").chain(line)).unwrap();
        line.options.apply(LocalnetConfig::new("127.0.0.1:1".parse().unwrap(), [0; 32]))
    }

    #[test]
    fn it_listens_on_this_machine_only_unless_told_otherwise() {
        for (line, address) in [
            (&[][..], "127.0.0.1:8899"),
            (&["--port", "7000"], "127.0.0.1:7000"),
            (&["--listen", "0.0.0.0"], "0.0.0.0:8899"),
            (&["--listen", "127.0.0.1:0"], "127.0.0.1:0"),
            (&["--listen", "[::1]:9000", "--port", "7000"], "[::1]:7000"),
        ] {
            assert_eq!(parsed(line).listen.to_string(), address, "{line:?}");
        }
        assert!(Line::try_parse_from(["localnet", "--listen", "here"]).is_err());
    }

    #[test]
    fn faults_finality_and_history_are_passed_on() {
        let config = parsed(&[
            "--finality",
            "realistic",
            "--history",
            "500",
            "--history-days",
            "30",
            "--drop-percent",
            "20",
            "--late-percent",
            "5",
            "--late-ms",
            "100",
            "--fault-seed",
            "7",
        ]);
        assert_eq!(config.finality, Finality::Realistic);
        assert_eq!((config.history_limit, config.history_age), (500, Some(Duration::from_hours(720))));
        let late_by = Duration::from_millis(100);
        assert_eq!((config.faults.drop, config.faults.late, config.faults.late_by), (200, 50, late_by));
        assert_eq!((config.faults.seed, config.faults.expire), (7, 0));
        assert!(Line::try_parse_from(["localnet", "--drop-percent", "101"]).is_err());
    }
}
