//! Golden vectors for clients in other languages: bytes and addresses as the
//! interface makes them, and the values in them by name. The names come from
//! exhaustive patterns here, not from the IDL, so that the IDL is checked too.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod calls;
mod json;
mod records;

use jirani_energy_interface::error::at_account;
use jirani_energy_interface::{EnergyError, EnergyProgram, LOCAL_PROGRAM_ID, Proof};
use json::text;
use serde_json::{Value, json};
use solana_address::Address;
use std::path::Path;

/// The embedded chain's program, and one at an address of its own.
fn programs() -> [EnergyProgram; 2] {
    [EnergyProgram::new(LOCAL_PROGRAM_ID), EnergyProgram::new(address(200))]
}

/// Some address, by number.
fn address(number: u8) -> Address {
    Address::new_from_array([number; 32])
}

fn addresses(program: &EnergyProgram) -> Value {
    let household = program.household(77);
    let offer = program.offer(&household, u64::MAX - 1);
    json!({
        "program": text(program.id),
        "household_id": "77",
        "number": (u64::MAX - 1).to_string(),
        "feeder": "513",
        "config": text(program.config),
        "mint": text(program.mint),
        "household": text(household),
        "vault": text(program.vault(&household)),
        "offer": text(offer),
        "escrow": text(program.escrow(&offer)),
        "order": text(program.order(&household, u64::MAX - 1)),
        "evidence": text(program.evidence(513)),
        "program_data": text(program.program_data()),
    })
}

fn markers(program: &EnergyProgram) -> Vec<Value> {
    let hash = std::array::from_fn(|i| u8::try_from((i * 7 + 250) % 256).unwrap());
    [Proof::receipt(hash), Proof::transfer(hash), Proof::receipt([255; 32])]
        .iter()
        .map(|proof| {
            json!({
                "program": text(program.id),
                "kind": (proof.kind as u8).to_string(),
                "proof": hex::encode(proof.hash),
                "seed": String::from_utf8(proof.marker_seed().to_vec()).unwrap(),
                "address": text(program.marker(proof)),
            })
        })
        .collect()
}

fn refusals() -> Vec<Value> {
    let refusal = |number: u32, error: EnergyError, account: Option<usize>| {
        json!({
            "number": number, "error": error as u32, "name": format!("{error:?}"), "message": error.message(),
            "account": account,
        })
    };
    let mut all: Vec<_> = EnergyError::ALL.iter().map(|error| refusal(*error as u32, *error, None)).collect();
    all.extend(EnergyError::ALL.iter().enumerate().map(|(i, error)| {
        let account = i % 64;
        refusal(at_account(*error, account), *error, Some(account))
    }));
    all
}

#[test]
fn the_committed_vectors_are_those_of_the_interface() {
    let made = json!({
        "records": records::all(),
        "instructions": programs().iter().flat_map(calls::all).collect::<Vec<_>>(),
        "addresses": programs().iter().map(addresses).collect::<Vec<_>>(),
        "markers": programs().iter().flat_map(markers).collect::<Vec<_>>(),
        "refusals": refusals(),
    });
    let made = serde_json::to_string_pretty(&made).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../energy-client/test/vectors.json");
    if std::env::var_os("JIRANI_UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == made,
        "programs/energy-client/test/vectors.json is out of date: run \
         `JIRANI_UPDATE=1 cargo test --release -p jirani-energy-idl`"
    );
}
