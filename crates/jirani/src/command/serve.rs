//! `jirani serve --role ...`: one role in a process of its own.

use crate::cli::serve::{Role, ServeArguments};
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::DataFolder;
use jirani_clock::ServiceClock;
use jirani_inbox::{InboxRole, InboxRoleConfig};
use std::sync::Arc;

/// Most connections at a time.
const CONNECTIONS: u32 = 1_024;

/// Runs the role until Ctrl-C.
pub async fn run(config: &Config, arguments: &ServeArguments) -> Result<(), Failure> {
    match arguments.role {
        Role::Inbox => inbox(config).await,
    }
}

async fn inbox(config: &Config) -> Result<(), Failure> {
    let cancel = super::interrupted()?;
    let folder = DataFolder::open(&config.data_dir).map_err(Failure::Start)?;
    let settings = &config.inbox;
    let role = InboxRoleConfig {
        listen: settings.listen,
        file: folder.path().join("inbox.db"),
        token: settings.token.clone().into(),
        // A public host is never the emulator's.
        gate: Arc::new(config.hooks.gate(false).map_err(Failure::start)?),
        bytes_max: u64::from(settings.megabytes_max) << 20,
        keep_s: settings.keep_days.saturating_mul(86_400),
        alarm_after_s: settings.alarm_after_s,
        connections: CONNECTIONS,
    };
    let clock = Arc::new(ServiceClock::system(system::now));
    let fresh_name = hex::encode(&system::entropy()[..16]);
    let running = InboxRole::start(role, clock, &fresh_name).await.map_err(Failure::start)?;
    println!("Inbox      http://{}", running.addr);
    println!("Ready      data in {}, Ctrl-C stops", folder.path().display());
    cancel.cancelled().await;
    running.stop().await;
    Ok(())
}
