//! Each rule alone: what it lets pass and what it does not.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use jirani_forecast::Place;
use jirani_plausibility::{
    Accused, Day, DaySky, FeederHour, Finding, History, Hour, Interval, Policy, Rule, Severity, Site, Sky,
    Storage, Today, judge_copies, judge_day, judge_feeder, judge_interval, judge_twins,
};
use proptest::prelude::{Strategy as _, any, proptest};

const SITE: Site = Site { panels_w: 4_000, export_w: 4_000, import_w: 9_200, storage: Storage::None };
/// Midnight and noon at Kitonyoni.
const NIGHT: &str = "2026-03-20T21:00:00Z";
const NOON: &str = "2026-03-20T09:00:00Z";

fn judged(
    site: Site,
    at: &str,
    length_s: u32,
    [import_wh, export_wh, generation_wh]: [u64; 3],
) -> Vec<Finding> {
    let start = at.parse().unwrap();
    let interval = Interval { start, length_s, import_wh, export_wh, generation_wh: Some(generation_wh) };
    let sky = Sky::over(Place::KITONYONI, start, length_s);
    judge_interval(&site, &interval, sky, None, &Policy::default())
}

fn verdicts(findings: &[Finding]) -> Vec<(Rule, Severity)> {
    findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
}

#[test]
fn a_slot_is_judged_by_connection_sun_and_balance() {
    let stored = Site { storage: Storage::Declared, ..SITE };
    let bare = Site { panels_w: 0, ..SITE };
    let hold = |rule| vec![(rule, Severity::Hold)];
    for (case, site, at, registers, expected) in [
        ("a quiet night", SITE, NIGHT, [120, 0, 0], vec![]),
        ("a bright noon", SITE, NOON, [0, 800, 950], vec![]),
        ("a watt of noise at night", SITE, NIGHT, [0, 2, 2], vec![]),
        ("export at night", SITE, NIGHT, [0, 200, 200], hold(Rule::Night)),
        ("a battery at night", stored, NIGHT, [0, 200, 0], vec![]),
        ("more than the sun has", SITE, "2026-03-20T04:00:00Z", [0, 0, 700], hold(Rule::ClearSky)),
        ("panels that are not there", bare, NOON, [0, 100, 100], hold(Rule::NoSource)),
        ("more out than made", SITE, NOON, [0, 900, 700], hold(Rule::SiteBalance)),
        ("a cable that would glow", SITE, NIGHT, [9_200, 0, 0], vec![(Rule::RatedPower, Severity::Refuse)]),
        ("a fuse that would blow", SITE, NIGHT, [2_700, 0, 0], hold(Rule::RatedPower)),
    ] {
        assert_eq!(verdicts(&judged(site, at, 900, registers)), expected, "{case}");
    }
}

#[test]
fn a_silence_is_judged_by_all_the_sun_it_saw() {
    // From midnight to midnight: a good day, and one that no day can be.
    assert_eq!(judged(SITE, NIGHT, 86_400, [2_000, 20_000, 24_000]), []);
    let impossible = judged(SITE, NIGHT, 86_400, [2_000, 60_000, 60_000]);
    assert_eq!(verdicts(&impossible), [(Rule::ClearSky, Severity::Hold)]);
}

#[test]
fn the_policy_decides_how_grave_a_rule_is() {
    let mut policy = Policy::default();
    policy.severity.insert("night".to_owned(), Severity::Note);
    let start = NIGHT.parse().unwrap();
    let interval = Interval { start, length_s: 900, import_wh: 0, export_wh: 200, generation_wh: Some(200) };
    let found = judge_interval(&SITE, &interval, Sky::over(Place::KITONYONI, start, 900), None, &policy);
    assert_eq!(verdicts(&found), [(Rule::Night, Severity::Note)]);
    policy.severity.insert("moonlight".to_owned(), Severity::Hold);
    assert_eq!(policy.unknown_rule(), Some("moonlight"));
}

#[test]
fn codes_are_found_again() {
    for rule in Rule::ALL {
        assert_eq!(Rule::from_code(rule.code()), Some(*rule));
        assert_eq!(format!("plausibility.{}", rule.id()), rule.code());
    }
}

/// A day of a home that cooks a little differently each day: `number` from 0.
fn day_of(number: i64, change: impl Fn(usize, &mut Hour)) -> Today {
    let sky = sky_of(number);
    let hours = std::array::from_fn(|hour| {
        let salt = u32::try_from((number * 31 + i64::try_from(hour).unwrap() * 17).rem_euclid(97)).unwrap();
        let generation_wh = sky.hours[hour].ceiling_wh_per_kw * 4 * (55 + salt % 20) / 100;
        let load = 150 + 3 * salt;
        let net = i32::try_from(generation_wh).unwrap() - i32::try_from(load).unwrap();
        let mut hour_of = Hour {
            import_wh: load.saturating_sub(generation_wh),
            export_wh: generation_wh.saturating_sub(load),
            generation_wh,
            power_w: Some((net - net.abs() / 4, net + net.abs() / 4)),
            incoherent: 0,
        };
        change(hour, &mut hour_of);
        Some(hour_of)
    });
    Today { day: 20_000 + number, hours, restarts: 0 }
}

