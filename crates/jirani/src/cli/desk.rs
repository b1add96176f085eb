//! `jirani reconcile`, `jirani review ...`, `jirani float ...` and `jirani tariff ...`

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Which running system is asked, and who asks.
#[derive(Args)]
pub struct NodeArguments {
    /// The running system; the address of the settings without it.
    #[arg(long, global = true, value_name = "URL")]
    pub node: Option<String>,
    /// Which operator you are. In a demonstration this signs you in; elsewhere the session's
    /// token in JIRANI_OPERATOR_TOKEN says it.
    #[arg(long = "as", global = true, value_name = "NAME", default_value = "operator")]
    pub operator: String,
    /// Token of an operator's session.
    #[arg(long, env = "JIRANI_OPERATOR_TOKEN", hide_env_values = true, global = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// JSON, as the API answers.
    #[arg(long, global = true)]
    pub json: bool,
}

/// `jirani reconcile`
#[derive(Args)]
pub struct ReconcileArguments {
    /// Statement of the M-PESA organisation portal (CSV, at most 8 MiB); without it M-Pesa is
    /// asked for its list of the last 48 hours and its balances.
    #[arg(long, value_name = "FILE")]
    pub statement: Option<PathBuf>,
    /// Which account the statement is of.
    #[arg(long, default_value = "collection", requires = "statement")]
    pub account: StatementAccount,
    /// Which system.
    #[command(flatten)]
    pub node: NodeArguments,
}

/// What a statement covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatementAccount {
    /// The PayBill that collects.
    Collection,
    /// The payout shortcode's utility account.
    Payout,
    /// All accounts of the payout shortcode, its charges too.
    PayoutWithCharges,
    /// The charges account.
    Charges,
}

impl StatementAccount {
    /// As the API asks for it.
    pub const fn query(self) -> &'static str {
        match self {
            Self::Collection => "account=collection",
            Self::Payout => "account=payout",
            Self::PayoutWithCharges => "account=payout&with_charges=true",
            Self::Charges => "account=charges",
        }
    }
}

/// `jirani float`
#[derive(Args)]
pub struct FloatArguments {
    /// Which system.
    #[command(flatten)]
    pub node: NodeArguments,
    /// What to do; without it the last moves are listed.
    #[command(subcommand)]
    pub command: Option<FloatCommand>,
}

/// What is done about float.
#[derive(Subcommand)]
pub enum FloatCommand {
    /// The last moves from the PayBill to the payout shortcode, newest first.
    List,
    /// Moves money from the PayBill to the payout shortcode. M-Pesa's word on it follows;
    /// `jirani float` shows it.
    Move {
        /// Whole shillings, 1 to 250,000.
        #[arg(long, value_name = "KSH", value_parser = clap::value_parser!(u64).range(1..=250_000))]
        amount: u64,
        /// Your own name for this wish: the same again does not move anything twice.
        /// Without one, every call is a new wish.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// `jirani tariff`
#[derive(Args)]
pub struct TariffArguments {
    /// Which system.
    #[command(flatten)]
    pub node: NodeArguments,
    /// What to do; without it all tariffs are listed.
    #[command(subcommand)]
    pub command: Option<TariffCommand>,
}

/// What is done about tariffs.
#[derive(Subcommand)]
pub enum TariffCommand {
    /// All tariffs that were announced, each with its time.
    List,
    /// Announces prices from a moment on, in place of all that were announced for then or
    /// later. Every home is told; what is in force, and what is ordered until then, stays.
    Announce {
        /// First moment in force, a quarter of an hour in UTC: 2026-12-01T03:00:00Z is six in
        /// the morning in Nairobi.
        #[arg(long, value_name = "TIME")]
        from: String,
        /// What you sell at, in cents per kWh.
        #[arg(long, value_name = "CENTS")]
        retail: u32,
        /// What you buy at, in cents per kWh.
        #[arg(long, value_name = "CENTS")]
        buy_back: u32,
        /// Grid fee on every kWh traded, in cents.
        #[arg(long, value_name = "CENTS")]
        grid_fee: u32,
        /// Taxes on every kWh traded, in cents.
        #[arg(long, value_name = "CENTS")]
        tax: u32,
        /// Your own name for this wish: the same again announces nothing twice.
        /// Without one, every call is a new wish.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// `jirani review`
#[derive(Args)]
pub struct ReviewArguments {
    /// Which system.
    #[command(flatten)]
    pub node: NodeArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: ReviewCommand,
}

/// What is done at the desk.
#[derive(Subcommand)]
pub enum ReviewCommand {
    /// What waits for persons, and what is proposed.
    List,
    /// What was proposed and decided, newest first.
    History,
    /// Proposes a decision. Nothing is done before another operator approves it.
    Propose {
        /// Key of the review, as `list` shows it.
        review: String,
        /// The decision as JSON, for example '{"kind":"attach","receipt":"UJ3...","household_id":4}'.
        decision: String,
        /// Why. No phone numbers.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Approves what another operator proposed: it is done at once.
    Approve {
        /// Number of the proposal.
        proposal: u64,
    },
    /// Rejects a proposal, or takes your own back.
    Reject {
        /// Number of the proposal.
        proposal: u64,
    },
}
