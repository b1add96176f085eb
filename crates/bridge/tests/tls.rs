//! The bridge at Debian's Mosquitto, over TLS: it believes whom the gateway believes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../../oracle/tests/support/mosquitto.rs"]
mod broker;

use broker::{Known, Mosquitto, authority};
use jirani_bridge::{Bridge, BridgeConfig, device_meter};
use jirani_broker::{BRIDGE, bridge_password, meter_password, own_client_id};
use jirani_clock::ServiceClock;
use jirani_devices::{Decoder, SiteDevice, built_in};
use jirani_meter::{Ed25519Signer, Signer as _};
use jirani_oracle::{GatewayTls, choose_cryptography};
use jirani_units::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SECRET: [u8; 32] = [9; 32];
const KEY: [u8; 32] = [5; 32];
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_bridge_hears_devices_at_a_broker_that_only_the_site_s_authority_vouches_for() {
    choose_cryptography();
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let meter = device_meter(&KEY, "shelly");
    let users =
        [(BRIDGE.to_owned(), bridge_password(&SECRET)), (meter.to_string(), meter_password(&SECRET, meter))];
    let mosquitto = Mosquitto::start(folder.path(), Known::PasswordOverTls, &users);
    let authorities = std::fs::read(folder.path().join("authority.pem")).unwrap();
    let device = SiteDevice {
        id: "shelly".to_owned(),
        definition: "shelly-em".to_owned(),
        generation: 1,
        import_rating_w: 5_000,
        export_rating_w: 5_000,
        pv_rated_w: 0,
        interval_s: 60,
        parameters: BTreeMap::new(),
    };
    let config = BridgeConfig {
        url: format!("mqtts://localhost:{}", mosquitto.port),
        transport: Some(GatewayTls { authorities, own: None }.transport().unwrap()),
        username: BRIDGE.to_owned(),
        password: bridge_password(&SECRET),
        client_id: own_client_id(&SECRET, BRIDGE),
        meter_password: Box::new(|meter| meter_password(&SECRET, meter)),
        gateway: Ed25519Signer::from_seed(&[200; 32]).public_key(),
        key: KEY,
        folder: folder.path().join("bridge"),
    };
    let decoder = Decoder::new(built_in("shelly-em").unwrap(), device).unwrap();
    let clock = ServiceClock::advanced_from(Timestamp::from_seconds(1_780_272_000));
    let bridge = Bridge::new(config, vec![decoder], &[], clock).unwrap();
    let (mut subscribed, cancel) = (bridge.subscribed(), CancellationToken::new());
    let running = tokio::spawn(bridge.run(cancel.clone()));
    tokio::time::timeout(PATIENCE, subscribed.wait_for(|taken| *taken)).await.unwrap().unwrap();
    cancel.cancel();
    running.await.unwrap().unwrap();
}
