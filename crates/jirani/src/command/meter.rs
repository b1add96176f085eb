//! `jirani meter ...`: its enrolment ([`super::enrolment`]), and `prove` and `verify`: one row
//! of one slot, from the meter's signature to the chain.

use super::{meter_order, records};
use crate::cli::meter::{MeterCommand, ProveArguments, VerifyArguments};
use crate::config::Config;
use crate::failure::Failure;
use anyhow::{Context as _, bail};
use jirani_chain::index::{Happened, History as _, RpcHistory, decode};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::event::{EventKind, RowStatus};
use jirani_energy_interface::instruction::{AttestData, RowData};
use jirani_oracle::{Attestable, Claim, Part, Shown, SlotProof, Spans, Standing};
use jirani_oracle::{members, registers_of, row_epoch_at, stream_at};
use jirani_store::{AttestedRow, HouseholdRecord, Store};
use jirani_units::{Slot, Timestamp, Trust};
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
        MeterCommand::Findings(arguments) => super::desk::findings(&config()?, &arguments).await,
        MeterCommand::Decide(arguments) => super::desk::decide(&config()?, &arguments).await,
        // Who verifies has no settings of ours.
        MeterCommand::Verify(arguments) => verify(&arguments).await,
        MeterCommand::Segments(arguments) => super::segments::run(&config()?, &arguments).await,
        MeterCommand::Command(arguments) => meter_order::tell(&config()?, &arguments).await,
        MeterCommand::SignFirmware(arguments) => meter_order::sign_firmware(config, &arguments),
        command => super::enrolment::run(&config()?, command).await,
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
    let spans = Spans::load(store).await?;
    // Also one that counted for the household then, and has been replaced since.
    let had = |record: &&HouseholdRecord| {
        let stream = stream_at(record, spans.of(record.id), slot.end());
        stream.is_some_and(|(meter, _)| meter == arguments.meter)
    };
    let own = households.iter().find(had);
    let own =
        own.with_context(|| format!("meter.unknown: no household has the meter {}", arguments.meter))?;
    let (mut parts, mut transaction) = (Vec::new(), None);
    for household in households.iter().filter(|record| record.feeder == own.feeder) {
        let Some((standing, part, signature)) = part(store, household, &spans, slot.end()).await? else {
            continue;
        };
        if household.id == own.id && standing == Standing::Landed {
            transaction = signature;
        }
        parts.push((standing, part));
    }
    let transaction = transaction.with_context(|| {
        format!("meter.not_attested: household {} is not attested for the slot until {}", own.id, slot.end())
    })?;
    let (meter_epoch, meter_key) = row_epoch_at(own, spans.of(own.id), slot.end());
    let claim = Claim {
        program: crate::wiring::program(config)?.to_string(),
        transaction,
        feeder: own.feeder,
        slot_end: slot.end(),
        household: own.id,
        meter_key,
        meter_epoch,
    };
    let parts = parts_of(&root(store, own.feeder, slot.end()).await?, parts)?;
    let proof = SlotProof::of(&claim, &parts)?;
    proof.check()?;
    Ok(proof)
}

/// The root of a slot's evidence, as it was attested.
async fn root(store: &dyn Store, feeder: u16, end: Timestamp) -> anyhow::Result<[u8; 32]> {
    let slot = store.attested_slot_before(feeder, Timestamp(end.0 + 1)).await?;
    let slot = slot.filter(|slot| slot.end == end);
    let slot =
        slot.with_context(|| format!("meter.not_attested: no slot of feeder {feeder} ends at {end}"))?;
    Ok(slot.evidence_root)
}

/// The parts that the root is made of.
fn parts_of(root: &[u8; 32], parts: Vec<(Standing, Part)>) -> anyhow::Result<Vec<Part>> {
    let leaves: Vec<_> = parts.iter().map(|(standing, part)| (*standing, part.evidence.clone())).collect();
    let members = members(*root, &leaves)
        .context("meter.evidence: the readings that are stored do not give the slot's evidence root")?;
    let parts = parts.into_iter().enumerate().filter(|(place, _)| members.contains(place));
    Ok(parts.map(|(_, (_, part))| part).collect())
}

/// A household's part in the slot that ended at `end`: its row with the readings that it rests
/// on, and the transaction that attested it; without one the row that was perhaps refused.
async fn part(
    store: &dyn Store,
    household: &HouseholdRecord,
    spans: &Spans,
    end: Timestamp,
) -> anyhow::Result<Option<(Standing, Part, Option<String>)>> {
    if household.meter.is_none() {
        return Ok(None);
    }
    let landed = store.attested_rows(household.id, Timestamp(end.0 - 1), end).await?.into_iter().next();
    let registers = registers_of(store, household, spans.of(household.id), end).await?;
    Ok(match (landed, registers) {
        (Some((_, row, signature)), registers) => {
            let evidence = registers.map(|registers| registers.evidence).unwrap_or_default();
            Some((Standing::Landed, Part { row, evidence }, signature))
        }
        (None, Some(Attestable { export_wh, import_wh, estimated, evidence })) => {
            let row = AttestedRow { household: household.id, export_wh, import_wh, estimated };
            Some((Standing::Perhaps, Part { row, evidence }, None))
        }
        (None, None) => None,
    })
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
            "import_wh": proof.import_wh, "estimated": shown.estimated, "trust": shown.trust,
        });
        println!("{told}");
        return Ok(());
    }
    println!("Meter      {} of household {}", shown.meter, proof.household);
    println!("At         {end}{}", if shown.estimated { " (between two readings)" } else { "" });
    println!("Export     {} Wh", proof.export_wh);
    println!("Import     {} Wh", proof.import_wh);
    println!("Trust      {}", shown.trust.word());
    println!("On chain   program {program}, transaction {}", proof.transaction);
    let by = match shown.trust {
        Trust::DeviceSigned => "the meter",
        Trust::GatewayAttested => "the site for a device that does not sign by itself",
    };
    println!("Everything holds: signed by {by}, in the slot's evidence, attested on chain.");
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
