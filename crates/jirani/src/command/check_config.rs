//! `jirani check-config`

use crate::config::Config;
use crate::failure::Failure;
use jirani_chain::NodeUrl;

/// The settings are right when this is reached; prints them, without secrets.
pub fn run(config: &Config) -> Result<(), Failure> {
    println!("{}", shown(config).map_err(Failure::run)?);
    Ok(())
}

fn shown(config: &Config) -> Result<String, toml::ser::Error> {
    let mut shown = config.clone();
    for secret in [
        &mut shown.store.password,
        &mut shown.mqtt.password,
        &mut shown.metering.bridge_password,
        &mut shown.witness.token,
        &mut shown.mpesa.consumer_secret,
        &mut shown.mpesa.passkey,
        &mut shown.mpesa.initiator_password,
        &mut shown.mpesa.collection_initiator_password,
        &mut shown.mpesa.inbox_token,
        &mut shown.inbox.token,
        &mut shown.sms.api_key,
        &mut shown.ussd.secret,
        &mut shown.weather.api_key,
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
    toml::to_string_pretty(&shown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

    use super::*;

    /// Names of settings that nobody is shown, by what such settings are called.
    const SECRET: [&str; 5] = ["password", "secret", "token", "passkey", "api_key"];

    fn fill(table: &mut toml::Table) -> usize {
        let mut filled = 0;
        for (name, value) in table {
            match value {
                toml::Value::Table(inner) => filled += fill(inner),
                toml::Value::String(text) if SECRET.iter().any(|word| name.ends_with(word)) => {
                    "hunter2".clone_into(text);
                    filled += 1;
                }
                _ => {}
            }
        }
        filled
    }

    #[test]
    fn whatever_is_called_a_secret_is_not_shown() {
        let mut settings = toml::Table::try_from(Config::default()).unwrap();
        assert!(fill(&mut settings) >= 13, "the secrets are found");
        let config: Config = settings.try_into().unwrap();
        let told = shown(&config).unwrap();
        let lines: Vec<&str> = told.lines().filter(|line| line.contains("hunter2")).collect();
        assert_eq!(lines, Vec::<&str>::new());
    }
}
