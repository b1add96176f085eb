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
use jirani_broker::{GATEWAY, meter_password};
use jirani_units::MeterId;
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
    let households = database.store().households().await;
    database.close().await;
    let mut meters: Vec<MeterId> =
        households.map_err(Failure::run)?.iter().filter_map(|record| record.meter).collect();
    meters.sort_unstable();
    let count = meters.len();
    write(config, arguments, &meters).map_err(Failure::Run)?;
    println!("Broker     {count} meters and the gateway in {}", arguments.out.display());
    Ok(())
}

fn write(config: &Config, arguments: &AclArguments, meters: &[MeterId]) -> anyhow::Result<()> {
    let BrokerFormat::Mosquitto = arguments.format;
    if config.mqtt.password.len() < 16 {
        bail!(
            "mqtt.password: the gateway has no password of at least 16 characters; set JIRANI__MQTT__PASSWORD as for \
             the gateway"
        );
    }
    let secrets = Secrets::open(&config.data_dir.join("keys"), system::entropy())?;
    let secret = secrets.derive("broker meters");
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("mqtt.unusable: cannot make {}", arguments.out.display()))?;
    let mut passwords = format!("{GATEWAY}:{}\n", hashed(&config.mqtt.password));
    let mut clear = String::from("meter,password\n");
    for meter in meters {
        let password = meter_password(&secret, *meter);
        // Writing to a string cannot fail.
        let _ = writeln!(passwords, "{meter}:{}", hashed(&password));
        let _ = writeln!(clear, "{meter},{password}");
    }
    private(&arguments.out.join("acl"), &rules())?;
    private(&arguments.out.join("passwords"), &passwords)?;
    if arguments.with_passwords {
        private(&arguments.out.join("meters.csv"), &clear)?;
    }
    Ok(())
}

/// What each may: a meter under its own name only, whoever it is; the gateway the other side.
fn rules() -> String {
    format!(
        "# Made by `jirani mqtt acl`.\nuser {GATEWAY}\ntopic read v1/+/up\ntopic read v1/+/status\n\
         topic read v1/+/claim\ntopic read v1/+/want\ntopic write v1/+/ack\ntopic write v1/+/cmd\n\
         topic write v1/+/fw\n\n# Every meter, by its user name.\npattern write v1/%u/up\n\
         pattern write v1/%u/status\npattern write v1/%u/claim\npattern write v1/%u/want\n\
         pattern read v1/%u/ack\npattern read v1/%u/cmd\npattern read v1/%u/fw\n"
    )
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
