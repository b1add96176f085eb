//! `jirani check-config`

use crate::config::Config;
use crate::failure::Failure;
use jirani_chain::NodeUrl;

/// The settings are right when this is reached; prints them, without secrets.
pub fn run(config: &Config) -> Result<(), Failure> {
    let mut shown = config.clone();
    for secret in [
        &mut shown.mqtt.password,
        &mut shown.metering.bridge_password,
        &mut shown.witness.token,
        &mut shown.mpesa.consumer_secret,
        &mut shown.mpesa.passkey,
        &mut shown.mpesa.initiator_password,
        &mut shown.mpesa.collection_initiator_password,
        &mut shown.mpesa.inbox_token,
        &mut shown.inbox.token,
    ] {
        if !secret.is_empty() {
            "***".clone_into(secret);
        }
    }
    // A node's URL may carry a key.
    for url in [&mut shown.chain.rpc_url, &mut shown.chain.ws_url] {
        if !url.is_empty() {
            *url = NodeUrl::from(url.as_str()).to_string();
        }
    }
    println!("{}", toml::to_string_pretty(&shown).map_err(Failure::run)?);
    Ok(())
}
