//! `jirani serve`.

use clap::{Args, ValueEnum};

/// `jirani serve`
#[derive(Args)]
pub struct ServeArguments {
    /// Which role.
    #[arg(long)]
    pub role: Role,
}

/// A role that runs in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Keeps M-Pesa's callbacks on a public host until the site fetches them.
    Inbox,
    /// One more gateway beside the site's: takes readings into the same PostgreSQL database
    /// from the same broker, by a shared subscription (mqtt.share, mqtt.name).
    Gateway,
}
