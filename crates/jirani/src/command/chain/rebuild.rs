//! `jirani chain rebuild`: the index of the chain, made anew from the node.

use crate::command::audit_export::progress_bar;
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::{DataFolder, Database, Secrets, open_node};
use anyhow::Context as _;
use jirani_chain::index::Indexer;
use jirani_clock::{ServiceClock, StoredClock};
use jirani_energy_interface::EnergyProgram;
use jirani_store::chain_index::index_hash;
use jirani_units::Timestamp;

/// An index before and after.
struct Rebuilt {
    /// Transactions kept before, and their hash; `None` when there were none.
    before: Option<(u64, [u8; 32])>,
    after: (u64, [u8; 32]),
}

/// Forgets the index and makes it anew. Fails when what was kept was not what the chain
/// tells: the new one stands all the same.
pub async fn run(config: Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data_dir).map_err(Failure::Start)?;
    let database = Database::of(&config, folder.path()).map_err(Failure::Start)?;
    if let Some(path) = database.missing() {
        return Err(Failure::Start(anyhow::anyhow!(
            "chain.nothing: there is no {}; start with `jirani up`, or set data_dir to its folder",
            path.display()
        )));
    }
    let rebuilt = rebuild(&config, &folder, &database).await.map_err(Failure::Run)?;
    let (transactions, hash) = rebuilt.after;
    println!("Index  {transactions} transactions, SHA-256 {}", hex::encode(hash));
    match rebuilt.before {
        Some((_, before)) if before != hash => Err(Failure::Run(anyhow::anyhow!(
            "chain.index_differed: the index kept before ({}) was not what the chain tells; it was replaced",
            hex::encode(before)
        ))),
        Some(_) => {
            println!("       the same as was kept, byte for byte");
            Ok(())
        }
        None => Ok(()),
    }
}

async fn rebuild(config: &Config, folder: &DataFolder, database: &Database) -> anyhow::Result<Rebuilt> {
    let secrets = Secrets::open(&folder.keys(), system::entropy())?;
    let now = if folder.clock().is_file() {
        StoredClock::open(&folder.clock(), Timestamp(0))?.start()
    } else {
        system::now()
    };
    let node = open_node(config, Some(folder), &secrets, &ServiceClock::advanced_from(now))
        .await
        .context("chain.no_node: cannot read the chain")?;
    let database = database.open().await?;
    let index = database.index();
    let program = EnergyProgram::new(node.program);
    let indexer = Indexer { program, history: &node.history, index: index.as_ref() };
    let bar = progress_bar("transactions");
    let told = |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
    };
    // Up to date first: what is compared is of the same length.
    let mut before = None;
    if index.index_cursor().await?.is_some() {
        indexer.catch_up(told).await?;
        let kept = index.index_cursor().await?.map_or(0, |cursor| cursor.transactions);
        before = Some((kept, index_hash(index.as_ref()).await?));
    }
    index.clear_index().await?;
    indexer.catch_up(told).await?;
    bar.finish_and_clear();
    let kept = index.index_cursor().await?.map_or(0, |cursor| cursor.transactions);
    let after = (kept, index_hash(index.as_ref()).await?);
    database.close().await;
    node.stop().await;
    Ok(Rebuilt { before, after })
}
