//! `jirani witness`: the second oracle, in a process and on a machine of its own.

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;
use anyhow::Context as _;
use jirani_chain::witness::http::{Examiner as _, serve};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Answers until Ctrl-C.
pub async fn run(config: &Config) -> Result<(), Failure> {
    let cancel = super::interrupted()?;
    let token = config.witness.token().map_err(Failure::start)?;
    let examination = wiring::examination(config).map_err(Failure::Start)?;
    let listen = config.witness.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| {
            format!("witness.occupied: cannot listen on {listen}; free it, or set witness.listen")
        })
        .map_err(Failure::Start)?;
    let address = listener.local_addr().map_err(Failure::start)?;
    println!("Witness    http://{address}");
    println!("Key        {}", examination.key());
    println!("Ready      Ctrl-C stops");
    serve(listener, token, Arc::new(examination), cancel).await.map_err(Failure::run)
}
