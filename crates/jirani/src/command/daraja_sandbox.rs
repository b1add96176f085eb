//! `jirani daraja-sandbox`

use crate::cli::{DarajaSandboxArguments, Phones};
use crate::failure::Failure;
use crate::system;
use jirani_clock::ServiceClock;
use jirani_daraja_sandbox::{Behaviour, PhoneMode, Sandbox, SandboxConfig};

/// Runs the emulator until Ctrl-C.
pub async fn run(arguments: &DarajaSandboxArguments) -> Result<(), Failure> {
    let cancel = super::interrupted()?;
    let config = SandboxConfig {
        listen: arguments.listen,
        data_dir: arguments.data_dir.clone(),
        default_mode: match arguments.phones {
            Phones::ByHand => PhoneMode::ByHand,
            Phones::Automatic => PhoneMode::Automatic(Behaviour::default()),
        },
        ..SandboxConfig::default()
    };
    println!("Key        {} / {}", config.consumer_key, config.consumer_secret);
    println!("Collects   {} with passkey {}", config.collection.code, config.passkey);
    println!("Pays out   {} as {}", config.payout.code, config.initiator_name);
    let running = Sandbox::start(config, ServiceClock::system(system::now)).await.map_err(Failure::start)?;
    println!("Daraja     {}", running.base_url);
    println!("Phones     {}/phones", running.base_url);
    cancel.cancelled().await;
    running.stop().await;
    Ok(())
}
