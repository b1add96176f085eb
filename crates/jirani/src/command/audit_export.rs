//! `jirani audit --rpc URL --export FILE`: from the chain and a bundle alone.

use crate::audit::AuditReport;
use crate::bundle::Bundle;
use crate::cli::AuditArguments;
use crate::failure::Failure;
use crate::regulator::{self, Material};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jirani_chain::Address;
use jirani_chain::index::{Indexer, MemoryIndex, RpcHistory};
use jirani_energy_interface::EnergyProgram;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Audits what two strangers say: a node and a file.
pub async fn run(rpc_url: &str, export: &Path, arguments: &AuditArguments) -> Result<AuditReport, Failure> {
    let bundle = read(export).map_err(Failure::Start)?;
    let material = gather(rpc_url, bundle, arguments).await.map_err(Failure::Start)?;
    Ok(regulator::audit(&material))
}

fn read(export: &Path) -> anyhow::Result<Bundle> {
    let file = File::open(export).with_context(|| format!("export.unreadable: {}", export.display()))?;
    Ok(Bundle::read(BufReader::new(file))?)
}

async fn gather(rpc_url: &str, bundle: Bundle, arguments: &AuditArguments) -> anyhow::Result<Material> {
    let named = arguments.program.as_deref().unwrap_or(&bundle.deployment.program);
    let address: Address = named
        .parse()
        .ok()
        .with_context(|| format!("audit.program: {named} is not the address of a program"))?;
    let program = EnergyProgram::new(address);
    let history = RpcHistory::new(rpc_url)?;
    let cluster = history.genesis_hash().await?;
    let index = MemoryIndex::default();
    let bar = progress_bar("transactions");
    let indexer = Indexer { program, history: &history, index: &index };
    // Accounts are read when nothing landed between two looks at the list: events and
    // accounts are then of one moment.
    let chain = loop {
        let told = |done: u64, all: u64| {
            bar.set_length(all);
            bar.set_position(done);
        };
        indexer.catch_up(told).await?;
        let chain = history.on_chain(program).await?;
        if indexer.catch_up(|_, _| {}).await?.indexed == 0 {
            break chain;
        }
    };
    bar.finish_and_clear();
    let replay = Material::replay(&index.into_transactions())?;
    Ok(Material { chain, replay, bundle, cluster, key: arguments.key.clone() })
}

/// A bar on the terminal's error stream.
pub fn progress_bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) =
        ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {what}  {{eta}} left"))
    {
        bar.set_style(style);
    }
    bar
}
