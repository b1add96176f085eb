//! The rules of readings, as tables: what comes in after what, and what is said of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{Reading, Registers};
use jirani_readings::{
    Ahead, Base, Began, Latest, Rating, Refusal, Remark, Remarks, Span, SpanReason, Terms, judge, virtual_of,
};
use jirani_units::{HouseholdId, JSON_INTEGER_MAX, MeterId, Timestamp};
use proptest::prelude::*;

const START: Timestamp = Timestamp(1_795_348_800_000_000);
const HASH: [u8; 8] = [5; 8];
const MODULUS: u64 = 1_000_000;

fn all(wh: u64) -> Registers {
    Registers { import_wh: wh, export_wh: wh, generation_wh: wh }
}

fn rating() -> Rating {
    Rating { export_w: 5_000, import_w: 5_000, panels_w: 5_000 }
}

fn terms() -> Terms<'static> {
    Terms { span: None, epoch: 1, rating: rating(), modulus_wh: None, slot_s: 900, firmware: &[] }
}

fn latest(wh: u64) -> Latest {
    let ahead = Ahead::default();
    Latest { epoch: 1, seq: 9, time: START, registers: all(wh), hash: HASH, received_at: START, ahead }
}

/// The reading after [`latest`], a minute later.
fn next(wh: u64, change: impl FnOnce(&mut Reading)) -> Reading {
    let mut reading = Reading {
        epoch: 1,
        seq: 10,
        time_us: START.plus_seconds(60).0.cast_unsigned(),
        interval_s: 60,
        registers: all(wh),
        previous: HASH,
        firmware: [1; 8],
        ..Reading::default()
    };
    change(&mut reading);
    reading
}

fn now() -> Timestamp {
    START.plus_seconds(60)
}

#[test]
fn what_is_refused_and_by_which_name() {
    let last = latest(1_000);
    let at = |seconds: i64| move |r: &mut Reading| r.time_us = START.plus_seconds(seconds).0.cast_unsigned();
    let cases: Vec<(&str, Reading, Option<&str>)> = vec![
        ("an honest one", next(1_010, |_| {}), None),
        ("nothing was used", next(1_000, |_| {}), None),
        ("a falling register", next(999, |_| {}), Some("reading.falling_register")),
        (
            "one of three falls",
            next(1_010, |r| r.registers.export_wh = 999),
            Some("reading.falling_register"),
        ),
        ("too much for the time", next(5_000, |_| {}), Some("reading.implausible")),
        ("the same moment again", next(1_010, at(0)), Some("reading.time_not_later")),
        ("an earlier moment", next(1_010, at(-60)), Some("reading.time_not_later")),
        ("the clock says 1970", next(1_010, |r| r.time_us = 60_000_000), Some("reading.clock_unset")),
        (
            "the clock says 2099",
            next(1_010, |r| r.time_us = 4_070_908_800_000_000),
            Some("reading.clock_ahead"),
        ),
        ("a slot and a second ahead", next(1_010, at(60 + 901)), Some("reading.clock_ahead")),
        ("a slot ahead", next(1_010, at(60 + 900)), None),
        ("an earlier epoch", next(1_010, |r| r.epoch = 0), Some("reading.old_seq")),
        (
            "began anew, unproven",
            next(3, |r| (r.epoch, r.seq, r.previous) = (2, 1, [0; 8])),
            Some("reading.unknown_epoch"),
        ),
        ("beyond JSON", next(JSON_INTEGER_MAX + 1, |_| {}), Some("reading.out_of_range")),
    ];
    for (what, reading, code) in cases {
        let verdict = judge(&reading, &terms(), Some(&last), now());
        assert_eq!(verdict.as_ref().err().map(Refusal::code), code, "{what}: {verdict:?}");
    }
}

#[test]
fn what_is_remarked_and_counts_all_the_same() {
    let last = latest(1_000);
    let allowed = [[1; 8]];
    let known = Terms { firmware: &allowed, ..terms() };
    let at = |seconds: i64| move |r: &mut Reading| r.time_us = START.plus_seconds(seconds).0.cast_unsigned();
    let later = START.plus_seconds(360);
    let cases: Vec<(&str, Reading, Timestamp, &[Remark])> = vec![
        ("an ordinary one", next(1_010, |_| {}), now(), &[]),
        ("two are missing", next(1_010, |r| (r.seq, r.previous) = (12, [0; 8])), now(), &[Remark::Gap]),
        ("the chain of hashes breaks", next(1_010, |r| r.previous = [6; 8]), now(), &[Remark::ChainBroken]),
        ("121 s ahead", next(1_010, at(181)), now(), &[Remark::ClockSkew]),
        ("120 s ahead", next(1_010, at(180)), now(), &[]),
        ("other firmware", next(1_010, |r| r.firmware = [2; 8]), now(), &[Remark::UnknownFirmware]),
        ("sent late, from a queue", next(1_010, |_| {}), START.plus_seconds(90_000), &[]),
        ("read as it is sent, by a slow clock", next(1_010, at(300)), later, &[]),
    ];
    for (what, reading, now, remarks) in cases {
        let verdict = judge(&reading, &known, Some(&last), now).unwrap();
        let expected: Remarks = remarks.iter().copied().collect();
        assert_eq!((verdict.remarks, verdict.began), (expected, None), "{what}");
    }
    // A meter that tells of each minute a minute later, ten minutes ago.
    let slow = Latest { received_at: START.plus_seconds(600), ..last };
    let verdict = judge(&next(1_010, |_| {}), &known, Some(&slow), START.plus_seconds(660)).unwrap();
    assert_eq!(verdict.remarks, Remarks::from_iter([Remark::ClockSkew]));
}

