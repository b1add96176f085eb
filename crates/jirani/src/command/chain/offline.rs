//! `jirani chain sign` and `submit`: keys on different machines.

use super::desk::{Desk, cluster_name};
use super::{failure, print_json};
use crate::failure::Failure;
use jirani_chain::admin::{AdminError, Unsigned};
use serde_json::json;
use std::path::{Path, PathBuf};

fn read(path: &Path) -> Result<Unsigned, AdminError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| AdminError::Offline(format!("cannot read {} ({error})", path.display())))?;
    Unsigned::from_json(&text)
}

/// Shows what the transaction does and adds the signatures of the keys at hand.
pub fn sign(desk: &Desk, path: &Path) -> Result<(), Failure> {
    let program = desk.operator.program.id;
    let mut file = read(path).map_err(failure)?;
    let contents = file.contents(&program).map_err(failure)?;
    if !desk.access.json {
        println!(
            "{} on {}, program {program}; its own bytes say:",
            file.command,
            cluster_name(&file.genesis_hash)
        );
        for line in &contents {
            println!("  {line}");
        }
        println!("Who made it says:");
        for line in &file.changes {
            println!("  {line}");
        }
    }
    if desk.access.dry_run {
        return Ok(());
    }
    let signed = file.sign(&program, desk.keys.keys()).map_err(failure)?;
    if signed == 0 {
        return Err(Failure::Start(anyhow::anyhow!(
            "chain.key_missing: none of the keys at hand signs this; name one by --key ROLE=FILE"
        )));
    }
    let text = file.to_json().map_err(failure)?;
    std::fs::write(path, text).map_err(Failure::start)?;
    let missing = file.missing();
    if desk.access.json {
        return print_json(&json!({ "signed": signed, "missing": missing }));
    }
    println!("Signed with {signed} keys; {} signatures are missing.", missing.len());
    for (role, address) in &missing {
        println!("  {role} {address}");
    }
    Ok(())
}

/// Joins copies and sends.
pub async fn submit(desk: &Desk, paths: &[PathBuf]) -> Result<(), Failure> {
    desk.check().await?;
    let landed = join_and_send(desk, paths).await.map_err(failure)?;
    if desk.access.json {
        return print_json(&json!({ "signature": landed.signature, "slot": landed.slot }));
    }
    println!("Landed in slot {}: {}", landed.slot, landed.signature);
    Ok(())
}

async fn join_and_send(desk: &Desk, paths: &[PathBuf]) -> Result<jirani_chain::admin::Landed, AdminError> {
    let (first, rest) =
        paths.split_first().ok_or_else(|| AdminError::Offline("name at least one file".to_owned()))?;
    let mut file = read(first)?;
    for path in rest {
        file.merge(&read(path)?)?;
    }
    let found = desk.operator.genesis_hash().await?;
    if found != file.genesis_hash {
        return Err(AdminError::Offline(format!(
            "it is for {}, and the node belongs to {}",
            cluster_name(&file.genesis_hash),
            cluster_name(&found)
        )));
    }
    desk.operator.deliver(&file.signed()?, file.last_valid_block_height).await
}
