//! What the gateway takes in: real meters' messages through a real broker into a real
//! SQLite file, each reading verified, deduplicated and durable before it is
//! acknowledged; beside it, on the same cores, signatures alone and the database alone.
//!
//! `cargo xtask bench gateway` runs it. Broker, gateway and store are a process of their
//! own, so that their CPU and memory are told apart from the meters'; readings are signed
//! before the clock runs. The last line is JSON.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measurement that cannot go on ends"
)]

mod limits;
mod load;
mod mqtt;
mod site;

use serde_json::json;
use site::Told;
use std::path::Path;
use std::time::Duration;

/// Meters and messages of 60 readings each of the batched row.
const BATCHED: (u32, u32) = (400, 10);
/// Meters and messages of one reading each.
const SINGLE: (u32, u32) = (400, 150);
/// Meters that are connected at once.
const CONNECTED: u32 = 10_000;
/// How long they are watched, and how often each reads.
const MINUTE: Duration = Duration::from_mins(1);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder, meters, broker] => site::serve(Path::new(folder), meters.parse().unwrap(), broker),
        ["quick"] => measure(1, false),
        [] => measure(3, true),
        _ => panic!("usage: bench_gateway [quick]"),
    }
}

fn measure(runs: usize, whole: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    eprintln!("signing");
    let many = load::signed(BATCHED.0, BATCHED.1 * 60);
    let few: Vec<Vec<Vec<u8>>> = many.iter().map(|meter| meter[..SINGLE.1 as usize].to_vec()).collect();
    let batched: Vec<_> = many.iter().map(|meter| load::messages(meter, 60)).collect();
    let single: Vec<_> = few.iter().map(|meter| load::messages(meter, 1)).collect();

    let signatures = median(runs, || limits::signatures_per_s(&many));
    let rows = median(runs, || runtime.block_on(limits::rows_per_s(&many)));
    let mut beside = Vec::new();
    let mut row = |name: &str, broker: &str, messages: &[Vec<load::Message>], window: usize| {
        let mut told = Vec::new();
        let rate = median(runs, || {
            let server = site::Server::start(messages.len() as u32, broker);
            let begin = server.told();
            let elapsed = runtime.block_on(load::publish(server.port, messages, window));
            let end = server.told();
            let readings: u64 = messages
                .iter()
                .flatten()
                .map(|message| u64::from(message.last_seq - message.first_seq + 1))
                .sum();
            assert_eq!(end.stored, readings, "every reading is stored once");
            let cpu = Told::cpu_s(&begin, &end);
            told.push((cpu, end.dropped, end.rss_bytes));
            readings as f64 / elapsed.as_secs_f64()
        });
        eprintln!("{name:>28} {rate:>12.0}/s  (cpu s, dropped, rss: {told:?})");
        beside.push(told);
        rate
    };
    let readings_batched = row("batched, embedded broker", "embedded", &batched, 2);
    let readings_single = row("single, embedded broker", "embedded", &single, 4);
    let readings_single_mosquitto = row("single, Mosquitto", "mosquitto", &single, 4);

    let mut figures = json!({
        "readings_per_s_batched": readings_batched as u64,
        "readings_per_s_single": readings_single as u64,
        "readings_per_s_single_mosquitto": readings_single_mosquitto as u64,
        "ed25519_batch_per_s": signatures as u64,
        "db_rows_per_s": rows as u64,
        "batched_to_ed25519_permille": (1_000.0 * readings_batched / signatures) as u64,
        "batched_to_db_permille": (1_000.0 * readings_batched / rows) as u64,
    });
    if whole {
        let (percent, rss) = connected(&runtime);
        figures["meters10k_cpu_percent"] = json!((percent * 10.0).round() / 10.0);
        figures["meters10k_rss_bytes"] = json!(rss);
    }
    println!("{figures}");
}

/// CPU in per cent of one core, and resident bytes, of broker, gateway and store while
/// ten thousand meters send a reading a minute each.
fn connected(runtime: &tokio::runtime::Runtime) -> (f64, u64) {
    let messages: Vec<_> = load::signed(CONNECTED, 1).iter().map(|meter| load::messages(meter, 1)).collect();
    let server = site::Server::start(CONNECTED, "embedded");
    let (begin, end) = runtime.block_on(load::watch(&server, &messages, MINUTE));
    assert_eq!(end.stored, u64::from(CONNECTED), "every reading is stored once");
    (100.0 * Told::cpu_s(&begin, &end) / MINUTE.as_secs_f64(), end.rss_bytes)
}

fn median(runs: usize, mut run: impl FnMut() -> f64) -> f64 {
    let mut found: Vec<f64> = (0..runs).map(|_| run()).collect();
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}
