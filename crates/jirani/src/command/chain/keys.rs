//! `jirani chain keys` and `airdrop`

use super::desk::Desk;
use super::{failure, print_json};
use crate::config::Config;
use crate::failure::Failure;
use crate::system;
use jirani_chain::keyring::{Role, write_new_key};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Makes key files; the first that exists already stops it, with the ones made before
/// told.
pub fn generate(
    config: &Config,
    roles: &[Role],
    all: bool,
    folder: Option<&Path>,
    as_json: bool,
) -> Result<(), Failure> {
    let roles = if all { &Role::ALL[..] } else { roles };
    let folder = folder.map_or_else(|| config.data_dir.join("keys"), Path::to_owned);
    let paths: Vec<_> =
        roles.iter().map(|role| (*role, folder.join(format!("{}.json", role.name())))).collect();
    // All or none, as far as can be seen before.
    if let Some((_, path)) = paths.iter().find(|(_, path)| path.exists()) {
        return Err(Failure::Start(anyhow::anyhow!(
            "chain.key_exists: {} is there already and is never overwritten; choose another --folder, or only the roles that are missing",
            path.display()
        )));
    }
    let mut made = Vec::with_capacity(paths.len());
    for (role, path) in paths {
        let address = write_new_key(&path, role, &system::entropy()).map_err(Failure::start)?;
        made.push((role, address.to_string(), path));
    }
    // Told when all are there: whoever stops listening must not stop the making.
    if as_json {
        let told: Map<String, Value> = made
            .into_iter()
            .map(|(role, address, _)| (role.name().to_owned(), Value::String(address)))
            .collect();
        return print_json(&told);
    }
    for (role, address, path) in made {
        println!("{:<18} {address}  {}", role.name(), path.display());
    }
    Ok(())
}

/// Prints the public keys at hand.
pub fn show(desk: &Desk) -> Result<(), Failure> {
    let mut shown = Map::new();
    for role in Role::ALL {
        let addresses: Vec<String> = desk.keys.addresses(role).iter().map(ToString::to_string).collect();
        if !desk.access.json {
            println!(
                "{:<18} {}",
                role.name(),
                if addresses.is_empty() { "-".to_owned() } else { addresses.join(" ") }
            );
        }
        shown.insert(role.name().to_owned(), json!(addresses));
    }
    if desk.access.json { print_json(&shown) } else { Ok(()) }
}

/// Asks the cluster for lamports.
pub async fn airdrop(desk: &Desk, lamports: u64) -> Result<(), Failure> {
    desk.check().await?;
    let payer = desk.payer().map_err(failure)?;
    let now = desk.operator.airdrop(&payer, lamports).await.map_err(failure)?;
    if desk.access.json {
        return print_json(&json!({ "payer": payer.to_string(), "lamports": now }));
    }
    println!("{payer} has {now} lamports");
    Ok(())
}