/// What it is, the terms, the reading before, the reading, and what passed or the code.
type Passing<'a> = (&'a str, &'a Terms<'a>, Latest, Reading, Result<Registers, &'a str>);

#[test]
fn a_register_passes_its_end_only_where_one_is_declared_and_only_plausibly() {
    let declared = Terms { modulus_wh: Some(MODULUS), ..terms() };
    let (last, undeclared) = (latest(MODULUS - 10), terms());
    let cases: Vec<Passing<'_>> = vec![
        ("all three pass", &declared, last, next(20, |_| {}), Ok(all(MODULUS))),
        (
            "one passes",
            &declared,
            last,
            next(MODULUS - 5, |r| r.registers.import_wh = 3),
            Ok(Registers { import_wh: MODULUS, export_wh: 0, generation_wh: 0 }),
        ),
        ("no end is declared", &undeclared, last, next(20, |_| {}), Err("reading.falling_register")),
        ("it only fell", &declared, latest(500_000), next(499_000, |_| {}), Err("reading.falling_register")),
        (
            "beyond the end",
            &declared,
            latest(MODULUS + 10),
            next(MODULUS + 5, |_| {}),
            Err("reading.falling_register"),
        ),
        ("more than the time allows", &declared, last, next(4_000, |_| {}), Err("reading.falling_register")),
    ];
    for (what, terms, last, reading, expected) in cases {
        let verdict = judge(&reading, terms, Some(&last), now());
        let base = Base { time: last.time, registers: last.registers };
        let began = expected.map(|added| Some(Began::RolledOver { added, base }));
        let got = verdict.map(|verdict| verdict.began).map_err(|refusal| refusal.code());
        assert_eq!(got, began, "{what}");
    }
}

#[test]
fn a_new_epoch_is_taken_when_the_meter_has_signed_the_stored_last_values() {
    let last = latest(8_000);
    let began = |wh: u64, previous: [u8; 8]| next(wh, |r| (r.epoch, r.seq, r.previous) = (2, 1, previous));
    let base = Base { time: START, registers: all(8_000) };
    let cases: Vec<(&str, Reading, Result<Registers, &str>)> = vec![
        ("registers go on", began(8_000, [0; 8]), Ok(all(8_000))),
        ("registers go on, a little later", began(8_020, [0; 8]), Ok(all(8_000))),
        ("at zero, with the last one's hash", began(7, HASH), Ok(all(0))),
        ("at zero, without it", began(7, [0; 8]), Err("reading.unknown_epoch")),
        ("go on, but too far", began(50_000, [0; 8]), Err("reading.implausible")),
        ("at zero, but too far", began(4_000, HASH), Err("reading.implausible")),
    ];
    for (what, reading, expected) in cases {
        let got = judge(&reading, &terms(), Some(&last), now());
        let got = got.map(|verdict| verdict.began).map_err(|refusal| refusal.code());
        assert_eq!(got, expected.map(|opening| Some(Began::Epoch { base, opening })), "{what}");
    }
    // A meter of which nothing is stored has nothing to prove.
    let refused = judge(&began(7, HASH), &terms(), None, now());
    assert_eq!(refused, Err(Refusal::UnknownEpoch(2)));
}

fn original() -> Span {
    Span::original(HouseholdId(1), MeterId([1; 16]), [2; 32], 1)
}

#[test]
fn another_meters_first_reading_is_judged_by_where_the_household_stood() {
    let old = original();
    let base = Base { time: START, registers: all(8_000) };
    let begins = Span {
        meter: MeterId([9; 16]),
        chain_epoch: 2,
        from: Timestamp(START.0 + 1),
        reason: SpanReason::Replaced,
        ..old.clone()
    };
    let span = old.followed(begins, base, all(500)).unwrap();
    assert_eq!((span.number, span.offsets.import_wh), (1, 7_500));
    let terms = Terms { span: Some(&span), ..terms() };
    let at = |wh: u64, seconds: i64| {
        next(wh, |r| (r.seq, r.time_us) = (1, START.plus_seconds(seconds).0.cast_unsigned()))
    };
    for (what, reading, expected) in [
        ("where it was put in", at(500, 60), None),
        ("a little later", at(520, 60), None),
        ("below what it showed then", at(499, 60), Some("reading.falling_register")),
        ("too far", at(9_000, 60), Some("reading.implausible")),
        ("from before it counted", at(510, -60), Some("reading.before_its_time")),
    ] {
        let got = judge(&reading, &terms, None, now());
        assert_eq!(got.err().map(|refusal| refusal.code()), expected, "{what}");
    }
}

