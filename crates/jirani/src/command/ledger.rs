//! `jirani ledger ...`

use super::records;
use crate::cli::ledger::{LedgerCommand, TaxArguments, TaxFormat};
use crate::config::Config;
use crate::failure::Failure;
use jirani_ledger::invariants::Totals;
use jirani_statement::tax::{Sums, write};
use jirani_statement::tax_export;
use jirani_store::Store;
use jirani_store::verify::{VerifyError, verify_ledger};
use jirani_units::Cents;

/// Reads the ledger, in one of its ways.
pub async fn run(config: Config, command: LedgerCommand) -> Result<(), Failure> {
    let database = records::open(&config, "ledger").await?;
    let store = database.store();
    let outcome = match command {
        LedgerCommand::Verify => verify(store.as_ref()).await,
        LedgerCommand::Accounts => accounts(store.as_ref()).await,
        LedgerCommand::Tax(arguments) => tax(&config, store.as_ref(), &arguments).await,
    };
    drop(store);
    database.close().await;
    outcome
}

async fn verify(store: &dyn Store) -> Result<(), Failure> {
    let verified = verify_ledger(store).await.map_err(|error| match error {
        VerifyError::Store(_) | VerifyError::TooBusy => Failure::start(error),
        error => Failure::run(error),
    })?;
    println!("Rows  {}", verified.rows);
    println!("Head  {}", hex::encode(verified.head));
    Ok(())
}

async fn accounts(store: &dyn Store) -> Result<(), Failure> {
    let balances = store.balances().await.map_err(Failure::start)?;
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["account", "debits", "credits", "held", "left"]);
    for (account, balance) in &balances {
        let left = if account.is_asset() { balance.net_debit() } else { balance.net() };
        table.add_row([
            account.to_string(),
            balance.debits.to_string(),
            balance.credits.to_string(),
            balance.debits_held.to_string(),
            left.to_string(),
        ]);
    }
    println!("{table}");
    println!("The operator may sweep at most {}", Totals::of(&balances).sweepable());
    Ok(())
}

async fn tax(config: &Config, store: &dyn Store, arguments: &TaxArguments) -> Result<(), Failure> {
    let now = records::now(config)?;
    // The command line asks for one of the two.
    let Some(period) = arguments.period.period() else { return Ok(()) };
    let export = tax_export(store, period, now).await.map_err(Failure::run)?;
    records::write(arguments.out.as_deref(), |to| match arguments.format {
        TaxFormat::Csv => write::csv(&export, to),
        TaxFormat::Json => write::json(&export, to),
    })?;
    let (neighbours, operator, all) = export.sums();
    let tell = |what: &str, sums: Sums| {
        eprintln!("{what:<12} {:>8} lines  {:>14}  tax {:>14}", sums.lines, sums.energy_wh, sums.tax_cents);
    };
    tell("neighbours", neighbours);
    tell("operator", operator);
    tell("all", all);
    let account = export.account();
    eprintln!(
        "taxes account {:>6} rows {} = tax of all lines; paid to the state {}{}",
        account.rows,
        account.sales_cents,
        account.paid_cents,
        if account.other_cents == Cents::ZERO {
            String::new()
        } else {
            format!("; other {}", account.other_cents)
        }
    );
    Ok(())
}
