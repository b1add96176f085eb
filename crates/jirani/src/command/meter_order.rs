//! `jirani meter command` and `jirani meter sign-firmware`: what an operator tells one meter.

use super::records;
use crate::cli::meter::{CommandArguments, SignFirmwareArguments, What};
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::Secrets;
use anyhow::{Context as _, bail};
use jirani_meter::release::IMAGE_MAX;
use jirani_meter::{Ed25519Signer, PublicKey, Release, SignedRelease, TimeQuality};
use jirani_oracle::{Ordering, Said, Told, Wanted};
use jirani_units::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// The file of the data folder that holds the last order's number.
const ORDERS: &str = "meter-orders";

/// Tells, waits, and says what a reading showed.
pub async fn tell(config: &Config, arguments: &CommandArguments) -> Result<(), Failure> {
    let wanted = match &arguments.what {
        What::Interval { seconds } => Wanted::Interval(*seconds),
        What::Time => Wanted::Time,
        What::Firmware { release } => Wanted::Firmware(read_release(release).map_err(Failure::Start)?),
    };
    let secrets = secrets(config).map_err(Failure::Start)?;
    let key = key_of(config, arguments).await?;
    let (url, password) = if config.mqtt.url.is_empty() {
        (format!("mqtt://{}", config.mqtt.listen), secrets.derive_text("broker gateway"))
    } else {
        (config.mqtt.url.clone(), config.mqtt.password.clone())
    };
    let tls = config.mqtt.tls().map_err(Failure::Start)?;
    let ordering = Ordering {
        url: &url,
        tls: tls.as_ref(),
        client_id: &jirani_broker::own_client_id(&system::entropy(), "gateway-order"),
        password: &password,
        signer: &Ed25519Signer::from_seed(&secrets.derive("gateway")),
        meter: arguments.meter,
        key,
        number: next_number(&config.data_dir, system::now()).map_err(Failure::Start)?,
    };
    let patience = Duration::from_secs(arguments.wait);
    let told = ordering.tell(wanted, &system::now, patience).await.map_err(Failure::start)?;
    let meter = arguments.meter;
    match told {
        Told::Obeyed(shown) => println!("Meter {meter} obeyed: {}.", said(&shown)),
        Told::Before(shown) => println!("Meter {meter} was so before, nothing was sent: {}.", said(&shown)),
        Told::Unshown(shown) => {
            return Err(Failure::Run(anyhow::anyhow!(
                "meter.not_shown: it was told, but until {} s later it said: {}",
                arguments.wait,
                said(&shown)
            )));
        }
        Told::Silent => {
            return Err(Failure::Run(anyhow::anyhow!(
                "meter.silent: meter {meter} said nothing for {} s; is it on, and is the system running?",
                arguments.wait
            )));
        }
    }
    Ok(())
}

/// Signs an image.
pub fn sign_firmware(
    config: impl FnOnce() -> Result<Config, Failure>,
    arguments: &SignFirmwareArguments,
) -> Result<(), Failure> {
    let seed = if let Some(file) = &arguments.key {
        read_key(file).map_err(Failure::Start)?
    } else {
        secrets(&config()?).map_err(Failure::Start)?.derive("gateway")
    };
    let signer = Ed25519Signer::from_seed(&seed);
    let signed = sign(arguments, &signer).map_err(Failure::Start)?;
    records::write(Some(&arguments.out), |to| -> anyhow::Result<()> {
        Ok(to.write_all(signed.to_bytes()?.as_slice())?)
    })?;
    let Release { version, size, sha256 } = signed.release;
    println!("Version {version}, {size} bytes, SHA-256 {}", hex::encode(sha256));
    println!("Signed by {}", hex::encode(jirani_meter::Signer::public_key(&signer)));
    Ok(())
}

fn sign(arguments: &SignFirmwareArguments, signer: &Ed25519Signer) -> anyhow::Result<SignedRelease> {
    let unusable = || format!("release.unusable: cannot read {}", arguments.image.display());
    let length = fs::metadata(&arguments.image).with_context(unusable)?.len();
    let size = u32::try_from(length).ok().filter(|size| (1..=IMAGE_MAX).contains(size));
    let size = size.with_context(|| {
        format!(
            "release.size: {} has {length} bytes; an image has 1 byte to 4 MiB",
            arguments.image.display()
        )
    })?;
    let image = fs::read(&arguments.image).with_context(unusable)?;
    let sha256 = Sha256::digest(&image).into();
    Ok(Release { version: arguments.version, size, sha256 }.sign(signer)?)
}

