//! `jirani localnet`

use crate::cli::LocalnetArguments;
use crate::failure::Failure;
use crate::{system, wiring};
use jirani_clock::ServiceClock;
use jirani_localnet::Localnet;
use std::sync::Arc;

/// Runs the embedded chain until Ctrl-C.
pub async fn run(arguments: &LocalnetArguments) -> Result<(), Failure> {
    let cancel = super::interrupted()?;
    let clock = ServiceClock::system(system::now);
    let keys = arguments.data_dir.as_ref().map(|folder| folder.join("keys"));
    let secrets = match &keys {
        Some(folder) => wiring::Secrets::open(folder, system::entropy()).map_err(Failure::Start)?,
        None => wiring::Secrets::fresh(system::entropy()),
    };
    let (listen, data_dir) = (arguments.options.address(), arguments.data_dir.clone());
    let config = wiring::localnet_config(listen, data_dir, &secrets, arguments.upgrade_authority);
    let running = Localnet::start(arguments.options.apply(config), Arc::new(clock))
        .await
        .map_err(|error| Failure::Start(error.into()))?;
    println!("Chain RPC  {}", running.rpc_url);
    println!("WebSocket  {}", running.ws_url);
    println!("Program    {}", wiring::local_program());
    cancel.cancelled().await;
    running.stop().await;
    Ok(())
}
