//! Phones: the gateway of text messages and the menus' settings.

use super::Secrets;
use crate::config::Config;
use jirani_api::{GatewaySecret, Phones, UssdConfig};
use jirani_clock::ServiceClock;
use jirani_notify::{AfricasTalking, Handsets, Sms};
use std::sync::Arc;

/// How long a one-time code is good, in seconds of real time.
const CODE_S: u32 = 600;

/// How phones are reached: over the gateway, or on a page in a demonstration.
pub fn phones(config: &Config, clock: &ServiceClock) -> anyhow::Result<Option<Phones>> {
    if let Some(gateway) = config.sms.gateway() {
        let sms: Arc<dyn Sms> = Arc::new(AfricasTalking::new(gateway)?);
        return Ok(Some(Phones { sms, handsets: None }));
    }
    Ok(config.demo.on.then(|| {
        let handsets = Arc::new(Handsets::new(Arc::new(clock.clone())));
        Phones { sms: handsets.clone(), handsets: Some(handsets) }
    }))
}

/// What the gateway shows at its doors: reports and STOP come by them, menus or not.
pub fn gateway_secret(config: &Config, secrets: &Secrets) -> Option<GatewaySecret> {
    GatewaySecret::new(if config.ussd.secret.is_empty() && config.demo.on {
        secrets.derive_text("ussd path")
    } else {
        config.ussd.secret.clone()
    })
}

/// The menus, where they are offered; `speed` is how fast the village's time passes.
pub fn menus(config: &Config, secrets: &Secrets, speed: u32) -> Option<UssdConfig> {
    let settings = &config.ussd;
    (settings.on || config.demo.on).then(|| UssdConfig {
        service_code: settings.service_code.clone(),
        pepper: secrets.derive("ussd pin"),
        // A person types in real time, whatever the village's clock does.
        code_s: CODE_S.saturating_mul(speed),
        patience: UssdConfig::PATIENCE,
        per_minute: (settings.per_minute > 0 && !config.demo.on).then_some(settings.per_minute),
    })
}