fn sky_of(number: i64) -> DaySky {
    DaySky::over(Place::KITONYONI, 20_000 + number)
}

fn kept(today: &Today) -> Day {
    Day::of(today, &DaySky::over(Place::KITONYONI, today.day), SITE.panels_w)
}

fn past(days: i64) -> History {
    let mut history = History::default();
    for number in 0..days {
        history.push(kept(&day_of(number, |_, _| {})));
    }
    history
}

fn day_verdicts(today: &Today, history: &History) -> Vec<(Rule, Severity)> {
    let sky = DaySky::over(Place::KITONYONI, today.day);
    verdicts(&judge_day(&SITE, today, &sky, history, &Policy::default()))
}

#[test]
fn an_ordinary_day_passes_and_each_odd_one_has_its_reason() {
    let history = past(15);
    assert_eq!(day_verdicts(&day_of(15, |_, _| {}), &history), []);
    let replayed = Today { day: 20_015, ..day_of(8, |_, _| {}) };
    assert_eq!(day_verdicts(&replayed, &history), [(Rule::Replay, Severity::Hold)]);
    let drip = day_of(15, |hour, told| told.export_wh += if hour < 5 { 40 } else { 0 });
    assert_eq!(day_verdicts(&drip, &history), [(Rule::Night, Severity::Hold)]);
    let stuck = day_of(15, |_, told| told.import_wh = 0);
    assert_eq!(day_verdicts(&stuck, &history), [(Rule::Stuck, Severity::Hold)]);
    let clamp_off = day_of(15, |hour, told| told.incoherent = u16::from(hour > 5));
    assert_eq!(day_verdicts(&clamp_off, &history), [(Rule::Coherence, Severity::Hold)]);
    let bright = day_of(15, |_, told| told.generation_wh = told.generation_wh * 16 / 10);
    assert_eq!(day_verdicts(&bright, &history), [(Rule::ClearSky, Severity::Hold)]);
    let made = day_of(15, |_, told| {
        (told.import_wh, told.export_wh, told.generation_wh, told.power_w) = (200, 0, 0, None);
    });
    assert_eq!(day_verdicts(&made, &history), [(Rule::Constant, Severity::Note)]);
    let mut silent = day_of(15, |_, _| {});
    silent.hours[2..10].fill(None);
    assert_eq!(day_verdicts(&silent, &history), [(Rule::Gaps, Severity::Note)]);
}

#[test]
fn a_clock_that_was_moved_two_days_ago_is_seen() {
    let moved = |number: i64| {
        let mut today = day_of(number, |_, _| {});
        today.hours.rotate_right(2);
        today
    };
    let mut history = past(15);
    assert!(
        !day_verdicts(&moved(15), &history).contains(&(Rule::Shifted, Severity::Hold)),
        "one day may be clouds"
    );
    history.push(kept(&moved(15)));
    assert!(day_verdicts(&moved(16), &history).contains(&(Rule::Shifted, Severity::Hold)));
}

#[test]
fn the_meters_own_best_limits_what_is_expected_of_its_panels() {
    assert!(past(15).best_permille(12).is_some());
    assert_eq!(past(6).best_permille(12), None, "less than a week is no past");
    let start = NOON.parse().unwrap();
    let verdict = |length_s: u32, generation_wh: u64| {
        let generation = Some(generation_wh);
        let interval = Interval { start, length_s, import_wh: 0, export_wh: 0, generation_wh: generation };
        let sky = Sky::over(Place::KITONYONI, start, length_s);
        verdicts(&judge_interval(&SITE, &interval, sky, Some(2_000), &Policy::default()))
    };
    // A quarter more and a tenth of the rating; less where many hours' bests are summed.
    assert_eq!(verdict(3_600, 2_900), []);
    assert_eq!(verdict(3_600, 2_901), [(Rule::Jump, Severity::Hold)]);
    assert_eq!(verdict(4 * 3_600, 2_640), []);
    assert_eq!(verdict(4 * 3_600, 2_641), [(Rule::Jump, Severity::Hold)]);
}