fn read_key(file: &Path) -> anyhow::Result<[u8; 32]> {
    let text =
        fs::read_to_string(file).with_context(|| format!("release.key: cannot read {}", file.display()))?;
    let mut key = [0; 32];
    if hex::decode_to_slice(text.trim(), &mut key).is_err() {
        bail!("release.key: {} does not hold 64 hexadecimal digits", file.display());
    }
    Ok(key)
}

fn read_release(file: &Path) -> anyhow::Result<SignedRelease> {
    let unusable = || format!("release.unusable: {} is no signed release", file.display());
    let bytes = fs::read(file).with_context(unusable)?;
    SignedRelease::from_bytes(&bytes).with_context(unusable)
}

/// The number of the next order: greater than that of every order that was given from this
/// data folder, whatever the clock said then. A meter takes only greater ones, so a clock that
/// was wrong once must not silence all that come after it. The clock alone counts for the
/// first, since meters may have heard of a folder that was lost.
fn next_number(folder: &Path, now: Timestamp) -> anyhow::Result<u64> {
    let path = folder.join(ORDERS);
    let unusable = || format!("meter.orders_unusable: cannot keep the order's number in {}", path.display());
    let last = match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u64>().with_context(|| {
            format!("meter.orders_damaged: {} does not hold the last order's number", path.display())
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error).with_context(unusable),
    };
    let number = last.checked_add(1).with_context(unusable)?.max(u64::try_from(now.0).unwrap_or(0));
    // Kept before anybody hears of it.
    let staged = path.with_extension("part");
    let mut file = fs::File::create(&staged).with_context(unusable)?;
    writeln!(file, "{number}").and_then(|()| file.sync_all()).with_context(unusable)?;
    fs::rename(&staged, &path).with_context(unusable)?;
    Ok(number)
}

/// The deployment's, which must be there: a new one would be nobody's.
fn secrets(config: &Config) -> anyhow::Result<Secrets> {
    let keys = config.data_dir.join("keys");
    let root = keys.join("root.key");
    if !root.is_file() {
        bail!("meter.no_key: there is no {}; set data_dir to the system's folder", root.display());
    }
    Secrets::open(&keys, system::entropy())
}

async fn key_of(config: &Config, arguments: &CommandArguments) -> Result<PublicKey, Failure> {
    let database = records::open(config, "meter").await?;
    let households = database.store().households().await;
    database.close().await;
    let households = households.map_err(Failure::run)?;
    let own = households.iter().find(|record| record.meter == Some(arguments.meter));
    let own = own.with_context(|| format!("meter.unknown: no household has the meter {}", arguments.meter));
    PublicKey::from_bytes(&own.map_err(Failure::Start)?.meter_key).map_err(Failure::run)
}

fn said(shown: &Said) -> String {
    let time = match shown.time_quality {
        TimeQuality::Unset => "a clock that was never set",
        TimeQuality::HeldOver => "a clock that runs on its own",
        TimeQuality::Synchronised => "the network's time",
    };
    format!(
        "reading {} of epoch {} at {} by {time}, every {} s, firmware {}",
        shown.seq,
        shown.epoch,
        shown.time,
        shown.interval_s,
        hex::encode(shown.firmware)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_wrong_once_silences_no_later_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut last = 0;
        for seconds in [1_780_000_000, 4_071_000_000, 1_780_000_060, 1_780_000_060, 0] {
            let number = next_number(folder.path(), Timestamp::from_seconds(seconds)).unwrap();
            assert!(number > last, "{number} after {last}");
            last = number;
        }
    }

    #[test]
    fn a_number_that_cannot_be_read_is_not_given_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(ORDERS), "many").unwrap();
        let error = next_number(folder.path(), Timestamp(1)).unwrap_err().to_string();
        assert!(error.starts_with("meter.orders_damaged"), "{error}");
    }
}
