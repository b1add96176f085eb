//! Everything at once, in processes of their own: the emulator of M-Pesa, the chain, and
//! the real settlement on its database file, which is killed with SIGKILL at every named
//! moment and at moments nobody chose, while neighbours buy, withdraw and pay by hand,
//! every answer, callback and outcome of M-Pesa goes wrong now and then, the float runs
//! dry, and M-Pesa and the chain are killed, too. Afterwards every shilling and every
//! watt-hour is where it belongs, once.
//!
//! The short form runs with the tests; the full one is `cargo xtask bench mpesa --storm`,
//! or `cargo test --release -p jirani-settlement --test killed_storm -- --full`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod driver;
mod ending;
mod part;
mod people;
mod site;
mod time;
mod weather;

use driver::Size;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let short = Size { trades: 400, payouts: 200, random_kills: 10, seed: 7 };
    let size = match arguments.first().map(String::as_str) {
        Some("part") => return part::run(&arguments[1..]).await,
        Some("--full") => Size { trades: 10_000, payouts: 5_000, random_kills: 200, seed: 11 },
        // What the test harness says to every test: names to pick from, and lists.
        Some("--list") => return,
        // Any size between: trades, payouts, kills at random moments.
        Some("--size") => {
            let numbers: Vec<usize> = arguments[1..].iter().map(|number| number.parse().unwrap()).collect();
            let [trades, payouts, random_kills] = numbers[..] else { panic!("--size TRADES PAYOUTS KILLS") };
            Size { trades, payouts, random_kills, ..short }
        }
        _ => short,
    };
    driver::storm(size).await;
}
