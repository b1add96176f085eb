//! `jirani mqtt acl`: what a broker of one's own must know of meters and gateways.

use super::records;
use crate::cli::mqtt::{AclArguments, BrokerFormat, MqttCommand};
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::Secrets;
use anyhow::{Context as _, bail};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_broker::{BRIDGE, GATEWAY, device_password, meter_password};
use jirani_store::MeterState;
use jirani_units::MeterId;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Rounds of a meter's hash: its password is 256 random bits, which no number of rounds
/// makes harder to guess. Mosquitto's own default.
const ROUNDS: NonZeroU32 = NonZeroU32::new(101).unwrap();
const SALT: usize = 12;

/// Writes the files.
pub async fn run(config: &Config, command: &MqttCommand) -> Result<(), Failure> {
    let MqttCommand::Acl(arguments) = command;
    let database = records::open(config, "mqtt").await?;
    let (households, records) = (database.store().households().await, database.store().meters().await);
    database.close().await;
    let enrolled = households.map_err(Failure::run)?.into_iter().filter_map(|record| record.meter);
    let records = records.map_err(Failure::run)?;
    let meters = served(enrolled, records.iter().map(|record| (record.meter, record.state)));
    write(config, arguments, &meters).map_err(Failure::Run)?;
    let (count, devices) = (meters.len(), config.metering.devices.len());
    let others = if devices == 0 { String::new() } else { format!(", the bridge and {devices} devices") };
    println!("Broker     {count} meters{others} and the gateway in {}", arguments.out.display());
    Ok(())
}

/// Whom the broker lets in: the households' meters, and those that are on their way to one,
/// which must hear a challenge and answer it. Nobody whose time is over.
fn served(
    enrolled: impl Iterator<Item = MeterId>,
    states: impl Iterator<Item = (MeterId, MeterState)>,
) -> BTreeSet<MeterId> {
    let mut meters: BTreeSet<MeterId> = enrolled.collect();
    for (meter, state) in states {
        match state {
            MeterState::Claimed
            | MeterState::Challenged
            | MeterState::Answered
            | MeterState::Approved
            | MeterState::Active => meters.insert(meter),
            MeterState::Replaced | MeterState::Retired | MeterState::Rejected => meters.remove(&meter),
        };
    }
    meters
}

fn write(config: &Config, arguments: &AclArguments, meters: &BTreeSet<MeterId>) -> anyhow::Result<()> {
    let BrokerFormat::Mosquitto = arguments.format;
    if config.mqtt.password.len() < 16 {
        bail!(
            "mqtt.password: the gateway has no password of at least 16 characters; set JIRANI__MQTT__PASSWORD as for \
             the gateway"
        );
    }
    let devices: Vec<&str> = config.metering.devices.iter().map(|device| device.id.as_str()).collect();
    if !devices.is_empty() && config.metering.bridge_password.len() < 16 {
        bail!(
            "metering.bridge_password: the bridge has no password of at least 16 characters; set \
             JIRANI__METERING__BRIDGE_PASSWORD as for the bridge"
        );
    }
    let secrets = Secrets::open(&config.data_dir.join("keys"), system::entropy())?;
    let secret = secrets.derive("broker meters");
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("mqtt.unusable: cannot make {}", arguments.out.display()))?;
    let mut passwords = format!("{GATEWAY}:{}\n", hashed(&config.mqtt.password));
    let mut clear = String::from("meter,password\n");
    if !devices.is_empty() {
        // Writing to a string cannot fail.
        let _ = writeln!(passwords, "{BRIDGE}:{}", hashed(&config.metering.bridge_password));
    }
    for device in &devices {
        let _ = writeln!(passwords, "device-{device}:{}", hashed(&device_password(&secret, device)));
    }
    for meter in meters {
        let password = meter_password(&secret, *meter);
        let _ = writeln!(passwords, "{meter}:{}", hashed(&password));
        let _ = writeln!(clear, "{meter},{password}");
    }
    private(&arguments.out.join("acl"), &rules(&devices))?;
    private(&arguments.out.join("passwords"), &passwords)?;
    if arguments.with_passwords {
        private(&arguments.out.join("meters.csv"), &clear)?;
    }
    Ok(())
}

/// What each may: a meter under its own name only, whoever it is; the gateway the other side;
/// a device under its own prefix, which the bridge hears.
fn rules(devices: &[&str]) -> String {
    let mut rules = format!(
        "# Made by `jirani mqtt acl`.\nuser {GATEWAY}\ntopic read v1/+/up\ntopic read v1/+/status\n\
         topic read v1/+/claim\ntopic read v1/+/want\ntopic write v1/+/ack\ntopic write v1/+/cmd\n\
         topic write v1/+/fw\n\n# Every meter, by its user name.\npattern write v1/%u/up\n\
         pattern write v1/%u/status\npattern write v1/%u/claim\npattern write v1/%u/want\n\
         pattern read v1/%u/ack\npattern read v1/%u/cmd\npattern read v1/%u/fw\n"
    );
    if !devices.is_empty() {
        let _ = write!(rules, "\nuser {BRIDGE}\ntopic read devices/#\n");
    }
    for device in devices {
        let _ = write!(rules, "\nuser device-{device}\ntopic readwrite devices/{device}/#\n");
    }
    rules
}

/// `$7$rounds$salt$hash`: PBKDF2 with SHA-512, as `mosquitto_passwd` makes it.
fn hashed(password: &str) -> String {
    let salt = &system::entropy()[..SALT];
    let mut hash = [0; 64];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, salt, password.as_bytes(), &mut hash);
    format!("$7${ROUNDS}${}${}", STANDARD.encode(salt), STANDARD.encode(hash))
}

/// A file that only its owner reads, and that appears whole.
fn private(path: &Path, text: &str) -> anyhow::Result<()> {
    let staged = path.with_extension("part");
    let unusable = || format!("mqtt.unusable: cannot write {}", path.display());
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(&staged).with_context(unusable)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(unusable)?;
    std::fs::rename(&staged, path).with_context(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_let_in_from_its_claim_on_until_its_time_is_over() {
        let meter = |number: u8| MeterId([number; 16]);
        let states = [
            MeterState::Claimed,
            MeterState::Challenged,
            MeterState::Answered,
            MeterState::Approved,
            MeterState::Active,
            MeterState::Replaced,
            MeterState::Retired,
            MeterState::Rejected,
        ];
        let told = (1..).map(meter).zip(states);
        // A household of before there were enrolments, and one whose only meter was retired.
        let meters = served([meter(5), meter(7), meter(9)].into_iter(), told);
        assert_eq!(meters, [1, 2, 3, 4, 5, 9].map(meter).into());
    }

    #[test]
    fn the_bridge_hears_devices_and_each_device_has_its_own_prefix() {
        let rules = rules(&["shelly-1"]);
        assert!(rules.contains("\nuser bridge\ntopic read devices/#\n"), "{rules}");
        assert!(rules.contains("\nuser device-shelly-1\ntopic readwrite devices/shelly-1/#\n"), "{rules}");
        assert!(!super::rules(&[]).contains("bridge"), "a site without devices has no bridge");
    }
}
