//! `jirani operator ...`

use clap::{Args, Subcommand, ValueEnum};
use jirani_store::DeskRole;

/// `jirani operator`
#[derive(Args)]
pub struct OperatorArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: OperatorCommand,
}

/// What is done about people at the desk.
#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Invites somebody, and prints the invitation once. It is good for three days.
    ///
    /// With SQLite the system must be stopped; an admin can do the same through the running one.
    Add {
        /// The name. It is never given to anybody else.
        name: String,
        /// What for.
        #[arg(long)]
        role: RoleArgument,
    },
    /// Who is let in, also who is retired. Reads beside the running system.
    List,
    /// Takes password, authenticator and sessions of somebody away, and invites them anew.
    Reset {
        /// The name.
        name: String,
    },
    /// Lets somebody in no more, for good, and ends their sessions.
    Retire {
        /// The name.
        name: String,
    },
    /// What people with special rights did, newest first. Reads beside the running system.
    Acts {
        /// Recounts the whole log instead; exits 1 when a row was changed or is gone.
        #[arg(long)]
        verify: bool,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

/// What somebody is at the desk for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArgument {
    /// Runs the grid: meters, findings, curtailment, shortfall.
    Operator,
    /// Handles money: payments, reconciliation, reviews, float, tariffs.
    Finance,
    /// Reads everything, changes nothing.
    Auditor,
    /// Lets people in and out, and reads.
    Admin,
}

impl From<RoleArgument> for DeskRole {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Operator => Self::Operator,
            RoleArgument::Finance => Self::Finance,
            RoleArgument::Auditor => Self::Auditor,
            RoleArgument::Admin => Self::Admin,
        }
    }
}
