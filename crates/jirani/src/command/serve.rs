//! `jirani serve --role ...`: one role in a process of its own.

use crate::cli::serve::{Role, ServeArguments};
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::{DataFolder, Database, Secrets, claim};
use jirani_broker::GATEWAY;
use jirani_clock::ServiceClock;
use jirani_inbox::{InboxRole, InboxRoleConfig};
use jirani_meter::Ed25519Signer;
use jirani_oracle::{Counters, Gateway, GatewayConfig};
use jirani_store::Events;
use std::sync::Arc;

/// Most connections at a time.
const CONNECTIONS: u32 = 1_024;
/// Changes kept for who listens within the process.
const EVENTS: usize = 1_024;

/// Runs the role until Ctrl-C.
pub async fn run(config: &Config, arguments: &ServeArguments) -> Result<(), Failure> {
    match arguments.role {
        Role::Inbox => inbox(config).await,
        Role::Gateway => gateway(config).await,
    }
}

/// One more gateway. Its data folder holds the site's `keys`, so that meters know its word.
async fn gateway(config: &Config) -> Result<(), Failure> {
    let refuse = |what: &str| Err(Failure::Start(anyhow::anyhow!("gateway.not_shared: {what}")));
    let Some(share) = config.mqtt.shared_group() else {
        return refuse(
            "set mqtt.share and mqtt.name, the same share and another name than the site's gateway",
        );
    };
    if config.mqtt.url.is_empty() {
        return refuse("set mqtt.url to the broker that the site's gateway uses");
    }
    let cancel = super::interrupted()?;
    let folder = DataFolder::open(&config.data_dir).map_err(Failure::Start)?;
    let keys = folder.path().join("keys");
    if !keys.join("root.key").is_file() {
        return refuse(
            "bring the folder keys of the site's data folder: meters believe only its gateway key",
        );
    }
    let secrets = Secrets::open(&keys, system::entropy()).map_err(Failure::Start)?;
    let database = Database::of(config, folder.path()).map_err(Failure::Start)?;
    let database = database.open().await.map_err(Failure::Start)?;
    let store = database.store();
    claim(store.as_ref(), &secrets).await.map_err(Failure::Start)?;
    let settings = GatewayConfig {
        url: config.mqtt.url.clone(),
        client_id: secrets.client_id(&config.mqtt.gateway_name()),
        username: GATEWAY.to_owned(),
        password: config.mqtt.password.clone(),
        shared_group: Some(secrets.shared_group(&share)),
    };
    let signer = Ed25519Signer::from_seed(&secrets.derive("gateway"));
    let clock = ServiceClock::system(system::now);
    let gateway = Gateway::new(settings, store, signer, clock, Events::new(EVENTS), Counters::default());
    let mut gateway = gateway.await.map_err(Failure::start)?;
    if let Some(tls) = config.mqtt.tls().map_err(Failure::Start)? {
        gateway = gateway.with_tls(&tls).map_err(Failure::start)?;
    }
    println!("Gateway    {} at {}", config.mqtt.gateway_name(), config.mqtt.url);
    println!("Ready      Ctrl-C stops");
    let ended = gateway.run(cancel).await;
    database.close().await;
    ended.map_err(Failure::run)
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