/// What a household's meters do, one after another.
#[derive(Clone, Debug)]
enum Deed {
    Use(u64),
    Reset,
    Replace { shows: u64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..900_u64).prop_map(Deed::Use),
        1 => Just(Deed::Reset),
        1 => (0..MODULUS).prop_map(|shows| Deed::Replace { shows }),
    ]
}

proptest! {
    #[test]
    fn virtual_registers_count_every_wh_once_whatever_happens_to_meters(
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let (mut span, mut raw, mut true_wh) = (original(), 0_u64, 0_u64);
        let (mut seq, mut time) = (0_u64, START);
        let mut last: Option<Latest> = None;
        for deed in deeds {
            time = time.plus_seconds(900);
            let base = Base { time, registers: all(true_wh) };
            let begins = |span: &Span| Span { from: Timestamp(time.0 + 1), ..span.clone() };
            match deed {
                Deed::Use(wh) => {
                    true_wh += wh;
                    raw = (raw + wh) % MODULUS;
                    seq += 1;
                    let terms = Terms {
                        span: Some(&span), epoch: span.epoch, modulus_wh: Some(MODULUS), ..terms()
                    };
                    let reading = next(raw, |r| {
                        (r.epoch, r.seq, r.time_us) = (span.epoch, seq, time.0.cast_unsigned());
                    });
                    let verdict = judge(&reading, &terms, last.as_ref(), time).unwrap();
                    if let Some(Began::RolledOver { added, base }) = verdict.began {
                        span = span.rolled_over(added, base, time, time).unwrap();
                    }
                    let hash = HASH;
                    let registers = all(raw);
                    let (epoch, received_at, ahead) = (span.epoch, time, verdict.ahead);
                    last = Some(Latest { epoch, seq, time, registers, hash, received_at, ahead });
                    prop_assert_eq!(virtual_of(&span.offsets, &registers), Some(all(true_wh)));
                }
                Deed::Reset => {
                    let next = Span { epoch: span.epoch + 1, ..begins(&span) };
                    span = span.followed(next, base, all(0)).unwrap();
                    (raw, seq) = (0, 0);
                }
                Deed::Replace { shows } => {
                    let next = Span { meter: MeterId([seq.to_be_bytes()[7]; 16]), ..begins(&span) };
                    span = span.followed(next, base, all(shows)).unwrap();
                    (raw, seq, last) = (shows, 0, None);
                }
            }
        }
    }

    #[test]
    fn a_judged_reading_never_lowers_a_register(
        before in (0..1u64 << 54, 0..1u64 << 54, 0..1u64 << 54),
        after in (0..1u64 << 54, 0..1u64 << 54, 0..1u64 << 54),
        later_s in -1_000..1_000_000i64,
        rating_w in any::<u32>(),
    ) {
        let registers = |(import_wh, export_wh, generation_wh)| Registers { import_wh, export_wh, generation_wh };
        let last = Latest { registers: registers(before), ..latest(0) };
        let reading = next(0, |r| {
            (r.time_us, r.registers) = (START.plus_seconds(later_s).0.cast_unsigned(), registers(after));
        });
        let rating = Rating { export_w: rating_w, import_w: rating_w, panels_w: rating_w };
        let terms = Terms { rating, ..terms() };
        if judge(&reading, &terms, Some(&last), START.plus_seconds(2_000_000)).is_ok() {
            prop_assert!(later_s > 0);
            prop_assert!(after.0 >= before.0 && after.1 >= before.1 && after.2 >= before.2);
            let most = u128::from(rating_w) * (u128::try_from(later_s).unwrap() + 900) * 5 / 4 / 3_600;
            prop_assert!(u128::from(after.0 - before.0) <= most);
        }
    }
}

#[test]
fn a_meter_at_its_rating_is_never_called_implausible() {
    let last = latest(0);
    for (slots, wh, fine) in [(1, 1_250, true), (96, 120_000, true), (1, 3_200, false), (96, 152_000, false)]
    {
        let time = START.plus_seconds(slots * 900);
        let reading = next(wh, |r| r.time_us = time.0.cast_unsigned());
        assert_eq!(judge(&reading, &terms(), Some(&last), time).is_ok(), fine, "{slots} slots, {wh} Wh");
    }
}
