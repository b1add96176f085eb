//! Says what a plan will do, rehearses it, and sends it, exports it, or stops there.

use super::desk::{Desk, cluster_name};
use super::{failure, print_json};
use crate::failure::Failure;
use crate::system;
use jirani_chain::admin::{AdminError, AdminPlan, Planned, Prepared, Unsigned};
use serde::Serialize;

/// One transaction, as `--json` tells it.
#[derive(Serialize)]
struct Transaction {
    changes: Vec<String>,
    compute_units: u64,
    fee_lamports: u64,
    signature: Option<String>,
    slot: Option<u64>,
}

/// A command, as `--json` tells it.
#[derive(Serialize)]
struct Outcome {
    command: Option<&'static str>,
    dry_run: bool,
    nothing_to_do: Option<String>,
    transactions: Vec<Transaction>,
}

/// Carries out every plan, in order; stops at the first that is refused.
pub async fn run(desk: &Desk, planned: Vec<Planned>) -> Result<(), Failure> {
    let access = &desk.access;
    let mut outcome = Outcome {
        command: None,
        dry_run: access.dry_run,
        nothing_to_do: planned.is_empty().then(|| "there is nothing of that kind on the chain.".to_owned()),
        transactions: Vec::new(),
    };
    for planned in planned {
        match planned {
            Planned::Nothing(why) => outcome.nothing_to_do = Some(why),
            Planned::Do(plan) => {
                if !access.json {
                    say(desk, &plan).await;
                }
                outcome.command = Some(plan.name);
                let transaction = one(desk, &plan).await.map_err(failure)?;
                outcome.transactions.push(transaction);
                if access.export.is_some() {
                    // One file holds one transaction.
                    break;
                }
            }
        }
    }
    if access.json {
        return print_json(&outcome);
    }
    if let Some(why) = &outcome.nothing_to_do {
        println!("Nothing to do: {why}");
    }
    Ok(())
}

async fn say(desk: &Desk, plan: &AdminPlan) {
    let cluster = match desk.operator.genesis_hash().await {
        Ok(hash) => cluster_name(&hash),
        Err(_) => "an unknown cluster".to_owned(),
    };
    println!("{} on {cluster}, program {}", plan.name, desk.operator.program.id);
    for change in &plan.changes {
        println!("  {change}");
    }
}

async fn one(desk: &Desk, plan: &AdminPlan) -> Result<Transaction, AdminError> {
    let access = &desk.access;
    let fee = desk.config.chain.priority_fee_floor_lamports;
    let [a, b, c, d, ..] = system::entropy();
    let salt = u32::from_le_bytes([a, b, c, d]);
    let prepared = desk.operator.prepare(plan, desk.payer()?, fee, salt).await?;
    let mut told = Transaction {
        changes: plan.changes.clone(),
        compute_units: prepared.units,
        fee_lamports: prepared.fee_lamports,
        signature: None,
        slot: None,
    };
    if access.dry_run {
        if !access.json {
            println!(
                "Dry run: it would land, with {} compute units and a fee of {} lamports. Nothing was sent.",
                prepared.units, prepared.fee_lamports
            );
        }
        return Ok(told);
    }
    if let Some(path) = &access.export {
        export(desk, plan, &prepared, path).await?;
        return Ok(told);
    }
    let transaction = prepared.sign(&desk.keys)?;
    let landed = desk.operator.deliver(&transaction, prepared.last_valid).await?;
    told.compute_units = landed.units.unwrap_or(told.compute_units);
    told.fee_lamports = landed.fee_lamports.unwrap_or(told.fee_lamports);
    if !access.json {
        println!(
            "Landed in slot {}: {}, {} compute units, fee {} lamports",
            landed.slot, landed.signature, told.compute_units, told.fee_lamports
        );
    }
    told.signature = Some(landed.signature);
    told.slot = Some(landed.slot);
    Ok(told)
}

async fn export(
    desk: &Desk,
    plan: &AdminPlan,
    prepared: &Prepared,
    path: &std::path::Path,
) -> Result<(), AdminError> {
    let file = Unsigned::new(plan, prepared, desk.operator.genesis_hash().await?);
    std::fs::write(path, file.to_json()?)
        .map_err(|error| AdminError::Offline(format!("cannot write {} ({error})", path.display())))?;
    if !desk.access.json {
        println!("Written unsigned to {}. Sign it, then `jirani chain submit` it soon:", path.display());
        for (role, address) in file.missing() {
            println!("  {role} {address}");
        }
    }
    Ok(())
}
