//! `jirani up`: every role in one process.

use crate::cli::UpArguments;
use crate::config::{Config, Demo};
use crate::failure::Failure;
use crate::system;
use crate::wiring::{DataFolder, Purpose, Secrets, System, VillageOptions};
use anyhow::{Context as _, bail};
use jirani_clock::{ServiceClock, StoredClock};
use jirani_units::{Clock as _, Timestamp};

/// Starts everything, prints the addresses, runs until Ctrl-C, stops in order.
pub async fn run(mut config: Config, arguments: &UpArguments) -> Result<(), Failure> {
    if let Some(speed) = arguments.speed {
        config.demo.speed = speed;
    }
    if let Some(households) = arguments.households {
        config.demo.households = households;
    }
    config.demo.real_time |= arguments.real_time;
    let cancel = super::interrupted()?;
    let folder = DataFolder::open(&config.data_dir).map_err(Failure::Start)?;
    let secrets = Secrets::open(&folder.keys(), system::entropy()).map_err(Failure::Start)?;

    // A chain elsewhere has its own clock, which no village can hurry.
    let simulated = config.demo.on && config.chain.is_embedded() && !config.demo.real_time;
    keep_to_one_time(&folder, &config.demo, simulated).map_err(Failure::Start)?;
    if config.demo.on && !simulated {
        config.demo.speed = 1;
    }
    let (clock, stored) = if simulated {
        let stored =
            StoredClock::open(&folder.clock(), village_start(system::now())).map_err(Failure::start)?;
        (ServiceClock::advanced_from(stored.start()), Some(stored))
    } else {
        (ServiceClock::system(system::now), None)
    };
    let village = if config.demo.on {
        Some(VillageOptions::from_demo(&config, &folder, clock.now()).map_err(Failure::Start)?)
    } else {
        None
    };
    let started = tokio::select! {
        // Starting may wait for a chain elsewhere.
        () = cancel.cancelled() => return Ok(()),
        started = System::start(&config, &folder, &secrets, clock.clone(), village, Purpose::Serve) => started,
    };
    let system = started.map_err(Failure::Start)?;

    println!("Dashboard  {}", system.dashboard_url());
    println!("Operator   {}/ops", system.dashboard_url());
    if let Some(phones) = system.phones_url() {
        println!("Phones     {phones}");
    }
    println!("Chain RPC  {}", jirani_chain::NodeUrl::from(system.rpc_url()));
    println!("Meters     {}", system.mqtt_url());
    println!("Gateway    {}", hex::encode(system.gateway_key()));
    println!("Ready      data in {}, Ctrl-C stops", folder.path().display());

    let pace = async {
        match stored {
            Some(stored) => jirani_clock::paced::run(clock, config.demo.speed, stored).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        () = cancel.cancelled() => Ok(()),
        never = pace => match never {},
        failed = system.failed() => Err(Failure::Run(failed)),
    };
    system.stop().await;
    ended
}

/// A village keeps the time it began with: its own may be far ahead of the world's, and time
/// never goes back.
fn keep_to_one_time(folder: &DataFolder, demo: &Demo, simulated: bool) -> anyhow::Result<()> {
    let mark = folder.path().join("real_time");
    if simulated && mark.exists() {
        bail!(
            "demo.real_time: the village in {} keeps the time of the world; add --real-time",
            folder.path().display()
        );
    }
    if demo.on && demo.real_time {
        if folder.clock().exists() {
            bail!(
                "demo.real_time: the village in {} has a time of its own; set data_dir to an empty folder",
                folder.path().display()
            );
        }
        std::fs::write(&mark, "").with_context(|| format!("cannot write {}", mark.display()))?;
    }
    Ok(())
}

/// A new village wakes up at ten in the morning, Nairobi time, of the day it is
/// founded: the sun is up and people are awake.
fn village_start(now: Timestamp) -> Timestamp {
    const DAY_S: i64 = 86_400;
    Timestamp::from_seconds(now.seconds().div_euclid(DAY_S) * DAY_S + 7 * 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_village_keeps_the_time_it_began_with() {
        let (real, own) = (Demo { real_time: true, ..Demo::default() }, Demo::default());
        let first = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(first.path()).unwrap();
        keep_to_one_time(&folder, &own, true).unwrap();
        keep_to_one_time(&folder, &real, false).unwrap();
        keep_to_one_time(&folder, &real, false).unwrap();
        let said = keep_to_one_time(&folder, &own, true).unwrap_err().to_string();
        assert!(said.starts_with("demo.real_time") && said.contains("add --real-time"), "{said}");

        let second = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(second.path()).unwrap();
        std::fs::write(folder.clock(), "").unwrap();
        let said = keep_to_one_time(&folder, &real, false).unwrap_err().to_string();
        assert!(said.starts_with("demo.real_time") && said.contains("empty folder"), "{said}");
    }

    #[test]
    fn a_new_village_wakes_up_at_ten_in_nairobi() {
        let now: Timestamp = "2026-11-22T21:14:00Z".parse().unwrap();
        assert_eq!(village_start(now).to_string(), "2026-11-22T07:00:00Z");
    }
}
