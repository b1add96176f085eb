//! Foreign devices: their bridge, and who vouches for them.

use super::tasks::Tasks;
use super::{DataFolder, Secrets};
use crate::config::Config;
use anyhow::Context as _;
use jirani_bridge::{Bridge, BridgeConfig, device_meter};
use jirani_broker::{BRIDGE, bridge_password, meter_password};
use jirani_clock::ServiceClock;
use jirani_oracle::GatewayTls;
use jirani_store::{AttestedMeterRecord, Change, Store};
use jirani_units::{Clock as _, HouseholdId, MeterId};
use std::sync::Arc;

/// What the bridge is put among.
pub struct Surroundings<'a> {
    pub folder: &'a DataFolder,
    pub secrets: &'a Secrets,
    pub store: &'a Arc<dyn Store>,
    pub clock: &'a ServiceClock,
    /// The gateway's public key.
    pub gateway: [u8; 32],
    pub mqtt_url: &'a str,
    /// Who may vouch for the broker.
    pub mqtt_tls: Option<&'a GatewayTls>,
}

/// What the devices' keys are derived from.
pub fn bridge_key(secrets: &Secrets) -> [u8; 32] {
    secrets.derive("bridged meters")
}

/// Starts the bridge where the site has devices: first it is kept that the site vouches for
/// their meters, then it listens.
pub async fn start(config: &Config, around: &Surroundings<'_>, tasks: &mut Tasks) -> anyhow::Result<()> {
    let decoders = config.metering.decoders()?;
    if decoders.is_empty() {
        return Ok(());
    }
    let key = bridge_key(around.secrets);
    let since = around.clock.now();
    let attested = decoders.iter().map(|decoder| {
        let device = decoder.device().id.clone();
        Change::AttestedMeter(AttestedMeterRecord { meter: device_meter(&key, &device), device, since })
    });
    around.store.commit(attested.collect()).await?;
    tell_missing(config, around.store.as_ref(), &key).await?;
    let meter_secret = around.secrets.derive("broker meters");
    let password = if config.mqtt.url.is_empty() {
        bridge_password(&meter_secret)
    } else {
        config.metering.bridge_password.clone()
    };
    let bridge = BridgeConfig {
        url: around.mqtt_url.to_owned(),
        transport: around.mqtt_tls.map(|tls| tls.without_own().transport()).transpose()?,
        username: BRIDGE.to_owned(),
        client_id: around.secrets.client_id(BRIDGE),
        password,
        meter_password: Box::new(move |meter| meter_password(&meter_secret, meter)),
        gateway: around.gateway,
        key,
        folder: around.folder.bridge(),
    };
    let latest = around.store.latest_readings().await?;
    let bridge =
        Bridge::new(bridge, decoders, &latest, around.clock.clone()).context("the bridge cannot start")?;
    tasks.spawn("bridge", |cancel| bridge.run(cancel));
    Ok(())
}

/// Says which devices' readings wait in quarantine until their meter is enrolled.
async fn tell_missing(config: &Config, store: &dyn Store, key: &[u8; 32]) -> anyhow::Result<()> {
    for device in &config.metering.devices {
        let meter: MeterId = device_meter(key, &device.id);
        let household = store.household(HouseholdId(device.household)).await?;
        if household.and_then(|household| household.meter) != Some(meter) {
            tracing::warn!(
                device = device.id,
                "household {} does not have meter {meter} yet: enrol it, until then its readings are not counted",
                device.household
            );
        }
    }
    Ok(())
}
