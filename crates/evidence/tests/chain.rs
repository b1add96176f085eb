//! A chain of segments, and everybody who may tamper with it.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use jirani_evidence::{EvidenceError, Folder, Limits, Verified, Writer, verify};
use std::fs;
use tempfile::TempDir;

const SMALL: Limits = Limits { bytes: 400, age_s: 3_600 };

fn record(number: u64) -> Vec<u8> {
    format!("reading number {number}, as the meter signed it").into_bytes()
}

/// `count` records in segments of a few each.
fn written(count: u64) -> (TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::at(place.path());
    let (mut writer, _) = Writer::open(&folder, SMALL, 0).unwrap();
    for number in 1..=count {
        writer.append([&record(number)[..]], 0).unwrap();
    }
    (place, folder)
}

fn read(folder: &Folder) -> Result<(Verified, Vec<Vec<u8>>), EvidenceError> {
    let mut records = Vec::new();
    let verified = verify(folder, |_, record| {
        assert_eq!(record.position, records.len() as u64 + 1);
        records.push(record.bytes);
        Ok::<(), EvidenceError>(())
    })?;
    Ok((verified, records))
}

#[test]
fn what_was_written_is_read_in_order_across_segments() {
    let (_place, folder) = written(20);
    let (verified, records) = read(&folder).unwrap();
    assert_eq!(records, (1..=20).map(record).collect::<Vec<_>>());
    assert!(verified.segments.len() > 3 && verified.records() == 20 && verified.torn_bytes == 0);
    assert!(verified.segments.iter().rev().skip(1).all(|segment| segment.seal.is_some()));
}

#[test]
fn a_record_is_found_by_segment_and_offset() {
    let (_place, folder) = written(20);
    let mut places = Vec::new();
    verify(&folder, |segment, record| {
        places.push((segment.header.number, record));
        Ok::<(), EvidenceError>(())
    })
    .unwrap();
    for (number, expected) in places {
        let reader = jirani_evidence::SegmentReader::open(&folder.file(number)).unwrap();
        assert_eq!(reader.record_at(expected.offset).unwrap(), Some(expected));
    }
    let reader = jirani_evidence::SegmentReader::open(&folder.file(1)).unwrap();
    assert_eq!(reader.record_at(89).unwrap(), None);
}

#[test]
fn every_changed_byte_is_found_in_its_file() {
    let (_place, folder) = written(9);
    let last = folder.last().unwrap();
    for number in 1..=last {
        let path = folder.file(number);
        let honest = fs::read(&path).unwrap();
        for place in 0..honest.len() {
            let mut bytes = honest.clone();
            bytes[place] ^= 0x20;
            fs::write(&path, &bytes).unwrap();
            match read(&folder) {
                Err(EvidenceError::Changed { path: named, .. }) => assert_eq!(named, path, "byte {place}"),
                // A longer length at the end of an open segment looks like a record that
                // was being written; the database, which knows more, does not agree.
                Ok((verified, _)) => {
                    assert!(
                        number == last && verified.torn_bytes > 0 && verified.records() < 9,
                        "byte {place}"
                    );
                }
                Err(other) => panic!("byte {place}: {other}"),
            }
        }
        fs::write(&path, honest).unwrap();
    }
    read(&folder).unwrap();
}

#[test]
fn a_segment_that_is_gone_cut_swapped_or_lengthened_is_found() {
    let (_place, folder) = written(20);
    let second = fs::read(folder.file(2)).unwrap();
    fs::remove_file(folder.file(2)).unwrap();
    assert!(matches!(read(&folder), Err(EvidenceError::Missing { .. })));
    fs::write(folder.file(2), fs::read(folder.file(3)).unwrap()).unwrap();
    assert!(matches!(read(&folder), Err(EvidenceError::Changed { .. })));
    for bytes in [&second[..second.len() - 1], &second[..second.len() - 52], &[&second[..], b"x"].concat()] {
        fs::write(folder.file(2), bytes).unwrap();
        assert!(matches!(read(&folder), Err(EvidenceError::Changed { .. })), "{}", bytes.len());
    }
    fs::write(folder.file(2), second).unwrap();
    read(&folder).unwrap();
}

#[test]
fn a_torn_record_is_cut_off_wherever_the_power_went() {
    let (place, folder) = written(20);
    let (whole, _) = read(&folder).unwrap();
    let last = folder.last().unwrap();
    let honest = fs::read(folder.file(last)).unwrap();
    for length in 0..honest.len() {
        fs::write(folder.file(last), &honest[..length]).unwrap();
        let (mut writer, found) = Writer::open(&folder, SMALL, 0).unwrap();
        assert!(found.records() < whole.records());
        for number in writer.next_position()..=20 {
            writer.append([&record(number)[..]], 0).unwrap();
        }
        // The same records make the same chain, whatever happened on the way.
        assert_eq!(fs::read(folder.file(last)).unwrap(), honest, "cut at {length}");
    }
    drop(place);
}

#[test]
fn time_seals_a_segment_and_the_same_times_make_the_same_bytes() {
    let make = || {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        let limits = Limits { bytes: 1 << 20, age_s: 60 };
        let (mut writer, _) = Writer::open(&folder, limits, 0).unwrap();
        for (number, second) in [(1, 0), (2, 59), (3, 60), (4, 61), (5, 300)] {
            writer.append([&record(number)[..]], second * 1_000_000).unwrap();
        }
        (place, folder)
    };
    let ((_one, first), (_two, second)) = (make(), make());
    let (verified, _) = read(&first).unwrap();
    let shape: Vec<u64> = verified.segments.iter().map(|segment| segment.records).collect();
    assert_eq!(shape, [2, 2, 1]);
    assert_eq!(verified, read(&second).unwrap().0);
}

#[test]
fn records_of_no_bytes_or_too_many_are_refused() {
    let (_place, folder) = written(1);
    let (mut writer, _) = Writer::open(&folder, SMALL, 0).unwrap();
    for size in [0, 4_097] {
        assert!(matches!(writer.append([&vec![0; size][..]], 0), Err(EvidenceError::TooLarge(_))));
    }
}
