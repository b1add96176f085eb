//! `jirani operator ...`: who is let in at the desk, and what they did.

use super::records;
use crate::cli::operator::{OperatorArguments, OperatorCommand};
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use crate::wiring::{AnyStore, Database, Secrets, acts_key};
use anyhow::anyhow;
use comfy_table::{Table, presets};
use jirani_api::TokenSource;
use jirani_api::accounts::acts::Acts;
use jirani_api::accounts::people;
use jirani_api::auth::token::Token;
use jirani_statement::minute_in_nairobi;
use jirani_store::words::Word as _;
use jirani_store::{OperatorRecord, Store};

/// In the log, whoever may use this machine's keys.
const SHELL: &str = "shell";

/// Runs what was asked for.
pub async fn run(config: &Config, arguments: OperatorArguments) -> Result<(), Failure> {
    match arguments.command {
        OperatorCommand::Add { name, role } => {
            let open = Open::to_write(config).await?;
            let secret = TokenSource::from_seed(system::entropy()).draw();
            open.write_down(&format!("invited {name} role={}", jirani_store::DeskRole::from(role).word()))
                .await?;
            let now = records::now(config)?;
            let invited = people::invite(open.store().as_ref(), &name, role.into(), &secret, now).await;
            open.close().await;
            tell(&invited.map_err(Failure::run)?, &secret);
        }
        OperatorCommand::Reset { name } => {
            let open = Open::to_write(config).await?;
            let secret = TokenSource::from_seed(system::entropy()).draw();
            open.write_down(&format!("reset {name}")).await?;
            let reset = people::reset(open.store().as_ref(), &name, &secret, records::now(config)?).await;
            open.close().await;
            tell(&reset.map_err(Failure::run)?, &secret);
        }
        OperatorCommand::Retire { name } => {
            let open = Open::to_write(config).await?;
            open.write_down(&format!("retired {name}")).await?;
            let retired = people::retire(open.store().as_ref(), &name, records::now(config)?).await;
            open.close().await;
            println!("{} is retired.", retired.map_err(Failure::run)?.name);
        }
        OperatorCommand::List => list(records::open(config, "operators").await?.store().as_ref()).await?,
        OperatorCommand::Acts { verify: true, .. } => {
            let store = records::open(config, "acts").await?.store();
            let verified = log(config)?.verify(store.as_ref()).await.map_err(Failure::run)?;
            println!("{} acts hold; the last has the hash {}", verified.acts, hex::encode(verified.head));
        }
        OperatorCommand::Acts { verify: false, limit } => {
            acts(records::open(config, "acts").await?.store().as_ref(), limit).await?;
        }
    }
    Ok(())
}

/// The records, to write: with SQLite while nothing else does.
struct Open<'a> {
    config: &'a Config,
    database: AnyStore,
    log: Acts,
}

impl<'a> Open<'a> {
    async fn to_write(config: &'a Config) -> Result<Self, Failure> {
        let database = Database::of(config, &config.data_dir).map_err(Failure::Start)?;
        if let Some(missing) = database.missing() {
            return Err(Failure::Start(anyhow!(
                "operators.nothing: there is no {}; start the system once, or set data_dir to its folder",
                missing.display()
            )));
        }
        let log = log(config)?;
        let database = database.open().await.map_err(|error| {
            Failure::Start(
                error.context("stop the system first, or let an admin do it through the running one"),
            )
        })?;
        Ok(Self { config, database, log })
    }

    fn store(&self) -> std::sync::Arc<dyn Store> {
        self.database.store()
    }

    /// Before it is done, as everywhere.
    async fn write_down(&self, act: &str) -> Result<(), Failure> {
        let now = records::now(self.config)?;
        self.log.write(self.store().as_ref(), now, SHELL, SHELL, act).await.map_err(Failure::run)
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// The log, with the key of this deployment.
fn log(config: &Config) -> Result<Acts, Failure> {
    let keys = config.data_dir.join("keys");
    if !keys.is_dir() {
        return Err(Failure::Start(anyhow!(
            "operators.no_keys: there is no {}; set data_dir to the system's folder",
            keys.display()
        )));
    }
    let secrets = Secrets::open(&keys, system::entropy()).map_err(Failure::Start)?;
    Ok(Acts::new(acts_key(&secrets)))
}

fn tell(record: &OperatorRecord, secret: &Token) {
    println!("{} is invited as {}.", record.name, record.role.word());
    if let Some((_, until)) = record.invitation {
        println!("Shown once, good until {}. Give it to nobody else:", minute_in_nairobi(until));
    }
    println!("  {}", secret.as_str());
}

async fn list(store: &dyn Store) -> Result<(), Failure> {
    let mut listed = table(&["name", "role", "state", "since"]);
    for one in store.operators().await.map_err(Failure::run)? {
        let since = minute_in_nairobi(one.since);
        listed.add_row([one.name.as_str(), one.role.word(), one.state.word(), since.as_str()]);
    }
    println!("{listed}");
    Ok(())
}

async fn acts(store: &dyn Store, limit: u32) -> Result<(), Failure> {
    let mut listed = table(&["number", "at", "who", "role", "act"]);
    for one in store.acts(None, limit).await.map_err(Failure::run)? {
        listed.add_row([one.number.to_string(), minute_in_nairobi(one.at), one.who, one.role, one.act]);
    }
    println!("{listed}");
    Ok(())
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}
