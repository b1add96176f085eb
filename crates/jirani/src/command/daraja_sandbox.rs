//! `jirani daraja-sandbox`

use crate::cli::daraja_sandbox::{BouquetName, C2bUrls, DarajaSandboxArguments, Phones};
use crate::failure::Failure;
use crate::system;
use anyhow::Context as _;
use jirani_daraja_sandbox::{
    Behaviour, Bouquet, PhoneMode, Reach, Registration, Sandbox, SandboxConfig, Scenario,
};
use std::path::Path;

/// The largest scenario file, in bytes.
const LONGEST_SCENARIO: u64 = 1024 * 1024;

/// Runs the emulator until Ctrl-C.
pub async fn run(arguments: &DarajaSandboxArguments) -> Result<(), Failure> {
    let cancel = super::interrupted()?;
    let scenario = arguments.scenario.as_deref().map(read_scenario).transpose().map_err(Failure::start)?;
    let defaults = SandboxConfig::default();
    let written = scenario.as_ref().and_then(|scenario| scenario.seed);
    let config = SandboxConfig {
        listen: arguments.address(),
        reach: if arguments.any_machine { Reach::AnyMachine } else { Reach::ThisMachine },
        data_dir: arguments.data_dir.clone(),
        seed: arguments.seed.or(written).unwrap_or(defaults.seed),
        default_mode: match arguments.phones {
            Phones::ByHand => PhoneMode::ByHand,
            Phones::Automatic => PhoneMode::Automatic(Behaviour::default()),
        },
        registration: match arguments.c2b_urls {
            C2bUrls::Once => Registration::Once,
            C2bUrls::Again => Registration::Again,
        },
        bouquet: match arguments.bouquet {
            BouquetName::Free => Bouquet::Free,
            BouquetName::Shared => Bouquet::Shared,
            BouquetName::Customer => Bouquet::Customer,
            BouquetName::Business => Bouquet::Business,
        },
        queries_per_minute: arguments.queries_per_minute,
        scenario,
        ..defaults
    };
    println!("Key        {} / {}", config.consumer_key, config.consumer_secret);
    println!("Collects   {} with passkey {}", config.collection.code, config.passkey);
    println!("Pays out   {} as {}", config.payout.code, config.initiator_name);
    let running = Sandbox::start_alone(config, system::now).await.map_err(Failure::start)?;
    println!("Daraja     {}", running.base_url);
    println!("Phones     {}/phones", running.base_url);
    println!("Faults     {}/faults", running.base_url);
    println!("Accounts   {}/accounts", running.base_url);
    cancel.cancelled().await;
    running.stop().await;
    Ok(())
}

fn read_scenario(path: &Path) -> anyhow::Result<Scenario> {
    let named = || format!("cannot read {}", path.display());
    let size = std::fs::metadata(path).with_context(named)?.len();
    anyhow::ensure!(size <= LONGEST_SCENARIO, "{} is longer than 1 MiB", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    Scenario::parse(&text).with_context(|| path.display().to_string())
}
