//! What commands that only read the records share: the store, opened beside whoever
//! writes; the time it is there; and files that appear whole or not at all.

use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::{AnyStore, Database};
use anyhow::Context as _;
use jirani_clock::StoredClock;
use jirani_units::Timestamp;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Opens the records that the settings name, to read; `what` begins the refusal's code.
pub async fn open(config: &Config, what: &str) -> Result<AnyStore, Failure> {
    let database = Database::of(config, &config.data_dir).map_err(Failure::Start)?;
    if let Some(missing) = database.missing() {
        return Err(Failure::Start(anyhow::anyhow!(
            "{what}.nothing: there is no {}; start with `jirani up`, or set data_dir to the folder to read",
            missing.display()
        )));
    }
    database.open_read_only().await.map_err(Failure::Start)
}

/// The stored time of a village, else the system's.
pub fn now(config: &Config) -> Result<Timestamp, Failure> {
    let file = config.data_dir.join("clock");
    if file.is_file() {
        Ok(StoredClock::open(&file, Timestamp(0)).map_err(Failure::start)?.start())
    } else {
        Ok(system::now())
    }
}

/// Writes to `out`, or to standard output. A file appears whole or not at all.
pub fn write<E>(
    out: Option<&Path>,
    content: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), Failure>
where
    E: Into<anyhow::Error>,
{
    let Some(out) = out else {
        let mut output = BufWriter::new(std::io::stdout().lock());
        content(&mut output).map_err(Failure::run)?;
        return output.flush().map_err(Failure::run);
    };
    let staged = out.with_extension("part");
    let unusable = || format!("records.unusable: cannot write {}", staged.display());
    let file = File::create(&staged).with_context(unusable).map_err(Failure::Start)?;
    let mut writer = BufWriter::new(file);
    let written = content(&mut writer)
        .map_err(Into::into)
        .and_then(|()| Ok(writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?))
        .and_then(|()| Ok(fs::rename(&staged, out)?));
    if written.is_err() {
        // Half a file helps nobody.
        let _ = fs::remove_file(&staged);
    }
    written.map_err(Failure::Run)
}
