//! A broker, or a gateway on a database, in a process that a test can kill:
//! `killed_site broker PORT` and `killed_site gateway PORT FOLDER`. Says `ready` when it
//! serves, and ends with its standard input.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a process that cannot go on ends")]

use jirani_broker::{Broker, BrokerConfig};
use jirani_clock::ServiceClock;
use jirani_meter::Ed25519Signer;
use jirani_oracle::{Counters, Gateway, GatewayConfig};
use jirani_store::Events;
use jirani_store_sqlite::SqliteStore;
use jirani_units::Timestamp;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "gateway password";
/// 2026-06-15T00:00:00Z: two weeks after the meters' first reading.
const NOW: Timestamp = Timestamp::from_seconds(1_781_481_600);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["broker", port] => runtime.block_on(broker(port.parse().unwrap())),
        ["gateway", port, folder] => runtime.block_on(gateway(port, Path::new(folder))),
        _ => panic!("usage: killed_site broker PORT | gateway PORT FOLDER"),
    }
}

async fn broker(port: u16) {
    let config = BrokerConfig {
        listen: ([127, 0, 0, 1], port).into(),
        gateway_password: PASSWORD.into(),
        meter_secret: [9; 32],
    };
    let running = Broker::start(config).await.unwrap();
    println!("ready");
    input_ends().await;
    running.stop().await;
}

async fn gateway(port: &str, folder: &Path) {
    let store = Arc::new(SqliteStore::open(&folder.join("site.db")).await.unwrap());
    let config = GatewayConfig {
        url: format!("mqtt://127.0.0.1:{port}"),
        client_id: "gateway".into(),
        username: "gateway".into(),
        password: PASSWORD.into(),
        shared_group: None,
    };
    let signer = Ed25519Signer::from_seed(&[200; 32]);
    let clock = ServiceClock::advanced_from(NOW);
    let gateway = Gateway::new(config, store, signer, clock, Events::new(64), Counters::default()).await;
    let gateway = gateway.unwrap();
    let mut subscribed = gateway.subscribed();
    let cancel = CancellationToken::new();
    let running = tokio::spawn(gateway.run(cancel.clone()));
    subscribed.wait_for(|taken| *taken).await.unwrap();
    println!("ready");
    input_ends().await;
    cancel.cancel();
    running.await.unwrap().unwrap();
}

async fn input_ends() {
    tokio::task::spawn_blocking(|| std::io::stdin().lines().for_each(drop)).await.unwrap();
}
