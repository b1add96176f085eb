//! R1: what was attested is what meters signed.

use super::Material;
use super::replay::{Row, moment};
use super::spans::Spans;
use crate::audit::Finding;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jirani_energy_interface::state::HouseholdKind;
use jirani_meter::{PublicKey, READING_CONTEXT, Reading};
use jirani_oracle::{Check, Standing, members, verify_all};
use jirani_units::Wh;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};

/// A reading whose signature was verified.
struct Signed {
    time_us: i64,
    /// What counts together: the epoch, or the number of the span it is in.
    group: u32,
    /// What is numbered together: the epoch, or the first span of its meter and epoch.
    stream: u32,
    seq: u64,
    export_wh: u64,
    import_wh: u64,
    previous: [u8; 8],
    bytes: Vec<u8>,
}

/// The readings of every household, by time.
type Readings = HashMap<u32, Vec<Signed>>;

/// Every reading bears the signature of the meter that stands on chain, none is there
/// twice, each names the one before it; every attested register is that of a signed
/// reading at that moment or lies between the two around it; and every root of evidence
/// on chain is that of these readings.
pub fn r1(material: &Material) -> Finding {
    let done = Spans::of(&material.bundle.spans).and_then(|spans| {
        let readings = verified(material, &spans)?;
        chained(&readings)?;
        attested(material, &readings, &spans)?;
        rooted(material, &readings, &spans)
    });
    match done {
        Ok(()) => Finding::Holds,
        Err(what) => Finding::Violated(what),
    }
}

fn verified(material: &Material, spans: &Spans) -> Result<Readings, String> {
    let mut readings = Readings::new();
    let mut checks = Vec::with_capacity(material.bundle.readings.len());
    let mut keys: HashMap<[u8; 32], PublicKey> = HashMap::new();
    for (place, line) in (1..).zip(&material.bundle.readings) {
        let named = |what: &str| format!("reading {place}, of household {}, {what}", line.household);
        let bytes = BASE64_STANDARD.decode(&line.bytes).map_err(|_| named("is not base 64"))?;
        let (reading, signed) = Reading::decode(&bytes).map_err(|error| named(&error.to_string()))?;
        let track = material.replay.track(line.household);
        let time_us = i64::try_from(reading.time_us).unwrap_or(i64::MAX);
        let Some(place) = spans.place(line.household, &reading, time_us) else {
            // Of a meter, or of registers, that do not count.
            continue;
        };
        let owner = track.and_then(|track| {
            let meters = track.meters.iter();
            meters
                .filter(|(epoch, _)| *epoch == place.row_epoch)
                .find(|(_, key)| jirani_meter::key::name_of(key) == reading.meter)
        });
        let Some((_, key)) = owner else {
            // Of a meter that is not, or not yet, settled by: kept, and backs nothing.
            continue;
        };
        let key = if let Some(known) = keys.get(key) {
            *known
        } else {
            let read = PublicKey::from_bytes(key).map_err(|_| named("is of a meter with no key"))?;
            *keys.entry(*key).or_insert(read)
        };
        let registers = &reading.registers;
        let (Wh(import_wh), Wh(export_wh)) = place
            .offsets
            .apply(Wh(registers.import_wh), Wh(registers.export_wh))
            .ok_or_else(|| named("and its span make no registers"))?;
        let message = signed.signed_bytes(READING_CONTEXT).map_err(|error| named(&error.to_string()))?;
        checks.push(Check { key, message: message.as_slice().to_vec(), signature: *signed.signature });
        readings.entry(line.household).or_default().push(Signed {
            time_us,
            group: place.group,
            stream: place.stream,
            seq: reading.seq,
            export_wh,
            import_wh,
            previous: reading.previous,
            bytes,
        });
    }
    if let Some(wrong) = verify_all(&checks).iter().position(|good| !good) {
        return Err(format!("signature {} of the readings is not the meter's", wrong + 1));
    }
    for of in readings.values_mut() {
        of.sort_by_key(|reading| (reading.group, reading.time_us, reading.seq));
    }
    Ok(readings)
}

/// Each reading carries the hash of the one before: neighbours by number must fit, and
/// nothing is there twice.
fn chained(readings: &Readings) -> Result<(), String> {
    for (household, of) in readings {
        let mut by_number: Vec<&Signed> = of.iter().collect();
        by_number.sort_by_key(|reading| (reading.stream, reading.seq));
        for pair in by_number.windows(2) {
            let [before, after] = pair else { continue };
            if before.stream != after.stream {
                continue;
            }
            let named = |what: &str| Err(format!("household {household}, reading {}: {what}", after.seq));
            if before.seq == after.seq {
                return named("is there twice");
            }
            if before.seq + 1 == after.seq && Sha256::digest(&before.bytes)[..8] != after.previous {
                return named("does not follow the one before it");
            }
            if after.export_wh < before.export_wh || after.import_wh < before.import_wh {
                return named("has a register below the one before it");
            }
        }
    }
    Ok(())
}

