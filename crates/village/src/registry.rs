//! Who is on the mini-grid: the records to enrol before a village starts.

use crate::equipment::Equipment;
use crate::names;
use crate::profile::Source;
use crate::seed::derive;
use jirani_meter::{Ed25519Signer, Signer as _};
use jirani_store::{HouseholdKind, HouseholdRecord, Language};
use jirani_units::{HouseholdId, MeterId, Msisdn, Timestamp};

/// Connections are laid out for this much more than they carry, in thousandths.
const MARGIN_PERMILLE: u64 = 1_250;
/// What a meter of something that only gives, or only takes, may count the other way.
const STANDBY_W: u32 = 100;
/// Homes have numbers from 254 700 000 001 on.
const FIRST_MSISDN: u64 = 254_700_000_000;

/// The homes of `source`, numbered from 1, and the operator's generator, battery
/// and losses after them. The same seed gives the same records.
pub fn registry(source: &Source, seed: u64, feeder: u16, enrolled_at: Timestamp) -> Vec<HouseholdRecord> {
    let homes = source.households();
    let equipment = Equipment::for_homes(source);
    let mut records: Vec<HouseholdRecord> = (0..homes)
        .map(|home| {
            let peaks = source.peaks(home);
            let ratings = (rating(peaks.pv_w), rating(peaks.load_w).max(500));
            let kind = HouseholdKind::Home;
            HouseholdRecord {
                alias: names::alias(home),
                name: names::name(home),
                msisdn: msisdn(home),
                language: if home % 2 == 0 { Language::En } else { Language::Sw },
                pv_rated_w: peaks.pv_rated_w,
                ..record(id_of_home(home), kind, Some(seed), ratings, feeder, enrolled_at)
            }
        })
        .collect();
    let all_losses = rating(equipment.generator_w / 4).max(1_000);
    for (kind, ratings) in [
        (HouseholdKind::Generator, (rating(equipment.generator_w), STANDBY_W)),
        (HouseholdKind::Battery, (rating(equipment.battery_w), rating(equipment.battery_w))),
        (HouseholdKind::Loss, (all_losses, all_losses)),
    ] {
        let id = HouseholdId(homes + 1 + u32::try_from(records.len()).unwrap_or(0) - homes);
        let seed = (kind != HouseholdKind::Loss).then_some(seed);
        records.push(record(id, kind, seed, ratings, feeder, enrolled_at));
    }
    records
}

/// The number of home `home` (from 0).
pub(crate) fn id_of_home(home: u32) -> HouseholdId {
    HouseholdId(home + 1)
}

/// The operator's generator and battery in a village of `homes`.
pub(crate) fn ids_of_operator(homes: u32) -> (HouseholdId, HouseholdId) {
    (HouseholdId(homes + 1), HouseholdId(homes + 2))
}

/// The key in the meter of a record.
pub(crate) fn meter_key(seed: u64, id: HouseholdId) -> Ed25519Signer {
    Ed25519Signer::from_seed(&derive(seed, "meter", u64::from(id.0)))
}

/// A record with the operator's names; without a seed it has no meter.
fn record(
    id: HouseholdId,
    kind: HouseholdKind,
    seed: Option<u64>,
    (export_rating_w, import_rating_w): (u32, u32),
    feeder: u16,
    enrolled_at: Timestamp,
) -> HouseholdRecord {
    let key = seed.map(|seed| meter_key(seed, id));
    let name = match kind {
        HouseholdKind::Home => "Home",
        HouseholdKind::Generator => "Generator",
        HouseholdKind::Battery => "Battery",
        HouseholdKind::Loss => "Losses",
    };
    HouseholdRecord {
        id,
        kind,
        alias: name.to_owned(),
        name: name.to_owned(),
        msisdn: None,
        language: Language::En,
        meter: key.as_ref().map(|key| MeterId(key.name())),
        meter_key: key.map_or([0; 32], |key| key.public_key()),
        meter_epoch: 0,
        export_rating_w,
        import_rating_w,
        pv_rated_w: 0,
        feeder,
        chain_address: None,
        enrolled_at,
        version: 0,
    }
}

fn rating(watts: u32) -> u32 {
    let rated = (u64::from(watts) * MARGIN_PERMILLE / 1_000).div_ceil(100) * 100;
    u32::try_from(rated).unwrap_or(u32::MAX)
}

/// The number of the home with this id; any other has none of its own.
pub(crate) fn msisdn_of(household: HouseholdId) -> Option<Msisdn> {
    msisdn(household.0.checked_sub(1)?)
}

fn msisdn(home: u32) -> Option<Msisdn> {
    (FIRST_MSISDN + u64::from(home) + 1).to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BuiltInRequest;
    use jirani_forecast::Place;
    use std::collections::BTreeSet;

    #[test]
    fn twelve_homes_and_the_operator_are_enrolled_once_each() {
        let request = BuiltInRequest {
            households: 12,
            seed: 1,
            place: Place::KITONYONI,
            slot_length_s: 900,
            start: BuiltInRequest::FIRST_DAY,
            days: None,
        };
        let source = Source::built_in(&request);
        let records = registry(&source, 1, 0, request.start);
        let ids: Vec<u32> = records.iter().map(|record| record.id.0).collect();
        assert_eq!(ids, (1..=15).collect::<Vec<_>>());
        let kinds: Vec<HouseholdKind> = records[12..].iter().map(|record| record.kind).collect();
        assert_eq!(kinds, [HouseholdKind::Generator, HouseholdKind::Battery, HouseholdKind::Loss]);
        assert_eq!(records.iter().filter_map(|record| record.meter).collect::<BTreeSet<_>>().len(), 14);
        assert_eq!((records[14].meter, records[14].meter_key), (None, [0; 32]));
        assert_eq!(records[11].msisdn.unwrap().number(), 254_700_000_012);
        assert_eq!(records, registry(&source, 1, 0, request.start));
        assert_ne!(records[0].meter, registry(&source, 2, 0, request.start)[0].meter);
    }
}
