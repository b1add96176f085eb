//! Resets, roll-overs, jumps and restarts, as tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod site;

use jirani_devices::Outcome;
use proptest::prelude::*;
use site::Device;

/// One counter in kWh that a device may set to zero.
const KWH: &str = "name: k\ntitle: K\nvalues: { drawn: { register: import, unit: kWh } }\ntopics: [ { topic: \"devices/{device}/e\", payload: number, values: { drawn: \"\" } } ]\n";
/// The same in watt minutes.
const WMIN: &str = "name: w\ntitle: W\nvalues: { drawn: { register: import, unit: Wmin } }\ntopics: [ { topic: \"devices/{device}/e\", payload: number, values: { drawn: \"\" } } ]\n";
/// A counter of six digits of 0.1 kWh that begins anew.
const SIX_DIGITS: &str = "name: s\ntitle: S\nvalues: { drawn: { register: import, unit: kWh, modulus: \"100000.0\" } }\ntopics: [ { topic: \"devices/{device}/e\", payload: number, values: { drawn: \"\" } } ]\n";

/// What a device says, minute by minute, and what comes of it: its import in Wh, or a code.
type Story<'a> = &'a [(&'a str, Result<u64, &'a str>)];

#[test]
fn falls_are_told_apart() {
    let stories: &[(&str, &str, Story<'_>)] = &[
        ("growing", KWH, &[("100", Ok(0)), ("100.05", Ok(50)), ("100.05", Ok(50)), ("100.1", Ok(100))]),
        (
            "set to zero: believed at the second message",
            KWH,
            &[("100", Ok(0)), ("100.05", Ok(50)), ("0", Ok(50)), ("0.01", Ok(60)), ("0.02", Ok(70))],
        ),
        (
            "a late copy of an old message",
            KWH,
            &[("100", Ok(0)), ("100.05", Ok(50)), ("100.04", Err("device.fell")), ("100.06", Ok(60))],
        ),
        (
            "one very old message",
            KWH,
            &[
                ("1", Ok(0)),
                ("1.05", Ok(50)),
                ("0.2", Ok(50)),
                ("1.06", Ok(60)),
                ("0.2", Ok(60)),
                ("1.07", Ok(70)),
            ],
        ),
        (
            "turned back by a tenth",
            KWH,
            &[("100", Ok(0)), ("90", Err("device.fell")), ("90.1", Err("device.fell")), ("100.01", Ok(10))],
        ),
        (
            "another meter put in its place",
            KWH,
            &[("100", Ok(0)), ("49", Err("device.fell")), ("49.1", Err("device.fell"))],
        ),
        (
            "a jump beyond what the connection carries",
            KWH,
            &[("100", Ok(0)), ("200", Err("device.implausible")), ("100.1", Ok(100))],
        ),
        (
            "rolled over",
            SIX_DIGITS,
            &[
                ("99999.9", Ok(0)),
                ("0.0", Ok(100)),
                ("0.1", Ok(200)),
                ("100000.0", Err("device.beyond_modulus")),
            ],
        ),
        (
            "set to zero where only roll-overs are declared",
            SIX_DIGITS,
            &[("500", Ok(0)), ("0", Err("device.fell")), ("0.1", Err("device.fell"))],
        ),
        ("watt minutes", WMIN, &[("59", Ok(0)), ("118", Ok(0)), ("119", Ok(1)), ("6119", Ok(101))]),
        (
            "no number",
            KWH,
            &[
                ("NaN", Err("device.not_a_number")),
                ("-1", Err("device.negative")),
                ("1e30", Err("device.out_of_range")),
            ],
        ),
    ];
    for (story, definition, says) in stories {
        let mut device = Device::of(definition);
        for (minute, (text, expected)) in says.iter().enumerate() {
            let seconds = i64::try_from(minute).unwrap() * 60;
            match expected {
                Ok(wh) => {
                    device
                        .try_says("e", text, seconds)
                        .unwrap_or_else(|error| panic!("{story}, {text}: {error}"));
                    assert_eq!(device.registers().0, *wh, "{story}, {text}");
                }
                Err(code) => assert_eq!(device.refused("e", text, seconds), *code, "{story}, {text}"),
            }
            device.restarted();
        }
    }
}

#[test]
fn days_offline_are_caught_up_with_and_nothing_is_counted_twice() {
    let mut device = Device::of(KWH);
    device.says("e", "100", 0);
    // Ten days: 5 kW carry 1,200 kWh.
    device.says("e", "1100", 10 * 86_400);
    assert_eq!(device.registers().0, 1_000_000);
    device.says("e", "1100", 10 * 86_400 + 1);
    assert_eq!(device.registers().0, 1_000_000);
}

#[test]
fn a_counter_turned_back_and_forth_earns_no_more_than_the_connection_carries() {
    let mut device = Device::of(KWH);
    device.says("e", "100", 0);
    let mut time = 0;
    for round in 0..500 {
        for text in ["0", "0.4", "0.8", "1.2", "100"] {
            time += 1;
            let _ = device.try_says("e", text, time + round);
        }
    }
    let seconds = u64::try_from(time).unwrap() + 500;
    let most = (900 + seconds) * 5_000 * 5 / 4 / 3_600;
    assert!(device.registers().0 <= most, "{} Wh of {most}", device.registers().0);
}

#[test]
fn a_suspected_reset_is_said() {
    let mut device = Device::of(KWH);
    device.says("e", "100", 0);
    assert_eq!(device.try_says("e", "0", 60), Ok(Outcome::Suspected("drawn".to_owned())));
    let Ok(Outcome::Taken { resets, .. }) = device.try_says("e", "0.01", 120) else { panic!() };
    assert_eq!(resets, ["drawn"]);
}

proptest! {
    #[test]
    fn what_grows_is_counted_to_the_wh_however_it_is_cut_up(
        steps in prop::collection::vec((0_u64..1_000, 1_u32..4), 1..60),
        start in 0_u64..1_000_000_000,
    ) {
        let mut device = Device::of(KWH);
        let mut milliwatthours = start;
        let mut seconds = 0;
        let text = |mwh: u64| format!("{}.{:06}", mwh / 1_000_000, mwh % 1_000_000);
        device.says("e", &text(start), 0);
        for (grew, hours) in steps {
            milliwatthours += grew * 1_000 + u64::from(hours);
            seconds += i64::from(hours) * 3_600;
            device.says("e", &text(milliwatthours), seconds);
            device.restarted();
        }
        prop_assert_eq!(device.registers().0, (milliwatthours - start) / 1_000);
    }
}
