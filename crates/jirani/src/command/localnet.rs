//! `jirani localnet`

use crate::cli::LocalnetArguments;
use crate::failure::Failure;
use crate::{system, wiring};
use jirani_clock::ServiceClock;
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
    let running =
        wiring::start_localnet(arguments.listen, arguments.data_dir.clone(), &secrets, Arc::new(clock))
            .await
            .map_err(Failure::Start)?;
    println!("Chain RPC  {}", running.rpc_url);
    println!("Program    {}", wiring::local_program());
    cancel.cancelled().await;
    running.stop().await;
    Ok(())
}
