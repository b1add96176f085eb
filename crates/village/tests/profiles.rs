//! Files of profiles: what is taken from them, to the last micro-Wh, and what is
//! refused, with the line.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare what it needs has failed")]

use jirani_forecast::Place;
use jirani_village::profile::micro_wh;
use jirani_village::{FileRequest, HomeEnergy, ProfileError, Source};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const HEADER: &str = "timestamp_utc,household,pv_kwh,load_kwh";

fn request(households: u32, days: Option<u32>) -> FileRequest {
    FileRequest { households, days, slot_length_s: 900, seed: 1, place: None }
}

fn read(text: &str, request: &FileRequest) -> Result<Source, ProfileError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profiles.csv");
    std::fs::write(&path, text).unwrap();
    Source::from_csv(&path, request)
}

fn time(hour: i64) -> String {
    jirani_units::Timestamp::from_seconds(1_470_000_000 / 86_400 * 86_400 + hour * 3_600).to_string()
}

/// `hours` rows for each household, 1 kWh of sun and 0.5 kWh of load an hour.
fn file(households: &[&str], hours: i64) -> Vec<String> {
    let mut rows = vec![HEADER.to_owned()];
    for household in households {
        rows.extend((0..hours).map(|hour| format!("{},{household},1.0,0.5", time(hour))));
    }
    rows
}

/// Where `../shared/data` is, or a word that it is not there.
fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("JIRANI_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there; set JIRANI_DATA to the folder of the real data", path.display());
    None
}

#[test]
fn what_cannot_be_used_is_refused_with_its_line() {
    let good = file(&["a", "b"], 48);
    let change = |line: usize, row: &str| {
        let mut rows = good.clone();
        row.clone_into(&mut rows[line - 1]);
        rows.join("\n")
    };
    let insert = |line: usize, row: &str| {
        let mut rows = good.clone();
        rows.insert(line - 1, row.to_owned());
        rows.join("\n")
    };
    let t5 = time(5);
    for (what, text, code, line) in [
        ("a duplicate", insert(8, &format!("{t5},a,1.0,0.5")), "profile.duplicate", 8),
        ("a duplicate far away", insert(90, &format!("{t5},a,2.0,0.7")), "profile.duplicate", 90),
        ("negative PV", change(7, &format!("{t5},a,-0.1,0.5")), "profile.negative", 7),
        ("negative load", change(7, &format!("{t5},a,0.1,-5")), "profile.negative", 7),
        ("absurd load", change(7, &format!("{t5},a,0.1,100.001")), "profile.absurd", 7),
        ("absurd PV", change(7, &format!("{t5},a,1e30,0.1")), "profile.absurd", 7),
        ("no number", change(7, &format!("{t5},a,none,0.1")), "profile.bad_row", 7),
        ("an empty field", change(7, &format!("{t5},a,,0.1")), "profile.bad_row", 7),
        ("a missing column", change(7, &format!("{t5},a,0.1")), "profile.bad_row", 7),
        ("no household", change(7, &format!("{t5},,0.1,0.1")), "profile.bad_row", 7),
        ("a local time", change(7, "2016-08-01T05:00:00,a,1.0,0.5"), "profile.local_time", 7),
        ("a zoned time", change(7, "2016-08-01T08:00:00+03:00,a,1.0,0.5"), "profile.local_time", 7),
        ("no time", change(7, "yesterday,a,1.0,0.5"), "profile.local_time", 7),
        ("half a minute", change(7, "2016-07-31T05:00:30Z,a,1.0,0.5"), "profile.bad_row", 7),
        ("an uneven step", insert(8, &t5.replace(":00:00Z", ":20:00Z,a,1.0,0.5")), "profile.uneven", 8),
        ("a wrong header", change(1, "time,household,pv_kwh,load_kwh"), "profile.wrong_header", 1),
        (
            "a column twice",
            change(1, "timestamp_utc,household,pv_kwh,pv_kwh,load_kwh"),
            "profile.wrong_header",
            1,
        ),
        ("no header", good[1..].join("\n"), "profile.wrong_header", 1),
    ] {
        let error = read(&text, &request(2, Some(1))).expect_err(what).to_string();
        assert!(error.starts_with(code), "{what}: {error}");
        assert!(error.contains(&format!("line {line}:")), "{what}: {error}");
        assert!(!error.contains('\n'), "{what}: {error}");
    }
}

#[test]
fn a_long_gap_is_refused_with_the_line_where_rows_go_on() {
    let mut rows = file(&["a", "b"], 48);
    rows.drain(11..14);
    let error = read(&rows.join("\n"), &request(2, Some(1))).unwrap_err().to_string();
    assert!(error.starts_with("profile.gap: line 12: a has no rows from"), "{error}");
    assert!(error.contains(&time(10)) && error.contains(&time(13)), "{error}");
    // The same gap outside the span asked for, or in a home nobody asked for, is no matter.
    let mut late = file(&["a", "b"], 48);
    late.drain(41..45);
    assert!(read(&late.join("\n"), &request(2, Some(1))).is_ok());
    let mut other = file(&["a", "b"], 48);
    other.drain(60..64);
    assert!(read(&other.join("\n"), &request(1, Some(1))).is_ok());
}

