//! `jirani statement`

use super::records;
use crate::cli::ledger::{StatementArguments, StatementFormat, StatementLanguage};
use crate::config::Config;
use crate::failure::Failure;
use jirani_statement::{StatementError, Subject, csv, pdf, statement};
use jirani_store::Language;
use jirani_units::HouseholdId;

/// Writes a household's statement.
pub async fn run(config: Config, arguments: &StatementArguments) -> Result<(), Failure> {
    let store = records::open(&config, "statement").await?;
    let now = records::now(&config)?;
    // The command line asks for one of the two.
    let Some(period) = arguments.period.period() else { return Ok(()) };
    let household = HouseholdId(arguments.household);
    let made = statement(store.store().as_ref(), household, period, now).await;
    store.close().await;
    let (record, statement) = made.map_err(Failure::run)?;
    let language = match arguments.language {
        Some(StatementLanguage::En) => Language::En,
        Some(StatementLanguage::Sw) => Language::Sw,
        None => record.language,
    };
    records::write(arguments.out.as_deref(), |to| match arguments.format {
        StatementFormat::Csv => csv::write(&statement, language, to),
        StatementFormat::Pdf => {
            let subject = Subject { household, name: record.name, issuer: config.site.name.clone() };
            let bytes = pdf::write(&statement, &subject, language, now)?;
            to.write_all(&bytes).map_err(|error| StatementError::NotWritten(error.to_string()))
        }
    })?;
    eprintln!("{} lines: {} + lines = {}", statement.lines().len(), statement.opening(), statement.closing());
    Ok(())
}
