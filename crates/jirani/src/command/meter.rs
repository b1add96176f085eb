//! `jirani meter prove` and `jirani meter verify`: one row of one slot, from the meter's
//! signature to the chain.

use super::records;
use crate::cli::meter::{MeterCommand, ProveArguments, VerifyArguments};
use crate::config::Config;
use crate::failure::Failure;
use anyhow::{Context as _, bail};
use jirani_chain::index::{Happened, History as _, RpcHistory, decode};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::event::{EventKind, RowStatus};
use jirani_energy_interface::instruction::{AttestData, RowData};
use jirani_oracle::{Claim, Part, Shown, SlotProof, at_boundary};
use jirani_store::{HouseholdRecord, Store};
use jirani_units::{Slot, Timestamp};
use std::fs::File;
use std::io::Read as _;

/// Most bytes of a file that is looked at: two readings and two long paths are 8 kB.
const FILE_MAX: u64 = 65_536;

/// Proves or verifies.
pub async fn run(
    config: impl FnOnce() -> Result<Config, Failure>,
    command: MeterCommand,
) -> Result<(), Failure> {
    match command {
        MeterCommand::Prove(arguments) => prove(&config()?, &arguments).await,
        // Who verifies has no settings of ours.
        MeterCommand::Verify(arguments) => verify(&arguments).await,
    }
}

async fn prove(config: &Config, arguments: &ProveArguments) -> Result<(), Failure> {
    let database = records::open(config, "meter").await?;
    let store = database.store();
    let made = proof(config, store.as_ref(), arguments).await;
    drop(store);
    database.close().await;
    let proof = made.map_err(Failure::Run)?;
    records::write(arguments.out.as_deref(), |to| -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut *to, &proof)?;
        Ok(writeln!(to)?)
    })
}

async fn proof(config: &Config, store: &dyn Store, arguments: &ProveArguments) -> anyhow::Result<SlotProof> {
    let slot = Slot::containing(arguments.slot, config.site.slot_length_s);
    if slot.start != arguments.slot {
        bail!("meter.slot: no slot begins at {}; one begins at {}", arguments.slot, slot.start);
    }
    let households = store.households().await?;
    let own = households.iter().find(|record| record.meter == Some(arguments.meter));
    let own =
        own.with_context(|| format!("meter.unknown: no household has the meter {}", arguments.meter))?;
    let (mut parts, mut transaction) = (Vec::new(), None);
    for household in households.iter().filter(|record| record.feeder == own.feeder) {
        let Some((part, signature)) = part(store, household, slot.end()).await? else { continue };
        if household.id == own.id {
            transaction = signature;
        }
        parts.push(part);
    }
    let transaction = transaction.with_context(|| {
        format!("meter.not_attested: household {} is not attested for the slot until {}", own.id, slot.end())
    })?;
    let claim = Claim {
        program: crate::wiring::program(config)?.to_string(),
        transaction,
        feeder: own.feeder,
        slot_end: slot.end(),
        household: own.id,
        meter_key: own.meter_key,
        meter_epoch: own.meter_epoch,
    };
    let proof = SlotProof::of(&claim, &parts)?;
    proof.check()?;
    Ok(proof)
}

/// A household's attested row at `end`, with the readings that it rests on.
async fn part(
    store: &dyn Store,
    household: &HouseholdRecord,
    end: Timestamp,
) -> anyhow::Result<Option<(Part, Option<String>)>> {
    let rows = store.attested_rows(household.id, Timestamp(end.0 - 1), end).await?;
    let (Some((_, row, signature)), Some(meter)) = (rows.into_iter().next(), household.meter) else {
        return Ok(None);
    };
    let (before, after) = store.readings_around(meter, household.meter_epoch, end).await?;
    let evidence = at_boundary(before.as_ref(), after.as_ref(), end).map(|registers| registers.evidence);
    Ok(Some((Part { row, evidence: evidence.unwrap_or_default() }, signature)))
}

async fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    let proof = read(arguments).map_err(Failure::Start)?;
    let shown = proof.check().map_err(Failure::run)?;
    let program = arguments.program.as_deref().unwrap_or(&proof.program);
    look_up(&arguments.rpc, program, &proof, &shown).await.map_err(Failure::Run)?;
    let end = Timestamp::from_seconds(proof.slot_end);
    if arguments.json {
        let told = serde_json::json!({
            "holds": true, "program": program, "transaction": proof.transaction, "meter": shown.meter,
            "household": proof.household, "slot_end": end, "export_wh": proof.export_wh,
            "import_wh": proof.import_wh, "estimated": shown.estimated,
        });
        println!("{told}");
        return Ok(());
    }
    println!("Meter      {} of household {}", shown.meter, proof.household);
    println!("At         {end}{}", if shown.estimated { " (between two readings)" } else { "" });
    println!("Export     {} Wh", proof.export_wh);
    println!("Import     {} Wh", proof.import_wh);
    println!("On chain   program {program}, transaction {}", proof.transaction);
    println!("Everything holds: signed by the meter, in the slot's evidence, attested on chain.");
    Ok(())
}

fn read(arguments: &VerifyArguments) -> anyhow::Result<SlotProof> {
    let unreadable = || format!("proof.unreadable: {}", arguments.proof.display());
    let mut text = String::new();
    let file = File::open(&arguments.proof).with_context(unreadable)?;
    file.take(FILE_MAX).read_to_string(&mut text).with_context(unreadable)?;
    serde_json::from_str(&text).with_context(unreadable)
}

/// What the chain must say: this root and this row in that transaction, and that the
/// household's meter has this key.
async fn look_up(rpc: &str, program: &str, proof: &SlotProof, shown: &Shown) -> anyhow::Result<()> {
    let address = program.parse();
    let address = address.ok().with_context(|| format!("proof.program: {program} is not an address"))?;
    let program = EnergyProgram::new(address);
    let signature = proof.transaction.parse();
    let signature = signature.ok().context("proof.malformed: the transaction is not a signature")?;
    let history = RpcHistory::new(rpc)?;
    let told = history.transaction(&signature).await?;
    let told = told.context("proof.no_transaction: this node does not know the transaction")?;
    let mut stands = false;
    for event in decode::events(&program, &signature, &told)? {
        stands |= Happened::read(&event).is_some_and(|happened| attests(&happened, proof, shown));
    }
    if !stands {
        bail!("proof.not_on_chain: the transaction does not attest this row with this root");
    }
    let household = history.household(&program, proof.household).await?;
    let household = household.context("proof.no_household: the program has no such household")?;
    if household.meter_epoch != proof.meter_epoch {
        bail!(
            "proof.replaced: the household has another meter now; `jirani audit --rpc` goes through all it had"
        );
    }
    if household.meter_key != shown.meter_key {
        bail!("proof.foreign_meter: the household's meter has another key");
    }
    Ok(())
}

fn attests(happened: &Happened, proof: &SlotProof, shown: &Shown) -> bool {
    let decoded = &happened.decoded;
    let Some((head, rest)) = happened.data::<AttestData>().filter(|_| decoded.kind == EventKind::Attested)
    else {
        return false;
    };
    let rows = Happened::list::<RowData>(rest);
    rows.len() == decoded.rows.len()
        && head.slot_end == proof.slot_end
        && head.evidence_root == shown.root
        && decoded.event.household_id == u32::from(proof.feeder)
        && rows.iter().zip(&decoded.rows).any(|(row, told)| {
            RowStatus::from_byte(told.status) == Some(RowStatus::Applied)
                && told.household_id == proof.household
                && (row.export_wh, row.import_wh) == (proof.export_wh, proof.import_wh)
                && row.meter_epoch == proof.meter_epoch
        })
}
