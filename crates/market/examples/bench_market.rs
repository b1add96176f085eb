//! How fast a call is, and how good: `cargo xtask bench market` runs it. The last line
//! is the figures as one line of JSON.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement, not a service")]

#[path = "../tests/oracle/mod.rs"]
mod oracle;
#[path = "../tests/village/mod.rs"]
mod village;

use jirani_market::Tariff;
use jirani_market::call::{Book, CallOrder, Draw, Party, Plan, Side, Source, clear};
use jirani_units::{Cents, HouseholdId, Price, Slot, Timestamp, Wh};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Bids of 10 to 35 and offers of 5 to 30 KES/kWh all fit.
const TARIFF: Tariff =
    Tariff { retail: Price(3_500), buy_back: Price(500), grid_fee: Price(0), tax: Price(0) };
const SLOT: Slot = Slot { start: Timestamp::from_seconds(1_800_000_000), length_s: 900 };

fn draw() -> Draw {
    Draw::open(&Draw::commitment(&[1; 32]), [1; 32], [2; 32], SLOT).unwrap()
}

fn order(household: u32, limit: u32, energy_wh: u32) -> CallOrder {
    CallOrder {
        household: HouseholdId(household),
        party: Party::Household,
        energy_wh,
        limit: Price(limit),
        since: SLOT.end(),
        source: Source::Rule,
        money: Cents(i64::MAX),
    }
}

/// `count` orders on each side; each of another household.
fn book(count: u32, seed: u64, one_price: bool) -> Book {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut book = Book::new(TARIFF);
    for (side, from, range) in [(Side::Bid, 0, 1_000..=3_500), (Side::Ask, count, 500..=3_000)] {
        for household in from..from + count {
            let limit = if one_price { 2_000 } else { random.random_range(range.clone()) };
            book.enter(side, &order(household, limit, random.random_range(50..=1_000))).unwrap();
        }
    }
    book
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Median seconds of `runs` of `work` on what `make` makes, which is not timed.
fn measure<T, R>(runs: u64, make: impl Fn(u64) -> T, work: impl Fn(&T) -> R) -> f64 {
    let times = (0..runs)
        .map(|seed| {
            let input = make(seed);
            let begin = Instant::now();
            black_box(work(black_box(&input)));
            begin.elapsed().as_secs_f64()
        })
        .collect();
    median(times)
}

/// Least share of the optimum's welfare and volume over `books` random books.
fn worst_ratios(books: u64) -> (f64, f64) {
    let mut worst = (1.0f64, 1.0f64);
    for seed in 0..books {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let spread = [5u32, 40, 3_000][usize::try_from(seed % 3).unwrap()];
        let mut side = || -> Vec<(u32, u32)> {
            (0..random.random_range(0..12))
                .map(|_| (500 + random.random_range(0..=spread), random.random_range(1..=20)))
                .collect()
        };
        let (bids, asks) = (side(), side());
        let mut book = Book::new(TARIFF);
        for (side, from, orders) in [(Side::Bid, 0, &bids), (Side::Ask, 100, &asks)] {
            for (household, (limit, energy)) in (from..).zip(orders) {
                book.enter(side, &order(household, *limit, *energy)).unwrap();
            }
        }
        let outcome = clear(&book, &draw());
        let (welfare, volume) = oracle::optimum(&bids, &asks);
        if welfare > 0 {
            worst.0 = worst.0.min(outcome.welfare_millicents(&book) as f64 / welfare as f64);
        }
        if volume > 0 {
            worst.1 = worst.1.min(outcome.volume_wh as f64 / volume as f64);
        }
        assert_eq!(outcome.volume_wh, volume, "seed {seed}");
    }
    worst
}

/// Milliseconds of a day of 300 homes: rules, calls, orders, bills and reports of 96
/// slots. The homes' energy is made up beforehand. Median of the days of a week.
fn day() -> f64 {
    let homes = 300u64;
    let mut market = village::Village::new((0..homes).map(|home| village::rules(home, Wh(1_500))), 1);
    let mut slot = SLOT;
    let days = (0..7)
        .map(|_| {
            let flows: Vec<(Slot, Vec<(u64, u64)>)> = (0..96)
                .map(|_| {
                    slot = slot.next();
                    (slot, (0..homes).map(|home| village::made_up(1, home, slot)).collect())
                })
                .collect();
            let begin = Instant::now();
            for (slot, flows) in &flows {
                black_box(market.step(*slot, flows));
            }
            begin.elapsed().as_secs_f64()
        })
        .collect();
    median(days)
}

fn main() {
    let clear_1k = measure(100, |seed| book(1_000, seed, false), |book| clear(book, &draw()));
    let with_plan =
        measure(100, |seed| book(1_000, seed, false), |book| Plan::new(book, &clear(book, &draw())));
    let clear_1m = measure(5, |seed| book(1_000_000, seed, false), |book| clear(book, &draw()));
    let ties_1m = measure(3, |seed| book(1_000_000, seed, true), |book| clear(book, &draw()));
    let (welfare, volume) = worst_ratios(10_000);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/two_pointer.py");
    let day = day();
    let begin = Instant::now();
    black_box(village::made_up_village(80, 365));
    let year = begin.elapsed().as_secs_f64();
    // Without Python the comparison is left out, and says so as null.
    let python = Command::new("python3")
        .arg(script)
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse::<u64>().ok());
    println!(
        "{}",
        serde_json::json!({
            "clear_1k_us": (clear_1k * 1e6).round(),
            "clear_1k_with_orders_us": (with_plan * 1e6).round(),
            "clear_1m_ms": (clear_1m * 1e4).round() / 10.0,
            "clear_1m_all_ties_ms": (ties_1m * 1e4).round() / 10.0,
            "welfare_ratio_min": welfare,
            "volume_ratio_min": volume,
            "python_two_pointer_1k_us": python,
            "day_96_slots_300_homes_ms": (day * 1e4).round() / 10.0,
            "year_80_homes_s": (year * 100.0).round() / 100.0,
        })
    );
}
