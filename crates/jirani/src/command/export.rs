//! `jirani export`

use crate::bundle::{self, BundleWriter, Deployment, Gathered};
use crate::cli::ExportArguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::{DataFolder, Database, Secrets, open_node};
use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use jirani_chain::index::History as _;
use jirani_clock::{ServiceClock, StoredClock};
use jirani_energy_interface::EnergyProgram;
use jirani_units::Timestamp;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

/// How often a moment is looked for in which no money moves.
const TRIES: u32 = 100;

/// Writes the bundle and says whose signature it bears.
pub async fn run(config: Config, arguments: &ExportArguments) -> Result<(), Failure> {
    let database = Database::of(&config, &config.data_dir).map_err(Failure::Start)?;
    if let Some(store_path) = database.missing() {
        return Err(Failure::Start(anyhow::anyhow!(
            "export.nothing: there is no {}; start with `jirani up`, or set data_dir to the folder to export",
            store_path.display()
        )));
    }
    let secrets = Secrets::open(&config.data_dir.join("keys"), system::entropy()).map_err(Failure::Start)?;
    let key = SigningKey::from_bytes(&secrets.derive("export"));
    let lines = Box::pin(write(&config, &secrets, &key, &arguments.out)).await.map_err(Failure::Run)?;
    println!("Bundle     {} ({lines} lines)", arguments.out.display());
    println!("Signed by  {}", hex::encode(key.verifying_key().as_bytes()));
    Ok(())
}

/// The file appears whole or not at all.
async fn write(config: &Config, secrets: &Secrets, key: &SigningKey, out: &Path) -> anyhow::Result<u64> {
    let folder = DataFolder::open(&config.data_dir);
    let clock_file = config.data_dir.join("clock");
    let now = if clock_file.is_file() {
        StoredClock::open(&clock_file, Timestamp(0))?.start()
    } else {
        system::now()
    };
    let clock = ServiceClock::advanced_from(now);
    let node = open_node(config, folder.as_ref().ok(), secrets, &clock)
        .await
        .context("export.no_chain: cannot read the chain")?;
    let program = EnergyProgram::new(node.program);
    let database = Database::of(config, &config.data_dir)?.open_read_only().await?;
    let store = database.store();
    let staged = out.with_extension("part");
    let unusable = || format!("export.unusable: cannot write {}", staged.display());
    let mut tries = 0;
    let writer = loop {
        let deployment = Deployment {
            cluster: node.history.genesis_hash().await?,
            program: program.id.to_string(),
            mint: program.mint.to_string(),
            slot_length_s: config.site.slot_length_s,
            // Of the program's newest transaction: the same while nothing happens.
            chain_slot: node.history.page(&program.id, None, None).await?.first().map_or(0, |new| new.slot),
            proof_key: (secrets.derive("deployment"), config.mpesa.shortcode.clone()),
        };
        let mut writer = BundleWriter::new(BufWriter::new(File::create(&staged).with_context(unusable)?));
        if bundle::gather(store.as_ref(), &deployment, &mut writer).await? == Gathered::Whole {
            break writer;
        }
        tries += 1;
        anyhow::ensure!(
            tries < TRIES,
            "export.too_busy: money moves too fast to be exported; try again when it is quieter"
        );
    };
    let (file, lines) = writer.seal(key)?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&staged, out).with_context(|| format!("export.unusable: cannot write {}", out.display()))?;
    database.close().await;
    node.stop().await;
    Ok(lines)
}