/// The reading at a moment, or the two around it.
fn around(readings: Option<&Vec<Signed>>, group: u32, at_us: i64) -> (Option<&Signed>, Option<&Signed>) {
    let Some(of) = readings else { return (None, None) };
    let place = of.partition_point(|reading| (reading.group, reading.time_us) <= (group, at_us));
    let in_group = |reading: &&Signed| reading.group == group;
    let before = place.checked_sub(1).and_then(|place| of.get(place)).filter(in_group);
    let after = of.get(place).filter(in_group);
    (before, after)
}

fn settled_rows(material: &Material) -> impl Iterator<Item = &Row> {
    let rows = material.replay.rows.iter().filter(|row| material.in_bundle(row.chain_slot));
    rows.filter(|row| {
        let track = material.replay.track(row.household);
        track.is_some_and(|track| track.kind != HouseholdKind::Loss)
    })
}

fn attested(material: &Material, readings: &Readings, spans: &Spans) -> Result<(), String> {
    for row in settled_rows(material) {
        let named =
            |what: &str| Err(format!("household {} at {}: {what}", row.household, moment(row.slot_end)));
        let at_us = moment(row.slot_end).0;
        let (before, after) =
            around(readings.get(&row.household), spans.group(row.household, row.meter_epoch, at_us), at_us);
        let Some(before) = before else {
            return named("attested without any signed reading");
        };
        if before.time_us == at_us {
            if (before.export_wh, before.import_wh) != (row.export_wh, row.import_wh) {
                return named(&format!(
                    "attested {} / {} Wh, the meter signed {} / {} Wh",
                    row.export_wh, row.import_wh, before.export_wh, before.import_wh
                ));
            }
            continue;
        }
        let Some(after) = after else {
            return named("attested beyond the last signed reading");
        };
        if !(before.export_wh..=after.export_wh).contains(&row.export_wh)
            || !(before.import_wh..=after.import_wh).contains(&row.import_wh)
        {
            return named("attested what lies outside the signed readings around it");
        }
    }
    Ok(())
}

/// Leaves of a row's evidence: the reading at the moment, or the two around it.
fn leaves(readings: &Readings, spans: &Spans, household: u32, epoch: u32, slot_end: i64) -> Vec<Vec<u8>> {
    let at_us = moment(slot_end).0;
    let group = spans.group(household, epoch, at_us);
    let signed = signed_leaves(readings, household, group, at_us);
    if signed.is_empty() {
        return Vec::new();
    }
    let leaf = spans.leaf(household, at_us);
    leaf.into_iter().chain(signed.into_iter().map(<[u8]>::to_vec)).collect()
}

fn signed_leaves(readings: &Readings, household: u32, group: u32, at_us: i64) -> Vec<&[u8]> {
    match around(readings.get(&household), group, at_us) {
        (Some(before), _) if before.time_us == at_us => vec![&before.bytes],
        (Some(before), Some(after)) => vec![&before.bytes, &after.bytes],
        _ => Vec::new(),
    }
}

fn rooted(material: &Material, readings: &Readings, spans: &Spans) -> Result<(), String> {
    let mut slots: BTreeMap<(i64, u16, [u8; 32]), BTreeMap<u32, u32>> = BTreeMap::new();
    for row in settled_rows(material) {
        let slot = slots.entry((row.slot_end, row.feeder, row.root)).or_default();
        slot.insert(row.household, row.meter_epoch);
    }
    for ((slot_end, feeder, root), households) in slots {
        let mut parts: BTreeMap<u32, (Standing, Vec<Vec<u8>>)> = BTreeMap::new();
        for (id, epoch) in &households {
            parts.insert(*id, (Standing::Landed, leaves(readings, spans, *id, *epoch, slot_end)));
        }
        // A row that was refused after the root was made is part of the evidence all the same.
        for (id, track) in &material.replay.households {
            if track.feeder == feeder && track.kind != HouseholdKind::Loss {
                let perhaps = || leaves(readings, spans, *id, track.meter_epoch, slot_end);
                parts.entry(*id).or_insert_with(|| (Standing::Perhaps, perhaps()));
            }
        }
        let parts: Vec<_> = parts.into_values().collect();
        if members(root, &parts).is_none() {
            return Err(format!(
                "feeder {feeder} at {}: the evidence on chain is not that of the bundle's readings",
                moment(slot_end)
            ));
        }
    }
    Ok(())
}
