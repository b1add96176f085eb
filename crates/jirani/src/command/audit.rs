//! `jirani audit`

use crate::audit::AuditReport;
use crate::cli::AuditArguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::{DataFolder, Database, LiveAuditor, Secrets, open_chain};
use anyhow::Context as _;
use jirani_clock::{ServiceClock, StoredClock};
use jirani_units::Timestamp;

/// Audits the data folder: through the running system's chain if there is one, else
/// by opening the embedded chain on a free port.
pub async fn run(config: Config, arguments: &AuditArguments) -> Result<(), Failure> {
    let database = Database::of(&config, &config.data_dir).map_err(Failure::Start)?;
    if let Some(store_path) = database.missing() {
        return Err(Failure::Start(anyhow::anyhow!(
            "audit.nothing: there is no {}; start with `jirani up`, or set data_dir to the folder to audit",
            store_path.display()
        )));
    }
    let report = gather(&config).await.map_err(Failure::Start)?;
    tell(&report, arguments)
}

/// Prints a report; the first difference is the command's failure.
pub fn tell(report: &AuditReport, arguments: &AuditArguments) -> Result<(), Failure> {
    if arguments.json {
        println!("{}", serde_json::to_string(report).map_err(Failure::run)?);
    } else {
        print(report);
    }
    match report.violations.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Run(anyhow::anyhow!("audit.violated: {first}"))),
    }
}

async fn gather(config: &Config) -> anyhow::Result<AuditReport> {
    let secrets = Secrets::open(&config.data_dir.join("keys"), system::entropy())?;
    let store = Database::of(config, &config.data_dir)?.open_read_only().await?.store();
    // The lock tells whether somebody runs on this folder.
    let folder = DataFolder::open(&config.data_dir);
    let clock_file = config.data_dir.join("clock");
    let now = if clock_file.is_file() {
        StoredClock::open(&clock_file, Timestamp(0))?.start()
    } else {
        system::now()
    };
    let clock = ServiceClock::advanced_from(now);
    let (localnet, chain) = open_chain(config, folder.as_ref().ok(), &secrets, store.clone(), &clock)
        .await
        .context("audit.no_chain: cannot read the chain")?;
    let auditor = LiveAuditor {
        store,
        chain,
        clock,
        proof_key: (secrets.derive("deployment"), config.mpesa.shortcode.clone()),
        evidence: config.evidence.on.then(|| config.evidence.segments(&config.data_dir).folder),
    };
    let report = auditor.audit().await?;
    if let Some(localnet) = localnet {
        localnet.stop().await;
    }
    Ok(report)
}

fn print(report: &AuditReport) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    for (id, word) in &report.invariants {
        let prefix = format!("{id}: ");
        let detail = report
            .violations
            .iter()
            .chain(&report.not_checked)
            .find_map(|line| line.strip_prefix(&prefix))
            .unwrap_or_default();
        table.add_row([*id, *word, detail]);
    }
    println!("{table}");
    println!("{}", report.summary());
}
