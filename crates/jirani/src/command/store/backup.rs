//! `jirani store backup` and `jirani store restore`

use super::{failure, make_folder_of, tell};
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::Database;
use anyhow::Context as _;
use jirani_store::archive::{fill, read_backup, write_backup};
use jirani_store::verify::verify_ledger;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes the backup: whole, durable and readable by its owner only, or not at all.
pub async fn write(config: &Config, file: &Path) -> Result<(), Failure> {
    let database = Database::of(config, &config.data_dir).map_err(Failure::Start)?;
    if let Some(path) = database.missing() {
        return Err(Failure::Start(anyhow::anyhow!("store.nothing: there is no {}", path.display())));
    }
    if file.exists() {
        return Err(Failure::Start(anyhow::anyhow!(
            "store.backup_exists: {} exists; name another file",
            file.display()
        )));
    }
    let store = database.open_read_only().await.map_err(Failure::Start)?;
    let rows = write_file(&store, file).await.map_err(Failure::Run)?;
    store.close().await;
    println!("Backup     {} ({rows} rows)", file.display());
    Ok(())
}

async fn write_file(store: &crate::wiring::AnyStore, file: &Path) -> anyhow::Result<u64> {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let staged = Path::new(&name);
    let unusable = || format!("store.backup_unusable: cannot write {}", staged.display());
    let opened = File::options().write(true).create(true).truncate(true).mode(0o600).open(staged);
    let mut out = BufWriter::with_capacity(1 << 20, opened.with_context(unusable)?);
    let archive = store.archive();
    let engine = archive.engine().await?;
    let rows = write_backup(archive.snapshot().await?.as_mut(), &engine, &mut out).await?;
    let opened = out.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(unusable)?;
    opened.sync_all().with_context(unusable)?;
    fs::rename(staged, file).with_context(unusable)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(unusable)?;
    Ok(rows)
}

/// Checks the whole file, fills the empty store, compares and recounts the journal.
pub async fn restore(config: &Config, file: &Path) -> Result<(), Failure> {
    let opened = File::open(file)
        .with_context(|| format!("store.no_backup: cannot read {}", file.display()))
        .map_err(Failure::Start)?;
    let mut backup = read_backup(BufReader::with_capacity(1 << 20, opened)).map_err(Failure::start)?;
    let database = Database::of(config, &config.data_dir).map_err(Failure::Start)?;
    make_folder_of(&database).map_err(Failure::Start)?;
    let store = database.open().await.map_err(Failure::Start)?;
    let restored = fill(backup.as_mut(), store.archive().as_ref(), tell).await.map_err(failure)?;
    let verified = verify_ledger(store.store().as_ref()).await.map_err(Failure::run)?;
    store.close().await;
    println!("Restored   {} rows", restored.tables.iter().map(|print| print.rows).sum::<u64>());
    println!("Journal    {} transfers posted again, head {}", verified.rows, hex::encode(verified.head));
    Ok(())
}
