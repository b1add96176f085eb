//! `jirani store copy`

use super::{database, failure, make_folder_of, tell};
use crate::cli::store::CopyArguments;
use crate::config::Config;
use crate::failure::Failure;
use jirani_store::archive::fill;
use jirani_store::verify::verify_ledger;

/// Copies, compares and says so.
pub async fn run(config: &Config, arguments: &CopyArguments) -> Result<(), Failure> {
    let from = database(config, arguments.from.as_deref()).map_err(Failure::Start)?;
    let to = database(config, Some(&arguments.to)).map_err(Failure::Start)?;
    if let Some(path) = from.missing() {
        return Err(Failure::Start(anyhow::anyhow!("store.nothing: there is no {}", path.display())));
    }
    make_folder_of(&to).map_err(Failure::Start)?;
    // For writing, though nothing is written: a file that somebody writes to is refused.
    let source = from.open().await.map_err(Failure::Start)?;
    let target = to.open().await.map_err(Failure::Start)?;
    let archive = target.archive();
    let mut snapshot = source.archive().snapshot().await.map_err(Failure::start)?;
    eprintln!("from {}", source.archive().engine().await.map_err(Failure::start)?);
    eprintln!("to   {}", archive.engine().await.map_err(Failure::start)?);
    let copied = fill(snapshot.as_mut(), archive.as_ref(), tell).await.map_err(failure)?;
    drop(snapshot);
    let verified = verify_ledger(target.store().as_ref()).await.map_err(Failure::run)?;
    source.close().await;
    target.close().await;
    println!(
        "Copied     {} rows in {} tables, equal byte by byte",
        copied.tables.iter().map(|print| print.rows).sum::<u64>(),
        copied.tables.len()
    );
    println!("Journal    {} transfers posted again, head {}", verified.rows, hex::encode(verified.head));
    Ok(())
}