#[test]
fn short_gaps_are_filled_with_the_mean_of_their_neighbours_and_counted() {
    let mut rows = file(&["a", "b"], 48);
    rows[10] = format!("{},a,3.0,2.0", time(9));
    rows[13] = format!("{},a,5.0,1.0", time(12));
    rows.drain(11..13);
    let source = read(&rows.join("\n"), &request(2, Some(1))).unwrap();
    assert_eq!(source.gaps_filled(), 2);
    for slot in 40..48 {
        assert_eq!(source.energy(0, slot), HomeEnergy { pv_wh: 1_000, load_wh: 375 }, "{slot}");
    }
}

#[test]
fn a_run_begins_when_every_household_has_a_row() {
    let mut rows = file(&["a"], 72);
    rows.extend(file(&["b"], 72).split_off(6));
    let source = read(&rows.join("\n"), &request(2, Some(2))).unwrap();
    assert_eq!(source.start().to_string(), time(5));
    assert_eq!(source.slots(), Some(192));
    let error = read(&rows.join("\n"), &request(2, Some(3))).unwrap_err().to_string();
    assert!(error.starts_with("profile.too_short: the file has 2 whole days"), "{error}");
    let all = read(&rows.join("\n"), &request(2, None)).unwrap();
    assert_eq!(all.slots(), Some((72 - 5) * 4));
}

#[test]
fn columns_may_stand_anywhere_and_rows_in_any_order() {
    let mut text = String::from("pv_kwp,load_kwh,household,pv_kwh,timestamp_utc\r\n");
    for hour in (0..24).rev() {
        writeln!(text, "4.0,0.5,a,{hour}.0,{}\r", time(hour)).unwrap();
    }
    let source = read(&text, &request(1, Some(1))).unwrap();
    assert_eq!(source.energy(0, 4 * 7 + 2), HomeEnergy { pv_wh: 1_750, load_wh: 125 });
}

#[test]
fn more_homes_than_the_file_has_are_seeded_variations() {
    let text = file(&["a", "b"], 48).join("\n");
    let source = read(&text, &request(6, Some(1))).unwrap();
    let day =
        |source: &Source, home: u32| -> u64 { (0..96).map(|slot| source.energy(home, slot).load_wh).sum() };
    assert_eq!((day(&source, 0), day(&source, 1)), (12_000, 12_000));
    assert!((2..6).all(|home| (8_400..=15_600).contains(&day(&source, home))));
    assert!((2..6).any(|home| day(&source, home) != 12_000));
    let other = read(&text, &FileRequest { seed: 2, ..request(6, Some(1)) }).unwrap();
    assert!((2..6).any(|home| day(&source, home) != day(&other, home)));
    assert_eq!(source.energy(4, 7), read(&text, &request(6, Some(1))).unwrap().energy(4, 7));
}

#[test]
fn without_a_place_the_rules_of_the_sun_are_off_and_it_says_so() {
    let text = file(&["a"], 24).join("\n");
    let remarks = read(&text, &request(1, Some(1))).unwrap().remarks();
    assert!(remarks[0].contains("--place"), "{remarks:?}");
    let placed = FileRequest { place: Some(Place::KITONYONI), ..request(1, Some(1)) };
    let remarks = read(&text, &placed).unwrap().remarks();
    assert!(remarks[0].contains("while the sun is down"), "{remarks:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn not_a_micro_wh_is_lost_between_file_and_slots(
        hours in proptest::collection::vec((0u64..5_000_000_000, 0u64..5_000_000_000), 24..72),
        slot_length_s in prop_oneof![Just(300u32), Just(900), Just(1_800), Just(3_600)],
    ) {
        let kwh = |micro: u64| format!("{}.{:09}", micro / 1_000_000_000, micro % 1_000_000_000);
        let mut text = String::from(HEADER);
        for (hour, (pv, load)) in (0i64..).zip(&hours) {
            write!(text, "\n{},a,{},{}", time(hour), kwh(*pv), kwh(*load)).unwrap();
        }
        let source = read(&text, &FileRequest { slot_length_s, ..request(1, None) }).unwrap();
        let (mut pv, mut load) = (0, 0);
        for slot in 0..source.slots().unwrap() {
            let energy = source.energy(0, slot);
            pv += energy.pv_wh;
            load += energy.load_wh;
        }
        prop_assert_eq!(pv, hours.iter().map(|(pv, _)| pv).sum::<u64>() / 1_000_000);
        prop_assert_eq!(load, hours.iter().map(|(_, load)| load).sum::<u64>() / 1_000_000);
        prop_assert_eq!(source.energy(0, source.slots().unwrap()), HomeEnergy::default());
    }
}

#[test]
fn the_real_homes_keep_their_energy_and_miss_one_hour_each() {
    let Some(path) = data("citylearn2022_fontana_hourly.csv") else { return };
    let source = Source::from_csv(&path, &request(17, Some(120))).unwrap();
    assert_eq!(source.start().to_string(), "2016-08-01T07:00:00Z");
    assert_eq!((source.gaps_filled(), source.slots()), (17, Some(120 * 96)));
    // The first 20 days have no gap: the sum over the file's own text must be met.
    let mut micro = 0;
    for line in std::fs::read_to_string(&path).unwrap().lines().skip(1).take(20 * 24) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields[1], "fontana-01");
        micro += micro_wh(fields[3]).unwrap();
    }
    let load: u64 = (0..20 * 96).map(|slot| source.energy(0, slot).load_wh).sum();
    assert_eq!(load, micro / 1_000_000);
    let before = Source::from_csv(&path, &request(17, Some(30))).unwrap();
    assert_eq!(before.gaps_filled(), 0, "the gap is on 2016-11-06");
}