#[test]
fn a_scaled_copy_of_a_neighbours_day_names_the_one_it_does_not_fit() {
    let history = past(15);
    let own = kept(&day_of(15, |_, _| {}));
    let other = |number: i64| {
        kept(&day_of(number, |hour, told| {
            told.import_wh = told.import_wh * 3 + 40 * u32::try_from((hour * 7 + 3) % 11).unwrap();
        }))
    };
    let mut theirs = History::default();
    for number in 0..15 {
        theirs.push(other(number));
    }
    assert_eq!(judge_copies(&[(&own, &history), (&other(15), &theirs)], &Policy::default()), []);
    let copy = kept(&day_of(15, |_, told| {
        told.import_wh = told.import_wh * 9 / 10;
        told.export_wh = told.export_wh * 9 / 10;
    }));
    let found = judge_copies(&[(&own, &history), (&copy, &theirs)], &Policy::default());
    assert_eq!(found.iter().map(|(place, f)| (*place, f.rule)).collect::<Vec<_>>(), [(1, Rule::Copied)]);
}

/// A week of `meters` homes; the source supplies what they draw, what wires take, and `hidden`.
fn week(meters: usize, hidden: impl Fn(usize, &[[u32; 3]]) -> i64) -> Vec<FeederHour> {
    (0..168)
        .map(|hour| {
            let home = |place: usize| {
                let salt = (hour * 37 + place * 101 + hour * hour * (place + 3)) % 211;
                [100 + 7 * u32::try_from(salt).unwrap(), 0, 0]
            };
            let meters: Vec<[u32; 3]> = (0..meters).map(home).collect();
            let drawn: u32 = meters.iter().map(|meter| meter[0]).sum();
            let wires = i64::from(drawn) * (40 + i64::try_from(hour % 7).unwrap()) / 1_000;
            FeederHour { supply_wh: i64::from(drawn) + wires + hidden(hour, &meters), meters }
        })
        .collect()
}

#[test]
fn energy_that_disappears_with_one_homes_curve_disappears_there() {
    let policy = Policy::default();
    assert_eq!(judge_feeder(&week(8, |_, _| 0), &policy), []);
    let bypassed = week(8, |_, meters| i64::from(meters[3][0]) / 2);
    let accused: Vec<(Accused, Rule)> =
        judge_feeder(&bypassed, &policy).into_iter().map(|(who, finding)| (who, finding.rule)).collect();
    assert_eq!(accused, [(Accused::Meter(3), Rule::FeederShare)]);
    // A lamp that nobody has a meter for is nobody's curve: the feeder is told of.
    let lamp = week(8, |_, _| 3_000);
    let accused: Vec<(Accused, Rule)> =
        judge_feeder(&lamp, &policy).into_iter().map(|(who, finding)| (who, finding.rule)).collect();
    assert_eq!(accused, [(Accused::Feeder, Rule::FeederLoss)]);
}

#[test]
fn one_panel_behind_two_meters_is_sold_twice_only_when_the_feeder_misses_it() {
    let history = past(15);
    let ours = kept(&day_of(15, |_, _| {}));
    let pairs = [(&ours, &history), (&ours, &history)];
    let window = |missing: u32| -> Vec<FeederHour> {
        (13..16_i64)
            .flat_map(|number| day_of(number, |_, _| {}).hours)
            .flatten()
            .enumerate()
            .map(|(hour, told)| {
                let registers = [told.import_wh, told.export_wh, told.generation_wh];
                let net = i64::from(told.import_wh) - i64::from(told.export_wh);
                let wires = 20 + i64::try_from(hour % 5).unwrap();
                let supply_wh = 2 * net + wires + i64::from(told.generation_wh * missing);
                FeederHour { supply_wh, meters: vec![registers; 2] }
            })
            .collect()
    };
    let policy = Policy::default();
    assert_eq!(judge_twins(&pairs, &window(0), &policy), []);
    let found = judge_twins(&pairs, &window(1), &policy);
    assert_eq!(
        found.iter().map(|(who, finding)| (*who, finding.rule)).collect::<Vec<_>>(),
        [(0, Rule::Twins), (1, Rule::Twins)]
    );
}

proptest! {
    /// Whatever meters say, judging ends without a panic, and never accuses who is not there.
    #[test]
    fn nothing_a_meter_says_breaks_a_rule(
        registers in any::<[u64; 3]>(),
        length_s in 1_u32..100_000,
        second in 0_i64..4_000_000_000,
        feeder in proptest::collection::vec(
            (any::<i32>(), any::<[[u32; 3]; 3]>()).prop_map(|(supply, meters)| FeederHour {
                supply_wh: supply.into(), meters: meters.to_vec(),
            }), 0..180),
    ) {
        let start = jirani_units::Timestamp(second * 1_000_000);
        let [import_wh, export_wh, generation_wh] = registers;
        let interval = Interval { start, length_s, import_wh, export_wh, generation_wh: Some(generation_wh) };
        let sky = Sky::over(Place::KITONYONI, start, length_s);
        let _ = judge_interval(&SITE, &interval, sky, Some(export_wh / 200), &Policy::default());
        for (accused, _) in judge_feeder(&feeder, &Policy::default()) {
            assert!(matches!(accused, Accused::Feeder | Accused::Meter(0..3)));
        }
    }
}
